"""Views: bounded steps, the swap of pending rows, events that do not fit, withdrawals."""

from __future__ import annotations

import msgspec

from dataflow.views.pace import MOST
from dataflow.views.views import FAR
from tests.dataflow.desks import BOARD, note
from tests.dataflow.events.test_withdrawals import by, withdrawal

ALL = "SELECT position, place, pending FROM events ORDER BY position"


def test_a_step_takes_one_part_at_the_least_and_stops_when_its_time_is_over(stage):
    stage = stage([note("north") for _ in range(5000)])
    steps = []
    while stage.views.position < 5000:
        (taken,) = stage.read(5000, deadline=0)
        steps.append(taken)
    assert sum(steps) == 5000
    assert max(steps) <= MOST
    assert steps[0] < 100
    assert stage.rows() == [("north", 5000, False)]


def test_a_step_goes_no_further_than_it_is_told(stage):
    stage = stage([note("north") for _ in range(50)])
    assert sum(stage.read(20)) == 20
    assert stage.views.position == 20
    assert stage.read(20) == []


def test_a_confirmed_entry_takes_its_pending_rows_place_in_one_change(stage):
    event = note("south")
    stage = stage([event])
    stage.views.overlay(event)
    seen = []
    stage.live.updates.subscribe(lambda update: seen.append((update.position, stage.rows())))
    stage.read(1)
    assert seen == [(0, [("south", 1, True)]), (1, [("south", 1, False)])]
    assert [(each.id, each.position) for each in stage.views.take_confirmed()] == [(event.id, 1)]
    assert (stage.views.pending, stage.views.take_confirmed()) == (0, [])


def test_another_event_with_the_id_of_an_entry_confirms_nothing(stage):
    event = by("amy", note("south"))
    stage = stage([msgspec.structs.replace(event, authid="eve"), event])
    stage.views.overlay(event)
    stage.read(1)
    assert stage.rows() == [("south", 2, True)]
    assert stage.views.take_confirmed() == []
    stage.read(2)
    assert stage.rows() == [("south", 2, False)]
    assert [each.authid for each in stage.views.take_confirmed()] == ["amy"]


def test_a_pending_entry_whose_event_does_not_fit_leaves_the_views(stage):
    entry = note("south")
    stage = stage([msgspec.structs.replace(entry, data=b'{"weight":"heavy"}'), note("north")])
    stage.views.overlay(entry)
    assert stage.rows() == [("south", 1, True)]
    stage.read(2)
    assert stage.rows() == [("north", 1, False)]
    assert "weight" in stage.misfits[0]


def test_far_behind_what_is_withdrawn_later_is_left_out_and_nothing_is_built_anew(stage):
    notes = [by("amy", note("north")) for _ in range(FAR)]
    stage = stage([*notes, *(withdrawal(each.id) for each in notes[::2])])
    counts, live = [], stage.views.live("SELECT count(*) FROM \"note.made\"")
    live.updates.subscribe(lambda update: counts.append(live.rows()[0][0]))
    stage.read_all()
    assert counts == sorted(counts)
    assert counts[-1] == FAR // 2
    assert stage.rows() == [("north", FAR // 2, False), (None, FAR // 2, False)]
    assert stage.misfits == []
    stage.append(by("amy", note("north")))
    stage.read_all()
    assert stage.rows()[0] == ("north", FAR // 2 + 1, False)


def test_up_to_date_a_withdrawal_takes_its_event_back_in_one_push(stage):
    first, second = by("amy", note("north")), by("amy", note("south"))
    stage = stage([first, second, withdrawal(first.id), withdrawal(first.id), withdrawal("none")])
    stage.read(2)
    seen = []
    stage.live.updates.subscribe(lambda update: seen.append(stage.rows()))
    stage.read(5)
    assert seen == [[("north", 1, False), ("south", 1, False)], [("south", 1, False), (None, 3, False)]]
    assert stage.misfits == ["withdraws nothing: there is no such event in the log before it"]


def test_a_misfit_that_is_withdrawn_is_one_no_more(stage):
    event = by("amy", note("south", '"heavy"'))
    stage = stage([event, note("north", '"light"'), withdrawal(event.id)])
    stage.read(2)
    assert [item.key for item in stage.views.misfits] == [-2, -1]
    stage.read(3)
    assert [item.key for item in stage.views.misfits] == [-2]


def test_the_last_position_of_an_entity_is_known_where_entries_are_guarded(stage):
    guarded = BOARD.replace("entry = true", "entry = true\nguard = true")
    device = msgspec.structs.replace(note("north"), source="mqtt:bob/tele/x")
    stage = stage([note("north"), note("south"), note("north"), device], board=guarded)
    stage.read_all()
    assert [stage.views.last_of(place) for place in ("north", "south", "west")] == [3, 2, 0]


def test_where_nothing_is_guarded_no_last_position_is_kept(stage):
    stage = stage([note("north")])
    stage.read_all()
    assert stage.views.last_of("north") == 0


def test_entries_of_an_earlier_run_come_in_slices_and_those_made_meanwhile_come_after_them(stage):
    stage = stage(sql=ALL)
    stage.views.overlay_later([note("north", n) for n in range(70)])
    assert (stage.views.pending, stage.views.shown) == (70, 0)
    assert stage.views.show_waiting(0)
    assert stage.views.shown == 64
    stage.views.overlay(note("south"))
    assert not stage.views.show_waiting(0)
    assert [place for _, place, _ in stage.rows()] == ["north"] * 70 + ["south"]


def test_what_an_entry_of_an_earlier_run_withdraws_comes_back_when_it_is_dropped(stage):
    """Also where that waits itself, and its turn to be shown came while it was withdrawn."""
    entry = by("amy", note("north"))
    undo = withdrawal(entry.id)
    stage = stage(sql="SELECT place, pending FROM events WHERE place IS NOT NULL")
    stage.views.overlay_later([entry, undo])
    assert not stage.views.show_waiting(0)
    assert stage.rows() == []
    stage.views.drop(undo.id)
    assert stage.rows() == [("north", True)]
