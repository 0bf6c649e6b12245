"""Rules for `[sources]`: topics that a log can take, an event type that there is, fields and paths that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataflow.board import Board, EventType, Source
from dataflow.boards.shape import Finding
from dataflow.boards.toml_lines import Path
from dataflow.devices import json_paths
from dataflow.devices import topics as mqtt
from dataflow.text.hints import suggest

Findings = Iterator[Finding]

_PATH = "write the keys on the way down, joined by dots: AM2301.Temperature; `.` is the message itself"
_TEMPLATE = "write text, {1} for what the first wildcard of the topic stands for, {Id} for a field of the message"
_WHOLE = re.compile(r"-?\d+", re.ASCII)


def topics(board: Board) -> Findings:
    sound: dict[str, str] = {}
    for name, source in board.sources.items():
        path = ("sources", name, "topic")
        if problem := mqtt.problem(source.topic):
            yield Finding(path, *problem)
            continue
        for other, topic in sound.items():
            if mqtt.overlap(source.topic, topic):
                hint = "part the topics, or read all of it in one source"
                yield Finding(path, f'overlaps with "{topic}" of [sources.{other}]: a message is one event', hint)
                break
        sound[name] = source.topic


def types(board: Board) -> Findings:
    for name, source in board.sources.items():
        if source.type not in board.events:
            hint, rests_on = suggest(source.type, board.events), ("events", source.type)
            yield Finding(("sources", name, "type"), f"there is no event type `{source.type}`", hint, rests_on)
        else:
            yield from _fields(("sources", name, "fields"), source, board.events[source.type])


def _fields(path: Path, source: Source, event: EventType) -> Findings:
    for field, way in source.fields.items():
        if field not in event.fields:
            message = f"`{source.type}` has no field `{field}`"
            yield Finding((*path, field), message, suggest(field, event.fields), ("events", source.type, "fields"))
        elif not _readable(way):
            yield Finding((*path, field), f'"{way}" is no path', _PATH)


def subjects(board: Board) -> Findings:
    for name, source in board.sources.items():
        if source.subject is not None:
            yield from _subject(("sources", name, "subject"), source.subject, source, board.events.get(source.type))


def _subject(path: Path, template: str, source: Source, event: EventType | None) -> Findings:
    try:
        pieces = list(json_paths.pieces(template))
    except ValueError:
        yield Finding(path, f'"{template}" cannot be read', _TEMPLATE)
        return
    count = mqtt.wildcards(source.topic)
    for piece in pieces if mqtt.problem(source.topic) is None else ():
        if isinstance(piece, int) and not 1 <= piece <= count:
            there = f"{count or 'no'} wildcard{'' if count == 1 else 's'}"
            yield Finding(path, f'`{{{piece}}}` is no wildcard: "{source.topic}" has {there}', _TEMPLATE)
    if not pieces:
        yield Finding(path, "names nothing", _TEMPLATE)
    fixed = len(pieces) == 1 and isinstance(pieces[0], str)
    if event and event.subject and fixed and not _WHOLE.fullmatch(template):
        field = event.fields.get(event.subject)
        if field is not None and field.type == "int":
            yield Finding(path, f'"{template}" is no whole number, and `{event.subject}` is int')


def times(board: Board) -> Findings:
    for name, source in board.sources.items():
        if source.time is not None and not _readable(source.time):
            yield Finding(("sources", name, "time"), f'"{source.time}" is no path', _PATH)


def _readable(path: str) -> bool:
    try:
        json_paths.steps(path)
    except ValueError:
        return False
    return True


RULES = (topics, types, subjects, times)
