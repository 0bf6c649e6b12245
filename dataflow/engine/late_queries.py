"""The live queries that wait for history: those that came late, and those that are being built anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dataflow.engine.circuit import Circuit
from dataflow.engine.hydration import Job, Lay, NeedsHistory
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.node import Node, Rows
from dataflow.engine.result import Result
from dataflow.engine.routing import Put

Until = Callable[[Rows, int], Rows]
"""Cuts a chunk of history off at a position."""
Finish = Callable[[Job], object]
Ready = Callable[[LiveQuery, Result], None]
Fail = Callable[[list[LiveQuery], Exception], None]


class Backlog:
    """`finish` has a job fed with what is not history; `ready` is called with each query and its result; `settle` after
    each step, which may take queries out; `fail` with those that cannot be brought further. `begun`: the log has rows.
    It is `starved` if the history had nothing to give yet.
    """

    def __init__(
        self, circuit: Circuit, lay: Lay, until: Until, finish: Finish, ready: Ready, settle: Callable[[], None],
        fail: Fail,
    ) -> None:  # fmt: skip
        self._circuit, self._lay, self._until = circuit, lay, until
        self._finish, self._ready, self._settle, self._fail = finish, ready, settle, fail
        self._alone: set[LiveQuery] = set()
        self._waiting: list[LiveQuery] = []
        self._job: Job | None = None
        self.begun = False
        self.starved = False

    def __bool__(self) -> bool:
        return self._job is not None or bool(self._waiting)

    def __contains__(self, live: LiveQuery) -> bool:
        return live in self._waiting or (self._job is not None and live in self._job.lives)

    @property
    def reading(self) -> bool:
        """Whether a job is under way."""
        return self._job is not None

    def add(self, lives: Iterable[LiveQuery]) -> None:
        """Have these read history, after those that wait already."""
        self._circuit.lane = None
        self._waiting += [live for live in lives if live not in self]

    def lives_of(self, results: Iterable[Node]) -> list[LiveQuery]:
        """Those on their way to one of these results."""
        wanted, job = set(results), self._job
        if job is None:
            return []
        return [live for live, result in zip(job.lives, job.results, strict=True) if result in wanted]

    def remove(self, live: LiveQuery) -> None:
        """It is not wanted any more."""
        self._alone.discard(live)
        if live in self._waiting:
            self._waiting.remove(live)
        job = self._job
        if job is not None and live in job.lives:
            job.leave(live)
            if not job.lives:
                job.abandon()
                self._job = None

    def clear(self) -> None:
        """Read no more: who waits is not served any more."""
        self._waiting.clear()
        if self._job is not None:
            self._job.abandon()
            self._job = None

    def work(self) -> bool:
        """Bring them one chunk further; whether there is more to do. Raises NeedsHistory."""
        if self._job is None:
            if not self._waiting:
                return False
            self._begin()
        job = self._job
        if job is not None:
            self._work_on(job)
            self.starved = job.starved
        return bool(self)

    def _work_on(self, job: Job) -> None:
        try:
            if not job.step():
                self._end(job)
            self._settle()
        except NeedsHistory:
            raise
        except Exception as error:  # noqa: BLE001  (history that cannot be read, rows that cannot be told)
            lives = list(job.lives)
            if self._job is job:
                job.abandon()
                self._job = None
            self._fail(lives, error)

    def work_off(self, live: LiveQuery) -> None:
        """Until this one has what it waits for."""
        while live in self:
            self.work()

    def queue(self, put: Put) -> None:
        """What is pushed while a job reads comes after its history."""
        if self._job is not None:
            self._job.queue.append(put)

    def renew(self, stale: set[Node]) -> None:
        """These nodes will be replaced. A job that has built upon them begins again."""
        if self._job is not None and not stale.isdisjoint(self._job.fresh):
            self._again(self._job)

    def _begin(self) -> None:
        """Begin a job for the first that waits, and for those that read the same history. Where it cannot be built,
        each is built for itself.
        """
        first = self._waiting.pop(0)
        also = [] if first in self._alone else [live for live in self._waiting if self._together(first, live)]
        self._waiting = [live for live in self._waiting if live not in also]
        lives = [first, *also]
        try:
            self._job = Job(lives, self._circuit.position, self._circuit, self._lay, self._until, begun=self.begun)
            self._settle()
        except NeedsHistory:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a plan does, others go on)
            if also:
                self._alone.update(lives)
                self._waiting = [*lives, *self._waiting]
            else:
                self._fail(lives, error)

    def _together(self, first: LiveQuery, other: LiveQuery) -> bool:
        return first.hydrate is not None and other.hydrate == first.hydrate and other not in self._alone

    def _end(self, job: Job) -> None:
        if job.spoiled():
            self._again(job)
            return
        self._finish(job)
        self._settle()
        if self._circuit.unready:  # a query has been taken out of the job
            self._circuit.unready = set()
            self._circuit.changed()
        self._job = None
        for live, result in zip(job.lives, job.results, strict=True):
            if live.closed:  # by a subscriber of one before
                self._circuit.release(result)
            else:
                self._ready(live, result)

    def _again(self, job: Job) -> None:
        """What a job has fed does not hold any more: its queries wait once more."""
        job.abandon()
        self._job = None
        self._waiting = [*job.lives, *self._waiting]
