"""The log reader: a board's events as the wide rows of its engine. Desks, the history process and commands read by it.

An event that does not fit the board's declared fields has no row; whoever asked for it is told why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from dataflow.events.schema import Misfit, Schema
from dataflow.zset import Row
from storage.event import LoggedEvent
from storage.identity import Identity, identity
from storage.log import EventLog

CHUNK = 200
"""Events read at once: about two milliseconds, or half a one where another process has read them."""

Part = tuple[int, list[Row]]
"""A position, and the rows up to it."""

OnMisfit = Callable[[LoggedEvent, str], object]
NOTHING: frozenset[Identity] = frozenset()


def ignore(*_: object) -> None:
    """Take what nobody wants to know."""


class LogReader:
    """Reads events by one board's schema. `on_misfit` takes each event that does not fit, with the reason;
    `on_withdrawal` each withdrawal.
    """

    def __init__(
        self, schema: Schema, on_misfit: OnMisfit = ignore, on_withdrawal: Callable[[LoggedEvent], object] = ignore
    ) -> None:
        self._schema = schema
        self._on_misfit = on_misfit
        self._row = schema.reader(on_withdrawal)

    def rows(
        self,
        events: Iterable[LoggedEvent],
        without: Collection[Identity] = NOTHING,
        own: Collection[Identity] = NOTHING,
    ) -> list[Row]:
        """Return the rows of the events that fit, in order, but for those `without`. `own`: entries of this desk, whose
        times have passed (`events/entry_time.py`).
        """
        row, rows = self._row, list[Row]()
        for event in events:
            if without and identity(event) in without:
                continue
            try:
                made = row(event)
            except Misfit as misfit:
                self._on_misfit(event, misfit.reason)
                continue
            rows.append(self._schema.bring(made, event.time) if own and identity(event) in own else made)
        return rows

    def read(
        self, log: EventLog, after: int, until: int, without: Collection[Identity] = NOTHING, chunk: int = CHUNK
    ) -> Iterator[Part]:
        """Read the log after position `after` up to `until`, in its order, but for the events `without`."""
        for events in log.read(after, until, chunk):
            yield last_position(events, until), self.rows(events, without)


def last_position(events: Sequence[LoggedEvent], otherwise: int) -> int:
    """Return the position of the last one of some events of a log; `otherwise` where it has none."""
    return events[-1].position if events else otherwise
