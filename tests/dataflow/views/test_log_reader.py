"""The intake: bounded steps, the swap of pending rows, events that do not fit."""

from __future__ import annotations

from time import perf_counter

import msgspec
import pytest

from dataflow.boards.check import engine_for
from dataflow.boards.file import load
from dataflow.views.log_reader import AHEAD, MOST, Intake
from storage.database import Database
from storage.identity import identity
from tests.dataflow.desks import BOARD, QUERY, note
from tests.dataflow.events.test_withdrawals import by, withdrawal


class Desk:
    """An intake on a real store and a real engine."""

    def __init__(self, folder, events):
        path = folder / "board.toml"
        path.write_text(BOARD)
        loaded = load(path)
        self.database = Database.open(folder / "notes.db")
        self.database.log.append(events).result(5)
        self.engine = engine_for(loaded, None)
        self.live = self.engine.live(QUERY)
        self.pending, self.misfits, self.confirmed = {}, [], []
        self.schema = loaded.schema
        self.intake = Intake(
            self.database.log, self.schema, self.engine, lambda event, reason: self.misfits.append(reason)
        )
        self.others = set()
        self.intake.confirms(self.pending, self.confirmed.extend, lambda event: event.authid not in self.others)


@pytest.fixture
def desk(tmp_path):
    made = []

    def make(events):
        made.append(Desk(tmp_path, events))
        return made[0]

    yield make
    made[0].database.close()


def test_a_step_takes_one_part_at_the_least_and_stops_when_its_time_is_over(desk):
    desk = desk([note("north") for _ in range(5000)])
    steps = []
    while desk.intake.position < 5000:
        steps.append(desk.intake.step(5000, 0))
    assert sum(steps) == 5000
    assert max(steps) <= MOST
    assert steps[0] < 100
    assert list(desk.live.rows()) == [("north", 5000, False)]


def test_a_step_goes_no_further_than_it_is_told(desk):
    desk = desk([note("north") for _ in range(50)])
    assert desk.intake.step(20, perf_counter() + 1) == 20
    assert desk.intake.position == 20
    assert desk.intake.step(20, perf_counter() + 1) == 0


def test_a_confirmed_entry_takes_its_pending_rows_place_in_one_change(desk):
    event = note("south")
    desk = desk([event])
    row = desk.schema.row(event, pending=True, position=1 << 60)
    desk.engine.push("events", [row])
    desk.pending[event.id] = row
    seen = []
    desk.live.changes.subscribe(lambda changes: seen.append(list(desk.live.rows())))
    desk.intake.step(1, perf_counter() + 1)
    assert seen == [[("south", 1, True)], [("south", 1, False)]]
    assert [confirmed.id for confirmed in desk.confirmed] == [event.id]
    assert desk.pending == {}


def test_another_event_with_the_id_of_an_entry_confirms_nothing(desk):
    event = note("south")
    desk = desk([msgspec.structs.replace(event, authid="eve"), event])
    desk.others.add("eve")
    row = desk.schema.row(event, pending=True, position=1 << 60)
    desk.engine.push("events", [row])
    desk.pending[event.id] = row
    desk.intake.step(1, perf_counter() + 1)
    assert list(desk.live.rows()) == [("south", 2, True)]
    assert desk.confirmed == []
    desk.intake.step(2, perf_counter() + 1)
    assert list(desk.live.rows()) == [("south", 2, False)]
    assert [each.authid for each in desk.confirmed] == [None]


def test_a_pending_entry_whose_event_does_not_fit_leaves_the_views(desk):
    event = note("south", '"heavy"')
    desk = desk([event, note("north")])
    row = desk.schema.row(note("south"), pending=True, position=1 << 60)
    desk.engine.push("events", [row])
    desk.pending[event.id] = row
    desk.intake.step(2, perf_counter() + 1)
    assert list(desk.live.rows()) == [("north", 1, False)]
    assert "weight" in desk.misfits[0]


def test_far_behind_what_is_withdrawn_later_is_left_out_and_nothing_is_built_anew(desk):
    notes = [by("amy", note("north")) for _ in range(AHEAD)]
    desk = desk([*notes, *(withdrawal(each.id) for each in notes[::2])])
    pushed, push = [], desk.engine.push
    desk.engine.push = lambda name, rows, weights=None: pushed.append(weights) or push(name, rows, weights)
    while desk.intake.step(desk.database.log.last(), 0):
        assert not desk.intake.withheld.absent.intersection(identity(each) for each in notes[1::2])
    assert all(weights is None or -1 not in weights for weights in pushed)
    assert list(desk.live.rows()) == [("north", AHEAD // 2, False), (None, AHEAD // 2, False)]
    assert (desk.misfits, desk.intake.withheld.absent) == ([], set())


def test_up_to_date_a_withdrawal_takes_its_event_back_in_one_push(desk):
    first, second = by("amy", note("north")), by("amy", note("south"))
    desk = desk([first, second, withdrawal(first.id), withdrawal(first.id), withdrawal("none")])
    desk.intake.step(2, perf_counter() + 1)
    seen = []
    desk.live.changes.subscribe(lambda changes: seen.append(list(desk.live.rows())))
    desk.intake.step(5, perf_counter() + 1)
    assert seen == [[("north", 1, False), ("south", 1, False)], [("south", 1, False), (None, 3, False)]]
    assert desk.misfits == ["withdraws nothing: there is no such event in the log before it"]
