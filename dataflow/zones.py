"""Time zones by name: the one place where a name becomes a zone, for boards, SQL, imports and the window."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from dataflow.text.hints import nearest

LONGEST = 64
"""Characters of a name; IANA's have at most 32."""
_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}\Z")
_OTHERS = ("posix/", "right/", "posixrules", "localtime")
"""What a system has besides: the same zones once more, those with leap seconds, and what is the machine's own."""


class UnknownZone(ValueError):
    """A name that is no time zone's; `hint` says which could be meant."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= LONGEST else f"{name[:LONGEST]}…"
        super().__init__(f'unknown time zone "{shown}"')
        self.hint = (nearest(name, known_zones()) if len(name) <= LONGEST else "") or (
            "give an IANA name: Europe/Berlin, UTC"
        )


@cache
def known_zones() -> frozenset[str]:
    """The names that this system knows."""
    return frozenset(name for name in available_timezones() if not name.startswith(_OTHERS))


@lru_cache(maxsize=64)
def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownZone for everything else: paths, too, and other files of the system."""
    if len(name) > LONGEST or not _NAME.match(name) or name.startswith(_OTHERS):
        raise UnknownZone(name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnknownZone(name) from None
