"""The bridge between live queries and panels, on a session that the test itself plays."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QTimer
from reactivex.subject import ReplaySubject, Subject

from dataflow.board import EventType, Field, FormPanel, ValuePanel
from dataflow.session import EntryRefused, Problem
from dataflow.sql.errors import SqlError
from dataflow.zset import Column, Splice, apply_splices
from gui.binding import bridge as bridging
from gui.binding.bridge import Bridge
from gui.panels.base import Panel
from gui.panels.form import Form

ONE = (Column("n", "int"),)
PANEL = ValuePanel(id="p", title="P", at=(0, 0, 1, 1), sql="a")


class FakeLive:
    """A live query of which the test says what it has."""

    def __init__(self, columns=ONE):
        self.columns, self.ready, self.progress, self.closed = columns, True, None, False
        self.splices, self.failures = ReplaySubject(1), Subject()

    def put(self, *splices):
        self.splices.on_next(list(splices))

    def put_rows(self, *numbers):
        """The snapshot."""
        self.put(Splice(0, 0, tuple((number,) for number in numbers)))

    def close(self):
        self.closed = True


class FakeSession:
    """Answers each SQL by a query with the rows in `rows`; what is not there is wrong SQL."""

    def __init__(self, **rows):
        self.rows, self.lives, self.confirmed = rows, [], 0

    def live(self, sql, reader):
        assert reader == PANEL.id
        if sql not in self.rows:
            raise SqlError(f"no relation {sql}")
        live = FakeLive()
        live.sql = sql
        self.lives.append(live)
        if self.rows[sql] is not None:
            live.put_rows(*self.rows[sql])
        return live

    def unpainted(self):
        return self.confirmed

    def open(self):
        return [live.sql for live in self.lives if not live.closed]


class Recorder(Panel):
    """Writes down what it is given."""

    asked = "a"

    def __init__(self, theme, **asked):
        super().__init__(PANEL, theme, ZoneInfo("UTC"))
        self.wanted = asked or {"main": "a"}
        self.got, self.rows, self.fails, self.resets = [], {}, False, 0

    def queries(self):
        return dict(self.wanted)

    def set_columns(self, name, columns):
        self.got.append((name, "columns", [column.name for column in columns]))
        self.rows[name] = []

    def apply(self, name, splices, rows):
        if self.fails:
            raise ValueError("cannot draw that")
        self.got.append((name, "splices", list(splices)))
        apply_splices(self.rows[name], splices)
        assert self.rows[name] == list(rows)

    def reset_order(self):
        self.resets += 1

    def numbers(self, name="main"):
        return [row[0] for row in self.rows[name]]

    def taken(self):
        """What it was given since the last time."""
        got, self.got = self.got, []
        return got


@pytest.fixture
def made(qtbot, theme):
    """Bridges and panels that are closed at the end."""
    bridges = []

    def make(session, *wanted):
        panels = [Recorder(theme, **queries) for queries in wanted]
        for panel in panels:
            qtbot.addWidget(panel)
        bridge = Bridge(session)
        bridges.append(bridge)
        bridge.bind(panels)
        bridge.settle()
        return bridge, *panels

    yield make
    for bridge in bridges:
        bridge.close()


def test_a_query_that_is_cleared_in_the_frame_in_which_it_changed_reaches_no_panel(made):
    session = FakeSession(a=[1], b=[5])
    bridge, panel = made(session, {"main": "a", "total": "b"})
    panel.taken()
    session.lives[1].put(Splice(0, 1, ((6,),)))
    panel.query_changed.emit("total", "")
    bridge.settle()
    assert panel.taken() == []
    assert session.open() == ["a"]
    session.lives[0].put(Splice(1, 0, ((2,),)))
    bridge.settle()
    assert panel.numbers() == [1, 2]


def test_another_query_takes_the_place_of_one_with_its_columns_and_rows(made):
    session = FakeSession(a=[1, 2], b=[7])
    bridge, panel = made(session, {"main": "a"})
    session.lives[0].put(Splice(0, 1, ()))
    panel.taken()
    panel.query_changed.emit("main", "b")
    bridge.settle()
    assert [what for _, what, _ in panel.taken()] == ["columns", "splices"]
    assert (panel.numbers(), session.open()) == ([7], ["b"])


def test_a_query_that_is_wrong_is_said_and_what_was_shown_goes_on(made):
    session = FakeSession(a=[1])
    bridge, panel = made(session, {"main": "a"})
    panel.query_changed.emit("main", "nothing")
    assert panel.accessibleDescription() == "no relation nothing"
    session.lives[0].put(Splice(1, 0, ((2,),)))
    bridge.settle()
    assert panel.numbers() == [1, 2]
    panel.query_changed.emit("main", "a")
    bridge.settle()
    assert panel.accessibleDescription() == ""


def test_a_query_that_is_set_aside_is_said_on_its_card_only(made):
    session = FakeSession(a=[1], b=[2])
    _, one, other = made(session, {"main": "a"}, {"main": "b"})
    session.lives[0].failures.on_next("it took too long")
    assert (one.accessibleDescription(), other.accessibleDescription()) == ("it took too long", "")


def test_many_changes_that_nobody_has_seen_are_one(made):
    session = FakeSession(a=[0, 1])
    bridge, panel = made(session, {"main": "a"})
    panel.taken()
    for number in range(bridging.COMPACTED + 2):
        session.lives[0].put(Splice(0, 1, ((number,),)))
    bridge.settle()
    last = bridging.COMPACTED + 1
    assert panel.taken() == [("main", "splices", [Splice(0, 2, ((last,), (1,)))])]
    for number in range(3):
        session.lives[0].put(Splice(0, 1, ((number,),)))
    bridge.settle()
    assert panel.taken() == [("main", "splices", [Splice(0, 1, ((number,),)) for number in range(3)])]
    assert panel.numbers() == [2, 1]


def test_nothing_is_shown_while_numbers_are_not_final_and_then_all_of_it(made):
    session = FakeSession(a=[], b=[])
    bridge, one, other = made(session, {"main": "a"}, {"main": "b"})
    bridge.hold(True)
    for live in session.lives:
        live.put(Splice(0, 0, ((1,),)))
    bridge.flush()
    assert (one.numbers(), other.numbers()) == ([], [])
    bridge.hold(False)
    assert (one.numbers(), other.numbers()) == ([1], [1])


def test_a_panel_that_could_not_take_its_changes_gets_all_the_next_time(made, monkeypatch, capsys):
    monkeypatch.setattr("gui.widgets.painting.RETRY_S", 0.0)
    session = FakeSession(a=[1])
    bridge, panel = made(session, {"main": "a"})
    panel.fails = True
    session.lives[0].put(Splice(1, 0, ((2,),)))
    bridge.settle()
    assert panel.numbers() == [1]
    panel.fails = False
    panel.taken()
    session.lives[0].put(Splice(2, 0, ((3,),)))
    bridge.settle()
    assert [what for _, what, _ in panel.taken()] == ["columns", "splices"]
    assert panel.numbers() == [1, 2, 3]
    assert "cannot draw that" in capsys.readouterr().err


def test_the_card_says_how_far_what_it_waits_for_is(made):
    session = FakeSession(a=None)
    bridge, panel = made(session, {"main": "a"})
    (live,) = session.lives
    live.ready, live.progress = False, 0.25
    bridge._looks.timeout.emit()
    assert panel.state.waiting.progress == 0.25
    live.ready = True
    live.put_rows(1)
    bridge.settle()
    assert panel.state.waiting is None
    live.ready = False      # it is built anew: what there was stands, marked
    bridge._looks.timeout.emit()
    assert panel.state.waiting is not None
    live.ready = True
    bridge._looks.timeout.emit()
    assert panel.state.waiting is None


def test_an_entry_is_shown_when_all_that_waited_with_it_have_been(made, monkeypatch):
    monkeypatch.setattr(bridging, "FLUSH_S", 0.0)
    session = FakeSession(a=[], b=[])
    bridge, *_ = made(session, {"main": "a"}, {"main": "b"})
    shown = []
    bridge.shown.connect(shown.append)
    for live in session.lives:
        live.put(Splice(0, 0, ((1,),)))
    session.confirmed = 7
    bridge.flush()
    assert shown == []
    bridge.flush()
    assert shown == [7]
    session.lives[0].put(Splice(0, 0, ((1,),)))
    bridge.flush()
    assert shown == [7]


# A saved board


def test_a_kept_panel_goes_on_with_the_query_that_it_has(made):
    session = FakeSession(a=[1, 2, 3])
    bridge, panel = made(session, {"main": "a"})
    session.lives[0].put(Splice(0, 1, ()))
    panel.taken()
    bridge.bind([panel])
    session.lives[0].put(Splice(1, 1, ((5,),)))
    bridge.settle()
    assert panel.taken() == [("main", "splices", [Splice(0, 1, ()), Splice(1, 1, ((5,),))])]
    assert (panel.numbers(), len(session.lives)) == ([2, 5], 1)


def test_a_kept_panel_gets_all_anew_where_its_columns_are_others(made):
    session = FakeSession(a=[1])
    bridge, panel = made(session, {"main": "a"})
    panel.taken()
    session.lives[0].columns = (Column("m", "int"),)
    bridge.bind([panel])
    session.lives[0].put(Splice(0, 1, ((2,),)))
    bridge.settle()
    assert panel.taken() == [("main", "columns", ["m"]), ("main", "splices", [Splice(0, 0, ((2,),))])]


def test_a_query_that_goes_on_after_a_failure_gives_its_card_all_rows_even_where_none_differ(made):
    session = FakeSession(a=[1])
    bridge, panel = made(session, {"main": "a"})
    session.lives[0].failures.on_next("it took too long")
    panel.taken()
    session.lives[0].failures.on_next("")
    bridge.settle()
    assert panel.taken() == [("main", "splices", [Splice(0, 1, ((1,),))])]
    assert panel.accessibleDescription() == ""


def test_a_kept_panel_whose_own_order_does_not_fit_shows_the_boards_own(made):
    session = FakeSession(a=[1], sorted=[2])
    bridge, panel = made(session, {"main": "a"})
    panel.query_changed.emit("main", "sorted")
    bridge.settle()
    session.lives[1].failures.on_next("no column to sort by")
    bridge.bind([panel])
    bridge.settle()
    assert (panel.resets, panel.numbers(), session.open()) == (1, [1], ["a"])
    assert panel.accessibleDescription() == ""
    bridge.bind([panel])
    assert panel.resets == 1


def test_panels_that_are_gone_hold_nothing(made):
    session = FakeSession(a=[1], b=[1])
    bridge, one, other = made(session, {"main": "a"}, {"main": "b"})
    session.lives[0].put(Splice(0, 1, ()))
    bridge.bind([other])
    bridge.settle()
    assert (one.numbers(), session.open()) == ([1], ["b"])
    one.query_changed.emit("main", "a")
    assert session.open() == ["b"], "it asks nobody any more"
    bridge.close()
    assert session.open() == []
    other.query_changed.emit("main", "a")
    assert session.open() == []
    assert not any(timer.isActive() for timer in bridge.findChildren(QTimer))


def test_what_is_followed_is_followed_until_the_end(made):
    source, heard = Subject(), []
    bridge, *_ = made(FakeSession())
    bridge.follow(source, heard.append)
    source.on_next(1)
    bridge.close()
    source.on_next(2)
    assert heard == [1]


def test_what_a_form_enters_is_told_or_what_is_wrong_with_it(made, theme, qtbot):
    session = FakeSession()
    bridge, *_ = made(session)
    spec = FormPanel(title="Enter", at=(0, 0, 1, 1), events=["x"])
    form = Form(spec, {"x": EventType(fields={"a": Field()})}, theme, ZoneInfo("UTC"))
    qtbot.addWidget(form)

    def refuse(type, fields):
        raise EntryRefused([Problem("a", "is missing")])

    session.enter = refuse
    bridge.bind([form])
    told = []
    bridge.entered.connect(told.append)
    form.form().submit()
    assert form.form().fields["a"].has_problem()
    assert told == []
