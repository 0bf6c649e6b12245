"""What is in a store before anybody is served from it: a log of an earlier version, one that became shorter, what is
foreign in it; and what becomes foreign while it is served.
"""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest

from dataflow.nats import streams, subjects
from dataflow.nats.connection import NotAdmitted
from dataflow.nats.connection import connect as enter
from dataflow.nats.errors import LogShortened
from dataflow.nats.identity import read
from dataflow.server import high_water, sweep
from dataflow.server.config import Settings
from dataflow.server.high_water import Mark
from dataflow.server.identities import Identities
from dataflow.server.process import ServerProcess
from dataflow.server.serving import Serving
from tests.nats import free_port

BOARD = "ops"
STREAM = subjects.stream(BOARD)


@pytest.fixture
def said():
    return []


@pytest.fixture
def serve(tmp_path, said):
    def serve(**options) -> Serving:
        settings = Settings(name=BOARD, store=tmp_path / "served" / "jetstream", port=free_port())
        return Serving(BOARD, settings, tmp_path / "served", Identities(tmp_path / "access"), said.append, **options)

    return serve


async def connect(url: str, **options):
    import nats

    connection = await nats.connect(url, allow_reconnect=False, **options)
    connection.api = subjects.api(BOARD)
    return connection


def write(url: str, count: int = 3, **options) -> str:
    """Some messages into the log, whose id is returned."""

    async def main() -> str:
        connection = await connect(url, **options)
        log = (await streams.find(connection, BOARD)).log
        for number in range(count):
            await connection.jetstream().publish(f"wf.{BOARD}.e.ada.{number}", b"{}")
        await connection.close()
        return log

    return asyncio.run(main())


async def make_consumers(url: str, count: int, **options) -> None:
    """Durable ones, that deliver to nobody, as fast as it goes."""
    connection = await connect(url, **options)
    for start in range(0, count, 100):
        await asyncio.gather(*(
            connection.request(f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.c{number}", json.dumps(
                {"stream_name": STREAM, "config": {"durable_name": f"c{number}", "deliver_subject": f"x.{number}",
                                                   "ack_policy": "none"}}
            ).encode(), timeout=20)
            for number in range(start, start + 100)
        ))  # fmt: skip
    await connection.close()


async def consumer_count(url: str, **options) -> int:
    connection = await connect(url, **options)
    count = (await connection.jetstream().stream_info(STREAM)).state.consumer_count
    await connection.close()
    return count


@pytest.fixture
def earlier(tmp_path):
    """A running server as earlier versions had it: one account for all, and everything in it."""
    settings = Settings(name="earlier", store=tmp_path / "served" / "jetstream", port=free_port())
    process = ServerProcess(settings, tmp_path / "served")
    process.start()
    yield process
    process.kill()


def make_log(url: str) -> None:
    async def main() -> None:
        connection = await connect(url)
        del connection.api
        await streams.ensure(connection, BOARD)
        await connection.jetstream().add_stream(name="THEIRS", subjects=["theirs"])
        await connection.close()

    asyncio.run(main())


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_a_log_of_an_earlier_version_goes_on_and_what_locked_everybody_out_is_removed(earlier, serve, said, count):
    """A thousand durable consumers made it impossible to connect, also after a new start."""

    async def main() -> None:
        connection = await connect(earlier.url)
        for number in range(3):
            await connection.jetstream().publish(f"wf.{BOARD}.e.ada.{number}", b"{}")
        await connection.close()
        await make_consumers(earlier.url, count)

    make_log(earlier.url)
    asyncio.run(main())
    earlier.stop()
    with serve() as serving:
        assert serving.stream.last == 3
        assert asyncio.run(consumer_count(serving.url)) == 0
        assert said == [
            "The server keeps other streams too, which no desk reads: THEIRS",
            f"Removed {count:,} consumers of the log that were left from an earlier run",
        ]
        write(serving.url)
    with serve() as serving:
        assert serving.stream.last == 6


def test_consumers_of_nobody_are_removed_while_it_runs(serve, said, monkeypatch):
    """Without users everybody can make them. Those that are listened to stay."""
    monkeypatch.setattr("dataflow.server.keeper.SWEEP_S", 0.1)

    async def main(url: str) -> None:
        connection = await connect(url)
        heard = await connection.jetstream().subscribe(f"wf.{BOARD}.>", stream=STREAM, ordered_consumer=True)
        await make_consumers(url, 100)
        async with asyncio.timeout(20):
            while (await connection.jetstream().stream_info(STREAM)).state.consumer_count > 1:
                await asyncio.sleep(0.01)
        await connection.jetstream().publish(f"wf.{BOARD}.e.ada.t", b"{}")
        assert (await heard.next_msg(5)).data == b"{}"
        await connection.close()

    with serve() as serving:
        asyncio.run(main(serving.url))
    assert said
    assert all(line.startswith("Removed ") and line.endswith(" that no desk uses") for line in said)


def test_a_crowd_of_consumers_is_thinned_though_somebody_listens(serve, monkeypatch):
    monkeypatch.setattr(sweep, "MOST", 3)
    monkeypatch.setattr("dataflow.server.keeper.SWEEP_S", 0.1)

    async def main(url: str) -> None:
        connection = await connect(url)
        jetstream = connection.jetstream()
        for _ in range(8):
            await jetstream.subscribe(f"wf.{BOARD}.>", stream=STREAM, ordered_consumer=True)
        async with asyncio.timeout(20):
            while (await jetstream.stream_info(STREAM)).state.consumer_count > 3:
                await asyncio.sleep(0.01)
        await connection.close()

    with serve() as serving:
        asyncio.run(main(serving.url))


@pytest.fixture
def copy(tmp_path):
    """The store may be taken back to what it was: `copy.take()`, `copy.restore()`."""

    class Copy:
        store = tmp_path / "served" / "jetstream"

        def take(self) -> None:
            shutil.copytree(self.store, tmp_path / "copy")

        def restore(self) -> None:
            shutil.rmtree(self.store)
            (tmp_path / "copy").rename(self.store)

    return Copy()


def test_a_log_that_is_shorter_than_it_was_is_not_served_unless_that_is_accepted(serve, copy, said, tmp_path):
    with serve() as serving:
        write(serving.url)
    copy.take()
    with serve() as serving:
        write(serving.url, 4)
    copy.restore()
    for _ in range(2):
        with pytest.raises(LogShortened) as caught, serve():
            pass
    assert str(caught.value) == (
        f"the log of ops ends at 3 and reached 7: 4 messages are missing; restore {tmp_path / 'served'} from a copy, "
        "or serve what there is with --accept-loss"
    )
    assert said == []
    with serve(accept_loss=True) as serving:
        assert serving.stream.last == 3
        write(serving.url, 1)
    assert said == ["Served all the same: the log of ops ends at 3 and reached 7: 4 messages are missing"]
    with serve() as serving:
        assert serving.stream.last == 4


def test_nobody_reaches_a_log_that_is_shorter_than_it_was(serve, monkeypatch, tmp_path):
    """It is looked at where nobody else has a key, at a port that nobody knows."""
    file = Identities(tmp_path / "access").add("boss", "admin")
    ports = []

    async def inspect(client, *_) -> None:
        ports.append(client.connected_url.port)
        for who in (None, file):
            with pytest.raises(NotAdmitted):
                await enter([client.connected_url.geturl()], "x", who, lambda: None, lambda _: None)

    monkeypatch.setattr("dataflow.server.serving.inspection.inspect", inspect)
    with serve() as serving:
        write(serving.url, nkeys_seed_str=read(file).seed)
    with serve() as serving:
        assert len(ports) == 1
        assert ports != [serving.settings.port]


def test_a_log_that_is_gone_or_another_is_told(serve, copy, tmp_path, said):
    with serve() as serving:
        write(serving.url)
    shutil.rmtree(tmp_path / "served" / "jetstream")
    with pytest.raises(LogShortened, match="the log of ops is gone: it had 3 messages"), serve():
        pass
    with serve(accept_loss=True) as serving:
        write(serving.url, 1)
    mark = high_water.read(tmp_path / "served")
    high_water.write(tmp_path / "served", Mark("another", 2))
    with pytest.raises(LogShortened, match="another log of ops is in the place of the one that had 2"), serve():
        pass
    high_water.write(tmp_path / "served", mark)
    with serve():
        pass


def test_the_mark_is_written_while_it_runs(serve, tmp_path, monkeypatch):
    monkeypatch.setattr("dataflow.server.keeper.MARK_S", 0.05)

    async def reached(last: int) -> None:
        async with asyncio.timeout(10):
            while (mark := high_water.read(tmp_path / "served")) is None or mark.last != last:
                await asyncio.sleep(0.01)

    with serve() as serving:
        log = write(serving.url)
        asyncio.run(reached(3))
        assert high_water.read(tmp_path / "served") == Mark(log, 3)
        serving._process.kill()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"log": 1}'])
def test_a_damaged_mark_is_none(tmp_path, text):
    (tmp_path / "high-water.json").write_bytes(text)
    assert high_water.read(tmp_path) is None
