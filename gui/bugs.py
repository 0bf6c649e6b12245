"""A bug of ours is one line for people, and a report in a file for us."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def told(error: BaseException, arguments: Sequence[str]) -> str:
    """The line; it says where the report is. `arguments` are the command line's."""
    line = f"this is a bug in Watchfloor: {type(error).__name__}: {' '.join(str(error).split())}"
    try:
        return f"{line}. The full report is in {_report(error, arguments)}"
    except OSError as why:
        return f"{line}. No report could be written ({why.strerror})"


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
    line = told(error, arguments)
    if len(line) > 2 * _WIDEST:
        line = f"{line[:_WIDEST]} … {line[-_WIDEST:]}"
    _REPORTED[key] = line
    return line, True


def _report(error: BaseException, arguments: Sequence[str]) -> Path:
    import time
    import traceback

    from gui.places import reports

    path = reports() / f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = f"watchfloor {' '.join(arguments)}\nPython {sys.version} on {sys.platform}\n\n"
    path.write_text(facts + "".join(traceback.format_exception(error)), "utf-8")
    return path
