"""The lines of a text file, compressed or not, in blocks, at bounded memory.

Of a line longer than `LONGEST` only the beginning comes, itself longer than `LONGEST`, so that its reader can
tell. A byte order mark at the start is taken off. A compressed file that is cut off or damaged gives the
lines before that place, then raises CutOffError.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from zlib import _Decompress as _Member

LONGEST = 2**20
_BLOCK = 2**20
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_GZIP_BITS = 31
_WIDE = (b"\xff\xfe", b"\xfe\xff")

Progress = Callable[[int, int], None]
"""Called with the bytes of the file that were read so far, and with its size."""


class Lines(NamedTuple):
    """Lines that follow one another, without their line ends; `first` is the number of the first one, from 1.
    """

    first: int
    lines: list[bytes]


class FileError(Exception):
    """A file that cannot be read or written: which, why, what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class CutOffError(Exception):
    """The compressed file ends too early or is damaged, in line `line`, of which `text` is there."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = 0
        self.text = b""


def blocks(path: Path, progress: Progress) -> Iterator[Lines]:
    """Raises FileError and CutOffError."""
    try:
        with path.open("rb") as file:
            _refuse_device(path, file)
            yield from _split(_text(path, _read(file, path.stat().st_size, progress)))
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error}); check the name") from None


def _refuse_device(path: Path, file: BinaryIO) -> None:
    """A pipe ends when its writer does, and so does a terminal; another device may never end. Raises FileError."""
    kind = os.fstat(file.fileno()).st_mode
    if (stat.S_ISCHR(kind) and not file.isatty() and not path.samefile(os.devnull)) or stat.S_ISBLK(kind):
        raise FileError(path, "a device, not a file of events; check the name")


def _split(text: Iterator[bytes]) -> Iterator[Lines]:
    first, carry = 1, b""
    try:
        for block in text:
            lines = (carry + block).split(b"\n")
            carry = lines.pop()[: LONGEST + 1]
            if lines:
                yield Lines(first, lines)
                first += len(lines)
    except CutOffError as error:
        error.line, error.text = first, carry
        raise
    if carry:
        yield Lines(first, [carry])


def _text(path: Path, raw: Iterator[bytes]) -> Iterator[bytes]:
    """Decompressed, without a byte order mark."""
    start = next(raw, b"")
    if start[:2] in _WIDE:
        raise FileError(path, "this is UTF-16; save it as UTF-8")
    text = _inflate(start, raw) if start[:2] == _GZIP else _chain(start, raw)
    yield from _without_mark(text)


def _without_mark(text: Iterator[bytes]) -> Iterator[bytes]:
    """Drop a byte order mark, also where the first pieces are shorter than it: a member of gzip may be empty."""
    start = b""
    for piece in text:
        start += piece
        if start == _BOM or not _BOM.startswith(start):
            break
    yield start.removeprefix(_BOM)
    yield from text


def _chain(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _inflate(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip, of one or several members, never more than a block at once."""
    member = zlib.decompressobj(wbits=_GZIP_BITS)
    begun = False
    for waiting in _chain(start, rest):
        while waiting:
            before, begun = member.copy(), True
            try:
                yield member.decompress(waiting, _BLOCK)
            except zlib.error as error:
                yield from _salvage(before, waiting)
                raise CutOffError(f"the compressed file is damaged here ({error})") from None
            waiting = member.unconsumed_tail
            if member.eof:
                waiting = member.unused_data.lstrip(b"\0")
                member, begun = zlib.decompressobj(wbits=_GZIP_BITS), False
    yield member.flush()
    if begun and not member.eof:
        raise CutOffError("the compressed file is cut off here")


def _salvage(member: _Member, waiting: bytes) -> Iterator[bytes]:
    """What can be had before the damage."""
    for at in range(len(waiting)):
        try:
            yield member.decompress(waiting[at : at + 1])
        except zlib.error:
            return


def _read(file: BinaryIO, size: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    while block := file.read(_BLOCK):
        yield block
        done += len(block)
        progress(done, max(size, done))
