"""A bug of ours is one line for people, and a report in a file for us. Neither can fail, whatever the bug left."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gui.reporting.terminal import printable_lines

LONGEST = 300
"""Characters of an error's own words in the line."""
LARGEST = 2**20
"""Bytes of a report; the end of a longer one is more telling than its middle."""
_TRIES = 100


def describe_bug(error: BaseException, arguments: Sequence[str]) -> str:
    """Return the line for people; it says where the report is. `arguments` are the command line's. Never raises."""
    words = " ".join(_text_of(error).split())
    shown = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    line = f"this is a bug in Watchfloor: {type(error).__name__}: {shown}"
    try:
        return f"{line}. The full report is in {_report(error, arguments)}"
    except OSError as why:
        return f"{line}. No report could be written ({why.strerror or why})"
    except Exception as why:  # noqa: BLE001  what tells of a bug must not end in one
        return f"{line}. No report could be written ({type(why).__name__})"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  it is the error's own code
        return "(its text cannot be told)"


_REPORTED: dict[tuple[str, type, str, int], str] = {}
_MOST = 100
_WIDEST = 240       # of each end of a line that is shown again and again


def report_once(error: BaseException, arguments: Sequence[str], where: str) -> tuple[str, bool]:
    """The line for something that may happen at every frame, and whether it is new.

    One report is written for each place in the code, each kind of error, and each `where`: the first that comes.
    """
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = (frame.tb_frame.f_code.co_filename, frame.tb_lineno) if frame is not None else ("", 0)
    key = (where, type(error), *place)
    line = _REPORTED.get(key)
    if line is not None:
        return line, False
    if len(_REPORTED) >= _MOST:
        return f"this is a bug in Watchfloor: {type(error).__name__}", False
    line = describe_bug(error, arguments)
    if len(line) > 2 * _WIDEST:
        line = f"{line[:_WIDEST]} … {line[-_WIDEST:]}"
    _REPORTED[key] = line
    return line, True


def _report(error: BaseException, arguments: Sequence[str]) -> Path:
    from gui.paths import reports
    from storage.private import make_folder

    content = _content(error, arguments)
    folder = make_folder(reports())
    path = _place(folder)
    with path.open("wb") as file:
        try:
            file.write(content)
            file.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return path


def _content(error: BaseException, arguments: Sequence[str]) -> bytes:
    facts = f"watchfloor {' '.join(arguments)}\nPython {sys.version} on {sys.platform}\n\n"
    whole = printable_lines(facts + _trace(error)).encode()
    if len(whole) <= LARGEST:
        return whole
    return whole[: LARGEST // 2] + b"\n[...]\n" + whole[-LARGEST // 2 :]


def _trace(error: BaseException) -> str:
    import traceback

    try:
        return "".join(traceback.format_exception(error))
    except Exception as why:  # noqa: BLE001  the trace alone is worth more than nothing
        trace = "".join(traceback.format_tb(error.__traceback__))
        return f"{trace}{type(error).__name__} (its text cannot be told: {type(why).__name__})\n"


def _place(folder: Path) -> Path:
    """A file of its own, made for this account alone: several bugs may come in one second. Raises OSError."""
    import time

    from storage.private import create_file

    stem = f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for number in range(_TRIES):
        path = folder / (f"{stem}.txt" if number == 0 else f"{stem}-{number}.txt")
        try:
            os.close(create_file(path))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{folder}: there are reports enough of this second")
