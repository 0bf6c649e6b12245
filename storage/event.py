"""The event: an immutable fact, a CloudEvents 1.0 record (https://github.com/cloudevents/spec, v1.0.2).

In memory an event has the shape that the log's table has: `time` is an integer and `data` stays JSON bytes
until somebody who knows the board's fields decodes it. The wire format is in `cloudevents.py`.
"""

from __future__ import annotations

import msgspec

DEVICE = "mqtt:"
"""How the `source` of a device's message begins. Nobody wrote such an event: it has no `authid`."""

WITHDRAWN = "entry.withdrawn"
"""The one built-in type: such an event names another, which the views then do not hold
(`dataflow/events/withdrawals.py`).
"""


HOLDS_NUL = "holds the character NUL"
"""Why an attribute is refused."""


def holds_nul(*attributes: str | None) -> bool:
    """Whether an attribute holds a NUL: CloudEvents forbids it (section 2.2), and SQLite's JSON ends a text at it."""
    for text in attributes:  # noqa: SIM110  (`any` makes decoding an event a tenth slower)
        if text is not None and "\0" in text:
            return True
    return False


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One fact. `time` is in microseconds since 1970-01-01 UTC; `data` is the UTF-8 text of a JSON object.

    `position` is the log's, never the producer's: None until the log has given one; it does not travel on the
    wire. `extensions` holds the UTF-8 JSON object of CloudEvents attributes that Watchfloor has no use for
    (kept for round trips).
    """

    id: str
    source: str
    type: str
    time: int
    subject: str | None = None
    data: bytes = b"{}"
    authid: str | None = None
    causationid: str | None = None
    seen: int | None = None
    expects: int | None = None
    extensions: bytes | None = None
    position: int | None = None


class LoggedEvent(Event, frozen=True, kw_only=True, gc=False):
    """An event that has its place in a log: what the log is read as, and what a feed receives."""

    position: int


def at_position(event: Event, position: int) -> LoggedEvent:
    """Return the event as a log holds it at `position`."""
    return LoggedEvent(**(msgspec.structs.asdict(event) | {"position": position}))


def without_position(event: Event) -> Event:
    """Return the event as its producer made it."""
    return Event(**(msgspec.structs.asdict(event) | {"position": None}))
