"""The live queries that wait for history, in order, and the job that the first of them are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dataflow.engine.job import Job
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.node import Node


class Waiting:
    """True while there are any. `job` is the one under way, if there is one."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self._lives: list[LiveQuery] = []
        self._alone: set[LiveQuery] = set()

    def __bool__(self) -> bool:
        return self.job is not None or bool(self._lives)

    def __contains__(self, live: LiveQuery) -> bool:
        return live in self._lives or (self.job is not None and live in self.job.lives)

    def add(self, lives: Iterable[LiveQuery]) -> None:
        """Have these read history, after those that wait already."""
        self._lives += [live for live in lives if live not in self]

    def remove(self, live: LiveQuery) -> None:
        """Let a query go. A job without any is abandoned."""
        self._alone.discard(live)
        if live in self._lives:
            self._lives.remove(live)
        job = self.job
        if job is not None and live in job.lives:
            job.leave(live)
            if not job.lives:
                self.abandon()

    def clear(self) -> None:
        """Let all of them go."""
        self._lives.clear()
        self.abandon()

    def lives_of(self, results: Iterable[Node]) -> list[LiveQuery]:
        """Return those on their way to one of these results."""
        wanted, job = set(results), self.job
        if job is None:
            return []
        return [live for live, result in zip(job.lives, job.results, strict=True) if result in wanted]

    def take(self) -> list[LiveQuery]:
        """Take out the first that waits, and those that read the same history."""
        first = self._lives.pop(0)
        also = [] if first in self._alone else [live for live in self._lives if self._is_fit(first, live)]
        self._lives = [live for live in self._lives if live not in also]
        return [first, *also]

    def put_back(self, lives: Sequence[LiveQuery], *, alone: bool = False) -> None:
        """Have these wait again, before all others; `alone`: each in a job of its own."""
        if alone:
            self._alone.update(lives)
        self._lives = [*lives, *self._lives]

    def begin(self, job: Job) -> None:
        """Have a job under way."""
        self.job = job

    def end(self) -> None:
        """Have no job under way: it is done."""
        self.job = None

    def abandon(self) -> None:
        """Have no job under way, and leave nothing of it."""
        if self.job is not None:
            self.job.abandon()
            self.job = None

    def begin_again(self) -> None:
        """Abandon the job, whose queries wait once more: what it has fed does not hold any more."""
        if self.job is not None:
            lives = self.job.lives
            self.abandon()
            self.put_back(lives)

    def _is_fit(self, first: LiveQuery, other: LiveQuery) -> bool:
        return first.hydrate is not None and other.hydrate == first.hydrate and other not in self._alone
