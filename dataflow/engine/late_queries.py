"""Late queries: those that wait for history, and those that are being built anew, brought on in slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dataflow.engine.graph import Graph
from dataflow.engine.hydration import Hydration
from dataflow.engine.job import Job, NeedsHistory
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.node import Node
from dataflow.engine.push import Push
from dataflow.engine.readers import Readers
from dataflow.engine.result import Result
from dataflow.engine.suspension import Suspension
from dataflow.engine.waiting import Waiting


class LateQueries:
    """Takes queries from `waiting`, has `hydration` feed them, and gives them to `readers`.

    Those that fail on the way are set aside. `starved` says whether history had nothing to give yet.
    """

    def __init__(
        self, graph: Graph, waiting: Waiting, hydration: Hydration, readers: Readers, suspension: Suspension
    ) -> None:
        self.starved = False
        self._graph, self._waiting, self._hydration = graph, waiting, hydration
        self._readers, self._suspension = readers, suspension

    @property
    def reading(self) -> bool:
        """Whether a job is under way."""
        return self._waiting.job is not None

    def add(self, lives: Iterable[LiveQuery]) -> None:
        """Have these read history, after those that wait already."""
        self._waiting.add(lives)

    def renew(self, stale: Iterable[Node], lives: Sequence[LiveQuery]) -> None:
        """Build queries anew: other nodes take the place of the stale ones, which show what they have until then.

        A job that has built upon stale nodes begins again.
        """
        nodes, job = set(stale), self._waiting.job
        if job is not None and not nodes.isdisjoint(job.fresh):
            self._waiting.begin_again()
        for node in nodes:
            self._graph.disown(node)
        for live in lives:
            live.wait()
        self.add(lives)
        for live in lives:
            if not live.sliced:
                self.work_off(live)

    def queue(self, push: Push) -> None:
        """Keep a push into the log for the job under way, to be fed after its history."""
        if self._waiting.job is not None:
            self._waiting.job.queue.append(push)

    def work_off(self, live: LiveQuery) -> None:
        """Work until this one has what it waits for. Raises NeedsHistory."""
        while live in self._waiting:
            self.work()

    def work(self) -> bool:
        """Bring the queries one chunk further; say whether there is more to do. Raises NeedsHistory."""
        if not self._waiting:
            return False
        if self._waiting.job is None:
            self._begin()
        job = self._waiting.job
        if job is not None:
            self._work_on(job)
            self.starved = job.starved
        return bool(self._waiting)

    def _begin(self) -> None:
        """Begin a job for the first that waits, and for those that read the same history.

        Where it cannot be built, each is built for itself.
        """
        lives = self._waiting.take()
        try:
            self._waiting.begin(self._hydration.begin(lives))
            self._suspension.settle()
        except NeedsHistory:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a plan does, others go on)
            if len(lives) > 1:
                self._waiting.put_back(lives, alone=True)
            else:
                self._suspension.fail(lives, error)

    def _work_on(self, job: Job) -> None:
        try:
            if not self._hydration.step(job):
                self._end(job)
            self._suspension.settle()
        except Exception as error:  # noqa: BLE001  (history that cannot be read, rows that cannot be told)
            lives = list(job.lives)
            if self._waiting.job is job:
                self._waiting.abandon()
            self._suspension.fail(lives, error)

    def _end(self, job: Job) -> None:
        if job.is_spoiled():
            self._waiting.begin_again()
            return
        self._hydration.finish(job)
        self._suspension.settle()
        self._waiting.end()
        for live, result in zip(job.lives, job.results, strict=True):
            if live.closed:  # by a subscriber of one before
                self._graph.release(result)
            else:
                self._attach(live, result)

    def _attach(self, live: LiveQuery, result: Result) -> None:
        try:
            self._readers.attach(live, result)
        except Exception as error:  # noqa: BLE001  (rows that have no order, or a subscriber)
            self._suspension.fail([live], error)
