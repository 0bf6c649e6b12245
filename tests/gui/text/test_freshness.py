"""Four states that can't be mistaken: never heard, loading, as of a time, live; for every kind of panel."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from dataflow.board import BarPanel, Board, EventType, FormPanel, LinePanel, LogPanel, TablePanel, ValuePanel
from dataflow.session import Status
from dataflow.zset import Column, Splice
from gui.panels import kinds
from gui.panels.card import Card
from gui.panels.card_theme import CardTheme, contrast
from gui.panels.placard import placard_area
from gui.text.freshness import view_of
from gui.text.status_text import state_text
from gui.theme.theme import ROLES, Theme
from gui.window.header import Header
from gui.window.main_window import MainWindow

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
MINUTE = 60_000_000
NEW_YORK = ZoneInfo("America/New_York")
LOG = "nats://tower:4222"
AT = (0, 0, 1, 1)
RGB = QImage.Format.Format_RGB32

SHAPES = {
    ValuePanel: (ValuePanel(title="Late", at=AT, sql="…", unit="%"), [("value", "int"), ("caption", "text")]),
    TablePanel: (TablePanel(title="Late", at=AT, sql="…", empty="None is open."), [("leg", "text"), ("late", "int")]),
    LinePanel: (LinePanel(title="Late", at=AT, sql="…", empty="Nobody has left."), [("x", "int"), ("y", "int")]),
    BarPanel: (BarPanel(title="Late", at=AT, sql="…", role="critical"), [("label", "text"), ("value", "int")]),
    LogPanel: (LogPanel(title="Late", at=AT), [("time", "timestamp"), ("title", "text"), ("position", "int")]),
    FormPanel: (FormPanel(title="Late", at=AT, events=["flight.held"]), []),
}
ROWS = {
    ValuePanel: [(88, "of 99")], TablePanel: [("UA1", 88), ("UA2", 7)], LinePanel: [(1, 5), (2, 88)],
    BarPanel: [("UA", 88), ("DL", 9)], LogPanel: [(NOW, "Held UA1", 88)], FormPanel: [],
}  # fmt: skip
EMPTY = {kind: [(0, "of 0")] if kind is ValuePanel else [] for kind in ROWS}

NEVER = Status(state="offline", detail="no answer", now=NOW, since=NOW, heard=0, log=LOG)
CONNECTING = Status(state="catching up", now=NOW, heard=0, log=LOG, connecting=True)
LOADING = Status(state="catching up", now=NOW, heard=NOW, log=LOG, progress=0.434, to_go=7)
AS_OF = Status(state="offline", detail="no answer", now=NOW, since=NOW, heard=NOW - 476 * MINUTE, log=LOG)
LIVE = Status(state="live", now=NOW, heard=NOW, log=LOG)
STATES = {"never": NEVER, "loading": LOADING, "as of": AS_OF, "live": LIVE}
BOARD = Board(
    id="b", title="B", timezone="America/New_York",
    events={"flight.held": msgspec.convert({"entry": True, "fields": {"leg": {}}}, EventType)},
)  # fmt: skip
ALL = pytest.mark.parametrize("kind", list(kinds.KINDS))


def made(qtbot, theme, kind, status, rows=None):
    """A panel in a state: with rows, or without any having come."""
    assert kind in SHAPES, f"{kind.__name__} is new: give it a shape here, and see that it can be in each state"
    spec, columns = SHAPES[kind]
    panel = kinds.make(spec, BOARD, theme)
    qtbot.addWidget(panel)
    panel.resize(320, 200)
    panel.show_view(view_of(status, NEW_YORK))
    if rows is not None and columns:
        panel.take_columns("main", [Column(*column) for column in columns])
        panel.take("main", [Splice(0, 0, tuple(rows))], rows)
    return panel


def picture(panel):
    panel.setFocus()
    panel.clearFocus()
    return panel.grab().toImage()


def brightest(panel):
    """The strongest contrast with the card below the title."""
    image, card = picture(panel), panel.theme.color("card")
    lines = range(40, image.height() - 12, 2)
    return max(contrast(QColor(image.pixel(x, y)), card) for y in lines for x in range(14, image.width() - 14, 2))


@ALL
def test_each_kind_looks_different_in_each_state(qtbot, theme, kind):
    pictures = [picture(made(qtbot, theme, kind, status, ROWS[kind])) for status in STATES.values()]
    if kind is FormPanel:
        pictures = pictures[2:]         # it holds no values: it says that entries wait
    assert all(one != other for at, one in enumerate(pictures) for other in pictures[:at])


@ALL
@pytest.mark.parametrize("status", [NEVER, CONNECTING, LOADING], ids=["never", "connecting", "loading"])
def test_no_number_and_no_empty_text_before_there_is_anything_final(qtbot, theme, kind, status):
    panel = made(qtbot, theme, kind, status)
    if kind is FormPanel:
        return
    assert panel.state.covered
    assert not panel.shows_body
    blank = picture(panel)
    for rows in (EMPTY[kind], ROWS[kind]):
        if status is NEVER:
            assert picture(made(qtbot, theme, kind, status, rows)) == blank
    words = panel.accessibleDescription()
    assert words in (f"Never synced with {LOG}", f"Connecting to {LOG}", "Loading 43 %")


@ALL
def test_loading_again_the_old_values_stand_marked(qtbot, theme, kind):
    panel = made(qtbot, theme, kind, LIVE, ROWS[kind])
    panel.show_view(view_of(LOADING, NEW_YORK))
    if kind is FormPanel:
        assert (panel.state.mark.words, panel.theme.dimmed) == ("entries wait", False)
        return
    assert (panel.shows_body, panel.theme.dimmed, panel.state.mark.words) == (True, True, "loading 43 %")
    assert panel.accessibleDescription().startswith("Loading 43 %")


@ALL
def test_cut_off_values_are_dimmed_and_say_of_when_they_are(qtbot, theme, kind):
    live, old = (made(qtbot, theme, kind, status, ROWS[kind]) for status in (LIVE, AS_OF))
    if kind is FormPanel:
        assert "Entries wait" in old.accessibleDescription()
        return
    assert (old.state.mark.words, old.state.mark.short) == ("as of 06:36", "06:36")
    assert old.accessibleDescription().startswith("Values as of 06:36")
    assert (live.state.mark.words, live.accessibleDescription().startswith("Values")) == ("", False)
    if kind is not LinePanel:           # its lines are thin, and none of their pixels has their colour
        assert brightest(old) < brightest(live) * 0.85


@ALL
def test_an_empty_log_of_its_own_says_its_empty_text(qtbot, theme, kind):
    panel = made(qtbot, theme, kind, Status(state="live", now=NOW), EMPTY[kind])
    assert not panel.state.covered
    assert panel.state.text == ""


def test_all_words_of_a_state():
    assert view_of(NEVER, NEW_YORK).text == "Never synced with nats://tower:4222"
    yesterday = msgspec.structs.replace(AS_OF, heard=NOW - 1440 * MINUTE)
    assert view_of(yesterday, NEW_YORK).mark == "as of 7 Feb 14:32"
    for state in ("refused", "failed", "ended"):
        assert view_of(Status(state=state, now=NOW, since=NOW), NEW_YORK).mark == "as of 14:32"
    for state in ("replaying", "paused"):
        assert view_of(Status(state=state, now=NOW), NEW_YORK).kind == "live"
    assert state_text(NEVER, NEW_YORK) == "Offline, never synced"


def test_the_header_says_each_state(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_board("Departures", NEW_YORK)
    said = []
    for status in STATES.values():
        header.set_status(status)
        said.append((header._state.text(), "" if header._clock.isHidden() else header._clock.text(),
                     header.accessibleDescription()))  # fmt: skip
    assert said == [
        ("Offline, never synced", "", "Never synced with nats://tower:4222"),
        ("Catching up 43 %", "", "Loading 43 %"),
        ("Offline since 06:36", "As of 8 Feb 2013 06:36", "Values as of 06:36"),
        ("Live", "8 Feb 2013 14:32", "Live"),
    ]


@pytest.mark.parametrize("name", ["dark", "light"])
def test_dimmed_colours_can_be_read_and_are_others(qapp, qtbot, name):
    window = MainWindow(Theme.load(name))
    qtbot.addWidget(window)
    theme = CardTheme(window.theme, window)
    bright = {role: QColor(theme.color(role)) for role in ROLES}
    theme.dim(True)
    kept = {"background", "card", "line", "hover", "input", "on_accent", "pending"}
    for role in ROLES:
        assert (theme.color(role) == bright[role]) == (role in kept), role
        if role not in kept:
            card = theme.color("card")
            assert contrast(theme.color(role), card) <= contrast(bright[role], card) * 1.05     # greyer is not lighter
            assert contrast(theme.color(role), card) >= min(4.5, contrast(bright[role], card) * 0.98), role
    theme.dim(False)
    assert all(theme.color(role) == bright[role] for role in ROLES)


def test_a_card_follows_the_window_s_theme_dimmed_as_well(qapp, qtbot, theme):
    panel = made(qtbot, theme, ValuePanel, AS_OF, ROWS[ValuePanel])
    dark = QColor(panel.theme.color("text"))
    theme.become(Theme.load("light"), qapp)
    assert panel.theme.dark is False
    assert panel.theme.color("text") not in (dark, theme.color("text"))


@ALL
def test_of_progress_only_what_shows_it_is_painted_and_the_picture_is_whole(qtbot, theme, kind, monkeypatch):
    panel, parts = made(qtbot, theme, kind, LOADING), []
    paint = Card.paintEvent
    monkeypatch.setattr(Card, "paintEvent", lambda card, event: (parts.append(event.rect()), paint(card, event))[1])
    with qtbot.waitExposed(panel):
        panel.show()
    qtbot.waitUntil(lambda: parts[-1:] == [panel.rect()])
    parts.clear()
    panel.show_view(view_of(msgspec.structs.replace(LOADING, progress=0.912), NEW_YORK))
    QApplication.processEvents()
    assert parts == ([] if kind is FormPanel else [placard_area(panel.inner())])
    shown, whole = panel.screen().grabWindow(panel.winId()), panel.grab()
    assert shown.toImage().convertToFormat(RGB) == whole.toImage().convertToFormat(RGB)
