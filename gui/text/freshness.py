"""What the numbers on a board are, in words: never heard of, loading, as of a time, live. Pure, no Qt.

Each panel shows a `View`, also the picture of a board, so that none of the four can be taken for another.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from dataflow.session import Freshness, Status
from gui.text.status_text import share_text, since_text

LOG = "the shared log"


class View(NamedTuple):
    """`mark` stands on each card, `short` where there is no room for it; `words` and `more` in the place of what is not
    known. `progress` is 0 to 1, None where it is not known.
    """

    kind: Freshness
    mark: str = ""
    short: str = ""
    words: str = ""
    more: str = ""
    progress: float | None = None

    @property
    def text(self) -> str:
        """All of its words; nothing where it is live."""
        return f"{self.words} {self.more}".rstrip()


LIVE = View("live")
LOADING = View("loading", "loading", "…", "Loading")


def view_of(status: Status, zone: ZoneInfo) -> View:
    """What panels are to show."""
    match status.freshness:
        case "never":
            return View("never", "never synced", "–", "Never synced", f"with {status.log or LOG}")
        case "loading":
            return _loading(status)
        case "as of":
            words = as_of_text(status, zone)
            return View("as of", words, words.removeprefix("as of "), f"Values {words}")
    return LIVE


def never_text(status: Status) -> str:
    """"Never synced with nats://tower:4222"."""
    return f"Never synced with {status.log or LOG}"


def as_of_text(status: Status, zone: ZoneInfo) -> str:
    """"as of 06:36", with the day where it is not today."""
    return since_text(status.as_of, status.now or status.as_of, zone).replace("since", "as of", 1)


def loading_view(progress: float | None) -> View:
    """A query's history is being read."""
    return LOADING._replace(mark=f"loading {share_text(progress)}".rstrip(), progress=progress)


def _loading(status: Status) -> View:
    share = share_text(status.progress)
    words = f"Loading {share}".rstrip()
    if status.progress is None and status.heard is not None and not status.to_go:
        return View("loading", "connecting", "…", "Connecting", f"to {status.log or LOG}")
    return View("loading", words.lower(), share or "…", words, progress=status.progress)
