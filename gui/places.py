"""Where this account keeps Watchfloor's files: a store for each board, and reports of bugs."""

from __future__ import annotations

from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("watchfloor", appauthor=False)


def store_of(board_id: str) -> Path:
    """The store of a board where none is named."""
    return Path(_DIRS.user_data_dir) / "boards" / f"{board_id}.db"


def reports() -> Path:
    """Where reports of bugs are written."""
    return Path(_DIRS.user_log_dir)
