"""What the banner over a board says: that it is cut off, refused or failed, or its file not in use. Pure, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dataflow.session import CUT_OFF, Status
from gui.text.freshness import as_of_text, never_text
from gui.text.status_text import since_text
from gui.text.values import sentence

_RETRIES = "It is tried again all the time."


class Advice(NamedTuple):
    """`topic` tells one matter from another: dismissed, it stays away until its topic is another one. `words` are
    sentences: what it means, why, what to do.
    """

    topic: str
    role: str
    heading: str
    words: str
    details: bool = False           # there is more to be shown: how the board is connected
    new_store: bool = False         # a new store is the way out


def feed_advice(status: Status, zone: ZoneInfo) -> Advice | None:
    """What is the matter with the log; None where nothing is."""
    if status.state not in CUT_OFF:
        return None
    role = "warning" if status.state == "offline" else "critical"
    words = " ".join((_meaning(status, zone), _entries(status), _reason(status)))
    topic = f"{status.state} {status.freshness} {status.since}"
    return Advice(topic, role, _heading(status, zone), words, True, status.unfit)


def board_advice(problems: Sequence[str]) -> Advice | None:
    """Why the saved board file is not in use; None where it is."""
    if not problems:
        return None
    count = len(problems)
    more = f" There {'is 1 more problem' if count == 2 else f'are {count - 1} more problems'}." if count > 1 else ""
    first = problems[0].strip().rstrip(".")
    words = f"{first}.{more} The board goes on as it was before. Mend the file and save it again."
    return Advice("\n".join(problems), "critical", "Saved board not in use", words)


def _heading(status: Status, zone: ZoneInfo) -> str:
    if status.freshness == "never":
        return never_text(status)
    since = since_text(status.as_of, status.now or status.as_of, zone) if status.as_of else ""
    what = {"offline": "Cut off", "refused": "Refused", "failed": "Failed"}[status.state]
    return f"{what} {since}".rstrip()


def _meaning(status: Status, zone: ZoneInfo) -> str:
    if status.freshness == "never":
        return "Nothing is known here, so no panel shows a value."
    return f"Values are {as_of_text(status, zone)}, not of now." if status.as_of else "Values are not of now."


def _entries(status: Status) -> str:
    waits = f" ({status.pending:,} so far)" if status.pending else ""
    return f"What you enter waits{waits} and is sent when the log takes it."


def _reason(status: Status) -> str:
    """Why, and what to do. A refusal says what to do itself; what is offline comes back by itself."""
    why = _sentence(status.detail)
    return f"{why} {_RETRIES}".strip() if status.state != "refused" or not why else why


def _sentence(words: str) -> str:
    words = words.strip()
    end = "" if not words or words[-1] in ".!?" else "."
    return sentence(words) + end
