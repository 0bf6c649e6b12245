"""Being let in by a real server, or told in one line why not: certificates, keys, credentials, and no server at all."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import time
from contextlib import asynccontextmanager, contextmanager

import nats
import nkeys
import pytest

from dataflow.nats import certificates
from dataflow.nats.connection import NotAdmitted, Unreachable, connect
from dataflow.nats.credentials import check, read_creds
from dataflow.nats.errors import IdentityError
from dataflow.nats.identity import new_seed, public_key, read
from dataflow.nats.streams import ensure
from dataflow.server.binary import find
from dataflow.server.identities import Identities
from dataflow.server.permissions import everything
from tests.certificates import Authority, self_signed
from tests.dataflow.feeds.shared.logs import BOARD, desk, entry
from tests.nats import free_port, make_server  # noqa: F401  fixture


def attempt(url, identity=None, ca=None) -> str:
    """"" where the server lets us in; else what is said."""

    async def main() -> str:
        try:
            connection = await connect([url], "test", identity, lambda: None, lambda _: None, ca)
        except (NotAdmitted, Unreachable) as error:
            return f"{type(error).__name__}: {error}"
        await connection.client.flush()
        await connection.close()
        return ""

    return asyncio.run(main())


@contextmanager
def running(file, configuration: str):
    """A nats-server with a configuration of its own."""
    file.write_text(configuration)
    process = subprocess.Popen([find(), "-c", file], stderr=subprocess.PIPE, text=True)
    try:
        assert any("Server is ready" in line for line in process.stderr), "nats-server did not start"
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


class TestCertificates:
    @pytest.fixture
    def serve(self, make_server):  # noqa: F811
        return lambda tls: make_server(tls=tls).start().url

    def test_one_that_a_file_vouches_for(self, serve, authority, tmp_path):
        url = serve(authority.issue())
        assert attempt(url, ca=authority.cert) == ""
        assert attempt(url.replace("tls:", "nats:"), ca=authority.cert) == ""
        other = Authority(tmp_path, "other")
        assert attempt(url, ca=other.cert) == (
            f"NotAdmitted: the certificate of {url} is not signed by whom {other.cert} names; "
            "ask who runs it for the right file"
        )

    def test_the_servers_own_one_is_a_file_that_vouches_for_it(self, serve, authority, tmp_path):
        tls = self_signed(tmp_path)
        assert attempt(serve(tls), ca=tls.cert) == ""
        leaf = authority.issue()
        assert attempt(serve(leaf), ca=leaf.cert) == ""

    @pytest.mark.parametrize("made", ["by an authority", "by itself"])
    @pytest.mark.parametrize("scheme", ["tls", "nats"])
    def test_one_that_nobody_vouches_for(self, serve, authority, tmp_path, made, scheme):
        url = serve(self_signed(tmp_path) if made == "by itself" else authority.issue()).replace("tls:", f"{scheme}:")
        assert attempt(url) == (
            f"NotAdmitted: the certificate of {url} is signed by nobody whom this machine trusts; "
            "if it is your own, name who signed it: --ca FILE"
        )

    def test_one_that_has_expired(self, serve, authority):
        url = serve(authority.issue(days=-1))
        assert attempt(url, ca=authority.cert) == (
            f"NotAdmitted: the certificate of {url} has expired; "
            "ask who runs it to renew it, and mind this machine's clock"
        )

    @pytest.mark.parametrize("names", ["DNS:tower.example", "IP:10.0.0.1"])
    def test_one_for_another_name(self, serve, authority, names):
        url = serve(authority.issue(names))
        for asked in (url, url.replace("127.0.0.1", "localhost")):
            assert attempt(asked, ca=authority.cert) == (
                f"NotAdmitted: the certificate of {asked} is for another name; "
                "open the board with the name that it is for"
            )

    def test_nothing_is_sent_in_the_clear_where_tls_is_asked_for(self, make_server, authority):  # noqa: F811
        url = make_server().start().url
        for asked, ca in ((url.replace("nats:", "tls:"), None), (url, authority.cert)):
            assert attempt(asked, ca=ca) == (
                f"NotAdmitted: the server at {asked} does not speak TLS, and nothing is sent to it in the clear"
            )
        assert attempt(url) == ""

    def test_a_server_that_wants_one_of_the_desk(self, authority, tmp_path):
        tls, port = authority.issue(), free_port()
        files = f"cert_file: '{tls.cert}', key_file: '{tls.key}', ca_file: '{authority.cert}'"
        with running(tmp_path / "nats.conf", f"host: 127.0.0.1\nport: {port}\ntls: {{{files}, verify: true}}\n"):
            said = attempt(f"tls://127.0.0.1:{port}", ca=authority.cert)
        assert "demands a certificate of the desk, too, and that is not supported" in said

    def test_a_file_without_a_certificate(self, authority, tmp_path):
        (tmp_path / "empty.pem").write_text("hello")
        assert attempt("tls://127.0.0.1:1", ca=tmp_path / "empty.pem").startswith(
            f"NotAdmitted: {tmp_path}/empty.pem: there is no certificate in it"
        )
        assert attempt("tls://127.0.0.1:1", ca=tmp_path / "none.pem").endswith("none.pem: no such file or directory")
        said = attempt("tls://127.0.0.1:1", ca=tmp_path)
        assert said.endswith(": is a directory"), said

    def test_a_file_that_changes_is_read_again(self, authority, tmp_path):
        file = tmp_path / "ca.pem"
        file.write_bytes(authority.cert.read_bytes())
        first = certificates.context(file)
        assert certificates.context(file) is first
        file.write_bytes(Authority(tmp_path, "other").cert.read_bytes() * 2)
        assert len(certificates.context(file).get_ca_certs()) == 1
        assert certificates.context(file) is not first


class TestKeys:
    @pytest.fixture
    def served(self, make_server, tmp_path):  # noqa: F811
        identities = Identities(tmp_path / "access")
        amy, gone = (identities.add(name, "operator") for name in ("amy", "gone"))
        user = everything(public_key(read(amy).seed))
        return make_server(users=(user,)).start().url, amy, gone

    def test_one_that_the_server_knows(self, served):
        url, amy, _ = served
        assert attempt(url, amy) == ""

    def test_one_that_it_does_not_know(self, served):
        url, _, gone = served
        assert attempt(url, gone) == (
            f"NotAdmitted: the server at {url} does not admit this identity, gone.toml; ask who runs it for a new one"
        )

    def test_none(self, served):
        url, *_ = served
        assert attempt(url) == (
            f"NotAdmitted: the server at {url} does not admit everybody; open the board with --identity FILE"
        )

    def test_a_file_that_is_none(self, served, tmp_path):
        url, *_ = served
        (tmp_path / "odd.toml").write_text("hello")
        (tmp_path / "odd.toml").chmod(0o600)
        assert attempt(url, tmp_path / "odd.toml").endswith("not an identity file as `watchfloor user add` writes it")
        assert attempt(url, tmp_path / "none.toml").endswith("none.toml: no such file or directory")


class Nsc:
    """An operator with an account, as `nsc` makes them: JWTs, signed by nkeys from the operator down to a user."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self._operator, self._account, self._system = (
            pair(prefix)
            for prefix in (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_ACCOUNT)
        )

    def configuration(self, port: int) -> str:
        limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
        limits["wildcards"] = True
        stored = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
        accounts = {
            name(each): self._signed(self._operator, each, {"type": "account", "limits": limits | more})
            for each, more in ((self._account, stored), (self._system, {}))
        }
        who = {"type": "operator", "system_account": name(self._system)}
        operator = self._signed(self._operator, self._operator, who)
        return (
            f"host: 127.0.0.1\nport: {port}\noperator: {operator}\nresolver: MEMORY\n"
            f"resolver_preload: {json.dumps(accounts)}\n"
            f"jetstream: {{store_dir: '{self._folder}/jetstream'}}\n"
        )

    def user(self, stem: str, expires: int = 0, signer=None):
        """Their `.creds` file."""
        user = pair(nkeys.PREFIX_BYTE_USER)
        may = {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}
        jwt = self._signed(signer or self._account, user, may, expires)
        path = self._folder / f"{stem}.creds"
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n*** IMPORTANT ***\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n\n***\n"
        )
        return path

    def stranger(self, stem: str):
        """Signed by an account that the server does not know."""
        return self.user(stem, signer=pair(nkeys.PREFIX_BYTE_ACCOUNT))

    def _signed(self, signer, about, nats: dict, expires: int = 0) -> str:
        claims = {"jti": os.urandom(16).hex(), "iat": int(time.time()) - 10, "iss": name(signer), "name": "test",
                  "sub": name(about), "exp": expires, "nats": nats | {"version": 2}}  # fmt: skip
        header = b'{"typ":"JWT","alg":"ed25519-nkey"}'
        body = f"{encoded(header)}.{encoded(json.dumps(claims).encode())}"
        return f"{body}.{encoded(signer.sign(body.encode()))}"


def pair(prefix: int):
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), prefix)))


def name(key) -> str:
    return key.public_key.decode()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class TestCredentials:
    @pytest.fixture
    def nsc(self, tmp_path):
        return Nsc(tmp_path)

    @pytest.fixture
    def url(self, nsc, tmp_path):
        port = free_port()
        with running(tmp_path / "nats.conf", nsc.configuration(port)):
            yield f"nats://127.0.0.1:{port}"

    def test_those_that_the_operator_has_signed(self, url, nsc):
        assert attempt(url, nsc.user("amy")) == ""
        assert attempt(url, nsc.user("bob", expires=int(time.time()) + 600)) == ""

    def test_a_desk_enters_events_by_them(self, url, nsc, tmp_path):
        boss, amy = nsc.user("boss"), nsc.user("amy")

        async def main():
            connection = await nats.connect(url, user_credentials=str(boss))
            await ensure(connection, BOARD)
            await connection.close()
            async with desk(url, tmp_path / "a.db", identity=amy) as opened:
                await opened.enter(entry(1))
                await opened.reaches(1)
                await opened.says("live")
                assert opened.events()[0].authid == "amy"

        asyncio.run(main())

    def test_those_of_an_account_that_the_server_does_not_know(self, url, nsc):
        assert attempt(url, nsc.stranger("eve")) == (
            f"NotAdmitted: the server at {url} does not admit this identity, eve.creds; ask who runs it for a new one"
        )

    def test_those_that_have_expired_are_told_without_a_server(self, nsc):
        path = nsc.user("old", expires=1_600_000_000)
        assert attempt("nats://127.0.0.1:1", path) == (
            f"NotAdmitted: {path}: these credentials expired on 13 Sep 2020 12:26 UTC; ask for new ones"
        )

    def test_those_whose_key_is_another(self, nsc, tmp_path):
        mixed = nsc.user("amy").read_text().partition("-----BEGIN USER")[0]
        path = tmp_path / "mixed.creds"
        path.write_text(mixed + "-----BEGIN USER" + nsc.user("bob").read_text().partition("-----BEGIN USER")[2])
        with pytest.raises(IdentityError, match="its key is not the one that it was signed for"):
            check(path)

    @pytest.mark.parametrize(
        "text",
        ["", "hello", "\xff", "-----BEGIN NATS USER JWT-----\na.b\n------END NATS USER JWT------\n",
         "-----BEGIN NATS USER JWT-----\na.e30.c\n------END NATS USER JWT------\n"],
    )  # fmt: skip
    def test_a_file_that_holds_none(self, tmp_path, text):
        path = tmp_path / "odd.creds"
        for given in (text, f"{text}-----BEGIN USER NKEY SEED-----\n{new_seed()}\n------END USER NKEY SEED------\n"):
            path.write_bytes(given.encode("latin-1"))
            with pytest.raises(IdentityError, match="not a file of credentials as `nsc` writes it"):
                check(path)
        with pytest.raises(IdentityError, match=r"none\.creds: no such file"):
            check(tmp_path / "none.creds")

    def test_nothing_secret_is_shown(self, nsc):
        found = read_creds(nsc.user("amy"))
        assert found.seed.startswith("SU")
        assert "SU" not in repr(found)


class TestNoServer:
    @asynccontextmanager
    async def listening(self, says: bytes, then_close: bool):
        held = []

        async def serve(reader, writer):
            held.append(writer)
            writer.write(says)
            if then_close:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for writer in held:
                writer.close()
            await server.wait_closed()

    def said(self, says: bytes, then_close: bool = False) -> tuple[str, str]:
        async def main():
            async with self.listening(says, then_close) as url:
                with pytest.raises((NotAdmitted, Unreachable)) as caught:
                    await connect([url], "test", None, lambda: None, lambda _: None)
                return f"{caught.type.__name__}: {caught.value}", url

        return asyncio.run(main())

    @pytest.mark.parametrize("close", [True, False])
    @pytest.mark.parametrize(
        "says",
        [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 200_000, b"INFO \r\n",
         b"INFO {\r\n", b"INFO []\r\n", b"INFO 7\r\n", b"INFO null\r\n", b"+OK\r\n", b"\r\n"],
    )  # fmt: skip
    def test_something_else(self, says, close):
        said, url = self.said(says, close)
        assert said == (
            f"NotAdmitted: what answers at {url} is no NATS server, by its greeting; look at the host and the port"
        )

    def test_something_that_hangs_up(self):
        said, url = self.said(b"", then_close=True)
        assert url in said
        assert "is no NATS server" in said or "connection reset" in said

    def test_something_silent(self, monkeypatch):
        monkeypatch.setattr("dataflow.nats.connection.CONNECT_S", 0.2)
        said, url = self.said(b"")
        assert said == f"Unreachable: something listens at {url}, but says nothing; is it a NATS server?"

    def test_nobody(self):
        url = f"nats://127.0.0.1:{free_port()}"
        assert attempt(url) == f"Unreachable: no answer from {url} (connection refused)"

    def test_of_several_the_one_that_refuses_is_told(self, authority, make_server):  # noqa: F811
        refusing = make_server(tls=authority.issue()).start().url

        async def main():
            urls = [f"nats://127.0.0.1:{free_port()}" for _ in range(3)]
            with pytest.raises(NotAdmitted, match="signed by nobody"):
                await connect([*urls, refusing], "test", None, lambda: None, lambda _: None)

        asyncio.run(main())
