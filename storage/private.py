"""Files and folders for this account's eyes only: 0600 in 0700, also those that were made before with other modes.

Only what belongs to this account is tightened. On Windows the folders of an account are private by their access lists,
so nothing is changed there.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
_OTHERS = 0o077
_POSIX = sys.platform != "win32"
PRIVATE_UMASK = _OTHERS if _POSIX else -1
"""For a process that keeps its own files in such a folder; -1 lets it inherit ours."""


def make_folder(path: Path) -> Path:
    """Make a folder of Watchfloor's own and the folders above it that are missing; returns it. Raises OSError.

    One that is there already is tightened. Those above it that were there stay as they are.
    """
    for missing in reversed([each for each in path.parents if not each.exists()]):
        missing.mkdir(mode=FOLDER, exist_ok=True)
    path.mkdir(mode=FOLDER, exist_ok=True)
    tighten(path)
    return path


def tighten(path: Path) -> None:
    """Take the rights of other accounts from a file or folder of this account's. What cannot be changed stays, and
    so does a folder that accounts share (a sticky one).
    """
    if not _POSIX:
        return
    with suppress(OSError):
        status = path.stat()
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid == os.geteuid() and not mode & stat.S_ISVTX and mode & _OTHERS:
            path.chmod(mode & ~_OTHERS)


def open_private(path: str, flags: int) -> int:
    """For `open`'s `opener`: a file that is made is for this account alone; one that is there is tightened."""
    tighten(Path(path))
    return os.open(path, flags, FILE)


def create_file(path: Path) -> int:
    """A new private file's descriptor, for writing. Raises FileExistsError, also for a link that leads nowhere."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE)


def write_file(path: Path, content: bytes) -> None:
    """Put a private file in place, whole or not at all. Raises OSError."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def is_own(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to this account or to root, and no other account may write to it."""
    if not _POSIX:
        return True
    return status.st_uid in {os.geteuid(), 0} and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
