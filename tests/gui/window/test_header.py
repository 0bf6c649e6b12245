from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from PySide6.QtWidgets import QAbstractButton

from dataflow.session import Present, Status
from gui.text.status_text import clock_text, delay_text, left_text, presence_row, presence_text, reason_text, state_text
from gui.widgets.pill import Pill
from gui.window.footer import Footer, status_text
from gui.window.header import Header

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
SECOND = 1_000_000
NEW_YORK = ZoneInfo("America/New_York")
AMY, BOB = Present("amy", "operator", 40, NOW), Present("bob", "viewer", 28, NOW - 3600 * SECOND, 12)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(state="live"), "Live"),
        (Status(state="replaying", detail="replaying at 60×"), "Replaying at 60×"),
        (Status(state="paused", detail="paused"), "Paused"),
        (Status(state="catching up", progress=0.434), "Catching up 43 %"),
        (Status(state="catching up"), "Catching up"),
        (Status(state="catching up", progress=0.4999, left_s=12.4, to_go=4200), "Catching up 49 %, about 10 s left"),
        (Status(state="catching up", progress=1, left_s=0.2), "Catching up 99 %"),
        (Status(state="failed", detail="the disk is full"), "Failed: the disk is full"),
        (Status(state="offline"), "Offline"),
        (Status(state="offline", since=NOW, now=NOW + 60 * SECOND, pending=3), "Offline since 14:32, 3 waiting"),
        (Status(state="offline", since=NOW, now=NOW + 86_400 * SECOND), "Offline since 8 Feb 14:32"),
        (Status(state="offline", since=NOW, now=NOW + 400 * 86_400 * SECOND), "Offline since 8 Feb 2013 14:32"),
        (Status(state="refused", detail="the shared log is another one"), "Refused: the shared log is another one"),
    ],
)
def test_the_state_in_words(status, words):
    assert state_text(status, NEW_YORK) == words


def test_what_there_is_to_tell_beside_the_state():
    assert reason_text(Status(state="catching up", to_go=43_210)) == "43\u202f210 events to go"
    assert reason_text(Status(state="refused", detail="the log is another one")) == "the log is another one"
    assert reason_text(Status(state="live", detail="replaying at 60×")) == ""


def test_small_words():
    assert clock_text(NOW, NEW_YORK) == "8 Feb 2013 14:32"
    delays = {0.84: "0.8 ms", 9.97: "10 ms", 12.3: "12 ms", 999.6: "1.0 s", 3400: "3.4 s", 99_700: "2 min"}
    assert [delay_text(ms) for ms in delays] == [*delays.values()]
    left = {3.2: "about 4 s left", 33: "about 35 s left", 100: "about 2 min left", 9e3: "about 2.5 h left"}
    assert [left_text(seconds) for seconds in (None, 2, *left)] == ["", "", *left.values()]
    assert status_text(Status(state="live", rate=38.2, position=2118)) == "38 events/s · position 2\u202f118 · synced"
    assert status_text(Status(rate=0.5, pending=3)) == "0.5 events/s · position 0 · 3 waiting"


def pills(header):
    return [pill.accessibleName() for pill in header.findChildren(QAbstractButton) if not pill.isHidden()]


def test_the_header_shows_what_there_is_to_say_and_nothing_else(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_board("New York departures", NEW_YORK)
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
    foot = Footer(theme)
    qtbot.addWidget(foot)
    foot.set_status(Status(state="live", position=7))
    foot.set_problems(["nyc.toml, line 12: no such key"])
    assert foot.accessibleDescription().startswith("nyc.toml, line 12: no such key · 0 events/s · position 7")
    foot.set_problems([])
    assert foot.accessibleDescription() == "0 events/s · position 7 · synced"


def test_the_foot_says_what_became_of_a_key_before_what_is_wrong(qtbot, theme):
    foot = Footer(theme)
    qtbot.addWidget(foot)
    foot.set_status(Status(state="live", position=7))
    assert foot.left() == ("F1 shows the keys", "faint")
    foot.say("Withdrawn: Hold UA1545")
    assert foot.left() == ("Withdrawn: Hold UA1545", "dim")
    foot.set_status(Status(state="offline", detail="no answer"))
    assert foot.left() == ("Withdrawn: Hold UA1545 · No answer", "warning")
    assert foot.accessibleDescription().startswith("Withdrawn: Hold UA1545 · No answer · ")
    foot.say("")
    assert foot.left() == ("No answer", "warning")


def test_the_foot_warns_of_what_is_wrong_although_all_works(qtbot, theme):
    foot = Footer(theme)
    qtbot.addWidget(foot)
    status = Status(state="live", position=7, warning="this desk's clock is 1 hour ahead")
    foot.set_status(status)
    assert foot.accessibleDescription() == "This desk's clock is 1 hour ahead · 0 events/s · position 7 · synced"
    foot.set_status(msgspec.structs.replace(status, state="offline", detail="no answer"))
    assert foot.accessibleDescription().startswith("No answer · ")


def test_who_is_here_in_words():
    several = [Present(name, "operator", 0, NOW) for name in ("amy", "bob", "amy", "eve", "dan", "kim")]
    assert [presence_text(several[:n]) for n in (0, 1, 3, 6)] == ["", "amy", "amy · bob", "amy · bob · eve +2"]


def pill(header, words):
    return next(pill for pill in header.findChildren(Pill) if pill.accessibleName() == words)


def test_the_header_tells_who_is_here_as_what_and_how_far(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_board("Departures", NEW_YORK)
    header.set_status(Status(state="live", position=40, now=NOW))
    header.set_presence([AMY, BOB])
    here = pill(header, "amy · bob")
    assert here.accessibleDescription().splitlines() == [
        "amy · operator · up to date · since 14:32", "bob · viewer · 12 events behind · since 13:32",
    ]  # fmt: skip
    busy = Status(state="live", position=40, now=NOW, rate=5000)
    assert [presence_row(msgspec.structs.replace(BOB, behind=n), busy, NEW_YORK)[2] for n in (80, 4000)] == [
        "up to date", "4\u202f000 events behind",
    ]  # fmt: skip
    header.set_presence([Present("<b>eve", "viewer", 39, NOW, 1)])
    assert "&lt;b&gt;eve" in here.toolTip()
    assert "1 event behind" in here.toolTip()


def test_cut_off_the_header_says_since_when_and_what_waits_and_no_stale_things(qtbot, theme):
    header, foot = Header(theme), Footer(theme)
    for widget in (header, foot):
        qtbot.addWidget(widget)
    header.set_board("Departures", NEW_YORK)
    header.set_presence([AMY, BOB])
    live = Status(state="live", now=NOW, since=NOW, pending=1, delay_ms=12)
    header.set_status(live)
    assert pills(header) == ["Live", "8 Feb 2013 14:32", "12 ms", "1 waiting", "amy · bob"]
    why = "no answer from nats://tower:4222"
    cut_off = Status(state="offline", detail=why, now=NOW, since=NOW, pending=3, delay_ms=12)
    header.set_status(cut_off)
    foot.set_status(cut_off)
    assert pills(header) == ["Offline since 14:32, 3 waiting", "As of 8 Feb 2013 14:32"]
    assert pill(header, "Offline since 14:32, 3 waiting").accessibleDescription().splitlines()[0] == why
    assert foot.accessibleDescription() == "No answer from nats://tower:4222 · 0 events/s · position 0 · 3 waiting"
    header.set_status(live)
    foot.set_status(live)
    assert "amy · bob" in pills(header)
    assert foot.accessibleDescription() == "0 events/s · position 0 · 1 waiting"


def test_a_long_reason_gives_way_in_a_narrow_window(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_board("New York departures", NEW_YORK)
    why = "the shared log is not the one " * 8
    header.set_status(Status(state="refused", detail=why, now=NOW, pending=3, attention=9))
    header.resize(900, header.height())
    header.show()
    qtbot.waitExposed(header)
    shown = sorted((p.geometry() for p in header.findChildren(Pill) if p.isVisible()), key=lambda box: box.x())
    assert all(left.right() < right.x() for left, right in pairwise(shown))
    assert shown[-1].right() < header.width()
