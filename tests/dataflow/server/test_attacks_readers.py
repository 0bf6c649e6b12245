"""Attacks on those who read: to blind a desk, to lock everybody out, to speak as somebody else. Real users, a real
server, and a real desk (amy's) as the victim.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

from dataflow.nats import subjects
from dataflow.nats.connection import NotAdmitted, Unreachable, connect
from dataflow.server import desks
from dataflow.server.permissions import CONNECTIONS
from tests.dataflow.desks import until
from tests.dataflow.feeds.shared.logs import desk
from tests.dataflow.server.served import (  # noqa: F401
    BOARD,
    OPERATOR,
    STREAM,
    TIMEOUT,
    VICTIM,
    as_users,
    served,
)


@asynccontextmanager
async def victim(served, tmp_path):  # noqa: F811
    """Amy's desk, live."""
    async with desk(served.server.url, tmp_path / "amy.db", VICTIM, board=BOARD, identity=served.files[VICTIM]) as amy:
        await amy.says("live")
        yield amy


async def consumers(boss, user: str = "") -> list[str]:
    """The names of those that somebody listens to; of all, or of one user."""
    listed = (await boss.ask(f"CONSUMER.LIST.{STREAM}", {}))["consumers"] or []
    place = f"wfu.{BOARD}.{user}"
    return [each["name"] for each in listed
            if each.get("push_bound") and each["config"]["deliver_subject"].startswith(place)]  # fmt: skip


def test_nobody_reads_where_another_is_answered_or_what_the_consumers_are(served, as_users, tmp_path):  # noqa: F811
    """(a) A reply subject tells a consumer's name. Each user's replies are in an account of their own."""

    async def main(vee, boss):
        overheard = await vee.nats.subscribe("_INBOX.>")
        elsewhere = [await vee.nats.subscribe(subjects.delivery(BOARD, "*"))]
        await vee.nats.flush()
        for subject in (">", "$JS.ACK.>", "wfu.>", "wf.>", f"wfu.{BOARD}.{VICTIM}.to.*", subjects.feed(BOARD)):
            await vee.nats.subscribe(subject)
            said = await asyncio.wait_for(vee.violations.get(), TIMEOUT)
            assert "permissions violation for subscription" in said
        async with victim(served, tmp_path) as amy:
            await boss.enter("boss")
            await amy.reaches(await boss.last())
            for request in (f"CONSUMER.NAMES.{STREAM}", f"CONSUMER.LIST.{STREAM}", "STREAM.LIST", "STREAM.NAMES"):
                await vee.forbidden(f"$JS.API.{request}")
                await vee.forbidden(f"{vee.api}.{request}")
            assert (await vee.ask(f"STREAM.INFO.{STREAM}"))["state"]["consumer_count"] >= 1
        assert [heard.pending_msgs for heard in (overheard, *elsewhere)] == [1, 0]  # the answer to its own question

    as_users(main, "vee", "boss")


def test_nobody_makes_changes_or_ends_anothers_consumer(served, as_users, tmp_path):  # noqa: F811
    """(a, b) Re-created with another filter the desk would be blind; here with its name known."""

    async def main(vee, operator, boss):
        async with victim(served, tmp_path) as amy:
            (name,) = await consumers(boss, VICTIM)
            before = (await boss.ask(f"CONSUMER.INFO.{STREAM}.{name}"))["config"]
            for caller in (vee, operator):
                for filter in ("wf.nothing", f"wf.{BOARD}.UA1.>"):
                    config = before | {"filter_subject": filter}
                    for api in ("$JS.API", caller.api):
                        for create in (f"CONSUMER.CREATE.{STREAM}", f"CONSUMER.CREATE.{STREAM}.{name}",
                                       f"CONSUMER.CREATE.{STREAM}.{name}.{filter}",
                                       f"CONSUMER.DURABLE.CREATE.{STREAM}.{name}"):  # fmt: skip
                            body = json.dumps({"stream_name": STREAM, "config": config}).encode()
                            await caller.forbidden(f"{api}.{create}", body)
                for request in ("DELETE", "PAUSE", "RESET", "UNPIN", "LEADER.STEPDOWN", "MSG.NEXT"):
                    await caller.forbidden(f"$JS.API.CONSUMER.{request}.{STREAM}.{name}")
            assert (await boss.ask(f"CONSUMER.INFO.{STREAM}.{name}"))["config"] == before
            await operator.enter(OPERATOR, entity="elsewhere")
            await amy.reaches(await boss.last())
            assert amy.states[-1].state == "live"

    as_users(main, "vee", OPERATOR, "boss")


def test_a_desk_gets_its_own_consumer_whatever_it_asks_for(served, as_users):  # noqa: F811
    """(a, b, f, g) A request with other keys makes the same consumer; delivery is to the asker's own account."""

    async def main(vee, operator, boss):
        heard = await operator.nats.subscribe(subjects.delivery(BOARD, "b" * 22))
        await operator.nats.flush()
        wanted = {"name": "b" * 22, "start": 1, "heartbeat_s": 2.0, "deliver_subject": f"wfp.{BOARD}.{VICTIM}",
                  "config": {"filter_subject": "wf.nothing", "durable_name": "x"}}  # fmt: skip
        answer = await operator.feed(wanted)
        assert answer["name"] == "b" * 22
        assert answer["config"]["deliver_subject"] == f"wfu.{BOARD}.{subjects.escaped(OPERATOR)}.to.{'b' * 22}"
        assert not {"filter_subject", "durable_name"} & answer["config"].keys()
        again = await vee.feed(wanted | {"start": 10**6})
        assert again["error"]["description"] == "there is a consumer of this name"
        await vee.nats.flush()
        await boss.enter("boss")
        message = await heard.next_msg(TIMEOUT)
        assert message.reply.startswith(f"$JS.ACK.{STREAM}.{answer['name']}.")

    as_users(main, "vee", OPERATOR, "boss")


def test_a_thousand_consumers_lock_nobody_out(served, as_users, tmp_path):  # noqa: F811
    """(c) There are as many as a user may have desks; what one user has used up is another's no less."""

    async def main(vee, boss):
        async def ask(number: int) -> dict:
            return await vee.feed({"name": f"t{number:021}", "start": 1, "heartbeat_s": 2.0})

        listening = [await vee.nats.subscribe(subjects.delivery(BOARD, f"t{number:021}")) for number in range(200)]
        answers = [await ask(number) for number in range(200)]
        refused = [each["error"]["description"] for each in answers if "error" in each]
        assert refused == ["too many desks of this user at once"] * (200 - desks.MOST)
        async with victim(served, tmp_path):
            assert len(await consumers(boss)) <= desks.MOST + 8
        for heard in listening:
            await heard.unsubscribe()
        await vee.nats.flush()
        assert "error" not in await ask(1000)

    as_users(main, "vee", "boss")


def test_connections_are_as_many_as_a_user_has_desks(served, as_users):  # noqa: F811
    """(c) The same by connections: one user can't take all that the server has."""

    async def main(boss):
        opened, refused = [], []
        try:
            for _ in range(CONNECTIONS + 2):
                try:
                    who = "vee", served.files["vee"]
                    opened.append(await connect([served.server.url], *who, lambda: None, lambda _: None))
                except (NotAdmitted, Unreachable) as error:
                    refused.append(str(error))
            assert (len(opened), len(refused)) == (CONNECTIONS, 2)
            async with served.caller(OPERATOR) as operator:
                assert await operator.last() == await boss.last()
        finally:
            for connection in opened:
                await connection.close()

    as_users(main, "boss")


def test_presence_is_told_under_ones_own_name_only(served, as_users, tmp_path):  # noqa: F811
    """(f) By a consumer, by an answer, directly: none comes under amy's name."""

    async def main(vee, operator, boss):
        heard = await boss.nats.subscribe(subjects.everybody(BOARD))
        await boss.nats.flush()
        false = json.dumps({"desk": "x", "role": "admin", "position": 1, "since": 1}).encode()
        theirs = subjects.presence(BOARD, VICTIM)
        for caller in (vee, operator):
            await caller.forbidden(theirs, false)
            await caller.forbidden(f"wfu.{BOARD}.{VICTIM}.here", false)
            await caller.nats.publish(subjects.feed(BOARD), false, reply=theirs)
            await caller.nats.publish(f"{caller.api}.STREAM.INFO.{STREAM}", b"", reply=theirs)
        await operator.nats.publish(subjects.encode(BOARD, "UA1", OPERATOR, "t"), b"{}", reply=theirs)
        await operator.nats.publish(subjects.presence(BOARD, OPERATOR), false)
        await operator.nats.flush()
        told = await heard.next_msg(TIMEOUT)
        assert (told.subject, told.data) == (subjects.presence(BOARD, OPERATOR), false)
        assert heard.pending_msgs == 0

    as_users(main, "vee", OPERATOR, "boss")


def test_presence_that_is_no_beat_is_not_passed_on_and_a_flood_is_cut(served, as_users):  # noqa: F811
    async def main(vee, operator, boss):
        heard = await boss.nats.subscribe(subjects.everybody(BOARD))
        await boss.nats.flush()
        await vee.nats.publish(subjects.presence(BOARD, "vee"), b"x" * 5000)
        for _ in range(1000):
            await vee.nats.publish(subjects.presence(BOARD, "vee"), b"{}")
        told = [(await heard.next_msg(TIMEOUT)).data for _ in range(200)]
        await vee.last()  # an answer comes after all that it has sent
        await operator.nats.publish(subjects.presence(BOARD, OPERATOR), b"last")
        while (message := await heard.next_msg(TIMEOUT)).data != b"last":
            told.append(message.data)
        assert set(told) == {b"{}"}
        assert len(told) < 500

    as_users(main, "vee", OPERATOR, "boss")


def test_nothing_comes_into_anothers_inbox(served, as_users, tmp_path):  # noqa: F811
    """(g) Not even where the subject is known; the desk neither resubscribes nor loses anything."""

    async def main(vee, operator, boss):
        async with victim(served, tmp_path) as amy:
            (name,) = await consumers(boss, VICTIM)
            inboxes = f"wfu.{BOARD}.{VICTIM}.to.{name}", subjects.delivery(BOARD, name), f"$JS.FC.{STREAM}.{name}.x"
            for caller in (vee, operator):
                for inbox in inboxes[:2]:
                    await caller.forbidden(inbox, b"x")
                    await caller.nats.publish(f"{caller.api}.STREAM.INFO.{STREAM}", b"", reply=inbox)
                    await caller.nats.publish(subjects.feed(BOARD), b"x", reply=inbox)
            await operator.nats.publish(subjects.encode(BOARD, "UA1", OPERATOR, "t"), b"{}", reply=inboxes[0])
            await operator.enter(OPERATOR)
            await amy.reaches(await boss.last())
            assert await consumers(boss, VICTIM) == [name]
            assert {state.state for state in amy.states[amy.states.index(amy.states[-1]) :]} == {"live"}

    as_users(main, "vee", OPERATOR, "boss")


def test_a_desk_goes_on_while_users_come_and_go(served, as_users, tmp_path):  # noqa: F811
    """A reload of the server's accounts neither cuts off who is there nor leaves a new one deaf."""

    async def main(boss):
        async with victim(served, tmp_path) as amy:
            for number in range(3):
                name = f"new {number}"
                file = served.identities.add(name, "operator")
                served.server.refresh()
                new = desk(served.server.url, tmp_path / f"{number}.db", name, board=BOARD, identity=file)
                async with new as desk_of_new:
                    await desk_of_new.says("live")
                    await boss.enter("boss")
                    await desk_of_new.reaches(await boss.last())
                    await until(desk_of_new.feed.presence, lambda all: VICTIM in {each.name for each in all}, 15)
                    await amy.reaches(await boss.last())
                served.identities.remove(name)
                served.server.refresh()
            assert {state.state for state in amy.states} <= {"catching up", "live"}

    as_users(main, "boss")
