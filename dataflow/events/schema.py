"""The declared fields of a board's event types: events to wide rows, and operators' entries to event data.

A *wide row* has the envelope's columns and then every field that any event type of the board declares (a name
has one type on a board); fields that the event's type does not declare, and fields without a value, are None.
Fields that the data has beyond the declared ones are ignored; an event of an undeclared type has its envelope
only.

Speed: for each event type one msgspec struct decodes `data` with its types checked, and one generated
function builds the tuple. Timestamps within data are RFC 3339 text. What does not fit raises Misfit, whose
reason names the field.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from dataflow.board import ENVELOPE, Board, EventType
from dataflow.events.entry_time import bring_times
from dataflow.times import micros
from dataflow.zset import Row
from storage.event import WITHDRAWN, Event, LoggedEvent

RowOf = Callable[[Event, bool, int | None], Row]

_Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_DECODED: dict[str, Any] = {
    "text": str | None, "int": _Int | None, "float": float | None, "bool": bool | None,
    "timestamp": _Moment | None, "json": Any,
}
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class Misfit(Exception):
    """The event's data does not fit the fields that its type declares."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def short_id() -> str:
    """Five letters and digits that are not easily mistaken for one another: 28 million of them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


class Schema:
    """The columns of one board. `fresh` makes the ids of entries whose subject is "auto"."""

    def __init__(self, board: Board, fresh: Callable[[], str] = short_id) -> None:
        self.board = board
        self.columns: dict[str, str] = dict(ENVELOPE)
        for event in board.events.values():
            self.columns.update((name, field.type) for name, field in event.fields.items())
        self.kinds: dict[str, list[str]] = {name: list(event.fields) for name, event in board.events.items()}
        self._times = [at for at, type_ in enumerate(self.columns.values()) if type_ == "timestamp"]
        self._fresh = fresh
        self._bare = _builder(EventType(), self.columns)
        self._builders = {name: _builder(event, self.columns) for name, event in board.events.items()}

    def relations(self) -> dict[str, dict[str, str]]:
        """What `Engine` takes as `relations`; `kinds` is its `kinds`."""
        return {"events": self.columns}

    def row(self, event: Event, *, pending: bool = False, position: int | None = None) -> Row:
        """The event's wide row; `position` None is the event's own. Raises Misfit."""
        try:
            return self._builders.get(event.type, self._bare)(event, pending, position)
        except Exception as error:  # noqa: BLE001  (whatever is in an event, the ones after it are read)
            raise Misfit(self._reason(event, error)) from None

    def pending_row(self, entry: Event, position: int) -> Row:
        """The row of an entry of this desk that waits, at a position of its own. Raises Misfit."""
        return self.bring(self.row(entry, pending=True, position=position), entry.time)

    def bring(self, row: Row, made: int) -> Row:
        """The row of an entry that this desk made at a time: its times have passed (`entry_time.py`)."""
        return bring_times(row, self._times, made)

    def reader(self, withdrawal: Callable[[LoggedEvent], object]) -> Callable[[LoggedEvent], Row]:
        """As `row`, for events of the log. `withdrawal` is called with each withdrawal; others cost nothing more."""

        def noted(event: LoggedEvent, pending: bool, position: int | None) -> Row:
            withdrawal(event)
            return self._bare(event, pending, position)

        builders: Mapping[str, Callable[[LoggedEvent, bool, int | None], Row]] = {**self._builders, WITHDRAWN: noted}
        bare = self._bare

        def row(event: LoggedEvent) -> Row:
            try:
                return builders.get(event.type, bare)(event, False, None)
            except Exception as error:  # noqa: BLE001
                raise Misfit(self._reason(event, error)) from None

        return row

    def check(self, event: Event) -> str | None:
        """Why the event does not fit, or None."""
        try:
            self._builders.get(event.type, self._bare)(event, False, None)
        except Exception as error:  # noqa: BLE001
            return self._reason(event, error)
        return None

    def entry(
        self, type: str, fields: Mapping[str, Any], *, now: int | None = None, operator: bool = True
    ) -> tuple[bytes, str | None]:
        """The data and subject of an operator's entry. Raises `session.EntryRefused` with a problem for each
        field.

        Values have the field's type or are text that reads as one (see `dataflow.events.entry_values`). `now` is the
        board's clock (None: this machine's). With `operator` False, types without `entry = true` are taken
        too.
        """
        from dataflow.events.entry_values import compose

        return compose(self.board, type, fields, now=now, operator=operator, fresh=self._fresh)

    def _reason(self, event: Event, error: Exception) -> str:
        try:
            return self._misfit_reason(event, error)
        except RecursionError:
            return "data is nested too deeply"

    def _misfit_reason(self, event: Event, error: Exception) -> str:
        try:
            data = msgspec.json.decode(event.data)
        except msgspec.MsgspecError:
            return f"data is not JSON: {error}"
        if not isinstance(data, dict):
            return f"data is {_found(data)}, not a JSON object"
        for name, field in self.board.events[event.type].fields.items():
            reason = _misfit(data.get(name), field.type)
            if reason:
                return f"field `{name}`: {reason}"
        return str(error)


def _builder(event: EventType, columns: Mapping[str, str]) -> RowOf:
    """A function from an event to its wide row, generated for this event type's fields."""
    slots = {name: f"f{i}" for i, name in enumerate(event.fields)}
    values = ", ".join(_value(name, slots[name], columns) if name in slots else "None"
                       for name in list(columns)[len(ENVELOPE):])
    decode = "    d = decode(e.data)\n" if slots else ""
    source = (
        f"def row(e, pending, position):\n{decode}"
        "    return (e.position if position is None else position, e.id, e.source, e.type, e.subject, e.time,"
        f" e.authid, e.causationid, e.seen, pending, {values})\n"
    )
    scope: dict[str, Any] = {"decode": _decoder(event, slots), "micros": micros}
    exec(source, scope)  # noqa: S102  names come from `slots` only
    row: RowOf = scope["row"]
    return row


def _value(name: str, slot: str, columns: Mapping[str, str]) -> str:
    if columns[name] == "timestamp":
        return f"None if d.{slot} is None else micros(d.{slot})"
    return f"d.{slot}"


def _decoder(event: EventType, slots: Mapping[str, str]) -> Callable[[bytes], Any]:
    fields = [(slots[name], _DECODED[field.type], None) for name, field in event.fields.items()]
    names = {slot: name for name, slot in slots.items()}
    data = msgspec.defstruct("Data", fields, gc=False, rename=names.get)
    return msgspec.json.Decoder(data).decode


def _misfit(value: Any, type_: str) -> str | None:
    try:
        msgspec.convert(value, _DECODED[type_], builtin_types=())
    except msgspec.MsgspecError:
        return f"expected {_WORDS[type_]}, found {_found(value)}"
    return None


_WORDS = {
    "text": "text", "int": "a whole number (64 bits)", "float": "a number", "bool": "true or false",
    "timestamp": "a time (RFC 3339, with an offset)", "json": "JSON",
}


def _found(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 40 else text[:39] + "…"
