"""Events for the tests of this layer."""

from __future__ import annotations

from storage.event import Event

DAY = 1_360_281_600_000_000  # 2013-02-08 00:00 UTC


def event(n: int, **given: object) -> Event:
    return Event(
        **{
            "id": f"id-{n}",
            "source": "/test",
            "type": "flight.departed",
            "subject": f"UA{n}",
            "time": DAY + n * 1_000_000,
            "data": b'{"n":%d}' % n,
            **given,
        }
    )


def events(first: int, last: int) -> list[Event]:
    return [event(n) for n in range(first, last + 1)]


def ids(log) -> list[str]:
    return [e.id for chunk in log.read() for e in chunk]
