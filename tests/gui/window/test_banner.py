"""The banner over a board: what is the matter, since when, what it means and what to do; by mouse and by key."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from dataflow.board import Board
from dataflow.session import Status
from gui.text.advice import board_advice, feed_advice
from gui.widgets.pill import Pill
from gui.window.banner import Banner
from gui.window.footer import Footer
from gui.window.main_window import MainWindow

NOW = 1_360_351_920_000_000
MINUTE = 60_000_000
NEW_YORK = ZoneInfo("America/New_York")
LOG = "nats://tower:4222"
CUT_OFF = Status(state="offline", detail="no answer from nats://tower:4222", now=NOW, since=NOW - 9 * MINUTE,
                 heard=NOW - 10 * MINUTE, log=LOG, pending=2)  # fmt: skip
LIVE = Status(state="live", now=NOW, heard=NOW, log=LOG)


@pytest.mark.parametrize(
    ("status", "role", "heading", "words"),
    [
        (CUT_OFF, "warning", "Cut off since 14:22",
         "Values are as of 14:22, not of now. What you enter waits (2 so far) and is sent when the log takes it. "
         "No answer from nats://tower:4222. It is tried again all the time."),
        (replace(CUT_OFF, heard=0, pending=0), "warning", "Never synced with nats://tower:4222",
         "Nothing is known here, so no panel shows a value. What you enter waits and is sent when the log takes it. "
         "No answer from nats://tower:4222. It is tried again all the time."),
        (replace(CUT_OFF, state="refused", detail="amy is not let in; ask for an identity", pending=0), "critical",
         "Refused since 14:22", "Values are as of 14:22, not of now. What you enter waits and is sent when the log "
         "takes it. Amy is not let in; ask for an identity."),
        (Status(state="failed", detail="the disk is full", now=NOW, since=NOW), "critical", "Failed since 14:32",
         "Values are as of 14:32, not of now. What you enter waits and is sent when the log takes it. "
         "The disk is full. It is tried again all the time."),
    ],
)  # fmt: skip
def test_what_it_says(status, role, heading, words):
    advice = feed_advice(status, NEW_YORK)
    assert (advice.role, advice.heading, advice.words) == (role, heading, words)


def test_there_is_nothing_to_say_of_what_is_in_order():
    for state in ("live", "replaying", "paused", "catching up", "ended"):
        assert feed_advice(Status(state=state, now=NOW, since=NOW), NEW_YORK) is None
    assert board_advice([]) is None
    advice = board_advice(["nyc.toml:12: panels[3].sql: no such column: leg.", "another", "a third"])
    assert advice.heading == "Saved board not in use"
    assert advice.words == (
        "nyc.toml:12: panels[3].sql: no such column: leg. There are 2 more problems. The board goes on as it was "
        "before. Mend the file and save it again."
    )


@pytest.fixture
def window(qtbot, theme):
    made = MainWindow(theme)
    qtbot.addWidget(made)
    made.show_board(Board(id="b", title="B", timezone="America/New_York"))
    made.set_status(LIVE)
    made.show()
    qtbot.waitExposed(made)
    return made


def banners(window):
    return [banner for banner in window.findChildren(Banner) if banner.isVisible()]


def test_it_is_there_while_it_holds_and_the_foot_does_not_repeat_it(window):
    foot = window.findChild(Footer)
    assert banners(window) == []
    window.set_status(CUT_OFF)
    (banner,) = banners(window)
    assert banner.accessibleName() == "Cut off since 14:22"
    assert foot.left() == ("F1 shows the keys", "faint")
    assert "No answer" in foot.accessibleDescription()
    window.set_problems(["b.toml: broken"])
    assert [each.accessibleName() for each in banners(window)] == ["Cut off since 14:22", "Saved board not in use"]
    window.set_status(LIVE)
    window.set_problems([])
    assert banners(window) == []


def test_dismissed_it_stays_away_until_the_matter_is_another_one(window, qtbot):
    window.set_status(CUT_OFF)
    (banner,) = banners(window)
    close = next(pill for pill in banner.findChildren(Pill) if pill.accessibleName() == "Dismiss")
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert banners(window) == []
    assert window.findChild(Footer).left()[0].startswith("No answer")
    window.set_status(replace(CUT_OFF, now=NOW + MINUTE, pending=3))
    assert banners(window) == []
    window.set_status(replace(CUT_OFF, state="refused"))
    assert len(banners(window)) == 1
    window.set_status(LIVE)
    window.set_status(CUT_OFF)
    assert len(banners(window)) == 1


def test_the_keyboard_reaches_it_and_dismisses_it(window, qtbot):
    window.set_status(CUT_OFF)
    (banner,) = banners(window)
    names = []
    for _ in range(8):
        qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        names.append(window.focusWidget().accessibleName())
        if names[-1] == "Details (F9)":
            break
    assert banner.isAncestorOf(window.focusWidget())
    with qtbot.waitSignal(window.delays_wanted):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert banners(window) == []
    assert window.hasFocus()


def test_a_log_that_does_not_fit_can_be_followed_on_a_new_store_from_there(qtbot, theme):
    parent = QWidget()
    qtbot.addWidget(parent)
    banner = Banner(theme, parent)
    parent.show()
    banner.show_advice(feed_advice(CUT_OFF, NEW_YORK))
    offer = next(pill for pill in banner.findChildren(Pill) if pill.accessibleName() == "New store…")
    assert not offer.isVisible()
    banner.show_advice(feed_advice(replace(CUT_OFF, state="refused", unfit=True), NEW_YORK))
    assert offer.isVisible()
    with qtbot.waitSignal(banner.new_store_wanted):
        qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)


def test_nothing_in_it_is_markup(window):
    window.set_problems(["b.toml: <b>bold</b><img src=x>"])
    (banner,) = banners(window)
    labels = banner.findChildren(QLabel)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)
    assert any("<b>bold</b>" in label.text() for label in labels)


def test_all_of_a_long_reason_can_be_read_in_a_narrow_window(window, qtbot):
    window.resize(900, 560)
    window.set_status(replace(CUT_OFF, state="refused", detail="the shared log is not the one " * 9))
    (banner,) = banners(window)
    qtbot.waitUntil(lambda: all(label.height() >= label.heightForWidth(label.width()) for label in labels(banner)))
    assert banner.width() == window.width()


def labels(banner):
    return banner.findChildren(QLabel)
