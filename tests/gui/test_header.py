from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from PySide6.QtWidgets import QAbstractButton

from dataflow.session import Status
from gui.header import Header, clock_text, delay_text, state_text
from gui.status import Foot, status_text

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(state="live"), "Live"),
        (Status(state="replaying", detail="replaying at 60×"), "Replaying at 60×"),
        (Status(state="paused", detail="paused"), "Paused"),
        (Status(state="catching up", progress=0.434), "Catching up 43 %"),
        (Status(state="catching up"), "Catching up"),
        (Status(state="failed", detail="the disk is full"), "Failed: the disk is full"),
        (Status(state="offline"), "Offline"),
    ],
)
def test_the_state_in_words(status, words):
    assert state_text(status) == words


def test_small_words():
    assert clock_text(NOW, ZoneInfo("America/New_York")) == "8 Feb 2013 14:32"
    assert [delay_text(ms) for ms in (0.84, 12.3, 3400)] == ["0.8 ms", "12 ms", "3.4 s"]
    assert status_text(Status(rate=38.2, position=2118)) == "38 events/s · position 2\u202f118 · synced"
    assert status_text(Status(rate=0.5, pending=3)) == "0.5 events/s · position 0 · 3 waiting"


def pills(header):
    return [pill.accessibleName() for pill in header.findChildren(QAbstractButton) if not pill.isHidden()]


def test_the_header_shows_what_there_is_to_say_and_nothing_else(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_board("New York departures", ZoneInfo("America/New_York"))
    assert pills(header) == []
    header.set_status(Status(state="live", now=NOW))
    assert pills(header) == ["Live", "8 Feb 2013 14:32"]
    full = Status(state="replaying", detail="replaying at 60×", now=NOW, delay_ms=12.2, pending=1, attention=2)
    header.set_status(full)
    assert pills(header) == [
        "Replaying at 60×", "8 Feb 2013 14:32", "Pause", "12 ms", "1 waiting", "2 need attention",
    ]  # fmt: skip


def test_the_header_asks_for_pause_and_resume(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_status(Status(state="live"))
    with qtbot.assertNotEmitted(header.pause_wanted):
        header.toggle_pause()
    header.set_status(Status(state="replaying"))
    with qtbot.waitSignal(header.pause_wanted) as asked:
        header.toggle_pause()
    assert asked.args == [True]
    header.set_status(Status(state="paused"))
    with qtbot.waitSignal(header.pause_wanted) as asked:
        header.toggle_pause()
    assert asked.args == [False]


def test_the_foot_says_what_is_wrong_with_the_board_file(qtbot, theme):
    foot = Foot(theme)
    qtbot.addWidget(foot)
    foot.set_status(Status(position=7))
    foot.set_problems(["nyc.toml, line 12: no such key"])
    assert foot.accessibleDescription().startswith("nyc.toml, line 12: no such key · 0 events/s · position 7")
    foot.set_problems([])
    assert foot.accessibleDescription() == "0 events/s · position 7 · synced"
