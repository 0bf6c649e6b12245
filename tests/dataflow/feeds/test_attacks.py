"""A desk whose subscription others have a hand in ends with every event, or is not live and says why, in 6 seconds."""

from __future__ import annotations

import asyncio

import pytest

from dataflow.feeds.beside import ended
from tests.dataflow.desks import until
from tests.dataflow.feeds.attacker import STREAM, Attacker, again_and_again, attacker
from tests.dataflow.feeds.shared import SharedDesk, client, desk, entry, write
from tests.nats import make_server, server  # noqa: F401  fixtures

WITHIN_S = 6.0


def story(function):
    """A coroutine function as a test."""

    def test(server, tmp_path):  # noqa: F811
        asyncio.run(function(server, tmp_path))

    test.__name__ = function.__name__
    return test


async def told_of(amy: SharedDesk, words: str, timeout: float = WITHIN_S) -> None:
    """Until its warning has these words."""
    await until(amy.feed.status, lambda said: words in said.warning, timeout)


ATTACKS = {
    "narrowed to nothing": (Attacker.narrow, "filter_subject"),
    "narrowed": (lambda one: one.narrow("wf.b.*.eve.>"), "filter_subject"),
    "paused": (Attacker.pause, "pause"),
    "led elsewhere": (Attacker.lead_elsewhere, "deliver_subject"),
    "replaced": (Attacker.replace, "somebody changed"),
    "deleted": (Attacker.delete, ""),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_subscription_that_somebody_changes_is_made_anew(server, tmp_path, attack):  # noqa: F811
    asyncio.run(changed(server, tmp_path, attack))


async def changed(server, folder, attack):  # noqa: F811
    how, words = ATTACKS[attack]
    async with client(server.url) as other, attacker(server.url) as eve, desk(server.url, folder / "a.db") as amy:
        events = [entry(n) for n in range(9)]
        await write(other, events[0])
        await amy.reaches(1)
        await how(eve)
        for event in events[1:]:
            await write(other, event, "eve" if event is events[5] else "bob")
        await amy.reaches(9, WITHIN_S)
        assert amy.ids() == [event.id for event in events]
        await amy.says("live")
        await told_of(amy, words)


@story
async def test_events_that_are_left_out_in_between_are_fetched(server, folder):  # noqa: F811
    """Each message that comes is in order by its number at the consumer; only the log's own positions tell."""
    async with client(server.url) as other, attacker(server.url) as eve, desk(server.url, folder / "a.db") as amy:
        await amy.says("live")
        async with again_and_again(lambda: eve.narrow("wf.b.*.eve.>")):
            for n in range(40):
                await write(other, entry(n), "eve" if n % 4 == 0 else "bob")
        await amy.reaches(40, 30)
        assert [event.position for event in amy.events()] == list(range(1, 41))


@story
async def test_a_desk_that_is_blinded_again_and_again_reads_the_log_by_itself(server, folder):  # noqa: F811
    async with client(server.url) as other, attacker(server.url) as eve, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(0))
        await amy.reaches(1)
        async with again_and_again(eve.narrow):
            for n in range(1, 30):
                await write(other, entry(n))
            await until(amy.feed.status, lambda said: said.state != "live", WITHIN_S)
            await amy.reaches(30, 20)
            assert len(amy.states) < 60
        await amy.says("live", timeout=20)
        assert len(amy.ids()) == 30


@story
async def test_heartbeats_of_somebody_else_hide_nothing(server, folder):  # noqa: F811
    async with client(server.url) as other, attacker(server.url) as eve, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(0))
        await amy.reaches(1)
        lying = asyncio.create_task(eve.lie())
        await asyncio.sleep(0.2)
        await write(other, entry(1))
        await amy.reaches(2, WITHIN_S)
        await ended([lying])


@story
async def test_what_others_send_into_the_inbox_is_dropped_and_told(server, folder):  # noqa: F811
    """Messages of another consumer, of nobody, heartbeats with other numbers, and wishes for answers."""
    async with client(server.url) as other, attacker(server.url) as eve, desk(server.url, folder / "a.db") as amy:
        for n in range(3):
            await write(other, entry(n))
        await amy.reaches(3)
        config = await eve.victim()
        inbox = config["deliver_subject"]
        answered = []

        async def note(message):
            answered.append(message.subject)

        await eve.client.subscribe("wf.b.x.amy.forced", cb=note)
        await eve.make({"name": "evil", "deliver_subject": inbox, "deliver_policy": "all", "ack_policy": "none"})
        await eve.client.publish(inbox, b"noise")
        for number in (0, 2, 77):
            await eve.beat(inbox, number)
        await eve.ask_for_answer(inbox, "wf.b.x.amy.forced")
        await eve.ask_for_answer(inbox, f"$JS.FC.{STREAM}.evil.x")
        await told_of(amy, "as if from the log")
        await write(other, entry(3))
        await amy.reaches(4)
        assert [event.position for event in amy.events()] == [1, 2, 3, 4]
        assert amy.database.quarantine.count() == 0
        assert config["name"] in await eve.names()
        assert not any("dropped on the way" in said.detail for said in amy.states)
        assert answered == []


@story
async def test_messages_that_the_server_lost_are_told_and_not_waited_for(server, folder):  # noqa: F811
    """A log of another make, which lets messages be deleted: what it says is gone is gone."""
    async with client(server.url, None) as other, attacker(server.url) as eve:
        from dataflow.server import streams

        await streams._ask(other, f"STREAM.CREATE.{STREAM}", streams.configuration("b") | {"deny_delete": False})
        for n in range(9):
            await write(other, entry(n))
        for position in (3, 4, 7, 9):
            assert (await eve.ask(f"STREAM.MSG.DELETE.{STREAM}", {"seq": position}))["success"]
        async with desk(server.url, folder / "a.db") as amy:
            await amy.says("live")
            assert [event.position for event in amy.events()] == [1, 2, 5, 6, 8]
            await write(other, entry(20))
            await amy.reaches(10)
            assert not any(said.state == "failed" for said in amy.states)


@story
async def test_a_log_made_anew_under_a_living_connection_is_found_out(server, folder):  # noqa: F811
    from dataflow.server import streams

    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(0))
        await amy.reaches(1)
        await other.jetstream().delete_stream(STREAM)
        await streams.ensure(other, "b")
        for n in range(5):
            await write(other, entry(n + 10))
        await amy.says("refused", "made anew", WITHIN_S)
        assert len(amy.ids()) == 1
