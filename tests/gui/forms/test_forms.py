from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from dataflow.board import EventType, Field, FormPanel
from dataflow.session import Problem
from gui.forms import kinds
from gui.forms.entry import filled
from gui.forms.moment import distance, moment_text, read_moment
from gui.forms.number import plain_number
from gui.panels.form import Form

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = 60_000_000
KEY = Qt.Key


def us(*when, zone=NEW_YORK):
    return (datetime(*when, tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution


NOW = us(2013, 2, 8, 14, 32)

HELD = EventType(
    label="Hold a flight", entry=True, subject="flight", submit="Hold {flight}",
    fields={
        "flight": Field(required=True),
        "reason": Field(choices=["Crew", "Weather"], default="Crew"),
        "until": Field(type="timestamp"),
        "minutes": Field(type="int", unit="min", min=0, max=300),
        "note": Field(multiline=True),
        "notify": Field(type="bool"),
    },
)  # fmt: skip
GATE = EventType(label="Assign a gate", entry=True, fields={"flight": Field(required=True), "gate": Field()})


@pytest.fixture
def form(qtbot, theme):
    spec = FormPanel(title="Enter", at=(0, 0, 1, 1), events=["flight.held", "gate.assigned"])
    panel = Form(spec, {"flight.held": HELD, "gate.assigned": GATE}, theme, NEW_YORK)
    qtbot.addWidget(panel)
    panel.set_now(NOW)
    panel.resize(320, 520)
    panel.show()
    qtbot.waitExposed(panel)
    panel.activateWindow()
    panel.focus()
    return panel


def editor(form, name):
    return form.form().fields[name].editor


def problems(form):
    return {name: box._problem.text() for name, box in form.form().fields.items() if box.has_problem()}


# Times


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("15:10", us(2013, 2, 8, 15, 10)), ("15.10", us(2013, 2, 8, 15, 10)), ("14:30:15", us(2013, 2, 8, 14, 30, 15)),
        ("1:00", us(2013, 2, 9, 1, 0)), ("03:00", us(2013, 2, 8, 3, 0)), ("now", NOW), ("+45", NOW + 45 * MINUTE),
        ("- 5 min", NOW - 5 * MINUTE), ("2013-07-01 06:00", us(2013, 7, 1, 6, 0)),
        ("2013-02-08T20:00Z", us(2013, 2, 8, 15, 0)),
    ],
)  # fmt: skip
def test_a_time_is_read_as_the_board_shows_it(text, time):
    assert read_moment(text, NOW, NEW_YORK) == time


def test_yesterday_evening_is_nearer_than_tonight():
    just_after_midnight = us(2013, 2, 9, 0, 20)
    assert read_moment("23:50", just_after_midnight, NEW_YORK) == us(2013, 2, 8, 23, 50)


@pytest.mark.parametrize("text", ["25:00", "soon", "15:1", "2013-02-30 10:00", "99999999-01-01"])
def test_what_is_no_time_is_said_with_an_example(text):
    with pytest.raises(ValueError, match="is not a time: try 15:10"):
        read_moment(text, NOW, NEW_YORK)


def test_a_time_shown_is_read_back():
    for time in (NOW + 38 * MINUTE, NOW - 600 * MINUTE, NOW + 4000 * MINUTE):
        assert read_moment(moment_text(time, NOW, NEW_YORK), NOW, NEW_YORK) == time


def test_distances():
    minutes = (38, -125, 0, 120, 5000)
    assert [distance(m * MINUTE) for m in minutes] == ["in 38 min", "2 h 5 min ago", "now", "in 2 h", "in 3 days"]


# Fields


def test_small_words():
    assert filled("Hold {flight}", {"flight": "AA753"}) == "Hold AA753"
    assert filled("Hold {flight} at {gate}", {}) == "Hold at"
    assert plain_number("−1\u202f200,5") == "-1200.5"


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (Field(), "  AA753 ", "AA753"), (Field(), "  ", None), (Field(type="int"), "12", "12"),
        (Field(type="float"), "2,5", "2.5"), (Field(type="timestamp"), "15:10", us(2013, 2, 8, 15, 10)),
        (Field(type="json"), "[1]", "[1]"), (Field(multiline=True), "a b ", "a b"),
    ],
)  # fmt: skip
def test_what_is_typed_is_the_value(qtbot, theme, field, typed, value):
    parent = QWidget()
    qtbot.addWidget(parent)
    box = kinds.make("field", field, theme, NEW_YORK, parent)
    box.set_now(NOW)
    qtbot.keyClicks(box.editor, typed)
    assert box.value() == value
    box.reset()
    assert box.value() is None


def test_choices_go_to_what_is_typed_and_keep_their_type(qtbot, theme):
    parent = QWidget()
    qtbot.addWidget(parent)
    few = kinds.make("few", Field(type="int", choices=[4, 22]), theme, NEW_YORK, parent)
    assert few.value() is None
    qtbot.keyClicks(few.editor, "2")
    assert few.value() == 22
    qtbot.keyClick(few.editor, KEY.Key_Delete)
    assert few.value() is None
    many = kinds.make("many", Field(choices=[f"Gate {n}" for n in range(20)]), theme, NEW_YORK, parent)
    many.editor.setEditText("gate 7")
    assert many.value() == "Gate 7"
    many.editor.setEditText("Gate 99")
    assert many.value() == "Gate 99"


def test_up_and_down_count_within_the_range(qtbot, form):
    line = editor(form, "minutes")
    qtbot.keyClick(line, KEY.Key_Down)
    assert line.text() == "0"
    line.setText("300")
    qtbot.keyClick(line, KEY.Key_Up)
    assert line.text() == "300"
    qtbot.keyClick(line, KEY.Key_Down)
    assert line.text() == "299"


def test_the_hint_tells_how_far_a_time_is(qtbot, form):
    qtbot.keyClicks(editor(form, "until"), "15:10")
    assert editor(form, "until").accessibleDescription() == "in 38 min"
    form.set_now(NOW + 30 * MINUTE)
    assert editor(form, "until").accessibleDescription() == "in 8 min"


def test_every_editor_has_a_name(form):
    names = [box.editor.accessibleName() for box in form.form().fields.values()]
    assert names == ["Flight, required", "Reason", "Until", "Minutes", "Note", "Notify"]


# The form


def test_enter_submits_what_was_entered(qtbot, form):
    qtbot.keyClicks(editor(form, "flight"), "AA753")
    assert form.form().button.text() == "Hold AA753"
    qtbot.keyClicks(editor(form, "note"), "two")
    qtbot.keyClick(editor(form, "note"), KEY.Key_Return)
    with qtbot.waitSignal(form.submitted) as sent:
        qtbot.keyClick(editor(form, "note"), KEY.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent.args == ["flight.held", {
        "flight": "AA753", "reason": "Crew", "until": None, "minutes": None, "note": "two", "notify": False,
    }]  # fmt: skip
    for name in ("flight", "reason", "minutes", "notify"):
        with qtbot.waitSignal(form.submitted):
            qtbot.keyClick(editor(form, name), KEY.Key_Return)


def test_an_accepted_entry_clears_the_form_and_tells_what_becomes_of_it(qtbot, form):
    qtbot.keyClicks(editor(form, "flight"), "AA753")
    editor(form, "reason").setCurrentIndex(1)
    form.form().submit()
    form.accepted()
    assert editor(form, "flight").text() == ""
    assert form.form().fields["reason"].value() == "Crew"
    assert form.form().outcome.text() == "Entered, not yet confirmed"
    form.confirmed(2118, 7.4)
    assert form.form().outcome.text() == "Confirmed at position 2\u202f118 (7 ms)"
    qtbot.keyClicks(editor(form, "flight"), "B")
    assert form.form().outcome.text() == ""
    form.confirmed(2119, 7.4)
    assert form.form().outcome.text() == ""


def test_problems_stand_under_their_fields_and_the_keyboard_goes_to_the_first(qtbot, form):
    qtbot.keyClicks(editor(form, "minutes"), "400")
    form.form().submit()
    form.refused([Problem("minutes", "must be at most 300"), Problem("flight", "is required")])
    assert problems(form) == {"flight": "Is required", "minutes": "Must be at most 300"}
    assert editor(form, "minutes").text() == "400"
    qtbot.waitUntil(lambda: editor(form, "flight").hasFocus())
    qtbot.keyClicks(editor(form, "flight"), "A")
    assert problems(form) == {"minutes": "Must be at most 300"}
    form.refused([Problem(None, "this board takes no entries")])
    assert problems(form) == {}
    assert form.form().outcome.text() == "This board takes no entries"


def test_what_cannot_be_read_is_not_submitted(qtbot, form):
    qtbot.keyClicks(editor(form, "until"), "soon")
    with qtbot.assertNotEmitted(form.submitted):
        form.form().submit()
    assert problems(form) == {"until": "Soon is not a time: try 15:10, +45 or 2013-02-08 15:10"}


def test_a_failed_entry_is_given_back(qtbot, form):
    qtbot.keyClicks(editor(form, "flight"), "AA753")
    qtbot.keyClicks(editor(form, "until"), "+45")
    form.form().submit()
    form.accepted()
    form.failed("the disk is full")
    assert (editor(form, "flight").text(), editor(form, "until").text()) == ("AA753", "+45")
    assert form.form().outcome.text() == "the disk is full"


def test_a_failed_entry_does_not_take_away_the_next_one_that_was_begun(qtbot, form):
    editor(form, "flight").setText("UA1545")
    form.form().submit()
    form.accepted()
    qtbot.keyClicks(editor(form, "flight"), "AA753")
    form.failed("The disk is full")
    assert editor(form, "flight").text() == "AA753"
    assert form.form().outcome.text() == "The disk is full"


def test_escape_clears_and_then_leaves(qtbot, form):
    qtbot.keyClicks(editor(form, "flight"), "AA753")
    with qtbot.assertNotEmitted(form.left):
        qtbot.keyClick(editor(form, "flight"), KEY.Key_Escape)
    assert editor(form, "flight").text() == ""
    with qtbot.waitSignal(form.left):
        qtbot.keyClick(editor(form, "flight"), KEY.Key_Escape)


def test_a_row_action_fills_the_form_and_goes_to_what_is_missing(qtbot, form):
    form.fill("gate.assigned", {"flight": "AA753", "unknown": 1})
    assert form.form().type == "gate.assigned"
    assert editor(form, "flight").text() == "AA753"
    qtbot.waitUntil(lambda: editor(form, "gate").hasFocus())
    assert form.form().button.text() == "Assign a gate"
    form.fill("flight.held", {"flight": "AA753", "until": NOW + 38 * MINUTE})
    assert editor(form, "until").text() == "15:10"


def test_the_keyboard_passes_over_what_has_a_default(qtbot, theme):
    fields = {"incident": Field(default="auto", required=True), "title": Field(required=True), "note": Field()}
    spec = FormPanel(title="Enter", at=(0, 0, 1, 1), events=["incident.opened"])
    form = Form(spec, {"incident.opened": EventType(entry=True, fields=fields)}, theme, NEW_YORK)
    qtbot.addWidget(form)
    form.show()
    form.activateWindow()
    form.fill("incident.opened", {})
    qtbot.waitUntil(lambda: editor(form, "title").hasFocus())
    editor(form, "note").setFocus()
    form.focus()
    qtbot.waitUntil(lambda: editor(form, "title").hasFocus())


def test_short_fields_share_lines_where_the_card_is_low(qtbot, form):
    fields = form.form().fields
    form.resize(320, 800)
    qtbot.waitUntil(lambda: fields["until"].y() > fields["reason"].y())
    form.resize(320, 420)
    qtbot.waitUntil(lambda: fields["until"].y() == fields["reason"].y())
    assert fields["until"].x() > fields["reason"].x()


def test_a_form_without_events_says_what_to_do(qtbot, theme):
    panel = Form(FormPanel(title="Enter", at=(0, 0, 1, 1), events=[]), {}, theme, NEW_YORK)
    qtbot.addWidget(panel)
    assert "entry = true" in panel.accessibleDescription()
    panel.focus()
