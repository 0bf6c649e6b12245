"""Events as people read them."""

from __future__ import annotations

import msgspec

from dataflow.events.schema import Misfit, Schema
from dataflow.session import Told
from storage.event import Event


def describe_event(schema: Schema, event: Event) -> Told:
    """Return an event's declared fields, or, where it does not fit them, what its data says."""
    return Told(
        id=event.id, type=event.type, subject=event.subject, time=event.time, position=event.position,
        author=event.authid or event.source, fields=_fields(schema, event),
    )  # fmt: skip


def _fields(schema: Schema, event: Event) -> dict[str, object]:
    try:
        row = dict(zip(schema.columns, schema.row(event, position=0), strict=True))
    except Misfit:
        row = None
    if row is None or event.type not in schema.kinds:
        return _raw(event.data)
    return {name: row[name] for name in schema.kinds[event.type] if row[name] is not None}


def _raw(data: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {"data": data.decode(errors="replace")}
