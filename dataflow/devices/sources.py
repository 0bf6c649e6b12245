"""Plain JSON messages of devices as events, by a board's `[sources]`: pure functions, no loop, no server.

The log holds the raw message; every desk makes the same event of it. Its id is told by its place in the log (UUIDv5 of
`NAMESPACE` and "<the log's id>/<sequence>"), its `source` is `mqtt:` and the topic, and nobody has signed it: no
`authid`. Invariants: `event` raises `CloudEventError` and nothing else, and what it gives fits the declared fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from dataflow.board import Board, EventType, Source
from dataflow.devices import json_paths, topics
from dataflow.devices.json_paths import NOTHING, Misread, Steps
from storage.errors import CloudEventError
from storage.event import DEVICE, HOLDS_NUL, Event, LoggedEvent, holds_nul

NAMESPACE = UUID("d0f6e690-cb67-4de3-9b98-e3c99636139d")
SCHEME = DEVICE
_ENTRIES = "wf."
LONGEST = 1000
"""Characters of the text that names an entity."""
_USER = json_paths.steps("user")
_WHOLE_NUMBER = re.compile(r"-?\d{1,19}", re.ASCII)


class Sources:
    """The sources of one board. `subjects` are those that the log must take for them."""

    def __init__(self, board: Board) -> None:
        self.subjects = subjects(board)
        self._sources = [_Source(name, source, board) for name, source in board.sources.items()]
        self._place: Callable[[str], _Place] = lru_cache(maxsize=4096)(self._find)

    def event(self, log: str, subject: str, body: bytes, sequence: int, received: int) -> LoggedEvent:
        """Return the event in a message of a log, which took it at `received` (µs). Raises CloudEventError."""
        place = self._place(subject)
        id = str(uuid5(NAMESPACE, f"{log}/{sequence}"))
        try:
            return place.source.event(place, json_paths.decode(body), id, sequence, received)
        except Misread as error:
            raise CloudEventError(f"{place.topic[:100]} (source `{place.source.name}`): {error}") from None

    def _find(self, subject: str) -> _Place:
        try:
            topic = topics.topic(subject)
        except ValueError:
            raise CloudEventError(f"came on {subject[:200]!r}, which is no event's subject and no MQTT topic") from None
        for source in self._sources:
            if match := source.matches(topic):
                wild = tuple(part or "" for part in match.groups())
                return _Place(source, topic, SCHEME + quote(topic, safe="/!$&'()*+,;=:@~"), wild)
        raise CloudEventError(f"came on the topic {topic[:200]!r}, which no source of this board takes")


class Sourced:
    """The sources of the board as it is now, compiled anew when it is another one; `log` is the shared log's id."""

    def __init__(self, board: Callable[[], Board] | None = None) -> None:
        self.log = ""
        self._board = board
        self._of: Board | None = None
        self._sources: Sources | None = None

    @property
    def sources(self) -> Sources | None:
        board = self._board() if self._board else None
        if board is not self._of:
            self._of, self._sources = board, Sources(board) if board else None
        return self._sources

    def read_message(
        self, subject: str, body: bytes, sequence: int, received: int, error: CloudEventError
    ) -> LoggedEvent | str:
        """Return the device's event in a message that `wire` can't read for `error`, or the reason why it is none."""
        sources = self.sources
        if sources is None or subject.startswith(_ENTRIES):
            return error.reason
        try:
            return sources.event(self.log, subject, body, sequence, received)
        except CloudEventError as unfit:
            return unfit.reason


def subjects(board: Board) -> tuple[str, ...]:
    """Return the subjects of a board's sources, in order."""
    return tuple(sorted({each for source in board.sources.values() for each in topics.subjects(source.topic)}))


def templates(board: Board) -> tuple[str, ...]:
    """Return the same, with `{user}` where the device's own name stands."""
    return tuple(sorted({each for source in board.sources.values() for each in topics.templates(source.topic)}))


def field_paths(source: Source, event: EventType) -> dict[str, str]:
    """Map each field of the event that is read from the message to its path.

    The field that names the entity is not among them where `subject` says what the entity is and `fields` does not.
    """
    composed = {event.subject} if source.subject is not None else set()
    return {
        name: source.fields.get(name, name)
        for name in event.fields
        if name in source.fields or name not in composed
    }


def is_sourced(event: Event) -> bool:
    """Whether it was a device's message: nobody's entry, and so nothing that a guard looks at."""
    return event.authid is None and event.source.startswith(SCHEME)


class _Place(NamedTuple):
    """What a subject says: of which source, the topic, as a CloudEvents source, and what the wildcards stand for."""

    source: _Source
    topic: str
    name: str
    wildcards: tuple[str, ...]


class _Field(NamedTuple):
    """A field of the event, and where it stands in the message."""

    name: str
    path: str
    steps: Steps
    type: str
    required: bool


class _Source:
    """One source, compiled."""

    def __init__(self, name: str, source: Source, board: Board) -> None:
        declared = board.events[source.type]
        self.name = name
        self.matches = topics.matcher(source.topic).fullmatch
        self._type = source.type
        self._zone = ZoneInfo(board.timezone)
        self._subject = None if source.subject is None else tuple(_pieces(source.subject, source.topic))
        self._time = None if source.time is None else json_paths.steps(source.time)
        self._fields = [
            _Field(field, path, json_paths.steps(path), declared.fields[field].type, declared.fields[field].required)
            for field, path in field_paths(source, declared).items()
        ]
        self._entity = declared.subject
        self._entity_type = declared.fields[declared.subject].type if declared.subject else ""
        self._objects = bool(self._fields) and all(field.steps for field in self._fields)

    def event(self, place: _Place, message: Any, id: str, sequence: int, received: int) -> LoggedEvent:
        """Raises Misread."""
        if self._objects and not isinstance(message, dict):
            raise Misread(f"a JSON object is expected, and the message is {json_paths.describe(message)}")
        data = self._data(message)
        subject = self._about(place, message, data)
        if holds_nul(subject):
            raise Misread(f"the subject {HOLDS_NUL}")
        return LoggedEvent(
            id=id, source=place.name, type=self._type, time=self._moment(message, received), subject=subject,
            data=_encoded(data), position=sequence,
        )  # fmt: skip

    def _data(self, message: Any) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for field in self._fields:
            value = json_paths.value_at(message, field.steps)
            if value is not NOTHING:
                data[field.name] = self._typed(field, value)
            elif field.required:
                raise Misread(f"there is no `{field.path}` in the message, and `{field.name}` is required")
        if self._fields and not data:
            listed = ", ".join(f"`{field.path}`" for field in self._fields)
            raise Misread(f"there is nothing of {listed} in the message")
        return data

    def _typed(self, field: _Field, value: Any) -> Any:
        try:
            return json_paths.convert(value, field.type, self._zone)
        except Misread as error:
            raise Misread(f"`{field.path}`, for the field `{field.name}`: {error}") from None

    def _about(self, place: _Place, message: Any, data: dict[str, Any]) -> str | None:
        """The entity; it is written into the field that names it, where the message does not."""
        if self._subject is None:
            value = data.get(self._entity) if self._entity else None
            return None if value is None else _check_name(str(value))
        text = _check_name(json_paths.fill(self._subject, place.wildcards, message))
        if self._entity and self._entity not in data:
            data[self._entity] = _number(text) if self._entity_type == "int" else text
        return text

    def _moment(self, message: Any, received: int) -> int:
        if self._time is None:
            return received
        path, value = json_paths.written(self._time), json_paths.value_at(message, self._time)
        if value is NOTHING:
            raise Misread(f"there is no `{path}` in the message, which says when it was")
        try:
            return json_paths.micros(value, self._zone)
        except Misread as error:
            raise Misread(f"`{path}`, which says when it was: {error}") from None


def _pieces(template: str, topic: str) -> Iterator[str | int | Steps]:
    """What the entity is made of; `{user}` is the device's name where that stands in the topic."""
    number = topics.number_of_user(topic)
    for piece in json_paths.pieces(template):
        yield number if number is not None and piece == _USER else piece


def _check_name(entity: str) -> str:
    if not entity or len(entity) > LONGEST:
        raise Misread("what it is about has no name" if not entity else f"its name has {len(entity):,} characters")
    return entity


def _number(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text) or not -(2**63) <= (value := int(text)) < 2**63:
        raise Misread(f"{text[:40]!r} says what it is about, and that is a whole number here")
    return value


def _encoded(data: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(data)
    except (msgspec.MsgspecError, OverflowError, ValueError, TypeError) as error:
        raise Misread(f"an event can't hold it: {error}") from None
