"""Events as messages on the shared log: the CloudEvents binding for NATS, both content modes.

Structured mode (JSON in the body) is written; binary mode (attributes in `ce-` headers, data in the body) is read as
well. Who wrote an event is told by its subject, which the server's permissions prove; a body that disagrees with its
subject about entity or type is refused, and so is one without an author that says it is a device's: what devices say
comes on their own subjects (`devices/sources.py`). Invariants: `decode` raises `CloudEventError` and nothing else, and
`decode(encode(event))` is the event. Pure functions: no loop, no server.
Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from dataflow.nats import subjects
from storage import cloudevents
from storage.errors import CloudEventError
from storage.event import DEVICE, Event, LoggedEvent

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_OF = "Nats-Expected-Last-Subject-Sequence-Subject"
LARGEST = 8 * 2**20
"""Bytes of a message that are looked at."""

_STRUCTURED = "application/cloudevents+json"
STRUCTURED: Mapping[str, str] = {"Content-Type": _STRUCTURED}
"""The headers of a message whose body is the whole event."""

_PREFIX = "ce-"
_NUMBERS = frozenset({"seen", "expects"})
_encoder = msgspec.json.Encoder()


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is published."""

    subject: str
    headers: dict[str, str]
    body: bytes


def encode(board: str, operator: str, event: Event, attempt: int = 0) -> Message:
    """An operator's entry. With `expects`, the server refuses it if the entity's last position is another one.

    `attempt`: see `message_id`.
    """
    named = msgspec.structs.replace(event, subject=event.subject or None)
    headers = {"Content-Type": _STRUCTURED, MESSAGE_ID: message_id(operator, event, attempt)}
    if event.expects is not None:
        headers |= expectation(board, event.subject, event.expects)
    subject = subjects.encode(board, event.subject, operator, event.type)
    return Message(subject, headers, cloudevents.encode(named))


def message_id(operator: str, event: Event, attempt: int = 0) -> str:
    """By what the server knows that it has this entry already: who it is by, its source and its id, as a digest.

    Somebody else's event with the same id is another one. `attempt` makes it another message all the same.
    """
    whole = msgspec.json.encode((operator, event.source, event.id, attempt))
    return hashlib.blake2b(whole, digest_size=16).hexdigest()


def expectation(board: str, entity: str | None, position: int) -> dict[str, str]:
    """The headers that make the server check an entity's last position."""
    return {EXPECTED: str(position), EXPECTED_OF: subjects.of_entity(board, entity)}


def decode(board: str, subject: str, headers: Mapping[str, str] | None, body: bytes, position: int) -> LoggedEvent:
    """The event in a message, at its position. Raises `CloudEventError`."""
    if len(body) > LARGEST:
        raise CloudEventError(f"{len(body):,} bytes, and an event has {LARGEST:,} at the most")
    named = subjects.decode(board, subject)
    event = cloudevents.decode_logged(_read_structured(headers or {}, body), named.operator, position)
    if named.operator is None and event.source.startswith(DEVICE):
        raise CloudEventError(f"says it is of the device {event.source[:200]!r}, but came as an entry of nobody's")
    if event.subject != named.entity:
        raise CloudEventError(f"says it is about {_quote(event.subject)}, but came as one about {_quote(named.entity)}")
    if event.type != named.type:
        raise CloudEventError(f"says it is a {_quote(event.type)}, but came as a {_quote(named.type)}")
    return event


def _read_structured(headers: Mapping[str, str], body: bytes) -> bytes:
    """The event as one JSON object. Without any word about the mode, the body is one."""
    if headers is STRUCTURED or headers.get("Content-Type") == _STRUCTURED:
        return body
    lower = {name.lower(): value for name, value in headers.items()}
    kind = lower.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _STRUCTURED:
        return body
    if kind.startswith("application/cloudevents"):
        raise CloudEventError(f"content type is {kind[:200]!r}, and Watchfloor takes only {_STRUCTURED}")
    if any(name.startswith(_PREFIX) for name in lower):
        return _read_binary(lower, body)
    return body


def _read_binary(headers: Mapping[str, str], body: bytes) -> bytes:
    attributes: dict[str, object] = {
        name.removeprefix(_PREFIX): _read_attribute(name.removeprefix(_PREFIX), value)
        for name, value in headers.items()
        if name.startswith(_PREFIX)
    }
    misplaced = attributes.keys() & {"data", "data_base64", "datacontenttype"}
    if misplaced:
        raise CloudEventError(f"header {_PREFIX}{min(misplaced)} does not belong to binary mode: data is the body")
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    if body:
        attributes["data"] = Raw(_check_json(body))
    return _encoder.encode(attributes)


def _read_attribute(name: str, value: str) -> str | int:
    text = _unescape(value)
    return int(text) if name in _NUMBERS and text.isascii() and text.isdigit() and len(text) < 20 else text


def _unescape(value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeError:
        raise CloudEventError(f"header value {value[:200]!r} is not percent-encoded UTF-8") from None


def _check_json(body: bytes) -> bytes:
    """One JSON value and nothing after it: what is pasted into JSON must not reach out of its place."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise CloudEventError(f"data is not JSON: {str(error) or 'not UTF-8'}") from None
    except RecursionError:
        raise CloudEventError("nested too deeply") from None
    return body


def _quote(text: str | None) -> str:
    return "nothing" if text is None else repr(text[:200])
