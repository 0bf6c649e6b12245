"""What a board must hold beyond the shape of its sections: one rule a function, each gives its findings."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from dataflow.board import (
    ENVELOPE,
    Action,
    Board,
    Field,
    FormPanel,
    Panel,
    TablePanel,
    ValuePanel,
)
from dataflow.board_shape import Finding, found
from dataflow.hints import listing, nearest, suggest
from dataflow.toml_lines import Path

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TYPE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")
_GRID = 100
_PLAIN = "use letters, digits and _"
_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "timestamp": (datetime,),
}

Findings = Iterator[Finding]


def broken(board: Board) -> list[Finding]:
    """Everything that a rule finds."""
    return [finding for rule in RULES for finding in rule(board)]


def board_id(board: Board) -> Findings:
    if not _ID.match(board.id):
        hint = "use up to 64 small letters, digits, - and _: it names the board's store"
        yield Finding(("id",), f'"{board.id}" cannot be a board\'s id', hint)


def timezone(board: Board) -> Findings:
    try:
        ZoneInfo(board.timezone)
    except (KeyError, ValueError, OSError):
        hint = nearest(board.timezone, available_timezones()) or "give an IANA name: Europe/Berlin, UTC"
        yield Finding(("timezone",), f'unknown time zone "{board.timezone}"', hint)


def names(board: Board) -> Findings:
    """Relations share one namespace in SQL, where aa is Aa."""
    taken = {"events": "the relation of all events"}
    for name in board.events:
        if not _TYPE.match(name):
            hint = "use words joined by dots: flight.held"
            yield Finding(("events", name), f'"{name}" cannot be an event type', hint)
        yield from _taken(taken, ("events", name), name, "an event type")
    for section, members in (("tables", board.tables), ("views", board.views)):
        for name in members:
            if not _NAME.match(name):
                yield Finding((section, name), f'"{name}" cannot be a name in SQL', _PLAIN)
            yield from _taken(taken, (section, name), name, f"a {section[:-1]}")


def _taken(taken: dict[str, str], path: Path, name: str, what: str) -> Findings:
    if name.lower() in taken:
        hint = "choose another; SQL does not tell Aa from aa"
        yield Finding(path, f"the name `{name}` is taken: it is {taken[name.lower()]}", hint)
    taken.setdefault(name.lower(), what)


def fields(board: Board) -> Findings:
    first: dict[str, tuple[str, str, str]] = {}
    for type_, event in board.events.items():
        for name, field in event.fields.items():
            path = ("events", type_, "fields", name)
            if not _NAME.match(name):
                yield Finding(path, f'"{name}" cannot be a name in SQL', _PLAIN)
            elif name.lower() in ENVELOPE:
                message = f"every event has a column `{name.lower()}` already"
                yield Finding(path, message, "choose another name")
            else:
                yield from _one_type(path, field, first.setdefault(name.lower(), (name, field.type, type_)))


def _one_type(path: Path, field: Field, first: tuple[str, str, str]) -> Findings:
    name, type_, event = first
    if name != path[-1]:
        hint = "SQL does not tell Aa from aa: write both alike"
        yield Finding(path, f"`{path[-1]}` is `{name}` in \"{event}\"", hint)
    elif field.type != type_:
        message = f"`{name}` is {field.type} here and {type_} in \"{event}\""
        yield Finding((*path, "type"), message, "a field's name has one type on a board")


def field_options(board: Board) -> Findings:
    for type_, event in board.events.items():
        for name, field in event.fields.items():
            path = ("events", type_, "fields", name)
            yield from _choices(path, field)
            yield from _default(path, field, name == event.subject)
            yield from _bounds(path, field)
            if field.multiline and field.type != "text":
                yield Finding((*path, "multiline"), f"a field of type {field.type} has one line")


def _choices(path: Path, field: Field) -> Findings:
    if field.choices is None:
        return
    if field.type in ("json", "bool", "timestamp"):
        yield Finding((*path, "choices"), f"a field of type {field.type} takes no choices")
    elif not field.choices:
        yield Finding((*path, "choices"), "there is nothing to choose from")
    else:
        for index, choice in enumerate(field.choices):
            if not _is(field.type, choice):
                message = f"{found(choice)} is not of the field's type, {field.type}"
                yield Finding((*path, "choices", index), message)


def _default(path: Path, field: Field, subject: bool) -> Findings:
    default, path = field.default, (*path, "default")
    if default is None or (default == "auto" and subject and field.type == "text"):
        return
    if default == "now" and field.type == "timestamp":
        return
    if not _is(field.type, default):
        hint = 'or "now"' if field.type == "timestamp" else ""
        yield Finding(path, f"{found(default)} is not of the field's type, {field.type}", hint)
    elif field.choices and default not in field.choices:
        hint = suggest(str(default), map(str, field.choices))
        yield Finding(path, f"{found(default)} is not among the choices", hint)
    elif field.type in ("int", "float") and not _between(field, default):
        yield Finding(path, f"{default} is not between min and max")


def _bounds(path: Path, field: Field) -> Findings:
    if field.min is None and field.max is None:
        return
    if field.type not in ("int", "float"):
        key = "min" if field.min is not None else "max"
        message = f"a field of type {field.type} has no {key}"
        yield Finding((*path, key), message, "only int and float have one")
    elif field.min is not None and field.max is not None and field.min > field.max:
        yield Finding((*path, "min"), f"min {field.min:g} is above max {field.max:g}")


def _between(field: Field, value: float) -> bool:
    low, high = field.min, field.max
    if low is not None and high is not None and low > high:
        return True
    return (low is None or value >= low) and (high is None or value <= high)


def _is(type_: str, value: Any) -> bool:
    wanted = _PYTHON.get(type_)
    return wanted is None or (isinstance(value, wanted) and (type_ == "bool" or not isinstance(value, bool)))


def subjects(board: Board) -> Findings:
    for type_, event in board.events.items():
        path = ("events", type_, "subject")
        if event.subject is None:
            continue
        if event.subject not in event.fields:
            yield Finding(path, f"names no field: `{event.subject}`", suggest(event.subject, event.fields))
        elif (type_ := event.fields[event.subject].type) not in ("text", "int"):
            yield Finding(path, f"`{event.subject}` is {type_}", "a subject is text or int")


def submit_words(board: Board) -> Findings:
    for type_, event in board.events.items():
        path = ("events", type_, "submit")
        try:
            named = [piece[1] for piece in string.Formatter().parse(event.submit or "")]
        except ValueError as error:
            yield Finding(path, f"cannot be read: {error}", "a brace is written {{ or }}")
            continue
        for name in named:
            if name is not None and name not in event.fields:
                yield Finding(path, f"`{{{name}}}` names no field", suggest(name, event.fields))


def places(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        row, column, height, width = panel.at
        path = ("panels", index, "at")
        if row < 0 or column < 0 or height < 1 or width < 1:
            hint = "it is [row, column, height, width]: rows and columns from 0, sizes from 1"
            yield Finding(path, f"{list(panel.at)} is no place on the grid", hint)
        elif row + height > _GRID or column + width > _GRID:
            hint = f"it has {_GRID} rows and columns at most"
            yield Finding(path, f"{list(panel.at)} is outside of the grid", hint)
        else:
            yield from _overlap(path, panel, board.panels[:index])


def _overlap(path: Path, panel: Panel, before: Sequence[Panel]) -> Findings:
    row, column, height, width = panel.at
    for other in before:
        y, x, h, w = other.at
        if row < y + h and y < row + height and column < x + w and x < column + width:
            yield Finding(path, f'lies over the panel "{other.title}" at {list(other.at)}')
            return


def thresholds(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        for i, threshold in enumerate(panel.thresholds if isinstance(panel, ValuePanel) else ()):
            if (threshold.at is None) == (threshold.below is None):
                yield Finding(("panels", index, "thresholds", i), "give either `at` or `below`")


def actions(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        keys: set[str] = set()
        for i, action in enumerate(panel.actions if isinstance(panel, TablePanel) else ()):
            path = ("panels", index, "actions", i)
            yield from _entry_event(board, (*path, "event"), action.event)
            yield from _action_fields(board, path, action)
            if action.key and action.key.lower() in keys:
                yield Finding((*path, "key"), f'"{action.key}" is another action\'s key in this panel')
            keys.add((action.key or "").lower())


def _action_fields(board: Board, path: Path, action: Action) -> Findings:
    known = board.events[action.event].fields if action.event in board.events else action.fields
    for name in action.fields:
        if name not in known:
            hint = suggest(name, known)
            message = f"`{action.event}` has no field `{name}`"
            yield Finding((*path, "fields", name), message, hint, ("events", action.event, "fields"))


def forms(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        if not isinstance(panel, FormPanel):
            continue
        if not panel.events:
            yield Finding(("panels", index, "events"), "names no event type", "give at least one")
        for i, type_ in enumerate(panel.events):
            yield from _entry_event(board, ("panels", index, "events", i), type_)


def _entry_event(board: Board, path: Path, type_: str) -> Findings:
    event = board.events.get(type_)
    if event is None:
        yield Finding(path, f"there is no event type `{type_}`", suggest(type_, board.events))
    elif not event.entry:
        enterable = [name for name, other in board.events.items() if other.entry]
        others = f", or use {listing(enterable)}" if enterable else ""
        hint = f'set `entry = true` in [events."{type_}"]{others}'
        yield Finding(path, f"operators may not enter `{type_}`", hint, ("events", type_))


def cycles(board: Board) -> Findings:
    """A view that rests on itself; told by the words after FROM, JOIN and commas, so no SQL parser is needed.
    """
    uses = {name: views_used(view.sql, board) for name, view in board.views.items()}
    done: set[str] = set()
    for name in board.views:
        circle = _circle(name, uses, [])
        if circle and not done.intersection(circle):
            done.update(circle)
            message = f"a view cannot rest on itself: {' → '.join([*circle, circle[0]])}"
            yield Finding(("views", name, "sql"), message)


def _circle(name: str, uses: dict[str, list[str]], trail: list[str]) -> list[str]:
    if name in trail:
        return trail[trail.index(name):]
    for used in uses.get(name, ()):
        if circle := _circle(used, uses, [*trail, name]):
            return circle
    return []


_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_SOURCE = re.compile(
    r'\b(?:from|join)\s+"?([A-Za-z_]\w*)"?|,\s*"?([A-Za-z_]\w*)"?\s*(?:as\b|where\b|,|$)', re.IGNORECASE
)
_CTE = re.compile(r'(?:\bwith|,)\s+"?([A-Za-z_]\w*)"?\s+as\s*\(', re.IGNORECASE)


def views_used(sql: str, board: Board) -> list[str]:
    """The views that the SQL names, by its words: good enough for finding circles and for whom to blame."""
    sql = _NOISE.sub(" ", sql)
    own = {"events", *(name.lower() for name in _CTE.findall(sql))}
    found_ = {(a or b).lower() for a, b in _SOURCE.findall(sql)} - own
    return [name for name in board.views if name.lower() in found_]


RULES: tuple[Callable[[Board], Findings], ...] = (
    board_id, timezone, names, fields, field_options, subjects, submit_words, places, thresholds, actions,
    forms, cycles,
)
