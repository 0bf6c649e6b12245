"""Rules for event types' fields: names, types, choices, defaults, bounds, subjects and the button's words."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dataflow.board import ENVELOPE, Board, Field
from dataflow.boards.shape import Finding, describe
from dataflow.boards.toml_lines import Path
from dataflow.text.hints import suggest

Findings = Iterator[Finding]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
PLAIN = "use letters, digits and _"
_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "timestamp": (datetime,),
}


def fields(board: Board) -> Findings:
    first: dict[str, tuple[str, str, str]] = {}
    for type_, event in board.events.items():
        for name, field in event.fields.items():
            path = ("events", type_, "fields", name)
            if not NAME.match(name):
                yield Finding(path, f'"{name}" cannot be a name in SQL', PLAIN)
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
                message = f"{describe(choice)} is not of the field's type, {field.type}"
                yield Finding((*path, "choices", index), message)


def _default(path: Path, field: Field, subject: bool) -> Findings:
    default, path = field.default, (*path, "default")
    if default is None or (default == "auto" and subject and field.type == "text"):
        return
    if default == "now" and field.type == "timestamp":
        return
    if not _is(field.type, default):
        hint = 'or "now"' if field.type == "timestamp" else ""
        yield Finding(path, f"{describe(default)} is not of the field's type, {field.type}", hint)
    elif field.choices and default not in field.choices:
        hint = suggest(str(default), map(str, field.choices))
        yield Finding(path, f"{describe(default)} is not among the choices", hint)
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


RULES = (fields, field_options, subjects, submit_words)
