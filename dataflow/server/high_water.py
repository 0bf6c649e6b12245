"""How far a served log reached: a mark beside it, so that a log that is shorter than it was is noticed.

A store that was restored from an old copy, or cut by a broken disk, would else go on as if nothing had happened, and
give positions anew. The mark names what the log held a second ago: by then it is on disk, so that a power cut alone
never leaves the mark ahead of the log.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from dataflow.nats.errors import LogShortened

_NAME = "high-water.json"


class Mark(msgspec.Struct, frozen=True):
    """The log's id, and the position of its last message."""

    log: str
    last: int


def read(folder: Path) -> Mark | None:
    """None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None


def write(folder: Path, mark: Mark) -> None:
    """Whole or not at all, and on disk. Raises OSError."""
    fresh = folder / f"{_NAME}.new"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(mark))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / _NAME)


def check(mark: Mark | None, found: Mark | None, board: str, folder: Path) -> None:
    """`found`: the log that there is, None: none. Raises LogShortened where it lacks what the mark says."""
    if mark is None or mark.last == 0:
        return
    if found is None:
        what = f"the log of {board} is gone: it had {mark.last:,} messages"
    elif found.log != mark.log:
        what = f"another log of {board} is in the place of the one that had {mark.last:,} messages"
    elif found.last < mark.last:
        lost = mark.last - found.last
        what = f"the log of {board} ends at {found.last:,} and reached {mark.last:,}: {lost:,} messages are missing"
    else:
        return
    raise LogShortened(f"{what}; restore {folder} from a copy, or serve what there is with --accept-loss")
