"""Late queries: how nodes that are new are fed with what was before them, in slices, while the engine goes on.

The fresh nodes of a job are out of every route, so a push does not reach them; from the moment the job begins it is
queued instead. Fed to the fresh nodes alone are: the history, chunk by chunk, up to the last position that the log had
when the job began; the queue; the pending rows as they are; the kept relations; and at last, as one change, the rows of
older nodes that fresh ones read. Operators are linear in each input, so the order of these does not matter to the
result. All queries that wait go into one job, so that history is read once; jobs run one after the other, so that the
next finds the nodes of the last.

Queries whose nodes cannot take a change back are built anew by the same jobs, and show what they had until then.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataflow.engine.circuit import Circuit
from dataflow.engine.graph import Graph
from dataflow.engine.job import Job
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.node import NONE, Node, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.push import Push
from dataflow.engine.relations import Relations
from dataflow.engine.routing import Router
from dataflow.engine.troubles import Troubles


class Hydration:
    """Builds and feeds the nodes of jobs, by way of `router` and `circuit`."""

    def __init__(
        self, relations: Relations, graph: Graph, router: Router, circuit: Circuit, troubles: Troubles
    ) -> None:
        self._relations, self._graph = relations, graph
        self._router, self._circuit, self._troubles = router, circuit, troubles

    def begin(self, lives: Sequence[LiveQuery]) -> Job:
        """Return a job for these queries, which read the same history.

        Raises NeedsHistory, and whatever building the nodes or opening history raises; nothing is left then.
        """
        log = self._relations.log
        results, fresh = self._graph.grow([live.plan for live in lives], self._circuit.now)
        job = Job(lives, results, fresh, log.position, self._graph)
        try:
            if log.begun:
                job.open_history()
        except Exception:
            job.abandon()
            raise
        _defer(job, True)
        self._circuit.run(job.fresh)
        return job

    def step(self, job: Job) -> bool:
        """Feed one chunk of history, or after it one push that came meanwhile; False when there is no more."""
        chunk = job.next_chunk()
        if chunk is None:
            return self._catch_up(job)
        if chunk:
            self._feed(job, Push("events", self._relations.read_history(chunk, job.position)))
            job.note_progress(chunk[-1], self._relations.log.position_at)
        return True

    def finish(self, job: Job) -> None:
        """Feed what is not history, and let the nodes join the others."""
        for push in job.queue:
            self._feed_queued(job, push)
        for push in self._relations.contents():
            self._feed(job, push)
        _defer(job, False)
        self._feed_older(job)
        for node in job.fresh:
            if isinstance(node, TemporalFilter):
                self._circuit.move_clock(node)
        self._circuit.run(job.fresh)
        self._graph.admit()

    def _catch_up(self, job: Job) -> bool:
        if not job.queue or (job.queue[0].retracted and job.is_spoiled()):
            return False
        self._feed_queued(job, job.queue.pop(0))
        return True

    def _feed(self, job: Job, push: Push) -> None:
        self._circuit.run(job.fresh, self._router.lay(push))

    def _feed_queued(self, job: Job, push: Push) -> None:
        """Feed the confirmed rows of a push: the pending ones are fed at the end, as they then are."""
        self._feed(job, push._replace(pending_added=NONE, pending_removed=NONE))

    def _feed_older(self, job: Job) -> None:
        """Feed the fresh nodes with what older nodes, and constants, hold."""
        fresh = set(job.fresh)
        inputs = {child for node in job.fresh for child in node.inputs}
        older = {node for node in inputs if node not in fresh and not isinstance(node, Source)}
        constants = {node for node in job.fresh if not node.inputs and not isinstance(node, Source)}
        given: list[Node] = [*older, *constants]
        for node in given:
            try:
                node.plus = list(node.rows() or ())
            except Exception as error:  # noqa: BLE001  (an operator that is run when its rows are asked for)
                self._troubles.note_failure(node, error)
        self._circuit.run([node for node in job.fresh if node not in constants], given)


def _defer(job: Job, deferred: bool) -> None:
    """Have aggregates tell of many groups at once, while history is fed."""
    for node in job.fresh:
        if isinstance(node, Aggregate):
            node.deferred = deferred
