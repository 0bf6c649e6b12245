"""Operators' entries: what was typed or chosen becomes an event's data, or a problem for each field that is
wrong.

Text is read as the field's type: whole numbers and numbers in plain notation; yes/no, true/false, on/off,
1/0; a time as ISO 8601 (without an offset it is local time on the board), "14:30" or "now". Empty text is no
value. Timestamps are also taken as integer microseconds or `datetime`, and stand in the data as RFC 3339 text
in UTC.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from dataflow.board import Board, EventType, Field
from dataflow.session import EntryRefused, Problem
from dataflow.text.hints import suggest
from dataflow.times import in_range, iso, micros, parse
from storage.event import HOLDS_NUL, holds_nul

_BOOLS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)


class _WrongError(Exception):
    """The value of one field; the message completes "field: …"."""


def compose(
    board: Board, type_: str, given: Mapping[str, Any], *,
    now: int | None, operator: bool, fresh: Callable[[], str],
) -> tuple[bytes, str | None]:
    """The entry's data (JSON) and subject. Raises EntryRefused."""
    event = _event(board, type_, operator)
    problems = list(_unknown(event, type_, given))
    reader = _Reader(ZoneInfo(board.timezone), time.time_ns() // 1000 if now is None else now, fresh)
    data: dict[str, Any] = {}
    for name, field in event.fields.items():
        try:
            value = reader.read(field, given.get(name))
        except _WrongError as wrong:
            problems.append(Problem(name, str(wrong)))
            continue
        if value is not None:
            data[name] = value
    subject = data.get(event.subject) if event.subject else None
    if isinstance(subject, str) and holds_nul(subject):
        problems.append(Problem(event.subject, HOLDS_NUL))
    if problems:
        raise EntryRefused(problems)
    return msgspec.json.encode(data, enc_hook=int), None if subject is None else str(subject)


def _event(board: Board, type_: str, operator: bool) -> EventType:
    choices = [name for name, event in board.events.items() if event.entry or not operator]
    if type_ in choices:
        return board.events[type_]
    why = "may not be entered by hand" if type_ in board.events else "is not an event type of this board"
    hint = suggest(type_, choices)
    raise EntryRefused([Problem(None, f"`{type_}` {why}" + (f"; {hint}" if hint else ""))])


def _unknown(event: EventType, type_: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    for name in given:
        if name not in event.fields:
            yield Problem(name, f"`{type_}` has no such field; {suggest(name, event.fields)}")


class _Reader:
    """Reads one entry's values; `now` and `zone` are the board's."""

    def __init__(self, zone: tzinfo, now: int, fresh: Callable[[], str]) -> None:
        self._zone, self._now, self._fresh = zone, now, fresh

    def read(self, field: Field, given: Any) -> Any:
        """The JSON value, or None for none. Raises _WrongError."""
        if given is None or (isinstance(given, str) and not given.strip()):
            given = self._default(field)
        if given is None:
            if field.required:
                raise _WrongError("is required")
            return None
        value = self._typed(field.type, given)
        _within(field, value)
        return iso(value) if field.type == "timestamp" else value

    def _default(self, field: Field) -> Any:
        if field.default == "auto" and field.type == "text":
            return self._fresh()
        return self._now if field.default == "now" and field.type == "timestamp" else field.default

    def _typed(self, type_: str, given: Any) -> Any:
        match type_:
            case "text":
                return given.strip() if isinstance(given, str) else str(given)
            case "int":
                return _int(given)
            case "float":
                return _float(given)
            case "bool":
                return _bool(given)
            case "timestamp":
                return self._timestamp(given)
        return _json(given)

    def _timestamp(self, given: Any) -> int:
        try:
            if isinstance(given, datetime):
                return in_range(micros(given if given.tzinfo else given.replace(tzinfo=self._zone)))
            if isinstance(given, str):
                return parse(given, self._zone, self._now)
            if isinstance(given, int) and not isinstance(given, bool):
                return in_range(given)
        except (ValueError, OverflowError):
            pass
        raise _WrongError(f"{_quoted(given)} is not a time: write 14:30 or 2013-02-08 14:30")


def _int(given: Any) -> int:
    try:
        value = int(given) if isinstance(given, str) else given
    except ValueError:
        raise _WrongError(f"{_quoted(given)} is not a whole number") from None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _WrongError(f"{_quoted(given)} is not a whole number")
    return value


def _float(given: Any) -> float:
    try:
        value = math.nan if isinstance(given, bool) else float(given)
    except (ValueError, TypeError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise _WrongError(f"{_quoted(given)} is not a number")
    return value


def _bool(given: Any) -> bool:
    value = _BOOLS.get(str(given).strip().lower())
    if value is None:
        raise _WrongError(f"{_quoted(given)} is neither yes nor no")
    return value


def _json(given: Any) -> Any:
    try:
        return msgspec.json.decode(given) if isinstance(given, str) else given
    except msgspec.DecodeError:
        raise _WrongError(f"{_quoted(given)} is not JSON") from None


def _within(field: Field, value: Any) -> None:
    if field.choices and value not in field.choices:
        raise _WrongError(f"{_quoted(value)} is not among its choices: {', '.join(map(str, field.choices))}")
    unit = f" {field.unit}" if field.unit else ""
    if field.min is not None and value < field.min:
        raise _WrongError(f"{value} is below {field.min:g}{unit}")
    if field.max is not None and value > field.max:
        raise _WrongError(f"{value} is above {field.max:g}{unit}")


def _quoted(given: Any) -> str:
    text = str(given)
    return f'"{text if len(text) <= 40 else text[:39] + "…"}"'
