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


def _report(error: BaseException, arguments: Sequence[str]) -> Path:
    import time
    import traceback

    from gui.places import reports

    path = reports() / f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = f"watchfloor {' '.join(arguments)}\nPython {sys.version} on {sys.platform}\n\n"
    path.write_text(facts + "".join(traceback.format_exception(error)), "utf-8")
    return path
