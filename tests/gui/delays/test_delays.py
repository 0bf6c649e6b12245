"""The delay dialog: what it says, how it is reached, and that it keeps up with what is entered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QToolTip, QWidget

from dataflow.desk.delays import Delays
from dataflow.session import DelayBar, DelayReport, StageDelay, Status
from gui.delays.axis import SLOTS, axis, slots
from gui.delays.chart import Bars, Stages
from gui.delays.dialog import DelayDialog
from gui.delays.words import waited_text
from gui.widgets.pill import Pill
from tests.dataflow.desks import until
from tests.gui.binding.test_screen import on_desk
from tests.gui.standing_gallery import NOW, STATES, ZONE, Nowhere, report

REFUSED = STATES["refused"]


def bars_of(times) -> tuple[DelayBar, ...]:
    delays = Delays(Nowhere(), lambda: NOW, lambda: 1)
    delays.connected(True, lost=False)
    for number, ms in enumerate(times):
        delays.submitted(str(number), 0.0)
        delays.confirmed(str(number), number, ms / 1000)
    return delays.report().bars


@given(st.lists(st.floats(0.02, 9e6), min_size=1, max_size=30), st.integers(4, 20))
def test_every_bar_and_every_label_has_a_place_of_its_own_on_the_axis(times, most):
    bars = bars_of(times)
    within = axis(bars)
    places = [slot.at for slot in slots(bars, within)]
    assert all(0 <= at < within.slots for at in places)
    assert len(set(places)) == len(bars)
    for slot in slots(bars, within):
        assert within.place(slot.bar.from_ms) == pytest.approx(slot.at / within.slots, abs=1e-9)
    ticks = within.ticks(most)
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})
    assert len({tick.label for tick in ticks}) == len(ticks) <= max(most, within.slots // SLOTS + 1)


def test_ticks_are_whole_milliseconds_and_seconds():
    within = axis(bars_of([3.0, 50.0]))
    labels = ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms"]
    assert [tick.label for tick in within.ticks(7)] == labels
    assert [tick.label for tick in within.ticks(6)] == ["1 ms", "10 ms", "100 ms"]
    assert [tick.label for tick in axis(bars_of([0.5, 2000])).ticks(6)] == [
        "0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s",
    ]  # fmt: skip


@pytest.fixture
def dialog(qtbot, theme):
    made = DelayDialog(theme, ZONE, None)
    qtbot.addWidget(made)
    return made


def words(dialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if not label.isHidden())


def test_where_nothing_is_measured_it_says_what_to_do(dialog):
    dialog.show_delays(DelayReport(), STATES["live"])
    assert "Enter something" in words(dialog)
    assert dialog.findChild(Bars).isHidden()
    dialog.show_delays(report(3, 3, 0), STATES["live"])
    assert "Enter something" not in words(dialog)
    assert not dialog.findChild(Bars).isHidden()


def test_totals_are_those_of_today_and_of_all(dialog):
    measured = report(640, 90)
    dialog.show_delays(measured, STATES["live"])
    told = dialog._totals.accessibleDescription().splitlines()
    today, every = measured.today[0], measured.all[0]
    assert told[0].startswith(f"Today, {today.p50_ms:.0f} ms, {today.p99_ms:.0f} ms")
    assert told[0].endswith("90 entries")
    assert told[1].startswith(f"Since 3 Feb 14:32, {every.p50_ms:.0f} ms")
    assert told[1].endswith("640 entries")


def test_pictures_are_reached_by_the_keyboard_and_tell_what_they_show(dialog, qtbot):
    measured = report()
    dialog.show_delays(measured, STATES["live"])
    dialog.show()
    qtbot.waitExposed(dialog)
    bars, stages = dialog.findChild(Bars), dialog.findChild(Stages)
    assert (bars.accessibleName(), stages.accessibleName()) == ("Entries by delay", "By stage")
    assert len(bars.accessibleDescription().splitlines()) == len(measured.bars)
    first = stages.accessibleDescription().splitlines()[0]
    assert first.startswith("On this disk: half within 0.9 ms, 99 % within ")
    reached = set()
    for _ in range(20):
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
        reached.add(dialog.focusWidget())
    assert {bars, stages} <= reached
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


@pytest.mark.parametrize("theme_name", ["dark", "light"])
def test_bars_are_seen_in_the_colours_of_the_theme(dialog, theme, qapp, theme_name):
    from gui.theme.theme import Theme

    theme.become(Theme.load(theme_name), qapp)
    dialog.show_delays(report(), STATES["live"])
    dialog.show()
    picture = dialog.findChild(Bars).grab().toImage()
    across, down = range(0, picture.width(), 2), range(0, picture.height(), 2)
    seen = {picture.pixelColor(x, y).name() for x in across for y in down}
    assert {theme.color(role).name() for role in ("accent", "faint")} <= seen


def test_it_says_how_the_board_stands_and_why(dialog):
    for state, told in (
        ("offline", ["Offline since 14:23, 3 waiting", "No answer from nats://tower:4222 (connection refused)"]),
        ("catching up", ["Catching up 43 %, about 15 s left", "430\u202f000 events to go"]),
        ("refused", [f"Refused: {REFUSED.detail}"]),
    ):
        dialog.show_delays(DelayReport(), STATES[state])
        shown = words(dialog).splitlines()
        assert [line for line in told if line not in shown] == []
        assert shown.count(told[-1]) == 1


def test_what_waited_is_told_apart():
    def waited(count):
        return waited_text(DelayReport(all=(StageDelay("waited", count, 1.0, 2.0, 720_000.0),)))

    assert waited(1).startswith("1 entry waited for the log to be reached or caught up with, for 12 min;")
    assert waited(3).startswith("3 entries waited for the log to be reached or caught up with, the longest 12 min;")
    assert waited_text(DelayReport()) == ""


def shown_dialog(desk) -> DelayDialog | None:
    return next((each for each in desk.window.findChildren(DelayDialog) if each.isVisible()), None)


def test_keys_and_pill_open_it_and_it_keeps_up_with_what_is_entered(run, qtbot, tmp_path):
    async def act(desk):
        desk.window.activateWindow()
        QTest.keyClick(desk.window, Qt.Key.Key_F9)
        dialog = shown_dialog(desk)
        assert "Enter something" in words(dialog)
        for _ in range(2):
            desk.pipeline.enter("note.made", {"place": "north"})
        await until(desk.pipeline.status, lambda _: "2 entries" in words(dialog))
        assert desk.pipeline.delays().all[0].count == 2
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert shown_dialog(desk) is None
        state = next(pill for pill in desk.window.findChildren(Pill) if pill.text() == "Live")
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            state.setFocus(Qt.FocusReason.TabFocusReason)
            QTest.keyClick(state, key)
            assert shown_dialog(desk) is dialog
            dialog.reject()
        QTest.mouseClick(state, Qt.MouseButton.LeftButton)
        assert shown_dialog(desk) is dialog

    on_desk(run, qtbot, tmp_path, act)


def test_a_reason_that_is_cut_off_is_read_by_the_keyboard(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    other, pill = QPushButton("Before", window), Pill(theme, window)
    pill.set_yielding(80)
    pill.show_text(f"Refused: {REFUSED.detail}", "text", dot="critical")
    assert pill.focusPolicy() == Qt.FocusPolicy.NoFocus
    pill.show_tip(REFUSED.detail)
    assert pill.focusPolicy() == Qt.FocusPolicy.TabFocus
    pill.setGeometry(0, 40, 120, 26)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    other.setFocus()
    assert not QToolTip.isVisible()
    QTest.keyClick(other, Qt.Key.Key_Tab)
    qtbot.waitUntil(QToolTip.isVisible)
    assert REFUSED.detail in QToolTip.text()
    assert pill.accessibleDescription() == REFUSED.detail
    QTest.keyClick(pill, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_a_status_without_a_clock_or_events_is_said_all_the_same(dialog):
    dialog.show_delays(DelayReport(), Status())
    assert "Catching up" in words(dialog)
