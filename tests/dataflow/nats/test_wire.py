"""Events as messages: both content modes, and nothing but a clear refusal for all else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.nats import wire
from storage import cloudevents
from storage.errors import CloudEventError
from storage.event import Event, at_position, without_position

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
DATA = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, max_size=4)
POSITION = st.none() | st.integers(0, 2**63 - 1)


@st.composite
def entries(draw):
    return Event(
        id=draw(TEXT), source=draw(TEXT), type=draw(TEXT),
        time=draw(st.integers(cloudevents.EARLIEST, cloudevents.LATEST)), subject=draw(st.none() | TEXT),
        data=msgspec.json.encode(draw(DATA)), authid="amy", causationid=draw(st.none() | TEXT),
        seen=draw(POSITION), expects=draw(POSITION),
    )  # fmt: skip


SUBJECT = "wf.b.UA1.amy.flight.departed"
BODY = b"""{"specversion":"1.0","id":"1","source":"/s","type":"flight.departed","subject":"UA1",
"time":"2026-01-01T00:00:00Z","data":{"delay":3}}"""
HEADERS = {
    "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "flight.departed", "ce-subject": "UA1",
    "ce-time": "2026-01-01T00:00:00Z", "content-type": "application/json",
}  # fmt: skip


@settings(deadline=None)
@given(entries())
def test_an_entry_round_trips(entry):
    message = wire.encode("b", "amy", entry)
    event = wire.decode("b", message.subject, message.headers, message.body, 7)
    assert without_position(event) == entry
    assert event.position == 7
    assert all(value.isprintable() and value.isascii() for value in message.headers.values())


@settings(deadline=None)
@given(entries())
def test_binary_mode_says_the_same(entry):
    quoted = {"specversion": "1.0", "id": entry.id, "source": entry.source, "type": entry.type,
              "subject": entry.subject, "causationid": entry.causationid, "seen": entry.seen,
              "expects": entry.expects}  # fmt: skip
    headers = {f"Ce-{name}": "".join(f"%{byte:02X}" for byte in str(value).encode())
               for name, value in quoted.items() if value is not None}  # fmt: skip
    headers["CE-Time"] = msgspec.json.decode(cloudevents.encode(entry))["time"]
    subject = wire.encode("b", "amy", entry).subject
    assert wire.decode("b", subject, headers, entry.data, 1) == at_position(entry, 1)


def test_a_guarded_entry_tells_the_server_what_it_expects():
    entry = Event(id="1", source="/s", type="gate.set", time=0, subject="UA 1", expects=12)
    assert wire.encode("b", "amy", entry).headers == {
        "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": wire.message_id("amy", entry),
        "Nats-Expected-Last-Subject-Sequence": "12", "Nats-Expected-Last-Subject-Sequence-Subject": "wf.b.UA%201.>",
    }  # fmt: skip


def test_both_modes_and_no_word_about_the_mode_are_read():
    kinds = [
        ({"content-type": "application/cloudevents+json; charset=utf-8"}, BODY),
        (None, BODY), ({}, BODY), ({"Content-Type": "application/json"}, BODY), (HEADERS, b'{"delay":3}'),
    ]  # fmt: skip
    events = [wire.decode("b", SUBJECT, headers, body, 4) for headers, body in kinds]
    assert events == [events[0]] * len(kinds)
    assert (events[0].data, events[0].authid, events[0].position) == (b'{"delay":3}', "amy", 4)


def test_the_server_takes_an_entry_once_and_no_other_for_it():
    entry = Event(id="1", source="/pump/a", type="gate.set", time=0)
    others = [
        wire.message_id("amy", entry), wire.message_id("bob", entry), wire.message_id("amy", entry, attempt=1),
        wire.message_id("amy", msgspec.structs.replace(entry, source="/pump/b")),
        wire.message_id("amy", msgspec.structs.replace(entry, id="2")),
    ]  # fmt: skip
    assert len(set(others)) == 5
    assert wire.message_id("amy", msgspec.structs.replace(entry, data=b'{"n":1}', time=7)) == others[0]


def test_nobody_speaks_as_a_device_by_an_entry():
    body = BODY.replace(b'"source":"/s"', b'"source":"mqtt:tele/kitchen/SENSOR"')
    assert body != BODY
    assert wire.decode("b", SUBJECT, None, body, 1).authid == "amy"
    with pytest.raises(CloudEventError, match="of the device 'mqtt:tele/kitchen/SENSOR'"):
        wire.decode("b", SUBJECT.replace("amy", "_"), None, body, 1)


def test_an_empty_entity_is_none():
    """CloudEvents knows no empty subject: what an operator left empty is an event about nothing."""
    entry = Event(id="1", source="/s", type="t", time=0, subject="", expects=3)
    message = wire.encode("b", "amy", entry)
    assert message.subject == "wf.b._.amy.t"
    assert "subject" not in msgspec.json.decode(message.body)
    assert message.headers[wire.EXPECTED_OF] == "wf.b._.>"
    assert wire.decode("b", message.subject, message.headers, message.body, 1).subject is None


@pytest.mark.parametrize(("length", "taken"), [(0, True), (1, False)])
def test_a_message_has_so_many_bytes_at_the_most(length, taken, monkeypatch):
    monkeypatch.setattr(wire, "LARGEST", len(BODY) - length)
    if taken:
        assert wire.decode("b", SUBJECT, {}, BODY, 1).id == "1"
    else:
        with pytest.raises(CloudEventError, match=f"{len(BODY):,} bytes"):
            wire.decode("b", SUBJECT, {}, BODY, 1)


def test_the_author_is_who_the_subject_says():
    body = BODY.replace(b'"id"', b'"authid":"mallory","id"')
    assert wire.decode("b", SUBJECT, None, body, 1).authid == "amy"
    assert wire.decode("b", SUBJECT.replace("amy", "_"), None, body, 1).authid is None


@pytest.mark.parametrize(
    ("subject", "headers", "body", "reason"),
    [
        (SUBJECT, None, b"", "cut off"),
        (SUBJECT, None, b"garbage", "malformed"),
        (SUBJECT, None, b"\xff\xfe", "not UTF-8"),
        (SUBJECT, None, b"[" * 100_000, "array"),
        (SUBJECT, None, b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "deep"),
        (SUBJECT, None, BODY.replace(b'{"delay":3}', b"7"), "not a JSON object"),
        (SUBJECT, None, BODY.replace(b'"1"', b"1"), "str"),
        (SUBJECT, None, BODY + b" " * wire.LARGEST, "bytes"),
        (SUBJECT, {"content-type": "application/cloudevents-batch+json"}, b"[]", "content type"),
        (SUBJECT, {"content-type": "application/cloudevents+avro"}, b"", "content type"),
        (SUBJECT.replace("UA1", "UA2"), None, BODY, "'UA2'"),
        (SUBJECT.replace("UA1", "_"), None, BODY, "nothing"),
        (SUBJECT + ".late", None, BODY, "'flight.departed.late'"),
        ("wf.other.UA1.amy.flight.departed", None, BODY, "subject"),
        (SUBJECT, {**HEADERS, "ce-time": "yesterday"}, b"{}", "time"),
        (SUBJECT, {**HEADERS, "ce-id": "%FF"}, b"{}", "percent"),
        (SUBJECT, {**HEADERS, "ce-seen": "-1"}, b"{}", "seen"),
        (SUBJECT, {**HEADERS, "ce-seen": "9" * 30}, b"{}", "seen"),
        (SUBJECT, {**HEADERS, "ce-data": "{}"}, b"{}", "ce-data"),
        (SUBJECT, {**HEADERS, "content-type": "text/plain"}, b"{}", "text/plain"),
        (SUBJECT, HEADERS, b'{},"authid":"mallory"', "not JSON"),
        (SUBJECT, HEADERS, b"[" * 100_000, "deep"),
        (SUBJECT, HEADERS, b"\xff", "not JSON"),
        (SUBJECT, {"ce-": "", "ce-id": "1"}, b"{}", "specversion"),
    ],
)
def test_what_is_refused_says_why(subject, headers, body, reason):
    with pytest.raises(CloudEventError) as caught:
        wire.decode("b", subject, headers, body, 1)
    assert reason in caught.value.reason
    assert len(caught.value.reason) < 600


@settings(deadline=None)
@given(
    subject=st.just(SUBJECT) | TEXT,
    headers=st.dictionaries(st.sampled_from([*HEADERS, "ce-x"]) | TEXT, st.text(max_size=30), max_size=9),
    body=st.binary(max_size=60) | st.just(BODY) | st.just(b"{}"),
)
def test_hostile_messages_never_raise_anything_else(subject, headers, body):
    for each in (headers, {**HEADERS, **headers}):
        try:
            wire.decode("b", subject, each, body, 1)
        except CloudEventError as error:
            assert error.reason  # noqa: PT017 - an event or a reason, nothing else
