"""Events to wide rows, and operators' entries to data."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.board import ENVELOPE, Board, EventType, Field
from dataflow.events.schema import Misfit, Schema, short_id
from dataflow.session import EntryRefused
from dataflow.times import iso, micros, parse
from storage.event import Event

BOARD = Board(
    id="ops",
    title="Operations",
    timezone="America/New_York",
    events={
        "job.held": EventType(
            subject="job",
            entry=True,
            fields={
                "job": Field(required=True),
                "minutes": Field(type="int", min=1, max=60, unit="min", default=5),
                "load": Field(type="float"),
                "until": Field(type="timestamp"),
                "safe": Field(type="bool"),
                "why": Field(choices=["crew", "weather"]),
                "facts": Field(type="json"),
            },
        ),
        "job.opened": EventType(
            subject="job",
            entry=True,
            fields={"job": Field(default="auto"), "since": Field(type="timestamp", default="now")},
        ),
        "job.done": EventType(subject="job", fields={"job": Field(), "from": Field(type="float")}),
    },
)
SCHEMA = Schema(BOARD, fresh=lambda: "FRESH")
NOON = micros(datetime(2013, 2, 8, 17, tzinfo=UTC))     # in New York
FIELDS = ["job", "minutes", "load", "until", "safe", "why", "facts", "since", "from"]


def event(data: bytes, type_: str = "job.held", **more) -> Event:
    return Event(id="1", source="/x", type=type_, time=NOON, data=data, **more)


def fields(row) -> dict:
    named = dict(zip(SCHEMA.columns, row, strict=True))
    return {name: named[name] for name in FIELDS if named[name] is not None}


def test_columns_are_the_envelope_and_every_declared_field():
    assert list(SCHEMA.columns) == [*ENVELOPE, *FIELDS]
    assert SCHEMA.relations() == {"events": SCHEMA.columns}
    assert SCHEMA.kinds["job.done"] == ["job", "from"]


def test_a_row_has_the_envelope_in_order():
    told = event(b"{}", subject="J1", authid="ann", causationid="0", seen=7, position=9)
    assert SCHEMA.row(told)[: len(ENVELOPE)] == (9, "1", "/x", "job.held", "J1", NOON, "ann", "0", 7, False)
    assert SCHEMA.row(told, pending=True, position=99)[0] == 99
    assert SCHEMA.row(told, pending=True)[9] is True


def test_fields_are_typed_and_what_is_absent_or_undeclared_is_none():
    data = b'{"job":"J1","minutes":3,"load":2,"until":"2013-02-08T12:00:00.5-05:00","safe":true,"facts":[1],"extra":1}'
    row = fields(SCHEMA.row(event(data)))
    until = NOON + 500_000
    assert row == {"job": "J1", "minutes": 3, "load": 2.0, "until": until, "safe": True, "facts": [1]}
    assert type(row["load"]) is float
    assert fields(SCHEMA.row(event(b'{"minutes":null}'))) == {}


def test_a_field_may_have_a_python_keyword_for_a_name():
    assert fields(SCHEMA.row(event(b'{"from":1.5}', "job.done"))) == {"from": 1.5}


def test_an_undeclared_type_has_its_envelope_only():
    row = SCHEMA.row(event(b'{"job":"J1","minutes":"no number"}', "somebody.elses"))
    assert fields(row) == {}
    assert SCHEMA.check(event(b"[]", "somebody.elses")) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"minutes":"3"}', 'field `minutes`: expected a whole number (64 bits), found "3"'),
        (b'{"minutes":3.5}', "field `minutes`: expected a whole number (64 bits), found 3.5"),
        (b'{"minutes":true}', "field `minutes`: expected a whole number (64 bits), found true"),
        (b'{"minutes":9223372036854775808}',
         "field `minutes`: expected a whole number (64 bits), found 9223372036854775808"),
        (b'{"load":false}', "field `load`: expected a number, found false"),
        (b'{"safe":1}', "field `safe`: expected true or false, found 1"),
        (b'{"job":7}', "field `job`: expected text, found 7"),
        (b'{"until":"12:00"}', 'field `until`: expected a time (RFC 3339, with an offset), found "12:00"'),
        (b'{"until":"2013-02-08T12:00:00"}',
         'field `until`: expected a time (RFC 3339, with an offset), found "2013-02-08T12:00:00"'),
        (b'{"until":1360342800}', "field `until`: expected a time (RFC 3339, with an offset), found 1360342800"),
        (b"[1]", "data is [1], not a JSON object"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_misfit_that_names_the_field(data, reason):
    assert SCHEMA.check(event(data)) == reason
    with pytest.raises(Misfit) as caught:
        SCHEMA.row(event(data))
    assert caught.value.reason == reason


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"load":1e999}', b'{"job":"\\ud800"}'])
def test_data_that_is_no_json_is_a_misfit(data):
    assert (SCHEMA.check(event(data)) or "").startswith("data is not JSON: ")


@given(st.integers(-(2**53), 2**53))
def test_times_in_data_are_exact(us):
    us = max(us, micros(datetime(1, 1, 2, tzinfo=UTC)))
    us = min(us, micros(datetime(9999, 12, 30, tzinfo=UTC)))
    row = SCHEMA.row(event(msgspec.json.encode({"until": iso(us)})))
    assert fields(row) == {"until": us}
    assert parse(iso(us)) == us


def entered(type_="job.held", /, now=NOON, **given):
    data, subject = SCHEMA.entry(type_, given, now=now)
    return msgspec.json.decode(data), subject


def refused(type_="job.held", /, **given) -> dict:
    with pytest.raises(EntryRefused) as caught:
        SCHEMA.entry(type_, given, now=NOON)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_an_entry_reads_text_and_typed_values_alike():
    typed = {"job": "J1", "minutes": 3, "load": 2.5, "until": NOON, "safe": False, "why": "crew", "facts": {"a": 1}}
    texts = {"job": " J1 ", "minutes": "3", "load": "2.5", "until": "12:00", "safe": "no", "why": "crew",
             "facts": '{"a": 1}'}  # fmt: skip
    expected = typed | {"until": "2013-02-08T17:00:00Z"}
    assert entered(**typed) == entered(**texts) == (expected, "J1")


def test_defaults_and_what_is_left_empty():
    assert entered(job="J1", load="", why=None) == ({"job": "J1", "minutes": 5}, "J1")
    assert entered("job.opened") == ({"job": "FRESH", "since": "2013-02-08T17:00:00Z"}, "FRESH")
    assert len({short_id() for _ in range(100)}) > 90


def test_every_wrong_field_is_told():
    wrong = {"job": " ", "minutes": "61", "load": "much", "until": "25:00", "safe": "maybe", "why": "lunch"}
    assert refused(**wrong, facts="{", jbo="x") == {
        "job": "is required",
        "minutes": "61 is above 60 min",
        "load": '"much" is not a number',
        "until": '"25:00" is not a time: write 14:30 or 2013-02-08 14:30',
        "safe": '"maybe" is neither yes nor no',
        "why": '"lunch" is not among its choices: crew, weather',
        "facts": '"{" is not JSON',
        "jbo": "`job.held` has no such field; did you mean `job`?",
    }


@pytest.mark.parametrize("wrong", ["x", "1.5", 1.5, True, str(2**63), [1]])
def test_a_whole_number_is_one(wrong):
    assert "is not a whole number" in refused(job="J1", minutes=wrong)["minutes"]
    assert entered(job="J1", minutes=3.0)[0]["minutes"] == 3


@pytest.mark.parametrize("wrong", ["nan", "inf", "1e999", True, [1]])
def test_a_number_is_finite(wrong):
    assert "is not a number" in refused(job="J1", load=wrong)["load"]


def test_only_what_operators_may_enter_is_taken_unless_asked_otherwise():
    assert "may not be entered by hand" in refused("job.done", job="J1")[None]
    assert SCHEMA.entry("job.done", {"job": "J1"}, operator=False) == (b'{"job":"J1"}', "J1")
    assert refused("job.hled")[None] == "`job.hled` is not an event type of this board; did you mean `job.held`?"


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("now", "text", "meant"),
    [
        ("2013-02-08T12:00", "14:30", "2013-02-08T14:30"),
        ("2013-02-08T01:00", "14:30:15", "2013-02-08T14:30:15"),
        ("2013-02-08T18:00", "5:00", "2013-02-08T05:00"),
        ("2013-02-08T23:50", "00:10", "2013-02-09T00:10"),
        ("2013-02-08T00:10", "23:50", "2013-02-07T23:50"),
        ("2013-03-10T12:00", "02:30", "2013-03-10T03:30"),      # the hour that spring leaves out
        ("2013-02-08T12:00", "now", "2013-02-08T12:00"),
        ("2013-02-08T12:00", "2013-02-10 14:30", "2013-02-10T14:30"),
        ("2013-02-08T12:00", "2013-02-10T14:30Z", "2013-02-10T09:30"),
    ],
)
def test_a_time_of_day_is_the_boards_own(now, text, meant):
    assert parse(text, NEW_YORK, parse(now, NEW_YORK)) == parse(meant, NEW_YORK)


@pytest.mark.parametrize("data", [
    b'{"facts":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b'{"other":' + b"[" * 5_000, b"\xff",
])  # fmt: skip
def test_an_event_that_cannot_be_read_does_not_fit_and_stops_nothing(data):
    event = Event(id="1", source="/test", type="job.held", time=0, data=data)
    schema = Schema(BOARD)
    for read in (schema.row, schema.reader(lambda _: None)):
        with pytest.raises(Misfit, match="data is n"):
            read(event)
    assert "data is n" in schema.check(event)
