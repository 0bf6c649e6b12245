"""A board's server from start to end, with users that come and go, TLS, and what is refused before anything starts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import subprocess

import nats
import pytest

from dataflow.nats import credentials, streams, subjects
from dataflow.nats.errors import IdentityError, ServerError, ServerFailed, Unsafe
from dataflow.nats.identity import read
from dataflow.server.config import Settings, Tls
from dataflow.server.identities import Identities
from dataflow.server.serving import Serving
from dataflow.server.sweep import Sweeper
from tests.certificates import Authority
from tests.dataflow.desks import until
from tests.dataflow.feeds.shared.logs import desk, entry
from tests.mqtt import Device, Refused
from tests.nats import free_port

BOARD = "ops"
TIMEOUT = 10


@pytest.fixture
def identities(tmp_path):
    return Identities(tmp_path / "access")


@pytest.fixture
def said():
    return []


@pytest.fixture
def serve(tmp_path, identities, said):
    def serve(**options) -> Serving:
        options = {"port": free_port(), "store": tmp_path / "served" / "jetstream"} | options
        return Serving(BOARD, Settings(name=BOARD, **options), tmp_path / "served", identities, said.append)

    return serve


@pytest.fixture
def certificate(tmp_path):
    """Self-signed, for a host that is not this one."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=tower.example", "-addext", "subjectAltName=DNS:tower.example", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return Tls(cert=cert, key=key)


async def connect(url: str, **options):
    connection = await nats.connect(url, allow_reconnect=False, connect_timeout=TIMEOUT, **options)
    connection.api = subjects.api(BOARD)
    return connection


def test_it_serves_a_board_and_keeps_its_log(serve):
    async def enter(url):
        connection = await connect(url)
        await connection.jetstream().publish(subjects.encode(BOARD, "e", "ada", "t"), b"{}")
        await connection.close()

    with serve() as serving:
        log = serving.stream.log
        asyncio.run(enter(serving.url))
    with serve() as serving:
        assert (serving.stream.log, serving.stream.last) == (log, 1)


def test_users_come_and_go_while_it_runs(serve, identities, said):
    """From no users at all: the first one shuts the door."""

    async def main(serving):
        anonymous = await cut_off(serving.url)
        ada = read(identities.add("ada", "operator"))
        serving.refresh()
        await asyncio.wait_for(anonymous.wait(), TIMEOUT)
        gone = await cut_off(serving.url, nkeys_seed_str=ada.seed)
        identities.remove("ada")
        serving.refresh()
        await asyncio.wait_for(gone.wait(), TIMEOUT)
        assert not door_open(serving.url)
        identities.add("bob", "viewer")
        serving.refresh()
        serving.refresh()
        assert said == ["Users now: ada (operator)", "Users now: nobody", "Users now: bob (viewer)"]

    async def cut_off(url, **options) -> asyncio.Event:
        closed = asyncio.Event()

        async def on_closed():
            closed.set()

        async def quiet(_):
            pass

        connection = await connect(url, closed_cb=on_closed, error_cb=quiet, **options)
        await streams.find(connection, BOARD)
        return closed

    def door_open(url) -> bool:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), TIMEOUT) as connection:
            connection.sendall(b"CONNECT {}\r\nPING\r\n")
            file = connection.makefile("rb")
            file.readline()
            return not file.readline().startswith(b"-ERR")

    with serve(websocket=free_port()) as serving:
        asyncio.run(main(serving))


def test_a_damaged_user_file_changes_nothing_and_is_said_once(serve, identities, said, tmp_path):
    identities.add("ada", "viewer")
    with serve() as serving:
        (tmp_path / "access" / "users" / "ada.json").write_text("{")
        serving.refresh()
        serving.refresh()
    assert len(said) == 1
    assert "damaged" in said[0]


def test_users_that_the_server_does_not_take_up_are_told(serve, identities, said, certificate):
    identities.add("ada", "viewer")
    with serve(tls=certificate) as serving:
        certificate.cert.write_text("gone bad")
        identities.remove("ada")
        serving.refresh()
    assert len(said) == 1
    assert "does not take them up" in said[0]


def test_desks_by_key_see_each_other_and_nobody_writes_as_another(serve, identities, tmp_path):
    """The whole way. The server's own answers can't be led onto another's subject."""
    files = {name: identities.add(name, role) for name, role in
             (("amy", "operator"), ("bob", "operator"), ("vee", "viewer"))}  # fmt: skip

    async def main(url):
        def desk_of(name):
            return desk(url, tmp_path / f"{name}.db", name, board=BOARD, identity=files[name])

        async with desk_of("amy") as amy, desk_of("bob") as bob, desk_of("vee") as vee:
            await amy.enter(entry(1))
            await bob.reaches(1)
            await bob.enter(entry(2))
            mallory = await connect(url, nkeys_seed_str=read(files["bob"]).seed)
            await bob.reaches(2)
            request = f"{subjects.api(BOARD)}.STREAM.INFO.{subjects.stream(BOARD)}"
            await mallory.publish(request, reply=subjects.encode(BOARD, "UA1", "amy", "flight.held"))
            await mallory.flush()
            await mallory.close()
            await amy.enter(entry(3))
            await vee.reaches(3)
            assert [event.authid for event in vee.events()] == ["amy", "bob", "amy"]
            assert vee.database.quarantine.count() == 0

    with serve() as serving:
        asyncio.run(main(serving.url))


@pytest.mark.parametrize("role", [None, "admin"])
def test_desks_in_the_account_of_the_log_itself(serve, identities, tmp_path, role):
    """Those of admins; and all, where there are no users."""
    file = identities.add("amy", role) if role else None

    async def main(url):
        async with (desk(url, tmp_path / "a.db", "amy", board=BOARD, identity=file) as amy,
                    desk(url, tmp_path / "b.db", "amy", board=BOARD, identity=file) as other):  # fmt: skip
            await amy.enter(entry(1))
            await other.reaches(1)
            await other.says("live")
            await until(other.feed.presence, lambda all: [each.name for each in all] == ["amy"], TIMEOUT)

    with serve() as serving:
        asyncio.run(main(serving.url))


def test_what_serves_desks_comes_back_when_it_fails(serve, said, monkeypatch):
    monkeypatch.setattr("dataflow.server.keeper._FAILED_S", 0.0)
    failures = [KeyError("odd"), OSError("cut"), RuntimeError("odd")]

    async def failing(self, client, found=Sweeper.sweep):
        if failures:
            raise failures.pop()
        return await found(self, client)

    monkeypatch.setattr(Sweeper, "sweep", failing)

    async def main(url):
        async with asyncio.timeout(TIMEOUT):
            while failures:
                await asyncio.sleep(0.01)
        connection = await connect(url)
        answer = None
        async with asyncio.timeout(TIMEOUT):
            while answer is None:
                with contextlib.suppress(nats.errors.Error):
                    answer = await connection.request(subjects.feed(BOARD), b"{}", timeout=1)
        await connection.close()
        return answer.data

    with serve() as serving:
        assert b"not a request for a consumer" in asyncio.run(main(serving.url))
    assert [line.partition(" (")[0] for line in said] == ["An error in Watchfloor itself"] * 2


def test_tls_with_a_certificate_of_ones_own(serve, identities, certificate, caplog):
    ada = read(identities.add("ada", "viewer"))

    async def main(url):
        context = ssl.create_default_context(cafile=str(certificate.cert))
        connection = await connect(url, tls=context, tls_hostname="tower.example", nkeys_seed_str=ada.seed)
        assert (await streams.find(connection, BOARD)).last == 0
        await connection.close()

    with serve(tls=certificate, host="0.0.0.0", websocket=free_port()) as serving:
        assert serving.url.startswith("tls://127.0.0.1:")
        assert caplog.records == []
        asyncio.run(main(serving.url))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "tower", "127.0.0.1.example.org"])
def test_elsewhere_needs_tls_and_users(serve, identities, host, tmp_path):
    with pytest.raises(Unsafe, match=r"TLS .* and users"):
        serve(host=host)
    tls = Tls(cert=tmp_path / "c", key=tmp_path / "k")
    with pytest.raises(Unsafe, match=r"needs users"):
        serve(host=host, tls=tls)
    identities.add("ada", "viewer")
    with pytest.raises(Unsafe, match="needs TLS"):
        serve(host=host)
    serve(host=host, tls=tls)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_neither(serve, host):
    serve(host=host)


def test_devices_have_passwords_where_there_are_users(serve, identities, tmp_path, said):
    """They say what the board's sources take and nothing else, over TLS; and are shut out like anybody."""
    authority, port = Authority(tmp_path), free_port()
    trust = ssl.create_default_context(cafile=str(authority.cert))
    identities.add("ada", "operator")
    kitchen = read(identities.add("kitchen ü", "device"))

    def device(user="kitchen ü", password=kitchen.password):
        return Device(port, user=user, password=password, tls=trust)

    async def heard(serving) -> list[str]:
        options = {"tls": trust, "nkeys_seed_str": serving._seed}
        connection = await connect(serving.url, **options)
        last = (await streams.find(connection, BOARD)).last
        found = [await connection.jetstream().get_msg(subjects.stream(BOARD), n) for n in range(1, last + 1)]
        await connection.close()
        return [message.subject for message in found]

    with serve(mqtt=port, tls=authority.issue()) as serving:
        for who in ({"user": ""}, {"password": "x"}, {"user": "ada"}):
            with pytest.raises(Refused):
                device(**who)
        with device() as sensor:
            sensor.publish("tele/kitchen/SENSOR", b"{}", qos=1)  # no source yet: acknowledged, and dropped
            serving.take(["tele.*.SENSOR"])
        with device() as sensor:
            sensor.publish("tele/kitchen/SENSOR", b"{}", qos=1)
            sensor.publish(f"wf/{BOARD}/UA1/ada/flight.held", b"{}", qos=1)
            sensor.publish("$JS/API/STREAM/DELETE/WF_ops", b"{}")
            sensor.publish("tele/hall/SENSOR", b"{}")
        assert asyncio.run(heard(serving)) == ["tele.kitchen.SENSOR", "tele.hall.SENSOR"]
        identities.remove("kitchen ü")
        serving.refresh()
        with pytest.raises(Refused):
            device()
    assert said == ["Devices are heard on tele.*.SENSOR", "Users now: ada (operator)"]


def test_a_device_opens_no_board_and_its_password_is_not_shown(identities):
    path = identities.add("kitchen", "device")
    with pytest.raises(IdentityError, match="this is a device's"):
        credentials.check(path)
    password = read(path).password
    assert len(password) >= 24
    assert not any(password in repr(each) for each in (read(path), *identities.list()))
    assert "password" in path.read_text()


def test_a_device_speaks_mqtt(serve):
    port = free_port()
    topic = subjects.encode(BOARD, "door", "sensor", "opened").replace(".", "/").encode()
    hello = b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x01d"
    body = struct.pack(">H", len(topic)) + topic + b"\x00\x01" + b'{"a":1}'
    with serve(mqtt=port) as serving:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as device:
            device.sendall(bytes([0x10, len(hello)]) + hello)
            assert device.recv(4) == b"\x20\x02\x00\x00"
            device.sendall(bytes([0x32, len(body)]) + body)
            assert device.recv(4) == b"\x40\x02\x00\x01"

        async def main():
            connection = await connect(serving.url)
            found = await connection.jetstream().get_msg(subjects.stream(BOARD), 1)
            await connection.close()
            return found

        found = asyncio.run(main())
        assert (found.subject, found.data) == (topic.decode().replace("/", "."), b'{"a":1}')


PAGES = [
    ("", "127.0.0.1:{}", b"101"),  # a program
    ("http://evil.example", "127.0.0.1:{}", b"403"),
    ("http://evil.example:{}", "evil.example:{}", b"403"),  # its name leads here now: DNS rebinding
    ("http://evil.example:{}", "127.0.0.1:{}", b"403"),
    ("http://127.0.0.1:{}", "evil.example:{}", b"403"),
    ("http://localhost.evil.example:{}", "localhost.evil.example:{}", b"403"),
    ("http://127.0.0.1.evil.example:{}", "127.0.0.1.evil.example:{}", b"403"),
    ("http://localhost:3000", "localhost:{}", b"403"),
    ("https://localhost:{}", "localhost:{}", b"403"),
    ("http://0.0.0.0:{}", "0.0.0.0:{}", b"403"),
    ("null", "localhost:{}", b"403"),
    ("file://", "localhost:{}", b"403"),
    ("http://localhost:{}", "localhost:{}", b"101"),
    ("http://[::1]:{}", "[::1]:{}", b"101"),
]


@pytest.mark.parametrize("path", ["/", "/mqtt"])
def test_a_program_speaks_websocket_and_a_foreign_web_page_does_not(serve, path):
    """Also MQTT over WebSocket. A browser always says where its page is from, which a page can't change."""
    port = free_port()
    with serve(websocket=port, mqtt=free_port()):
        for origin, host, status in PAGES:
            said = f"Origin: {origin.format(port)}\r\n" if origin else ""
            ask = (
                f"GET {path} HTTP/1.1\r\nHost: {host.format(port)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{said}"
                f"{'Sec-WebSocket-Protocol: mqtt' if path == '/mqtt' else 'X: y'}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", port), TIMEOUT) as page:
                page.sendall(ask.encode())
                assert page.makefile("rb").readline().split()[1] == status, (origin, host)


@pytest.mark.parametrize("protocol", ["nats", "mqtt"])
def test_a_web_page_that_posts_to_the_other_ports_says_nothing(serve, protocol):
    """A page may send a form to any port of this machine: its head is not NATS, and not MQTT."""
    mqtt = free_port()
    with serve(mqtt=mqtt) as serving:
        port = mqtt if protocol == "mqtt" else serving.settings.port
        inner = f"CONNECT {{}}\r\nPUB {subjects.encode(BOARD, 'e', 'ada', 't')} 2\r\n{{}}\r\nPING\r\n"
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as page:
            page.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(inner)}\r\n\r\n{inner}".encode())
            with contextlib.suppress(ConnectionError):
                while page.recv(1024):
                    pass
        assert asyncio.run(last(serving.url)) == 0


async def last(url: str) -> int:
    connection = await connect(url)
    found = (await streams.find(connection, BOARD)).last
    await connection.close()
    return found


def test_two_servers_never_share_a_folder(serve):
    with serve(), pytest.raises(ServerFailed, match="another server runs on it"), serve():
        pass
    with serve():
        pass


def test_a_server_that_dies_is_told(serve):
    with serve() as serving:
        serving._process.kill()
        with pytest.raises(ServerFailed, match="ended by itself"):
            serving.watch()


def test_a_stream_of_another_board_ends_it(serve, tmp_path):
    async def steal(url):
        connection = await connect(url)
        await connection.jetstream().delete_stream(subjects.stream(BOARD))
        await connection.jetstream().add_stream(name=subjects.stream(BOARD), subjects=["wf.ops.>"])
        await connection.close()

    with serve() as serving:
        asyncio.run(steal(serving.url))
    with pytest.raises(ServerError, match="not made by Watchfloor"), serve():
        pass
    with pytest.raises(ServerError, match="not made by Watchfloor"), serve():  # and nothing holds the folder
        pass


def test_a_certificate_that_is_none(serve, identities, tmp_path):
    identities.add("ada", "viewer")
    (tmp_path / "cert.pem").write_text("hello")
    with pytest.raises(ServerFailed) as caught, serve(tls=Tls(cert=tmp_path / "cert.pem", key=tmp_path / "cert.pem")):
        pass
    assert "\n" not in str(caught.value)
    assert "cert" in str(caught.value)
