"""Who is there: told by beats, gone without them, one name once however many desks it has; in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import msgspec
import pytest
from reactivex.subject import BehaviorSubject

from dataflow.feeds.shared import presence
from dataflow.feeds.shared.presence import BEAT_S, GONE_S, LOOK_S, MOST_OF_ONE, Presence
from dataflow.session import Present
from tests.virtual_loop import run


class Room:
    """A connection on which beats are heard, and a desk of amy's on it."""

    def __init__(self):
        self.client, self.lost = self, False
        self.said, self.shown = [], []
        self.present = BehaviorSubject(())
        self.present.subscribe(self.shown.append)
        self.how_far = (7, 2)
        self.desk = Presence("b", "amy", "operator", 500, lambda: self.how_far, self.present)

    async def subscribe(self, subject, cb):
        assert subject == "wfp.b.*"
        self._heard = cb

    async def publish(self, subject, body):
        self.said.append((asyncio.get_running_loop().time(), subject, msgspec.json.decode(body)))
        await self.hear(subject, body)

    async def hear(self, subject, body, reply="", headers=None):
        await self._heard(SimpleNamespace(subject=subject, data=body, reply=reply, headers=headers))

    async def beat(self, name="bob", desk="d1", **given):
        beat = {"desk": desk, "role": "operator", "position": 5, "since": 100} | given
        await self.hear(f"wfp.b.{name}", msgspec.json.encode(beat))

    def names(self):
        return [one.name for one in self.present.value]


def story(function):
    """A coroutine function as a test, while the desk runs."""

    def test():
        async def main():
            room = Room()
            task = asyncio.create_task(room.desk.run(room))
            await asyncio.sleep(0)
            try:
                await function(room)
            finally:
                task.cancel()
                await asyncio.wait([task])

        run(main())

    test.__name__ = function.__name__
    return test


@story
async def test_a_desk_says_that_it_is_there_every_few_seconds(room):
    await asyncio.sleep(2 * BEAT_S + LOOK_S)
    assert {subject for _, subject, _ in room.said} == {"wfp.b.amy"}
    beats = [beat for *_, beat in room.said]
    assert len({beat.pop("desk") for beat in beats}) == 1
    assert beats[-1] == {"role": "operator", "position": 7, "since": 500, "behind": 2, "gone": False}
    times = [at for at, *_ in room.said]
    assert [later - earlier for earlier, later in pairwise(times[1:])] == [BEAT_S]
    assert room.present.value == (Present("amy", "operator", 7, 500, 2),)


@story
async def test_one_operator_at_two_desks_is_there_once_since_the_first_came(room):
    await room.beat(desk="d1", position=9, since=300, behind=4, role="viewer")
    await room.beat(desk="d2", position=20, since=400, behind=6, role="operator")
    await asyncio.sleep(LOOK_S)
    assert room.present.value[1:] == (Present("bob", "viewer", 20, 300, 4),)
    await room.beat(desk="d3", position=1, since=200, behind=9)
    await asyncio.sleep(LOOK_S)
    assert room.present.value[1:] == (Present("bob", "viewer", 20, 200, 4),), "since the first, whoever is heard last"
    await room.beat(desk="d3", since=200, gone=True)
    await room.beat(desk="d1", since=300, gone=True)
    await asyncio.sleep(LOOK_S)
    assert room.present.value[1:] == (Present("bob", "operator", 20, 400, 6),)


@story
async def test_who_is_not_heard_is_gone_after_a_while_and_who_says_so_at_once(room):
    await room.beat("bob")
    await room.beat("eve")
    await asyncio.sleep(GONE_S - LOOK_S)
    assert room.names() == ["amy", "bob", "eve"]
    await room.beat("eve")
    await asyncio.sleep(3 * LOOK_S)
    assert room.names() == ["amy", "eve"]
    await room.beat("eve", gone=True)
    await asyncio.sleep(LOOK_S)
    assert room.names() == ["amy"]


@story
async def test_a_new_desk_is_answered_soon_and_a_known_one_is_not(room):
    await asyncio.sleep(BEAT_S + 2 * LOOK_S)
    before = len(room.said)
    await room.beat("bob")
    await asyncio.sleep(2 * LOOK_S)
    assert len(room.said) == before + 1
    await room.beat("bob")
    await asyncio.sleep(2 * LOOK_S)
    assert len(room.said) == before + 1


@pytest.mark.parametrize("wrong", [
    b"", b"garbage", b"[" * 10_000, b'{"desk":1}', b"\xff",
    b'{"desk":"x","role":"r","position":-1,"since":0}',
    b'{"desk":"%b","role":"r","position":1,"since":0}' % (b"x" * 65),
])  # fmt: skip
def test_what_is_no_beat_is_nobodys(wrong):
    @story
    async def check(room):
        await room.hear("wfp.b.eve", wrong)
        await room.hear("wfp.b.a.b", b'{"desk":"x","role":"r","position":1,"since":0}')
        await asyncio.sleep(LOOK_S)
        assert room.names() == ["amy"]

    check()


@pytest.mark.parametrize("delivered", [{"reply": "$JS.ACK.x"}, {"headers": {"a": "b"}}])
def test_what_a_consumer_delivers_is_nobodys(delivered):
    @story
    async def check(room):
        body = b'{"desk":"x","role":"r","position":1,"since":0}'
        await room.hear("wfp.b.eve", body, **delivered)
        await asyncio.sleep(LOOK_S)
        assert room.names() == ["amy"]
        await room.hear("wfp.b.eve", body)
        await asyncio.sleep(LOOK_S)
        assert room.names() == ["amy", "eve"]

    check()


@story
async def test_one_name_has_so_many_places_and_all_have_so_many(room):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "MOST", MOST_OF_ONE + 3)
        for number in range(MOST_OF_ONE + 5):
            await room.beat("bob", f"d{number:02}", position=number)
        for name in ("eve", "joe", "kim"):
            await room.beat(name)
        await asyncio.sleep(LOOK_S)
    assert room.names() == ["amy", "bob", "eve", "joe"], "no room for kim"
    assert room.present.value[1].position == MOST_OF_ONE - 1
    await room.beat("bob", "d00", position=100)
    await asyncio.sleep(LOOK_S)
    assert room.present.value[1].position == 100, "who is known is heard all the same"


@story
async def test_nothing_is_told_twice(room):
    await room.beat("bob")
    await asyncio.sleep(5 * LOOK_S)
    shown = len(room.shown)
    await room.beat("bob")
    await asyncio.sleep(LOOK_S)
    assert len(room.shown) == shown


@pytest.mark.parametrize("lost", [False, True])
def test_who_leaves_says_so_where_anybody_can_hear_it_and_sees_nobody(lost):
    async def main():
        room = Room()
        task = asyncio.create_task(room.desk.run(room))
        await asyncio.sleep(LOOK_S)
        await room.beat("bob")
        room.lost = lost
        if not lost:
            task.cancel()
        await asyncio.wait([task])
        assert room.said[-1][2]["gone"] != lost
        assert room.present.value == ()

    run(main())
