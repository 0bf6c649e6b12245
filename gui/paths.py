"""Where this account keeps Watchfloor's files: stores, which server a board is on, the log file, reports of bugs."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("watchfloor", appauthor=False)


def store_of(board_id: str, server: str | None = None) -> Path:
    """The store of a board where none is named: one for the local log, and one for each server."""
    name = board_id if server is None else f"{board_id}@{server}"
    return Path(_DIRS.user_data_dir) / "boards" / f"{name}.db"


def connection_of(board_id: str) -> Path:
    """Where it is kept which server a board is opened on."""
    return Path(_DIRS.user_config_dir) / "servers" / f"{board_id}.json"


def access() -> Path:
    """The users of this account's servers, and their identity files."""
    return Path(_DIRS.user_data_dir) / "access"


def served(board_id: str) -> Path:
    """Where `watchfloor serve` keeps a board's log."""
    return Path(_DIRS.user_data_dir) / "served" / board_id


def account_name() -> str:
    """Who enters events where nobody is named: the name of this account, or its number where it has none."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = str(getattr(os, "getuid", lambda: "nobody")())
    return name.encode(errors="replace").decode()


def log_file() -> Path:
    """What happened to boards, a line each."""
    return Path(_DIRS.user_log_dir) / "watchfloor.log"


def reports() -> Path:
    """Where reports of bugs are written."""
    return Path(_DIRS.user_log_dir)
