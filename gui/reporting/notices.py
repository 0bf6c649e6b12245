"""What goes wrong in the views, for whoever looks after the desk: the log file, stderr, and a report for each bug."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence

from dataflow.notice import Notice
from gui.reporting.crash_report import describe_bug
from gui.reporting.log_file import Logbook


class Notices:
    """Takes each Notice. `say` gets a line. A bug is reported once, however many values meet it."""

    def __init__(self, log: Logbook, say: Callable[[str], object], arguments: Sequence[str]) -> None:
        self._log, self._say, self._arguments = log, say, arguments
        self._reported: set[tuple[str, str]] = set()

    def __call__(self, notice: Notice) -> None:
        self._log.follow_notice(notice)
        self._say(notice.text)
        if notice.error is not None and (kind := _kind(notice.error)) not in self._reported:
            self._reported.add(kind)
            line = describe_bug(notice.error, self._arguments)
            self._log.write(line)
            self._say(line)


def _kind(error: BaseException) -> tuple[str, str]:
    """What it is, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return type(error).__name__, f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
