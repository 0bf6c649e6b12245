"""Reading a plain JSON message: paths into it, texts made of it, and its values as a field's type. Pure functions.

A path is the keys on the way down, joined by dots: `AM2301.Temperature`; a number is also a place in an array, and `.`
is the message itself. A template is text with `{1}` for what the first wildcard of the topic stands for, and `{Id}` for
a path. Types are JSON's own, nothing is guessed; but 21.0 is a whole number too, and a time may be text or a number.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

import msgspec

from dataflow.times import iso, parse
from storage.cloudevents import DEEPEST, refuse_depth
from storage.errors import CloudEventError
from storage.times import EARLIEST, LATEST

WHOLE = "."
LARGEST = 2**20
"""Bytes of a message that are looked at."""
NOTHING: Any = object()
_ANSWERS = (b'{"stream":', b'{"error":', b'{"server":')
_TAKEN = frozenset({"stream", "seq", "domain", "duplicate", "error", "val", "batch", "count"})

Steps = tuple[str, ...]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII)
_SECONDS, _MILLISECONDS = 1e11, 1e14
_WORDS = {
    "text": "text", "int": "a whole number (64 bits)", "float": "a number", "bool": "true or false",
    "timestamp": "a time", "json": "JSON",
}  # fmt: skip


class Misread(Exception):
    """The message does not hold what is asked of it; the text says why."""


def steps(path: str) -> Steps:
    """Return the keys on the way down. Raises ValueError."""
    if path == WHOLE:
        return ()
    keys = tuple(path.split("."))
    if not all(keys):
        raise ValueError(path)
    return keys


def written(steps: Steps) -> str:
    """Return the path of which these are the steps."""
    return ".".join(steps) or WHOLE


def pieces(template: str) -> Iterator[str | int | Steps]:
    """Yield texts, numbers of wildcards (from 1), and paths, in order. Raises ValueError."""
    for text, name, form, conversion in string.Formatter().parse(template):
        if text:
            yield text
        if name is None:
            continue
        if not name or form or conversion:
            raise ValueError(template)
        yield int(name) if name.isascii() and name.isdigit() else steps(name)


def is_answer(body: bytes) -> bool:
    """Whether these are the server's words to somebody who had it answer on a device's subject: that a log took a
    message (PubAck) or did not, or what JetStream's API and the server say of themselves. Whoever asks can choose where
    the answer goes, but not what is in it.
    """
    if body.startswith(b'{"type":"io.nats.'):
        return True
    if not body.startswith(_ANSWERS):
        return False
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    if "server" in answer:
        return answer.keys() <= {"server", "data", "error"} and isinstance(answer["server"], dict)
    return answer.keys() <= _TAKEN and isinstance(answer.get("stream"), str) and isinstance(answer.get("seq"), int)


def decode(body: bytes) -> Any:
    """Return the JSON value that a message holds. Raises Misread."""
    if len(body) > LARGEST:
        raise Misread(f"{len(body):,} bytes, and a message has {LARGEST:,} at the most")
    if not body:
        raise Misread("the message is empty")
    if is_answer(body):
        raise Misread("it is an answer of the server's, which somebody had it send there")
    try:
        value = msgspec.json.decode(body)
        if body.count(b"{") + body.count(b"[") > DEEPEST:
            refuse_depth(body)
    except RecursionError:
        raise Misread("nested too deeply") from None
    except CloudEventError as error:
        raise Misread(error.reason) from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise Misread(f"not JSON: {error}") from None
    return value


def value_at(message: Any, steps: Steps) -> Any:
    """Return what stands there, or NOTHING. A null is nothing."""
    for step in steps:
        if isinstance(message, dict):
            message = message.get(step)
        elif isinstance(message, list) and step.isascii() and step.isdigit() and len(step) < 8:
            message = message[int(step)] if int(step) < len(message) else None
        else:
            return NOTHING
    return NOTHING if message is None else message


def fill(template: Sequence[str | int | Steps], wildcards: Sequence[str], message: Any) -> str:
    """Return the text that a template makes of a topic and a message. Raises Misread."""
    return "".join(_text(piece, wildcards, message) for piece in template)


def convert(value: Any, type_: str, zone: tzinfo) -> Any:
    """Return the value as JSON that a field of this type takes. Raises Misread."""
    match type_:
        case "text" if isinstance(value, str):
            return value
        case "bool" if isinstance(value, bool):
            return value
        case "int" if (whole := _whole(value)) is not None:
            return whole
        case "float" if (number := _real(value)) is not None:
            return number
        case "timestamp":
            return iso(micros(value, zone))
        case "json":
            return value
    raise Misread(f"{describe(value)} is not {_WORDS[type_]}")


def micros(value: Any, zone: tzinfo) -> int:
    """Return a time in µs since 1970. Text without an offset is local time in the zone. Raises Misread."""
    try:
        if isinstance(value, str) and _MOMENT.match(value) and len(value) < 64:
            return _within(parse(value, zone))
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MILLISECONDS:
            return _within(round(value * (1_000_000 if abs(value) < _SECONDS else 1000)))
    except (ValueError, OverflowError):
        pass
    raise Misread(f"{describe(value)} is no time: RFC 3339, or seconds or milliseconds since 1970")


def describe(value: Any) -> str:
    """Return a JSON value in words, short."""
    match value:
        case dict():
            return "an object"
        case list():
            return f"an array of {len(value)}"
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _text(piece: str | int | Steps, wildcards: Sequence[str], message: Any) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, int):
        return wildcards[piece - 1]
    value = value_at(message, piece)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    problem = "not in the message" if value is NOTHING else describe(value)
    raise Misread(f"`{written(piece)}`, which says what it is about, is {problem}")


def _whole(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return value


def _real(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return value if -(2**63) <= value < 2**63 else number


def _within(us: int) -> int:
    if not EARLIEST <= us <= LATEST:
        raise ValueError(us)
    return us
