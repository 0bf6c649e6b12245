"""A time field: "15:10" is the nearest one by the board's clock, and the hint says how far that is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QWidget

from dataflow.board import Field
from dataflow.times import local_text
from gui.forms.text import TextBox
from gui.theme.theme import Theme

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60_000_000
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?")
_SHIFT = re.compile(r"([+-])\s*(\d{1,5})\s*(?:m|min)?")


class MomentBox(TextBox):
    """Microseconds since 1970-01-01 UTC, typed in the board's zone."""

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        self._now = 0
        super().__init__(name, field, theme, zone, parent)
        self.editor.textChanged.connect(self._hint)

    def placeholder(self) -> str:
        given = super().placeholder()
        return "15:10 or +45" if given in {"", "optional"} else given

    def value(self) -> Any:
        return read_moment(self.text(), self._now, self.zone) if self.text() else None

    def set_value(self, value: Any) -> None:
        super().set_value(moment_text(value, self._now, self.zone) if isinstance(value, int) else value)

    def set_now(self, now: int) -> None:
        if now // _MINUTE != self._now // _MINUTE:
            self._now = now
            self._hint()
        self._now = now

    def _hint(self) -> None:
        try:
            moment = self.value()
        except ValueError:
            moment = None
        self.editor.set_hint("" if moment is None or not self._now else distance(moment - self._now))


def read_moment(text: str, now: int, zone: ZoneInfo) -> int:
    """The time that the text means to somebody who looks at the board. Raises ValueError, in words for people.

    Read are "now", "+45" (minutes from now), "15:10" (the nearest), "2013-02-08 15:10" and other ISO 8601.
    """
    plain = text.strip().lower()
    if plain == "now":
        return now
    if shift := _SHIFT.fullmatch(plain):
        minutes = int(shift[2])
        return now + (minutes if shift[1] == "+" else -minutes) * _MINUTE
    try:
        if clock := _CLOCK.fullmatch(plain):
            return _nearest(int(clock[1]), int(clock[2]), int(clock[3] or 0), now, zone)
        return _us(_in_zone(datetime.fromisoformat(text.strip()), zone))
    except (ValueError, OverflowError):
        raise ValueError(f"{text} is not a time: try 15:10, +45 or 2013-02-08 15:10") from None


def moment_text(time: int, now: int, zone: ZoneInfo) -> str:
    """A time as `read_moment` reads it back (to the minute): without the date if it is within half a day."""
    near = now and abs(time - now) < 11 * 60 * _MINUTE
    return local_text(time, zone, "%H:%M" if near else "%Y-%m-%d %H:%M")


def distance(us: int) -> str:
    """"in 38 min", "2 h 5 min ago", "now"."""
    minutes = round(abs(us) / _MINUTE)
    if minutes == 0:
        return "now"
    hours, rest = divmod(minutes, 60)
    words = f"{rest} min" if not hours else f"{hours} h {rest} min" if rest else f"{hours} h"
    if hours >= 48:
        words = f"{hours // 24} days"
    return f"in {words}" if us > 0 else f"{words} ago"


def _nearest(hour: int, minute: int, second: int, now: int, zone: ZoneInfo) -> int:
    today = (_EPOCH + timedelta(microseconds=now)).astimezone(zone)
    same = today.replace(hour=hour, minute=minute, second=second, microsecond=0)
    days = (_us(same + timedelta(days=shift)) for shift in (0, -1, 1))
    return min(days, key=lambda time: abs(time - now))


def _in_zone(time: datetime, zone: ZoneInfo) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=zone)


def _us(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
