"""Live handles: a snapshot, then updates, and on over a saved board; what a handle cannot do it says."""

from __future__ import annotations

from math import inf

import pytest

from dataflow.sql.codegen import assemble
from dataflow.sql.errors import SqlError
from dataflow.zset import Column, Splice, apply_splices
from tests.dataflow.desks import BOARD, QUERY, note

VIEW = "SELECT place, count(*) AS notes, bool_or(pending) AS pending FROM events GROUP BY place"
ONLY_NORTH = BOARD.replace("FROM events GROUP", "FROM events WHERE place = 'north' GROUP")
NO_VIEW = BOARD.replace("by_place", "other")
EVERYTHING = "SELECT * FROM by_place ORDER BY place"
WIDER = BOARD.replace("count(*) AS notes", "count(*) AS notes, sum(weight) AS weight")


class Reader:
    """Keeps the rows of a handle as its updates say, and what else it says."""

    def __init__(self, handle):
        self.handle, self.rows, self.updates, self.failures = handle, [], [], []
        self.following = handle.updates.subscribe(self.take)
        handle.failures.subscribe(self.failures.append)

    def take(self, update):
        for splice in update.changes:
            assert splice.removed <= len(self.rows) - splice.at
        apply_splices(self.rows, update.changes)
        self.updates.append(update)


@pytest.fixture
def two(stage):
    """A stage with a note in the north and two in the south, and the reader of a query on it."""

    def make(sql=QUERY, **given):
        made = stage([note("north"), note("south"), note("south")], sql=sql, **given)
        made.read()
        return made, Reader(made.live)

    return make


def test_an_update_says_position_clock_and_columns(two):
    stage, reader = two()
    stage.views.advance(7)
    stage.append(note("north"))
    stage.read()
    first, second = reader.updates
    assert (first.position, first.now, first.changes) == (
        3, 0, [Splice(0, 0, (("north", 1, False), ("south", 2, False)))],
    )  # fmt: skip
    assert (second.position, second.now) == (4, 7)
    assert second.columns == stage.live.columns
    assert [column.name for column in second.columns] == ["place", "notes", "pending"]
    assert reader.rows == [("north", 2, False), ("south", 2, False)]


def test_nothing_is_said_before_the_views_are_open(stage):
    stage = stage([note("north")])
    closed = type(stage.views)(stage.loaded, stage.database.log, None)
    reader = Reader(closed.live(QUERY, "a panel"))
    assert list(closed.read_log(1, inf)) == [1]
    assert (reader.updates, reader.handle.ready, reader.handle.reader) == ([], False, "a panel")
    closed.show()
    assert (reader.rows, reader.handle.ready) == ([("north", 1, False)], True)
    closed.show()
    assert len(reader.updates) == 1
    closed.close()


def test_each_observer_has_the_snapshot_and_those_that_left_hear_no_more(two):
    stage, reader = two()
    late = Reader(reader.handle)
    assert late.rows == reader.rows == [("north", 1, False), ("south", 2, False)]
    reader.following.dispose()
    stage.append(note("north"))
    stage.read()
    assert (len(reader.updates), late.rows) == (1, [("north", 2, False), ("south", 2, False)])
    late.following.dispose()
    stage.append(note("north"))
    stage.read()
    again = Reader(reader.handle)
    assert (len(late.updates), again.rows) == (2, [("north", 3, False), ("south", 2, False)])


def test_on_the_same_views_anew_nothing_is_told_and_then_it_goes_on(two):
    stage, reader = two()
    columns = reader.handle.columns
    stage.replace()
    assert (len(reader.updates), reader.handle.columns, reader.handle.ready) == (1, columns, True)
    stage.append(note("north"))
    stage.read()
    assert (len(reader.updates), reader.rows) == (2, [("north", 2, False), ("south", 2, False)])


def test_of_another_view_definition_the_difference_is_told(two):
    stage, reader = two()
    stage.replace(ONLY_NORTH)
    assert reader.updates[1:] == [reader.updates[0]._replace(changes=[Splice(1, 1, ())])]
    assert reader.rows == stage.rows() == [("north", 1, False)]
    stage.append(note("south"), note("north"))
    stage.read()
    assert reader.rows == [("north", 2, False)]
    stage.replace(BOARD)
    assert reader.rows == [("north", 2, False), ("south", 3, False)]


def test_other_columns_are_told_with_all_rows(two):
    stage, reader = two(EVERYTHING)
    stage.replace(WIDER)
    (update,) = reader.updates[1:]
    assert update.changes == [Splice(0, 2, (("north", 1, 1, False), ("south", 2, 2, False)))]
    assert list(update.columns)[2] == Column("weight", "int")
    assert reader.handle.columns == update.columns
    assert reader.rows == stage.rows()


def test_other_columns_replace_exactly_what_was_told_however_it_came(two):
    stage, reader = two(EVERYTHING)
    stage.append(note("north"), note("south"))
    stage.read()
    assert len(reader.updates) == 2
    stage.replace(WIDER)
    assert reader.updates[-1].changes[0][:2] == (0, 2)
    assert reader.rows == list(stage.live.rows())


def test_other_columns_are_told_where_there_are_no_rows(stage):
    stage = stage(sql=EVERYTHING)
    reader = Reader(stage.live)
    stage.replace(WIDER)
    assert [len(update.columns) for update in reader.updates] == [3, 4]


def test_a_query_that_no_longer_compiles_says_so_and_goes_on_when_it_does(two):
    stage, reader = two()
    stage.replace(NO_VIEW)
    (reason,) = reader.failures
    assert "by_place" in reason
    handle = reader.handle
    assert (handle.ready, handle.failure, list(handle.rows())) == (False, reason, reader.rows)
    late = Reader(handle)
    assert (late.failures, late.rows) == ([reason], reader.rows)
    stage.append(note("north"))
    stage.read()
    assert len(reader.updates) == 1
    stage.replace(NO_VIEW)
    assert reader.failures == [reason]
    stage.replace(BOARD)
    assert reader.failures == late.failures == [reason, ""]
    assert (handle.ready, handle.failure) == (True, "")
    assert reader.rows == late.rows == [("north", 2, False), ("south", 2, False)]
    assert [len(each.updates) for each in (reader, late)] == [2, 2]


def test_a_query_that_was_set_aside_is_tried_again_by_other_views(two, monkeypatch):
    odd = {"south"}

    def call(text):
        if text in odd:
            raise ValueError("odd")
        return text.upper()

    monkeypatch.setitem(assemble.NAMESPACE, "upper", call)
    stage, reader = two("SELECT upper(place) AS place, count(*) AS n FROM \"note.made\" WHERE weight = 1 GROUP BY 1")
    assert (reader.rows, reader.failures, len(stage.views.suspended)) == ([], [reader.handle.failure], 1)
    odd.clear()
    late = Reader(reader.handle)
    stage.replace()
    assert reader.rows == late.rows == [("NORTH", 1), ("SOUTH", 2)]
    assert reader.failures[-1] == ""
    odd.add("north")
    stage.append(note("north"))
    stage.read()
    assert "Set aside" in reader.failures[-1]
    odd.clear()
    stage.replace()
    assert reader.rows == late.rows == stage.rows() == [("NORTH", 2), ("SOUTH", 2)]


def test_a_query_that_comes_while_others_are_prepared_shows_what_it_had_until_it_has_read_history(two):
    stage, _ = two()
    late_sql = "SELECT place, sum(weight) AS w FROM events GROUP BY place ORDER BY place"
    late = Reader(stage.views.live(late_sql))
    while stage.views.work(inf):
        """Until it has read history."""
    held = late.rows[:]
    before = stage.views
    others = type(before)(stage.loaded, stage.database.log, None)
    list(others.read_log(3, inf))
    others.take_over(before)
    assert not late.handle.ready
    assert list(late.handle.rows()) == late.rows == held == [("north", 1), ("south", 2)]
    while others.work(inf):
        """Until it has read history there."""
    assert (late.handle.ready, late.rows, len(late.updates)) == (True, held, 1)
    stage.views = others
    stage.append(note("south"))
    stage.read()
    assert late.rows == [("north", 1), ("south", 3)]
    before.close()


def test_an_observer_that_fails_takes_its_own_query_with_it_when_views_change(two):
    stage, reader = two()
    other = Reader(stage.views.live("SELECT count(*) AS n FROM events WHERE place = 'north'"))
    while stage.views.work(inf):
        """Until it has read history."""
    broken = []
    reader.handle.updates.subscribe(lambda update: broken[0] if stage.views.position > 3 or update.position > 3 else 0)
    stage.append(note("north"))
    stage.read()
    assert "Set aside" in reader.handle.failure
    stage.replace()
    assert (other.rows, other.handle.ready) == ([(2,)], True)
    stage.append(note("north"))
    stage.read()
    assert other.rows == [(3,)]


def test_a_closed_handle_is_known_no_more_and_closing_twice_is_fine(two):
    stage, reader = two()
    assert stage.views.handles() == [reader.handle]
    reader.handle.close()
    reader.handle.close()
    assert stage.views.handles() == []
    stage.append(note("north"))
    stage.read()
    stage.replace()
    assert (len(reader.updates), list(reader.handle.rows()), reader.handle.ready) == (1, [], False)


def test_a_query_that_is_wrong_from_the_beginning_is_refused(stage):
    with pytest.raises(SqlError):
        stage().views.live("SELECT nothing FROM nowhere")
