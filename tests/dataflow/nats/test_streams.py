"""A board's stream on a real server: made once, kept, and refused where it is not ours."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dataflow.nats import streams, subjects
from dataflow.nats.errors import StreamRefused
from tests.nats import make_server, server  # noqa: F401

BOARD = "ops"
NAME = subjects.stream(BOARD)


@pytest.fixture
def connected(server):  # noqa: F811
    import nats

    async def run(main):
        connection = await nats.connect(server.url)
        try:
            await main(connection)
        finally:
            await connection.close()

    return lambda main: asyncio.run(run(main))


def test_it_is_made_once_and_keeps_its_name_over_a_restart(connected, server):  # noqa: F811
    made = []

    async def main(connection):
        first, *others = await asyncio.gather(*(streams.ensure(connection, BOARD) for _ in range(5)))
        assert all(other == first for other in others)
        assert (first.name, first.first, first.last) == (NAME, 1, 0) or (first.first, first.last) == (0, 0)
        await connection.jetstream().publish(subjects.encode(BOARD, "e", "ada", "t"), b"{}")
        made.append(await streams.find(connection, BOARD))

    connected(main)
    server.kill()
    server.start()

    async def again(connection):
        assert await streams.ensure(connection, BOARD) == made[0]
        assert (made[0].first, made[0].last) == (1, 1)

    connected(again)


def test_it_is_durable_and_append_only(connected):
    async def main(connection):
        await streams.ensure(connection, BOARD)
        jetstream = connection.jetstream()
        config = (await jetstream.stream_info(NAME)).config
        assert (config.storage, config.max_msgs, config.max_age, config.deny_delete, config.deny_purge) == (
            "file", -1, 0.0, True, True,
        )  # fmt: skip
        from nats.js.errors import APIError

        await jetstream.publish(subjects.encode(BOARD, "e", "ada", "t"), b"{}")
        for attempt in (jetstream.purge_stream(NAME), jetstream.delete_msg(NAME, 1)):
            with pytest.raises(APIError):
                await attempt
        assert (await streams.find(connection, BOARD)).last == 1

    connected(main)


def test_a_guarded_entry_and_a_repeated_id_are_refused_by_the_server(connected):
    async def main(connection):
        from nats.js.errors import APIError

        await streams.ensure(connection, BOARD)
        publish = connection.jetstream().publish
        guard = {"Nats-Expected-Last-Subject-Sequence-Subject": subjects.of_entity(BOARD, "UA1"),
                 "Nats-Expected-Last-Subject-Sequence": "0"}  # fmt: skip
        ada, bob = (subjects.encode(BOARD, "UA1", name, "flight.held") for name in ("ada", "bob"))
        assert (await publish(ada, b"{}", headers=guard | {"Nats-Msg-Id": "1"})).seq == 1
        assert (await publish(ada, b"{}", headers={"Nats-Msg-Id": "1"})).duplicate
        with pytest.raises(APIError, match="wrong last sequence: 1"):
            await publish(bob, b"{}", headers=guard | {"Nats-Msg-Id": "2"})

    connected(main)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {}}, "was not made by Watchfloor"),
        ({"metadata": {"watchfloor.board": "other", "watchfloor.log": "x"}}, "belongs to the board 'other'"),
        ({"subjects": ["wf.ops.a.>"]}, "subjects"),
        ({"storage": "memory"}, "storage"),
        ({"allow_rollup_hdrs": True, "deny_purge": False}, "allow_rollup_hdrs"),
        ({"allow_direct": True}, "allow_direct"),
    ],
)
def test_a_stream_that_is_not_ours_is_refused_and_left_alone(connected, change, said):
    import msgspec

    async def main(connection):
        body = msgspec.json.encode(streams.configuration(BOARD) | change)
        created = await connection.request(f"$JS.API.STREAM.CREATE.{NAME}", body)
        assert b'"error"' not in created.data
        with pytest.raises(StreamRefused, match=said) as caught:
            await streams.ensure(connection, BOARD)
        assert "\n" not in str(caught.value)

    connected(main)


def test_there_is_none(connected):
    async def main(connection):
        with pytest.raises(StreamRefused, match="watchfloor serve"):
            await streams.find(connection, BOARD)

    connected(main)


def test_a_stream_of_an_earlier_version_takes_batches_from_now_on(connected):
    async def main(connection):
        old = streams.configuration(BOARD) | {"allow_atomic": False}
        await connection.request(f"$JS.API.STREAM.CREATE.{NAME}", msgspec.json.encode(old))
        assert not (found := await streams.find(connection, BOARD)).batches
        taken_up = await streams.ensure(connection, BOARD)
        assert taken_up == msgspec.structs.replace(found, batches=True)

    connected(main)
