"""Delays: how long each entry of this desk took to be confirmed, by stage, on this process's clock (`perf_counter`).

The stages, each from the end of the one before: *outbox commit*, from the submission until it is on this desk's disk;
*publish and log*, until it came back from the log; *store*, until what came back is on disk; *views*, until the engine
has it; *paint*, until the frame that shows it was handed to the screen. Where the store is the log there is no *store*,
without a window no *paint*. An entry that was made, or was on its way, while the log could not be reached waited: that
is no delay, and is counted apart.

Histograms are kept in the store every `KEEP_S` where something has changed, and when the desk is closed; a crash loses
what came since. Two desks on one store keep what the last of them wrote.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterator

import msgspec

from dataflow.desk.histogram import Histogram
from dataflow.session import DelayBar, DelayReport, StageDelay
from storage.errors import StorageError
from storage.meta import Meta

STAGES = ("outbox commit", "publish and log", "store", "views", "paint")
TOTAL, WAITED = "total", "waited"
KEY = "delays"
KEEP_S = 10.0
PAINT_S = 1.0
"""An entry that no frame has shown by then is on no panel, or the window is not on the screen."""

ARRIVALS = 4096
BARS_PER_DECADE = 10


class _Marks(msgspec.Struct):
    """When an entry came through each stage; `cuts` is how often the log had been lost, None if it was not there."""

    submitted: float
    cuts: int | None
    durable: float = 0.0
    received: float | None = None


class _Measured(msgspec.Struct):
    """An entry that the views hold and no frame has shown."""

    submitted: float
    viewed: float
    stages: dict[str, float]


class _Kept(msgspec.Struct):
    """What is in the store: histograms by stage, of all and of a day (a date's ordinal number). Times in µs."""

    since: int = 0
    today: int = 0
    all: dict[str, Histogram] = {}
    day: dict[str, Histogram] = {}


class Delays:
    """The delays of one desk. `latest_ms` is the last entry's; None after the log was lost, until the next one."""

    def __init__(self, meta: Meta, now: Callable[[], int], day: Callable[[], int]) -> None:
        """`now` is the board's time in µs, `day` the date's ordinal number where the board is."""
        self.latest_ms: float | None = None
        self._meta, self._now, self._day = meta, now, day
        self._kept = _read(meta)
        self._changed = False
        self._kept_at = 0.0
        self._connected = False
        self._cuts = 0
        self._marks: dict[str, _Marks] = {}
        self._arrivals: list[tuple[int, float]] = []
        self._measured: dict[int, _Measured] = {}
        self._number = 0
        self._has_screen = False

    # What an entry goes through

    def connected(self, connected: bool, lost: bool) -> None:
        """Whether an entry that is made now goes on its way at once; `lost`: those that are on it wait."""
        self._connected = connected
        if lost:
            self._cuts += 1
            self.latest_ms = None

    def submitted(self, id: str, at: float) -> None:
        self._marks[id] = _Marks(at, self._cuts if self._connected else None)

    def durable(self, id: str, at: float) -> None:
        marks = self._marks.get(id)
        if marks is not None:
            marks.durable = at

    def received(self, id: str, at: float) -> None:
        marks = self._marks.get(id)
        if marks is not None:
            marks.received = at

    def stored(self, position: int, at: float) -> None:
        """The store holds the log up to a position. Free while no entry is on its way."""
        if self._marks:
            self._arrivals.append((position, at))
            if len(self._arrivals) > ARRIVALS:
                del self._arrivals[: ARRIVALS // 2]

    def confirmed(self, id: str, position: int, at: float) -> None:
        """The views hold it, confirmed."""
        marks = self._marks.pop(id, None)
        if marks is None:
            return
        if marks.cuts != self._cuts:
            self._count({WAITED: at - marks.submitted})
        else:
            reached = bisect_left(self._arrivals, (position, 0.0))
            stored = self._arrivals[reached][1] if reached < len(self._arrivals) else at
            self._number += 1
            self._measured[self._number] = _Measured(marks.submitted, at, dict(_stages(marks, stored, at)))
            if not self._has_screen:
                self._finish(self._number, at)
        if not self._marks:
            self._arrivals.clear()

    def dropped(self, id: str) -> None:
        """It was refused."""
        self._marks.pop(id, None)

    # What a window tells

    def unpainted(self) -> int:
        """The number of the last entry that the views hold and no frame has shown yet; 0 where there is none."""
        self._has_screen = True
        return self._number if self._measured else 0

    def painted(self, number: int, at: float) -> None:
        """A frame was handed to the screen that shows all entries up to this number."""
        for each in [each for each in self._measured if each <= number]:
            measured = self._measured[each]
            measured.stages["paint"] = at - measured.viewed
            self._finish(each, at)

    # What is known

    def report(self) -> DelayReport:
        """For people."""
        kept = self._kept
        day = kept.day if kept.today == self._day() else {}
        total, today = (each.get(TOTAL, Histogram()) for each in (kept.all, day))
        of_day = dict(today.bars(BARS_PER_DECADE))
        return DelayReport(
            since=kept.since,
            all=tuple(_summaries(kept.all)),
            today=tuple(_summaries(day)),
            bars=tuple(
                DelayBar(10 ** (at / BARS_PER_DECADE), 10 ** ((at + 1) / BARS_PER_DECADE), count, of_day.get(at, 0))
                for at, count in total.bars(BARS_PER_DECADE)
            ),
        )

    # Keeping

    def tick(self, at: float) -> None:
        """Now and then: entries that no frame will show are finished; what has changed is kept."""
        for each in [each for each, measured in self._measured.items() if at - measured.viewed > PAINT_S]:
            self._finish(each, self._measured[each].viewed)
        if at - self._kept_at >= KEEP_S:
            self._kept_at = at
            self._keep()

    def close(self) -> None:
        """Keep what has changed."""
        for number, measured in list(self._measured.items()):
            self._finish(number, measured.viewed)
        self._keep()

    def _keep(self) -> None:
        if self._changed:
            self._changed = False
            self._meta.put(KEY, msgspec.json.encode(self._kept))

    def _finish(self, number: int, at: float) -> None:
        measured = self._measured.pop(number)
        total = at - measured.submitted
        self.latest_ms = total * 1000
        self._count({**measured.stages, TOTAL: total})

    def _count(self, seconds: dict[str, float]) -> None:
        kept = self._kept
        kept.since = kept.since or self._now()
        if kept.today != self._day():
            kept.today, kept.day = self._day(), {}
        for stage, spent in seconds.items():
            for histograms in (kept.all, kept.day):
                histograms.setdefault(stage, Histogram()).add(max(0.0, spent) * 1000)
        self._changed = True


def stored_report(meta: Meta, day: int) -> DelayReport:
    """What a store has kept, for whoever has no desk on it; `day` is today's ordinal number."""
    return Delays(meta, lambda: 0, lambda: day).report()


def _stages(marks: _Marks, stored: float, viewed: float) -> Iterator[tuple[str, float]]:
    """Seconds by stage. Where nothing said when it came back, the store is the log."""
    yield STAGES[0], marks.durable - marks.submitted
    received = stored if marks.received is None else marks.received
    yield STAGES[1], received - marks.durable
    if marks.received is not None:
        yield STAGES[2], stored - received
    yield STAGES[3], viewed - stored


def _summaries(histograms: dict[str, Histogram]) -> Iterator[StageDelay]:
    for stage in (TOTAL, *STAGES, WAITED):
        if found := histograms.get(stage):
            yield StageDelay(stage, found.count, found.percentile(0.5), found.percentile(0.99), found.most)


def _read(meta: Meta) -> _Kept:
    """What was kept cannot be needed so badly that a desk would not open without it."""
    try:
        found = meta.get(KEY)
        return _Kept() if found is None else msgspec.json.decode(found, type=_Kept)
    except (StorageError, msgspec.DecodeError) as error:
        logging.getLogger(__name__).warning("the delays that were kept cannot be read (%s); they begin anew", error)
        return _Kept()
