"""Guards: which guarded entries are stale, and what the server is to find, by what the feed and the store say."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dataflow.feeds.shared import guards
from dataflow.feeds.shared.guards import Guards
from tests.dataflow.feeds.shared.logs import entry


def came(event, position, author="bob"):
    """As the feed brings it."""
    return msgspec.structs.replace(event, position=position, authid=author)


class Desk:
    """Guards of amy's, whose store held all up to `held` at the start, with `store` for what it is asked."""

    def __init__(self, held=0, store=()):
        self.waiting, self.store, self.asked = {}, list(store), []
        self.guards = Guards("amy", self.waiting, self._after, held)
        self.cursor = held

    def _after(self, entities, position):
        self.asked.append((sorted(entities), position))
        return [each for each in self.store if each[0] > position and (each[2] or "") in entities]

    def enter(self, *entries):
        self.waiting.update((each.id, each) for each in entries)
        self.guards.watch(entries, self.cursor)

    def hears(self, *events):
        self.guards.observe(events)
        self.cursor = max(event.position for event in events)

    def look_back(self):
        return asyncio.run(self.guards.look_back())


def test_others_make_an_entry_stale_and_this_desk_does_not():
    desk, mine = Desk(), entry(1, expects=0)
    desk.enter(mine)
    own = entry(2)
    desk.guards.mark_own([own])
    desk.hears(came(own, 1, "amy"))
    assert not desk.guards.is_stale(mine)
    assert desk.guards.find_expected(mine) == 1
    desk.hears(came(entry(3, "UA2"), 2))
    assert (desk.guards.is_stale(mine), desk.guards.find_expected(mine)) == (False, 1)
    desk.hears(came(entry(4), 3))
    assert (desk.guards.is_stale(mine), desk.guards.find_expected(mine)) == (True, 3)


def test_the_same_operators_entry_from_another_desk_makes_it_stale():
    """It came after the start, and this desk did not send it."""
    desk, mine = Desk(), entry(1, expects=0)
    desk.enter(mine)
    desk.hears(came(entry(2), 1, "amy"))
    assert desk.guards.is_stale(mine)


def test_what_an_entry_waits_for_itself_is_its_own():
    desk, first, second = Desk(), entry(1, expects=0), entry(2, expects=0)
    desk.enter(first, second)
    desk.hears(came(first, 1, "amy"))
    assert not desk.guards.is_stale(second)


def test_an_id_of_ones_own_under_anothers_name_is_anothers():
    desk, mine = Desk(), entry(1, expects=0)
    desk.enter(mine)
    desk.hears(came(mine, 1, "mallory"))
    assert desk.guards.is_stale(mine)


@pytest.mark.parametrize(("position", "stale"), [(4, False), (5, False), (6, True)])
def test_what_the_operator_wrote_before_the_start_is_the_desks_own(position, stale):
    """The store held all up to 5 when the desk was started; what it looks up may be of later."""
    desk = Desk(held=5, store=[(position, "old", "UA1", "amy")])
    desk.cursor = 6
    mine = entry(1, expects=3)
    desk.enter(mine)
    assert desk.guards.has_unread
    assert desk.look_back() == ["old"]
    assert desk.asked == [(["UA1"], 3)]
    assert not desk.guards.has_unread
    assert (desk.guards.is_stale(mine), desk.guards.find_expected(mine)) == (stale, position)


def test_what_others_wrote_before_the_start_makes_it_stale_from_what_its_operator_saw():
    desk = Desk(held=9, store=[(4, "x", "UA1", "bob"), (6, "y", "UA2", "bob"), (7, "z", "", "bob")])
    on_ua1, on_ua2, on_none = entry(1, expects=2, seen=5), entry(2, "UA2", expects=2, seen=3), entry(3, None, expects=8)
    desk.enter(on_ua1, on_ua2, on_none)
    assert desk.look_back() == ["y", "x", "z"] or set(desk.asked[0][0]) == {"UA1", "UA2", ""}
    assert desk.asked[0][1] == 3, "from the earliest that any of them saw"
    assert desk.guards.is_stale(on_ua1), "it was after the position that it expects, whatever its operator saw"
    assert desk.guards.is_stale(on_ua2)
    assert not desk.guards.is_stale(on_none)


def test_what_was_found_and_came_after_the_cursor_is_left_to_the_feed():
    desk = Desk(held=5, store=[(7, "new", "UA1", "bob")])
    mine = entry(1, expects=3)
    desk.enter(mine)
    assert desk.look_back() == ["new"]
    assert not desk.guards.is_stale(mine)
    desk.hears(came(entry(2), 7))
    assert desk.guards.is_stale(mine)


def test_an_entry_that_saw_all_that_there_is_needs_no_look():
    desk = Desk(held=5)
    desk.enter(entry(1, expects=5), entry(2, expects=2, seen=5))
    assert not desk.guards.has_unread
    desk.enter(entry(3, expects=4, seen=4))
    assert desk.guards.has_unread


def test_a_later_entry_that_saw_less_is_looked_up_and_one_that_saw_more_is_not():
    desk = Desk(held=9)
    desk.enter(entry(1, expects=6))
    desk.look_back()
    desk.enter(entry(2, expects=7))
    assert not desk.guards.has_unread
    desk.enter(entry(3, expects=4))
    assert desk.guards.has_unread
    desk.look_back()
    assert [position for _, position in desk.asked] == [6, 4]


def test_devices_make_nothing_stale():
    desk, mine = Desk(), entry(1, expects=0)
    desk.enter(mine)
    device = msgspec.structs.replace(entry(2), source="mqtt:gate/1")
    desk.hears(came(device, 1, None))
    assert (desk.guards.is_stale(mine), desk.guards.find_expected(mine)) == (False, 0)
    desk.hears(came(device, 2, "bob"))
    assert desk.guards.is_stale(mine), "an entry with such a source is an entry"


def test_the_server_may_know_of_more_than_events():
    desk, mine = Desk(), entry(1, expects=2)
    desk.enter(mine)
    desk.guards.note_last(mine, 5)
    desk.guards.note_last(mine, 4)
    desk.guards.note_last(entry(2, "UA2"), 9)
    assert (desk.guards.is_stale(mine), desk.guards.find_expected(mine)) == (False, 5)
    assert desk.guards.find_expected(entry(3, "UA3", expects=4)) == 4


def test_it_is_true_while_guarded_entries_wait_and_forgets_with_the_last_of_an_entity():
    desk = Desk()
    first, second, free = entry(1, expects=0), entry(2, expects=0), entry(3)
    desk.enter(free)
    assert not desk.guards
    desk.enter(first, second)
    desk.guards.release(free)
    desk.hears(came(entry(4), 1))
    desk.guards.release(first)
    assert desk.guards
    assert desk.guards.is_stale(second)
    desk.guards.release(second)
    assert not desk.guards
    desk.enter(again := entry(5, expects=1))
    assert not desk.guards.is_stale(again)


def test_so_many_own_entries_are_remembered(monkeypatch):
    monkeypatch.setattr(guards, "_REMEMBERED", 3)
    desk, mine = Desk(), entry(100, expects=0)
    sent = [entry(n) for n in range(4)]
    desk.guards.mark_own(sent[:2])
    desk.guards.mark_own(sent[2:])
    desk.enter(mine)
    for position, each in enumerate(sent[1:], 1):
        desk.hears(came(each, position, "amy"))
    assert not desk.guards.is_stale(mine)
    desk.hears(came(sent[0], 9, "amy"))
    assert desk.guards.is_stale(mine), "the oldest is forgotten"
