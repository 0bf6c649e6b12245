"""Why a desk is cut off from its log, on stderr: a line for each reason, and again when all was well in between."""

from __future__ import annotations

from collections.abc import Callable

from dataflow.session import CUT_OFF, Status


class OfflineNotices:
    """Takes each Status. `say` gets a line."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._last = ""

    def __call__(self, status: Status) -> None:
        words = f"{status.state}: {status.detail}" if status.state in CUT_OFF and status.detail else ""
        if words and words != self._last:
            self._say(words[:1].upper() + words[1:])
        if words or status.state == "live":
            self._last = words
