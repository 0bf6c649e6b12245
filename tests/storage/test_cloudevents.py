"""CloudEvents in JSON: what is taken, what is refused and why, and that nothing but CloudEventError comes
out.
"""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.cloudevents import DEEPEST, EARLIEST, LATEST, decode, encode
from storage.errors import CloudEventError
from storage.event import Event

LEAST = {"specversion": "1.0", "id": "a", "source": "/s", "type": "t", "time": "2013-02-08T12:00:00Z"}
NOON = 1_360_324_800_000_000


def line(**given: object) -> bytes:
    attributes = {**LEAST, **given}
    return json.dumps({name: value for name, value in attributes.items() if value is not ...}).encode()


def refusal(raw: bytes) -> str:
    with pytest.raises(CloudEventError) as caught:
        decode(raw)
    return caught.value.reason


def test_the_least_event():
    assert decode(line()) == Event(id="a", source="/s", type="t", time=NOON)


def test_data_keeps_its_bytes_and_the_rest_is_kept():
    raw = line(traceparent="00-ab", foo=1, bar=None)[:-1] + b', "data" : { "n" : 1.50 } }'
    event = decode(raw)
    assert event.data == b'{ "n" : 1.50 }'
    assert event.extensions == b'{"traceparent":"00-ab","foo":1}'
    assert decode(memoryview(raw)) == event


@pytest.mark.parametrize(
    ("time", "micros"),
    [
        ("2013-02-08T12:00:00.000001Z", NOON + 1),
        ("2013-02-08T07:00:00-05:00", NOON),
        ("2013-02-08t12:00:00z", NOON),
        ("2013-02-08T17:45:00+05:45", NOON),
    ],
)
def test_any_offset_is_utc_inside(time, micros):
    assert decode(line(time=time)).time == micros


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"time": "2013-02-08T12:00:00"}, "no offset (Z or +hh:mm) in time"),
        ({"time": "yesterday"}, "time"),
        ({"time": ...}, "no time"),
        ({"time": "0001-01-01T00:00:00+10:00"}, "outside the years 1 to 9999"),
        ({"id": ...}, "no id"),
        ({"id": ""}, "empty id"),
        ({"id": 5}, "id"),
        ({"source": ...}, "no source"),
        ({"type": None}, "type"),
        ({"specversion": "0.3"}, "specversion is '0.3'"),
        ({"specversion": ...}, "no specversion"),
        ({"seen": -1}, "seen"),
        ({"expects": 2**63}, "expects"),
        ({"data": [1]}, "data is not a JSON object"),
        ({"data": "text"}, "data is not a JSON object"),
        ({"data_base64": "aGk="}, "data_base64"),
        ({"datacontenttype": "text/xml", "data": {}}, "datacontenttype is 'text/xml'"),
    ],
)
def test_what_is_refused_and_why(given, reason):
    assert reason in refusal(line(**given))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "cut off"),
        (b"hello", "malformed"),
        (b"[]", "Expected object"),
        (line()[:-9], "cut off"),
        (line() + line(), "trailing"),
        (line()[:-1] + b', "data": {"a": "\xff"}}', "not UTF-8"),
        (line().decode().encode("utf-16"), "not UTF-8"),
        (line()[:-1] + b', "data": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "nested too deeply"),
        (line()[:-1] + b', "other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_json(raw, reason):
    assert reason in refusal(raw)


def test_absent_and_null_data_are_empty():
    assert decode(line(data=None)).data == decode(line()).data == b"{}"


def test_the_depth_of_data_is_bounded_and_brackets_in_text_do_not_count():
    def nested(levels: int) -> bytes:
        inner = b'{"text":"%s \\" {"}' % (b"[{" * 200)
        return line()[:-1] + b', "data": ' + b'{"a":[' * levels + inner + b"]}" * levels + b"}"

    assert decode(nested(49)).data.startswith(b'{"a":[')
    assert refusal(nested(50)) == "nested too deeply: data has more than 100 levels"


@given(st.lists(st.booleans(), min_size=DEEPEST - 3, max_size=DEEPEST + 2), st.integers(0, 40))
def test_so_many_levels_decode_and_one_more_does_not(arrays, filler):
    data = b'"]}"'
    for array in arrays:
        data = b'[%b, "%b"]' % (data, b"[" * filler) if array else b'{"a":%b}' % data
    raw = line()[:-1] + b', "data": {"a":%b}}' % data
    if len(arrays) + 1 > DEEPEST:
        assert refusal(raw) == "nested too deeply: data has more than 100 levels"
    else:
        assert decode(raw).data == b'{"a":%b}' % data


def test_another_kind_of_json_is_kept():
    event = decode(line(datacontenttype="application/geo+json", data={}))
    assert json.loads(encode(event))["datacontenttype"] == "application/geo+json"
    assert decode(encode(event)) == event


def test_the_position_does_not_travel():
    assert b"position" not in encode(Event(id="a", source="/s", type="t", time=0, position=5))


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
_POSITION = st.none() | st.integers(0, 2**63 - 1)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(st.none() | st.booleans() | _NUMBER | _TEXT, st.lists, max_leaves=5)


@given(
    st.binary(max_size=200)
    | _JSON.map(json.dumps).map(str.encode)
    | st.builds(lambda at, junk: line()[:at] + junk + line()[at:], st.integers(0, 90), st.binary(max_size=5))
)
def test_nothing_but_a_cloud_event_error(raw):
    with contextlib.suppress(CloudEventError):
        decode(raw)


@given(
    st.builds(
        Event,
        id=_TEXT,
        source=_TEXT,
        type=_TEXT,
        time=st.integers(EARLIEST, LATEST),
        subject=st.none() | _TEXT,
        data=st.dictionaries(_TEXT, _JSON, max_size=3).map(json.dumps).map(str.encode),
        authid=st.none() | _TEXT,
        causationid=st.none() | _TEXT,
        seen=_POSITION,
        expects=_POSITION,
        extensions=st.none() | st.just(b'{"partitionkey":"x"}'),
    )
)
def test_there_and_back(event):
    assert decode(encode(event)) == event


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "authid", "causationid"])
def test_no_attribute_holds_a_nul(name):
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-11-23T12:00:00Z"}
    with pytest.raises(CloudEventError, match="NUL"):
        decode(json.dumps(attributes | {name: "a\0b"}).encode())
