"""Paths into a message, and its values as a field's type: laws, and where the bounds are exactly."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.devices import json_paths
from dataflow.devices.json_paths import LARGEST, NOTHING, Misread
from storage.times import EARLIEST, LATEST

ZONE = ZoneInfo("America/New_York")
KEYS = st.text("abc0123", min_size=1, max_size=3)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def misread(function, *arguments) -> str:
    with pytest.raises(Misread) as caught:
        function(*arguments)
    return str(caught.value)


def places(value, path=()):
    """Every value in a message, with the keys on the way to it."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, str(key)))


@given(VALUES)
def test_each_place_of_a_message_has_one_path_and_nothing_stands_elsewhere(message):
    for keys, value in places(message):
        path = json_paths.written(keys)
        assert json_paths.steps(path) == keys
        assert json_paths.value_at(message, keys) == (NOTHING if value is None else value)
        for beyond in ("none", "3", "99999999", "-1", "²"):
            if not (isinstance(value, dict) and beyond in value):
                assert json_paths.value_at(message, (*keys, beyond)) is NOTHING


@pytest.mark.parametrize("path", ["", "a.", ".a", "a..b", ".."])
def test_a_path_without_a_key_is_none(path):
    with pytest.raises(ValueError, match="^" + path.replace(".", r"\.") + "$"):
        json_paths.steps(path)


@given(VALUES)
def test_a_message_is_the_value_that_was_written(message):
    assert json_paths.decode(json.dumps({"a": message}).encode()) == {"a": message} or _has_large(message)


def _has_large(message) -> bool:
    """Whether it holds a whole number beyond what JSON's readers keep exactly."""
    return any(isinstance(value, int) and not -(2**63) <= value < 2**64 for _, value in places(message))


def test_a_message_may_be_so_large_and_no_larger():
    assert json_paths.decode(b'"%b"' % (b"x" * (LARGEST - 2))) == "x" * (LARGEST - 2)
    assert misread(json_paths.decode, b'"%b"' % (b"x" * (LARGEST - 1))) == (
        "1,048,577 bytes, and a message has 1,048,576 at the most"
    )
    assert misread(json_paths.decode, b"") == "the message is empty"


def test_a_message_may_be_so_deep_and_no_deeper():
    assert json_paths.decode(b"[" * 100 + b"]" * 100) is not None
    assert "more than 100 levels" in misread(json_paths.decode, b"[" * 101 + b"]" * 101)
    assert "nested too deeply" in misread(json_paths.decode, b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    ("type_", "value", "converted"),
    [
        ("text", "", ""), ("bool", False, False), ("json", [1], [1]), ("int", 21.0, 21), ("int", 2**63 - 1, 2**63 - 1),
        ("int", -(2**63), -(2**63)),
        ("float", 1, 1), ("float", 0.5, 0.5), ("float", 2**63, 2.0**63), ("float", -(2**63), -(2**63)),
        ("timestamp", 99_999_999_999, "5138-11-16T09:46:39Z"), ("timestamp", 100_000_000_000, "1973-03-03T09:46:40Z"),
        ("timestamp", -100_000_000_000, "1966-10-31T14:13:20Z"), ("timestamp", 1.5, "1970-01-01T00:00:01.500000Z"),
        ("timestamp", "2020-01-01T00:00", "2020-01-01T05:00:00Z"),
        ("timestamp", "2020-01-01 00:00Z", "2020-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_what_a_field_takes(type_, value, converted):
    found = json_paths.convert(value, type_, ZONE)
    assert (found, type(found)) == (converted, type(converted))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", 1), ("text", None), ("bool", 1), ("bool", "true"), ("int", True), ("int", 1.5), ("int", 2**63),
        ("int", -(2**63) - 1), ("int", "1"), ("float", True), ("float", "1"), ("float", 10**400), ("timestamp", True),
        ("timestamp", 10**14), ("timestamp", -(10**14)), ("timestamp", "14:30"),
        ("timestamp", "2020-01-01T00:00" + " " * 60),
        ("timestamp", None), ("timestamp", "2020-13-01T00:00"),
    ],
)  # fmt: skip
def test_what_a_field_does_not_take(type_, value):
    assert misread(json_paths.convert, value, type_, ZONE).startswith(json_paths.describe(value) + " is no")


@given(st.integers(EARLIEST // 10**6, LATEST // 10**6))
def test_a_time_in_seconds_and_in_milliseconds_is_the_same_time(seconds):
    if abs(seconds) < 10**11:
        assert json_paths.micros(seconds, ZONE) == seconds * 10**6
    if 10**11 <= abs(seconds * 1000) < 10**14:
        assert json_paths.micros(seconds * 1000, ZONE) == seconds * 10**6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "an object"), ([1, 2], "an array of 2"), (True, "true"), (False, "false"), (None, "null"), (1.5, "1.5"),
        ("a", "'a'"), ("x" * 38, f"'{'x' * 38}'"), ("x" * 39, f"'{'x' * 38}…"),
    ],
)  # fmt: skip
def test_a_value_in_words_is_short(value, text):
    assert json_paths.describe(value) == text


def test_a_template_is_filled_by_the_topic_and_the_message():
    template = tuple(json_paths.pieces("room {1}/{a.b}-{2}"))
    assert template == ("room ", 1, "/", ("a", "b"), "-", 2)
    assert json_paths.fill(template, ("x", "y"), {"a": {"b": 7}}) == "room x/7-y"
    for message, problem in (({}, "not in the message"), ({"a": {"b": 1.5}}, "1.5"), ({"a": {"b": True}}, "true")):
        assert misread(json_paths.fill, template, ("x", "y"), message) == (
            f"`a.b`, which says what it is about, is {problem}"
        )


@pytest.mark.parametrize("template", ["{}", "{a!r}", "{a:>3}", "{a..b}", "{", "a}"])
def test_a_template_that_is_none(template):
    with pytest.raises(ValueError):  # noqa: PT011  (its text is Python's own, or the template)
        tuple(json_paths.pieces(template))


WHOLE_ANSWER = {
    "stream": "B", "seq": 1, "domain": "d", "duplicate": True, "error": {}, "val": "1", "batch": "b", "count": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        (WHOLE_ANSWER, True), ({"stream": "B", "seq": 1}, True), (WHOLE_ANSWER | {"temp": 1}, False),
        ({"stream": "B", "seq": "1"}, False), ({"stream": 1, "seq": 1}, False), ({"error": {"code": 503}}, False),
        ({"server": {}, "data": 1, "error": {}}, True), ({"server": {}, "temp": 1}, False),
        ({"server": "tower"}, False), ({"type": "io.nats.jetstream.api.v1.account_info_response"}, True),
        ({"type": "io.nats"}, False), ({"seq": 1}, False),
    ],
)  # fmt: skip
def test_what_the_server_says_itself_is_no_message(answer, is_one):
    body = json.dumps(answer, separators=(",", ":")).encode()
    assert json_paths.is_answer(body) is is_one
    if is_one:
        assert "an answer of the server's" in misread(json_paths.decode, body)
    assert json_paths.is_answer(body[:-1]) is body.startswith(b'{"type":"io.nats.')
