"""A desk whose subscription others have a hand in ends with every event, or is not live and says why, in 6 seconds."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dataflow.feeds.shared import publisher
from dataflow.feeds.shared.connection_tasks import cancel_all
from dataflow.nats import wire
from storage import cloudevents
from storage.log import OTHER
from tests.dataflow.desks import until
from tests.dataflow.feeds.shared.attacker import STREAM, Attacker, again_and_again, attacker
from tests.dataflow.feeds.shared.logs import SharedDesk, client, desk, entry, in_a_folder, write
from tests.nats import make_server, server  # noqa: F401  fixtures
from tests.stories import within

WITHIN_S = 6.0


story = within(in_a_folder, gives=2)


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
        await cancel_all([lying])


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
        from dataflow.nats import streams

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
async def test_nobody_is_there_because_a_consumer_delivers_something(server, folder):  # noqa: F811
    """An own event, led to another's presence subject, whose type ends like a name; and what somebody said there."""
    async with client(server.url), attacker(server.url) as eve, desk(server.url, folder / "a.db") as amy:
        beat = b'{"desk":"x","role":"operator","position":1,"since":1}'
        for subject in ("wf.b.x.eve.bob", "wf.b.x.eve.wfp.b.bob"):
            await eve.client.jetstream().publish(subject, beat)
        await amy.reaches_cursor(2)
        for n, place in enumerate(("wfp.b.bob", "wfp.b.carl")):
            await eve.client.subscribe(place)  # the server delivers where somebody listens to this very subject
            config = {"name": f"evil{n}", "deliver_subject": place, "deliver_policy": "all", "ack_policy": "none"}
            assert "error" not in await eve.make(config)
        await eve.client.publish("wfp.b.dora", beat, reply="somewhere")
        await eve.client.publish("wfp.b.emil", beat, headers={"Nats-Stream": "WF_b"})
        await eve.client.publish("wfp.b.frida", beat)
        await until(amy.feed.presence, lambda here: [one.name for one in here] == ["amy", "frida"])
        delivered = (await eve.ask(f"CONSUMER.INFO.{STREAM}.evil0"))["delivered"]["consumer_seq"]
        assert delivered >= 2, "the server did deliver it"
        names = [one.name for one in amy.feed.presence.value]
        assert names == ["amy", "frida"]


@story
async def test_one_name_does_not_take_all_places(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await amy.says("live")
        for n in range(2000):
            await other.publish("wfp.b.eve", b'{"desk":"%d","role":"viewer","position":1,"since":1}' % n)
        await other.publish("wfp.b.zoe", b'{"desk":"z","role":"viewer","position":1,"since":1}')
        await until(amy.feed.presence, lambda here: {one.name for one in here} == {"amy", "eve", "zoe"})


@story
async def test_an_event_with_the_id_of_anothers_hides_it_from_nobody(server, folder):  # noqa: F811
    """By another author, by another source, and by its own author with other content, which is told."""
    mine, theirs = entry(1), entry(2)
    other_source = msgspec.structs.replace(mine, source="/elsewhere")
    changed = msgspec.structs.replace(mine, data=b'{"n":99}')
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, mine, "eve")
        await write(other, mine, "amy")
        await write(other, other_source, "amy")
        await write(other, mine, "amy", headers={wire.MESSAGE_ID: "again"})
        await write(other, changed, "amy", headers={wire.MESSAGE_ID: "changed"})
        await write(other, theirs, "bob")
        await amy.reaches(6)
        told = [(event.position, event.id == mine.id, event.source, event.authid) for event in amy.events()]
        assert told == [
            (1, True, "/test", "eve"), (2, True, "/test", "amy"), (3, True, "/elsewhere", "amy"),
            (6, False, "/test", "bob"),
        ]  # fmt: skip
        (item,) = amy.database.quarantine.list()
        assert (item.origin, item.reason) == (f"{STREAM}:5", f"{OTHER}: see position 2")
        assert cloudevents.decode(item.text).data == b'{"n":99}'


@story
async def test_an_entry_is_sent_again_where_its_message_id_was_somebody_elses(server, folder):  # noqa: F811
    """The server says that it has it already; it has another message."""
    mine = entry(1)
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(7), "eve", headers={wire.MESSAGE_ID: wire.message_id("amy", mine)})
        await amy.reaches(1)
        await amy.enter(mine)
        await amy.reaches(2)
        assert [(event.id == mine.id, event.authid) for event in amy.events()] == [(False, "eve"), (True, "amy")]
        assert (amy.database.outbox.count(), amy.refusals) == (0, [])


@story
async def test_an_entry_that_the_server_only_says_to_have_is_given_up_in_the_end(server, folder):  # noqa: F811
    mine = entry(1)
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        for attempt in range(publisher.MOST_ATTEMPTS):
            taken = wire.message_id("amy", mine, attempt)
            await write(other, entry(10 + attempt), "eve", headers={wire.MESSAGE_ID: taken})
        await amy.reaches(publisher.MOST_ATTEMPTS)
        await amy.enter(mine)
        assert "and it is not" in (await amy.refused()).reason


@story
async def test_a_log_made_anew_under_a_living_connection_is_found_out(server, folder):  # noqa: F811
    from dataflow.nats import streams

    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(0))
        await amy.reaches(1)
        await other.jetstream().delete_stream(STREAM)
        await streams.ensure(other, "b")
        for n in range(5):
            await write(other, entry(n + 10))
        await amy.says("refused", "made anew", WITHIN_S)
        assert len(amy.ids()) == 1
