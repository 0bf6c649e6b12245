"""What a desk of the demo is told by the process that started it."""

from __future__ import annotations

import msgspec

from dataflow.feeds.shared_clock import Replay


class Seat(msgspec.Struct, frozen=True):
    """At its start: whose desk it is, which one (from 0) of how many, and where its store is to be."""

    operator: str
    number: int
    of: int
    store: str
    theme: str | None = None


class Begin(msgspec.Struct, frozen=True):
    """Once the log is there: where it is, and which replay is told to it."""

    url: str
    replay: Replay
