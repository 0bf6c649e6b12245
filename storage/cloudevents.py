"""CloudEvents 1.0 in JSON, structured content mode, both ways (https://github.com/cloudevents/spec, v1.0.2).

Invariants: `decode` raises `CloudEventError` and nothing else; `decode(encode(event))` is the event without
its position; `data` keeps its bytes. Attributes that Watchfloor has no use for are kept in `extensions`.
`time` is required here, with an offset or Z: a board is nothing without it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from storage.errors import CloudEventError
from storage.event import HOLDS_NUL, Event, LoggedEvent, holds_nul
from storage.times import EARLIEST, LATEST, iso

_Text = Annotated[str, Meta(min_length=1)]
_Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Time = Annotated[datetime, Meta(tz=True)]

E = TypeVar("E", bound=Event)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Wire(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    specversion: str
    id: _Text
    source: _Text
    type: _Text
    time: _Time
    subject: _Text | None = None
    datacontenttype: str | None = None
    authid: _Text | None = None
    causationid: _Text | None = None
    seen: _Position | None = None
    expects: _Position | None = None
    data: Raw | UnsetType = UNSET


class _Strict(_Wire, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Only the attributes above: the fast path."""


DEEPEST = 100
"""Levels of objects and arrays in `data`."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{}]')
_KNOWN = frozenset(_Wire.__struct_fields__)
_WORDS = (
    ("Object missing required field", "no"),
    ("Expected datetime with a timezone component: ", "no offset (Z or +hh:mm) in "),
    ("Expected str of length >= 1: ", "empty "),
    ("Input data was truncated", "JSON is cut off"),
)
_strict = msgspec.json.Decoder(_Strict)
_wire = msgspec.json.Decoder(_Wire)
_attributes = msgspec.json.Decoder(dict[str, Raw])
_encoder = msgspec.json.Encoder()


def decode(raw: bytes | memoryview) -> Event:
    """Return the event that one JSON object holds. Raises `CloudEventError`."""
    return _decode(raw, Event, UNSET, None)


def decode_logged(raw: bytes | memoryview, author: str | None, position: int) -> LoggedEvent:
    """Return the event of a log that knows who wrote it and where it stands: what the object says of that does not
    count. Raises `CloudEventError`.
    """
    return _decode(raw, LoggedEvent, author, position)


def _decode(raw: bytes | memoryview, kind: type[E], author: str | UnsetType | None, position: int | None) -> E:
    try:
        if isinstance(raw, memoryview) or not raw.isascii():
            str(raw, "utf-8")
        try:
            return _event(kind, _strict.decode(raw), None, author, position)
        except msgspec.ValidationError:
            return _event(kind, _wire.decode(raw), _extensions(_attributes.decode(raw)), author, position)
    except UnicodeDecodeError as error:
        raise CloudEventError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise CloudEventError("nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise CloudEventError(_reason(error)) from None


def encode(event: Event) -> bytes:
    """One line of JSON, without a line end. The position does not travel."""
    wire = _Wire(
        specversion="1.0",
        id=event.id,
        source=event.source,
        type=event.type,
        time=_time(event.time),
        subject=event.subject,
        datacontenttype=_content_type(event.extensions),
        authid=event.authid,
        causationid=event.causationid,
        seen=event.seen,
        expects=event.expects,
        data=Raw(event.data),
    )
    line = _encoder.encode(wire)
    if event.extensions is None:
        return line
    return line[:-1] + b"," + event.extensions.strip()[1:]


def _time(us: int) -> Any:
    """What is beyond `datetime`'s years is text: an older Watchfloor took such times."""
    return EPOCH + timedelta(microseconds=us) if EARLIEST <= us <= LATEST else iso(us)


def micros(moment: datetime) -> int:
    """An aware time as microseconds since 1970-01-01 UTC, exactly."""
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _event(
    kind: type[E], wire: _Wire, extensions: bytes | None, author: str | UnsetType | None, position: int | None
) -> E:
    if wire.specversion != "1.0":
        raise CloudEventError(f"specversion is {wire.specversion!r}, and only 1.0 is known")
    if holds_nul(wire.id, wire.source, wire.type, wire.subject, wire.authid, wire.causationid):
        raise CloudEventError(f"an attribute {HOLDS_NUL}")
    time = micros(wire.time)
    if not EARLIEST <= time <= LATEST:
        raise CloudEventError("time is outside the years 1 to 9999 in UTC")
    return kind(
        id=wire.id,
        source=wire.source,
        type=wire.type,
        time=time,
        subject=wire.subject,
        data=_data(wire.data),
        authid=wire.authid if author is UNSET else author,
        causationid=wire.causationid,
        seen=wire.seen,
        expects=wire.expects,
        extensions=extensions if wire.datacontenttype is None else _with_content_type(wire, extensions),
        position=position,
    )


def _data(raw: Raw | UnsetType) -> bytes:
    if raw is UNSET:
        return b"{}"
    data = bytes(raw)
    if data[:1] == b"{":
        if data.count(b"{") + data.count(b"[") > DEEPEST:
            refuse_depth(data)
        return data
    if data == b"null":
        return b"{}"
    raise CloudEventError("data is not a JSON object")


def refuse_depth(data: bytes) -> None:
    """Raises `CloudEventError` for JSON of more than `DEEPEST` levels.

    Whoever decodes it later may have less stack left than there is here, so the bound is a number.
    """
    depth = 0
    for bracket in _BRACKETS.findall(data):
        depth += (bracket in b"{[") - (bracket in b"}]")
        if depth > DEEPEST:
            raise CloudEventError(f"nested too deeply: data has more than {DEEPEST} levels")


def _extensions(attributes: dict[str, Raw]) -> bytes | None:
    if "data_base64" in attributes:
        raise CloudEventError("data_base64 is binary, and Watchfloor takes only JSON data: send it as data")
    others = {name: raw for name, raw in attributes.items() if name not in _KNOWN and bytes(raw) != b"null"}
    return _encoder.encode(others) if others else None


def _with_content_type(wire: _Wire, extensions: bytes | None) -> bytes | None:
    """`datacontenttype` is JSON by default; another kind of JSON is kept, anything else refused."""
    kind = wire.datacontenttype or ""
    bare = kind.partition(";")[0].strip().lower()
    if kind == "application/json":
        return extensions
    if bare not in {"application/json", "text/json"} and not bare.endswith("+json"):
        raise CloudEventError(f"datacontenttype is {kind!r}, and Watchfloor takes only JSON data")
    others = _attributes.decode(extensions or b"{}")
    return _encoder.encode({"datacontenttype": Raw(_encoder.encode(kind)), **others})


def _content_type(extensions: bytes | None) -> str | None:
    """JSON is said on the wire, unless the extensions say which kind."""
    return None if extensions is not None and b'"datacontenttype"' in extensions else "application/json"


def _reason(error: Exception) -> str:
    text = str(error).replace("`", "").replace(" - at $.", ": ")
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    return text if isinstance(error, msgspec.DecodeError) else f"not JSON: {text}"
