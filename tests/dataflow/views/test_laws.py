"""Laws of the views: what waits and is dropped leaves nothing; what is confirmed is as if it had never waited; any
split of the log gives the same; the clock moves what depends on it and nothing else.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from math import inf
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from storage.event import WITHDRAWN
from tests.dataflow.desks import BOARD
from tests.dataflow.events.test_withdrawals import ADMINS, QUERIES, by, logs, withdrawal
from tests.dataflow.views.stage import Stage

GUARDED = ADMINS.replace("entry = true", "entry = true\nguard = true")
PENDING = "SELECT id, place, pending FROM events ORDER BY position"
EVERY = (QUERIES[1], QUERIES[4], QUERIES[6], PENDING)
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def staged(events, board=GUARDED):
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), events, board=board)
        try:
            yield stage
        finally:
            stage.views.close()
            stage.database.close()


def followed(stage):
    """The rows of every query as its observers know them, from a subscription that is there from the beginning."""
    known = {}
    for sql in EVERY:
        rows = known[sql] = []
        stage.views.live(sql).splices.subscribe(lambda splices, rows=rows: apply(rows, splices))
    return known


def apply(rows, splices):
    for at, removed, added in splices:
        assert removed <= len(rows) - at, "more rows are removed than there are"
        rows[at : at + removed] = added


def state(stage, known):
    """All that can be asked of the views."""
    stage.views.mark()
    while stage.views.work(inf):
        """What is built anew reads history."""
    lives = {sql: stage.rows(sql) for sql in EVERY}
    assert known == lives
    views = stage.views
    readers = [handle.sql for handle in views.handles()]
    return lives, views.position, views.pending, views.shown, stage.misfits, views.last_of("north"), readers


def entries(events):
    """The same as entries of amy's that wait: those that an operator could have made."""
    return [structs.replace(event, id=f"own-{event.id}", authid="amy") for event in events if b"0.5" not in event.data]


@FEW
@given(logs(), logs(), st.integers(0, 20), st.data())
def test_what_is_overlaid_and_dropped_leaves_nothing(events, waiting, read, data):
    with staged(events) as stage:
        known = followed(stage)
        stage.read(min(read, len(events)))
        before = state(stage, known)
        own = entries(waiting)
        later = data.draw(st.integers(0, len(own)))
        stage.views.overlay_later(own[:later])
        if data.draw(st.booleans()):
            stage.views.show_waiting(inf)
        for entry in own[later:]:
            stage.views.overlay(entry)
        for entry in data.draw(st.permutations(own)):
            stage.views.drop(entry.id)
        assert not stage.views.show_waiting(0)
        assert state(stage, known) == before
        assert stage.views.take_confirmed() == []


@FEW
@given(logs(), st.data())
def test_an_entry_that_waits_and_is_confirmed_is_as_if_it_had_never_waited(events, data):
    """Also where it withdraws something, or waits in slices, or others come in between."""
    own = [event for event in events if event.authid == "amy" and b"0.5" not in event.data]
    with staged(events) as alone:
        known = followed(alone)
        alone.read()
        plain = state(alone, known)
    with staged(events) as stage:
        known = followed(stage)
        read = data.draw(st.integers(0, len(events)))
        stage.read(read)
        waiting = [event for event in own if events.index(event) >= read]
        later = data.draw(st.integers(0, len(waiting)))
        stage.views.overlay_later(waiting[:later])
        for entry in waiting[later:]:
            stage.views.overlay(entry)
        assert stage.views.pending == len(waiting)
        while stage.views.position < len(events):
            stage.read(data.draw(st.integers(stage.views.position + 1, len(events))))
        assert [event.id for event in stage.views.take_confirmed()] == [event.id for event in waiting]
        assert not stage.views.show_waiting(0)
        assert state(stage, known) == plain


@FEW
@given(logs(), st.data())
def test_any_split_of_the_log_gives_the_same(events, data):
    with staged(events) as whole:
        known = followed(whole)
        whole.views.apply(next(whole.database.log.read()))
        together = state(whole, known)
    with staged(events) as stage:
        known = followed(stage)
        rest = next(stage.database.log.read())
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            stage.views.apply(rest[:size])
            rest = rest[size:]
        assert state(stage, known) == together


@FEW
@given(logs(), logs(), st.integers(0, 20), st.booleans())
def test_other_views_that_take_over_hold_the_same(events, waiting, read, opened):
    """Whatever waits; the observers of a handle know the same rows, and are told of nothing where nothing that waits
    takes folded rows back.
    """
    with staged(events) as stage:
        known = followed(stage)
        stage.read(min(read, len(events)))
        for entry in entries(waiting):
            stage.views.overlay(entry)
        before = state(stage, known)
        told = []
        for handle in stage.views.handles():
            handle.updates.subscribe(told.append)
        told.clear()
        stage.replace(show=opened)
        assert state(stage, known) == before
        if not any(event.type == WITHDRAWN for event in waiting):  # else a fold may be built anew, in steps
            assert [update.changes for update in told] == []
        for entry in entries(waiting):
            stage.views.drop(entry.id)
        stage.read()
        with staged(events) as alone:
            other = followed(alone)
            alone.read()
            assert state(stage, known)[0] == state(alone, other)[0]


def test_the_clock_moves_what_depends_on_it_and_nothing_else(stage):
    start, hour = 1_700_000_000_000_000, 3_600_000_000
    recent = "SELECT place FROM events WHERE time > now() - INTERVAL '1 hour' ORDER BY place"
    stage = stage([by("amy", event) for event in _notes()])
    stage.views.advance(start)
    stage.read()
    seen, all_seen = [], []
    live = stage.views.live(recent)
    while stage.views.work(inf):
        """Until it has read history."""
    live.updates.subscribe(lambda update: seen.append((update.position, update.now, list(live.rows()))))
    stage.live.updates.subscribe(all_seen.append)
    for now in (start + hour - 1, start + hour, start + hour + 60_000_000, start):
        stage.views.advance(now)
    assert stage.views.now == start + hour + 60_000_000
    assert seen == [
        (2, start, [("north",), ("south",)]),
        (2, start + hour, [("south",)]),
        (2, start + hour + 60_000_000, []),
    ]
    assert len(all_seen) == 1


def _notes():
    from tests.dataflow.desks import note

    return [note("north"), note("south", second=60)]


def test_where_several_entries_withdraw_the_same_it_comes_back_with_the_last(stage):
    event = _notes()[0]
    stage = stage([by("amy", event)], board=ADMINS, sql="SELECT place FROM events WHERE place IS NOT NULL")
    stage.read()
    first, second = withdrawal(event.id), withdrawal(event.id, "eve")
    assert (first.type, BOARD == ADMINS) == (WITHDRAWN, False)
    for entry, rows in ((first, []), (second, [])):
        stage.views.overlay(entry)
        assert stage.rows() == rows
    stage.views.drop(first.id)
    assert stage.rows() == []
    stage.views.drop(second.id)
    assert stage.rows() == [("north",)]
