"""A new store in the place of one that its shared log no longer fits: the log lost events, or was made anew.

The old file stays as it is, under its name. What is an operator's work goes along: the entries that wait, those that
were refused and not dealt with, and, where it is the same log, also the entries that the log had confirmed, for it may
have lost them. Of the last, those that it has not lost are confirmed when they come; only the others are sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from storage import rows
from storage.database import Database
from storage.event import Event, without_position

_CHUNK = 1000
_OWN = rows.select("log", "position", "position >= ? AND authid = ? ORDER BY position LIMIT ?")
_MOST = 1_000_000
"""Refused entries."""


class Renewed(msgspec.Struct, frozen=True):
    """What the new store begins with: entries that wait, entries that were confirmed, entries that need attention."""

    waiting: int
    confirmed: int
    refused: int

    def __str__(self) -> str:
        """"3 that wait, 12 that …": of an operator's entries."""
        return (
            f"{self.waiting:,} that wait, {self.confirmed:,} that the server held (what it lost of them is sent again) "
            f"and {self.refused:,} that need attention"
        )


def renew(old: Path, new: Path, author: str, begin: int | None) -> Renewed:
    """Make the store `new`. `begin`: where the log begins now, if it is the one that `old` mirrors, else None; what was
    taken out of a log at its beginning was not lost. Nothing else may have `old` open. Raises StorageError.
    """
    with Database.open(old, create=False) as before, Database.open(new) as after:
        waiting = before.outbox.pending()
        confirmed = [] if begin is None else list(_own(before, author, begin))
        refused = [item for item in before.quarantine.list(_MOST) if item.kind == "entry"]
        after.outbox.add([*confirmed, *waiting]).result()
        after.quarantine.add(refused[::-1]).result()
    return Renewed(len(waiting), len(confirmed), len(refused))


def _own(database: Database, author: str, begin: int) -> Iterator[Event]:
    """Yield an operator's events in the log, without their positions, from a position on."""
    while events := rows.events(*database.rows(_OWN, (begin, author, _CHUNK))[0]):
        yield from map(without_position, events)
        begin = events[-1].position + 1


def free_path(path: Path) -> Path:
    """Return a name for another store beside this one: `nyc-2.db`, the first that is free."""
    stem, _, number = path.stem.rpartition("-")
    stem, at = (stem, int(number) + 1) if stem and number.isdigit() else (path.stem, 2)
    while (free := path.with_name(f"{stem}-{at}{path.suffix}")).exists():
        at += 1
    return free
