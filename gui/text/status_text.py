"""How a board stands, in words: its state and since when, how far it has caught up, how late it is, and who is here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from dataflow.session import CUT_OFF, Present, Status
from dataflow.text.user_names import describe, distinguish
from dataflow.times import local_day, local_text
from gui.text.values import NARROW

_NAMES = 3
_SOON_S = 3
_LAG_S = 0.5


def state_text(status: Status, zone: ZoneInfo) -> str:
    """"Live", "Catching up 43 %, about 12 s left", "Offline since 14:32, 3 waiting", "Refused: reason"."""
    if status.state == "offline":
        return ", ".join(filter(None, (_offline(status, zone), waiting_text(status.pending))))
    if status.state == "catching up":
        return ", ".join(filter(None, (_share(status), left_text(status.left_s))))
    if status.state in CUT_OFF and status.detail:
        return f"{status.state.capitalize()}: {status.detail}"
    words = status.detail or status.state
    return words[:1].upper() + words[1:]


def reason_text(status: Status) -> str:
    """Why it is cut off, or how much there is to catch up; nothing where there is nothing to say."""
    if status.state != "catching up":
        return status.detail if status.state in CUT_OFF else ""
    return ", ".join(filter(None, (to_go_text(status), status.detail)))


def to_go_text(status: Status) -> str:
    """"430,000 events to go"."""
    if not status.to_go:
        return ""
    return f"{status.to_go:,} {'event' if status.to_go == 1 else 'events'} to go".replace(",", NARROW)


def waiting_text(pending: int) -> str:
    """"3 waiting"; nothing where nothing waits."""
    return f"{pending:,} waiting" if pending else ""


def left_text(seconds: float | None) -> str:
    """"about 12 s left"; nothing where it is over soon, or not known."""
    if seconds is None or seconds < _SOON_S:
        return ""
    if seconds < 60:
        return f"about {math.ceil(seconds) if seconds < 10 else 5 * round(seconds / 5)} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 3600 else f"about {seconds / 3600:.1f} h left"


def clock_text(now: int, zone: ZoneInfo) -> str:
    """"8 Feb 2013 14:32"."""
    return local_text(now, zone, "%d %b %Y %H:%M").removeprefix("0")


def since_text(since: int, now: int, zone: ZoneInfo) -> str:
    """"since 14:32", with the day where it is not today, and the year where it is not this one's."""
    return f"since {_day(since, now, zone)}{local_text(since, zone, '%H:%M')}"


def delay_text(delay_ms: float) -> str:
    """"0.8 ms", "12 ms", "3.4 s", "12 min"."""
    if delay_ms < 9.95:
        return f"{delay_ms:.1f} ms"
    if delay_ms < 999.5:
        return f"{delay_ms:.0f} ms"
    if delay_ms < 99_500:
        return f"{delay_ms / 1000:.1f} s"
    return f"{delay_ms / 60_000:.0f} min" if delay_ms < 5_970_000 else f"{delay_ms / 3_600_000:.1f} h"


def presence_text(present: Sequence[Present]) -> str:
    """"amy · bob", each name once; "amy · bob · eve +2" where there are many."""
    names = list(dict.fromkeys(one.name for one in present))
    more = f" +{len(names) - _NAMES}" if len(names) > _NAMES else ""
    return " · ".join(distinguish(names)[:_NAMES]) + more


def presence_row(one: Present, status: Status, zone: ZoneInfo) -> tuple[str, str, str, str]:
    """Who, as what, how far behind the log, and since when. What comes in half a second is not behind."""
    behind = one.behind if one.behind > status.rate * _LAG_S else 0
    far = f"{behind:,} {'event' if behind == 1 else 'events'} behind" if behind else "up to date"
    return describe(one.name), one.role, far.replace(",", NARROW), since_text(one.since, status.now or one.since, zone)


def share_text(progress: float | None) -> str:
    """"43 %"; all but the end is not all. Nothing where it is not known."""
    return "" if progress is None else f"{min(99, int(progress * 100))} %"


def _share(status: Status) -> str:
    return f"Catching up {share_text(status.progress)}".rstrip()


def _offline(status: Status, zone: ZoneInfo) -> str:
    if status.freshness == "never":
        return "Offline, never synced"
    return f"Offline {since_text(status.as_of, status.now, zone)}" if status.as_of else "Offline"


def _day(since: int, now: int, zone: ZoneInfo) -> str:
    if local_day(since, zone) == local_day(now, zone):
        return ""
    same_year = local_text(since, zone, "%Y") == local_text(now, zone, "%Y")
    return local_text(since, zone, "%d %b " if same_year else "%d %b %Y ").removeprefix("0")
