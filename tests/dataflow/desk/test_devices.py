"""Devices on a real nats-server: what they say by MQTT, NATS or WebSocket is on every desk, as the same event."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid5

import nats
import pytest

from dataflow.boards.file import load
from dataflow.desk.desk import DeskBuilder
from dataflow.devices.sources import NAMESPACE, is_sourced, subjects
from dataflow.feeds.shared import missing_sources
from dataflow.nats import streams
from dataflow.nats.errors import StreamRefused
from storage import cloudevents
from storage.event import Event
from tests.dataflow.desks import shows, until
from tests.dataflow.devices.test_sources import mangle
from tests.mqtt import Device
from tests.nats import free_port, make_server  # noqa: F401  fixture

BOARD = """
id = "house"
title = "House"
timezone = "UTC"

[events."room.measured"]
subject = "room"
[events."room.measured".fields]
room = {}
temp = { type = "float", required = true }

[events."window.shut"]
subject = "room"
entry = true
guard = true
[events."window.shut".fields]
room = { required = true }

[sources.rooms]
topic = "tele/+/SENSOR"
type = "room.measured"
subject = "{1}"
time = "Time"
fields = { temp = "AM2301.Temperature" }

[[panels]]
kind = "table"
title = "Rooms"
at = [0, 0, 1, 1]
sql = "SELECT room, temp FROM events"
"""

ALL = "SELECT position, type, subject, room, temp, source, authid, time FROM events ORDER BY position"
NOON = 1_704_110_400_000_000


def measured(temp: float) -> bytes:
    return b'{"Time":"2024-01-01T12:00:00","AM2301":{"Temperature":%a,"Humidity":40},"TempUnit":"C"}' % temp


def row(position: int, room: str, temp: float):
    return (position, "room.measured", room, room, temp, f"mqtt:tele/{room}/SENSOR", None, NOON)


class House:
    """A server with MQTT on, and a board file that desks open."""

    def __init__(self, server, port: int, folder: Path) -> None:
        self.server, self.port, self._folder = server, port, folder
        self.path = folder / "house.toml"
        self.path.write_text(BOARD)

    def device(self) -> Device:
        return Device(self.port)

    async def ensure(self, sources=None) -> streams.BoardStream:
        wanted = subjects(load(self.path).board) if sources is None else sources
        connection = await nats.connect(self.server.url)
        try:
            return await streams.ensure(connection, "house", sources=wanted)
        finally:
            await connection.close()

    @asynccontextmanager
    async def desk(self, name: str):
        builder = DeskBuilder(asyncio.get_running_loop(), name, None)
        desk = builder.shared(load(self.path), self._folder / f"{name}.db", [self.server.url])
        desk.pipeline.start()
        try:
            yield desk
        finally:
            await desk.close()


@pytest.fixture
def house(make_server, tmp_path):  # noqa: F811
    port = free_port()
    return House(make_server(mqtt=port).start(), port, tmp_path)


async def ids(desk) -> list[tuple[int, str]]:
    return [(event.position, event.id) for chunk in desk.database.log.read() for event in chunk]


async def reaches(desk, position: int, timeout: float = 15) -> None:
    await until(desk.pipeline.status, lambda status: status.state == "live" and status.position >= position, timeout)


def heard(program: socket.socket, word: bytes) -> None:
    said = b""
    while word not in said:
        more = program.recv(4096)
        assert more, said
        said += more


async def unfit(desk, count: int):
    await until(desk.pipeline.status, lambda status: status.attention >= count, 15)
    return desk.pipeline.attention()


def test_what_a_device_says_while_no_desk_is_up_is_on_every_desk(house):
    async def check():
        await house.ensure()
        with house.device() as device:
            device.publish("tele/kitchen/SENSOR", measured(21.5))
            device.publish("tele/hall/SENSOR", measured(19.25), qos=1)
        rows = [row(1, "kitchen", 21.5), row(2, "hall", 19.25)]
        async with house.desk("amy") as amy:
            live = amy.pipeline.live(ALL)
            await shows(live, rows, 15)
            async with house.desk("bob") as bob:
                await shows(bob.pipeline.live(ALL), rows, 15)
                assert await ids(amy) == await ids(bob)
                with house.device() as device:
                    device.publish("tele/kitchen/SENSOR", measured(22.5))
                await shows(live, [*rows, row(3, "kitchen", 22.5)], 15)
            live.close()
        async with house.desk("amy") as amy:
            await shows(amy.pipeline.live(ALL), [*rows, row(3, "kitchen", 22.5)], 15)

    asyncio.run(check())


def test_what_does_not_fit_needs_attention_and_the_rest_goes_on(house):
    async def check():
        await house.ensure()
        with house.device() as device:
            hot = measured(21.5).replace(b"21.5", b'"hot"')
            for body in (b"ON", b'{"Time":"2024-01-01T12:00:00"}', hot, b"[" * 5000):
                device.publish("tele/kitchen/SENSOR", body)
            device.publish("tele/hall/SENSOR", measured(19.25), qos=1)
        async with house.desk("amy") as amy:
            await shows(amy.pipeline.live(ALL), [row(5, "hall", 19.25)], 15)
            reasons = [item.reason for item in reversed(await unfit(amy, 4))]
        assert reasons == [
            "tele/kitchen/SENSOR (source `rooms`): not JSON: JSON is malformed: invalid character (byte 0)",
            "tele/kitchen/SENSOR (source `rooms`): there is no `AM2301.Temperature` in the message, "
            "and `temp` is required",
            "tele/kitchen/SENSOR (source `rooms`): `AM2301.Temperature`, for the field `temp`: 'hot' is not a number",
            "tele/kitchen/SENSOR (source `rooms`): nested too deeply",
        ]

    asyncio.run(check())


def test_thousands_of_mangled_messages_are_events_or_set_apart_and_the_feed_goes_on(house):
    """Each is one or the other, and a desk that comes later says the same of each."""
    count, random_ = 3000, random.Random(11)

    def mangled() -> bytes:
        body = bytearray(measured(21.5))
        for _ in range(random_.randint(0, 3)):
            mangle(body, random_)
        return bytes(body)

    async def check():
        await house.ensure()
        connection = await nats.connect(house.server.url)
        async with house.desk("amy") as amy:
            for number in range(count):
                room = random_.choice(["kitchen", "hall", "ü", "a//b", "%41", "$SYS", "x" * 200, "a/b"])
                headers = {"Status": "100"} if number % 97 == 0 else None
                await connection.publish(f"tele.{room}.SENSOR", mangled(), headers=headers)
            await connection.jetstream().publish("tele.kitchen.SENSOR", measured(1.5), timeout=60)
            await connection.close()
            await reaches(amy, count + 1, 60)
            async with house.desk("bob") as bob:
                await reaches(bob, count + 1, 60)
                assert await ids(amy) == await ids(bob)
                taken = len(await ids(amy))
                for desk in (amy, bob):
                    assert desk.database.quarantine.count() == count + 1 - taken
                    assert all(item.reason for item in desk.database.quarantine.list(count))
                assert 500 < taken < 2000

    asyncio.run(check())


def test_a_redelivery_is_a_message_of_its_own_and_a_retained_one_is_there_once(house):
    """MQTT's QoS 1 is "at least once", and nats-server does not look for doubles."""

    async def check():
        await house.ensure()
        with house.device() as device:
            device.publish("tele/kitchen/SENSOR", measured(1.5), qos=1)
            device.publish("tele/kitchen/SENSOR", measured(1.5), qos=1, again=True)
            device.publish("tele/hall/SENSOR", measured(2.5), qos=1, retain=True)
        house.server.restart()
        with house.device() as device:
            device.publish("tele/hall/SENSOR", measured(3.5))
        async with house.desk("amy") as amy:
            rows = [row(1, "kitchen", 1.5), row(2, "kitchen", 1.5), row(3, "hall", 2.5), row(4, "hall", 3.5)]
            await shows(amy.pipeline.live(ALL), rows, 15)

    asyncio.run(check())


def test_nobody_speaks_for_a_device_nor_takes_its_place(house):
    """An operator takes the ids of what devices will say, in their sources' name, and leads an answer to a topic."""

    async def check():
        log = (await house.ensure()).log
        connection = await nats.connect(house.server.url)
        jetstream = connection.jetstream()

        def claimed(sequence: int, author: str) -> tuple[str, bytes]:
            event = Event(
                id=str(uuid5(NAMESPACE, f"{log}/{sequence}")), source="mqtt:tele/kitchen/SENSOR", type="room.measured",
                time=NOON, subject="kitchen", data=b'{"room":"kitchen","temp":99}', authid=None,
            )  # fmt: skip
            return f"wf.house.kitchen.{author}.room.measured", cloudevents.encode(event)

        for sequence in (5, 6):
            await jetstream.publish(*claimed(sequence, "eve"))
        await jetstream.publish(*claimed(5, "_"))
        await connection.publish("wf.house.x.eve.y", b"{}", reply="tele.kitchen.SENSOR")
        await connection.flush()
        with house.device() as device:
            device.publish("tele/kitchen/SENSOR", measured(21.5), qos=1)
            device.publish("tele/kitchen/SENSOR", measured(22.5), qos=1)
        async with house.desk("amy") as amy:
            await reaches(amy, 7)
            found = [event for chunk in amy.database.log.read() for event in chunk]
            assert [(event.position, event.authid, is_sourced(event)) for event in found] == [
                (1, "eve", False), (2, "eve", False), (6, None, True), (7, None, True),
            ]  # fmt: skip
            assert found[1].id == found[2].id
            reasons = {item.origin: item.reason for item in await unfit(amy, 3)}
            assert "of the device 'mqtt:tele/kitchen/SENSOR', but came as an entry of nobody's" in reasons["WF_house:3"]
            assert "an answer of the server's" in reasons["WF_house:5"]
        await connection.close()

    asyncio.run(check())


def test_a_program_says_the_same_by_nats(house):
    async def check():
        await house.ensure()
        connection = await nats.connect(house.server.url)
        answer = await connection.jetstream().publish("tele.kitchen.SENSOR", measured(21.5))
        headers = {"Nats-Msg-Id": "a", "ce-id": "x", "Content-Type": "text/plain"}
        for _ in range(2):  # an id of NATS' own is taken once
            again = await connection.jetstream().publish("tele.kitchen.SENSOR", measured(1.5), headers=headers)
        await connection.close()
        assert (answer.seq, again.seq, again.duplicate) == (1, 2, True)
        async with house.desk("amy") as amy:
            await shows(amy.pipeline.live(ALL), [row(1, "kitchen", 21.5), row(2, "kitchen", 1.5)], 15)

    asyncio.run(check())


def test_a_program_says_the_same_by_websocket(make_server, tmp_path):  # noqa: F811
    port = free_port()
    house = House(make_server(websocket=port).start(), port, tmp_path)

    async def check():
        await house.ensure()
        body = measured(21.5)
        said = b"CONNECT {}\r\nPUB tele.kitchen.SENSOR %d\r\n%s\r\nPING\r\n" % (len(body), body)
        frame = bytes([0x82, 0x80 | 126]) + struct.pack(">H", len(said)) + bytes(4) + said  # masked with zeros
        with socket.create_connection(("127.0.0.1", port), 10) as program:
            program.sendall(
                b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            heard(program, b"INFO")
            program.sendall(frame)
            heard(program, b"PONG")
        async with house.desk("amy") as amy:
            await shows(amy.pipeline.live(ALL), [row(1, "kitchen", 21.5)], 15)

    asyncio.run(check())


def test_a_saved_board_reads_messages_by_its_new_sources(house):
    async def check():
        await house.ensure()
        async with house.desk("amy") as amy:
            live = amy.pipeline.live(ALL)
            with house.device() as device:
                device.publish("tele/kitchen/SENSOR", measured(21.5))
                await shows(live, [row(1, "kitchen", 21.5)], 15)
                saved = BOARD.replace('"tele/+/SENSOR"', '"home/+/temp"').replace("AM2301.Temperature", "t")
                house.path.write_text(saved)
                changed = until(amy.pipeline.boards, lambda board: board.sources["rooms"].topic == "home/+/temp", 15)
                taken = await house.ensure()
                await changed
                assert taken.sources == ("home.*.temp",)
                device.publish("tele/kitchen/SENSOR", measured(1.5))
                device.publish("home/hall/temp", b'{"t":3.5,"Time":1704110400}')
            await reaches(amy, 2)
            found = [event for chunk in amy.database.log.read() for event in chunk]
            assert [(event.position, event.subject) for event in found] == [(1, "kitchen"), (2, "hall")]
            live.close()

    asyncio.run(check())


def test_a_desk_whose_board_file_is_another_goes_on_and_tells_what_the_log_does_not_take(house, monkeypatch):
    monkeypatch.setattr(missing_sources, "TICK_S", 0.05)

    async def check():
        await house.ensure()
        house.path.write_text(BOARD.replace('topic = "tele/+/SENSOR"', 'topic = "home/+/temp"'))
        with house.device() as device:
            device.publish("tele/kitchen/SENSOR", measured(21.5))
        async with house.desk("amy") as amy:
            entered = amy.pipeline.enter("window.shut", {"room": "kitchen"})
            assert await asyncio.wait_for(entered.confirmed, 15) == 2
            reasons = [item.reason for item in await unfit(amy, 1)]
            assert reasons == ["came on the topic 'tele/kitchen/SENSOR', which no source of this board takes"]
            told = await until(amy.pipeline.status, lambda status: status.warning, 15)
            assert told.warning.startswith("the server's log does not take home.*.temp; give `watchfloor serve` this")
            await house.ensure()
            await until(amy.pipeline.status, lambda status: not status.warning, 15)

    asyncio.run(check())


def test_what_devices_say_makes_no_guarded_entry_stale(house):
    """The server guards entries against entries: a device's message is on another subject."""

    async def check():
        await house.ensure()
        async with house.desk("amy") as amy, house.desk("bob") as bob:
            with house.device() as device:
                for turn in range(3):
                    device.publish("tele/kitchen/SENSOR", measured(20.5 + turn))
                    for position, desk in enumerate((amy, bob), 3 * turn + 1):
                        await reaches(desk, position)
                        entered = desk.pipeline.enter("window.shut", {"room": "kitchen"})
                        assert await asyncio.wait_for(entered.confirmed, 15)
                    await reaches(amy, 3 * turn + 3)
            assert amy.pipeline.attention() == bob.pipeline.attention() == []
            assert await ids(amy) == await ids(bob)

    asyncio.run(check())


def test_topics_that_another_stream_takes_are_told(house):
    async def check():
        connection = await nats.connect(house.server.url)
        await connection.jetstream().add_stream(name="THEIRS", subjects=["tele.>"])
        with pytest.raises(StreamRefused, match=r"the stream THEIRS of this server takes messages on tele\.\*\.SENSOR"):
            await house.ensure()
        kept = await house.ensure(sources=())
        with pytest.raises(StreamRefused, match="the stream THEIRS"):
            await house.ensure()
        assert await streams.find(connection, "house") == kept
        await connection.close()

    asyncio.run(check())
