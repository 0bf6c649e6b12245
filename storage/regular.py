"""Files that people name, read whole: regular ones only, up to a size. A pipe would wait, a device would never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_KERNEL = ("/proc/", "/sys/", "/dev/")
"""Regular by their kind, but none that anybody has written."""
_OPENING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_UNIT = 2**20


def read_regular(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises OSError, whose `strerror` says what is wrong."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {_size(most)}", str(path))
    return content


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """A regular file, open for reading; a link is one only where it is to `follow`. Raises OSError."""
    try:
        number = os.open(path, _OPENING if follow else _OPENING | _NO_LINK)
    except ValueError:
        raise OSError(errno.EINVAL, "not a name of a file", repr(path)) from None
    try:
        _check_kind(path, os.fstat(number))
    except OSError:
        os.close(number)
        raise
    return os.fdopen(number, "rb")


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode) or os.path.realpath(path).startswith(_KERNEL):
        raise OSError(errno.EINVAL, "not a regular file", str(path))


def _size(most: int) -> str:
    return f"{most // _UNIT} MB" if most >= _UNIT else f"{most} bytes"
