"""Recordings: events in a file, to be told again."""

from __future__ import annotations

import gzip
from pathlib import Path

from storage import cloudevents
from storage.event import Event


def read_recording(path: Path) -> list[Event]:
    """All events of a CloudEvents NDJSON file (gzip where the name ends so), by time."""
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()
    return sorted(map(cloudevents.decode, lines), key=lambda event: event.time)
