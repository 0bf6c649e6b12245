"""Late queries: how nodes that are new are fed with what was before them, in slices, while the engine goes on.

A job is some live queries on their way. Its fresh nodes are out of every route, so a push does not reach them; from the
moment the job begins it is queued instead. The job feeds, to its fresh nodes alone: the history, chunk by chunk, up to
the last position that the engine had when it began; the queue; the pending rows as they are; the kept relations; and at
last, as one change, the rows of older nodes that fresh ones read. Operators are linear in each input, so the order of
these does not matter to the result. All queries that wait go into one job, so that history is read once; jobs run one
after the other, so that the next finds the nodes of the last.

Queries whose nodes cannot take a change back are built anew by the same jobs, and show what they had until then.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from dataflow.engine.circuit import Circuit
from dataflow.engine.kept_rows import Kept
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.node import NONE, Node, Rows, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.engine.routing import Put
from dataflow.zset import Row

Lay = Callable[[Put], tuple[Source, ...]]


class NeedsHistory(ValueError):
    """Events were pushed before the query came, and it was given no `hydrate` to read them."""

    def __init__(self) -> None:
        super().__init__("events were pushed before this query came: give `hydrate`, which reads them")


class Job:
    """Some queries being built and fed. `position`: where the log is as the job begins; `lay` lays rows out in the
    sources; `until` cuts history off at a position.
    """

    def __init__(
        self,
        lives: Sequence[LiveQuery],
        position: int,
        circuit: Circuit,
        lay: Lay,
        until: Callable[[Rows, int], Rows],
        *,
        begun: bool,
    ) -> None:
        self.lives = list(lives)
        self.position = position
        self.queue: list[Put] = []
        self.starved = False
        self._circuit = circuit
        self._lay = lay
        self._until = until
        self.results, self.fresh = circuit.grow([live.plan for live in lives])
        try:
            self._history = self._open() if begun and self._reads_log() else iter(())
        except Exception:
            self._release()
            raise
        circuit.unready = set(self.fresh)
        circuit.changed()
        self._defer(True)
        circuit.run(self.fresh)

    def _open(self) -> Iterator[Rows]:
        hydrate = self.lives[0].hydrate
        if hydrate is None:
            raise NeedsHistory
        return iter(hydrate())

    def _reads_log(self) -> bool:
        sources = {child for node in self.fresh for child in node.inputs if isinstance(child, Source)}
        return any(self._circuit.keys[source].relation == "events" for source in sources)

    def step(self) -> bool:
        """Feed one chunk of history, or after it one push that came meanwhile; False when there is no more."""
        chunk = next(self._history, None)
        if chunk is None:
            return self._catch_up()
        self.starved = not chunk
        if chunk:
            self._feed(Put("events", self._until(chunk, self.position)))
            self._note_progress(chunk[-1])
        return True

    def _note_progress(self, row: Row) -> None:
        at = self._circuit.position_at
        if at >= 0 and self.position > 0:
            for live in self.lives:
                live.progress = min(1.0, row[at] / self.position)

    def _catch_up(self) -> bool:
        if not self.queue or (self.queue[0].undone and self.spoiled()):
            return False
        self._feed_queued(self.queue.pop(0))
        return True

    def _feed(self, put: Put) -> None:
        self._circuit.run(self.fresh, self._lay(put))

    def spoiled(self) -> bool:
        """Whether a confirmed row went that the fresh nodes cannot take back: history must be read again."""
        undone = any(put.undone and put.relation == "events" for put in self.queue)
        return undone and not all(node.retracts() for node in self.fresh)

    def finish(self, pending: Rows, kept: Mapping[str, Kept], now: int) -> list[Result]:
        """Feed what is not history, and let the nodes join the others. The results of `lives`."""
        for put in self.queue:
            self._feed_queued(put)
        if pending:
            self._feed(Put("events", held=pending))
        for name, rows in kept.items():
            self._feed(Put(name, list(rows.rows())))
        self._defer(False)
        self._attach()
        for node in self.fresh:
            if isinstance(node, TemporalFilter):
                self._circuit.due(node, now)
        self._circuit.run(self.fresh)
        self._circuit.unready = set()
        self._circuit.changed()
        return self.results

    def _defer(self, deferred: bool) -> None:
        for node in self.fresh:
            if isinstance(node, Aggregate):
                node.deferred = deferred

    def _feed_queued(self, put: Put) -> None:
        """The log's share of a push: pending rows and kept relations are fed at the end, as they then are."""
        if put.relation == "events":
            self._feed(put._replace(held=NONE, released=NONE))

    def _attach(self) -> None:
        """Feed the fresh nodes with what older nodes hold."""
        fresh = set(self.fresh)
        older = {
            child
            for node in self.fresh
            for child in node.inputs
            if child not in fresh and not isinstance(child, Source)
        }
        constants = {node for node in self.fresh if not node.inputs and not isinstance(node, Source)}
        given: list[Node] = [*older, *constants]
        for node in given:
            try:
                node.plus = list(node.rows() or ())
            except Exception as error:  # noqa: BLE001  (an operator that is run when its rows are asked for)
                self._circuit.failed(node, error)
        self._circuit.run([node for node in self.fresh if node not in constants], given)

    def leave(self, live: LiveQuery) -> None:
        """One of the queries is not wanted any more. Without any, the job is to be abandoned."""
        at = self.lives.index(live)
        del self.lives[at]
        self._circuit.release(self.results.pop(at))
        self.fresh = [node for node in self.fresh if node in self._circuit.keys]
        self._circuit.unready = set(self.fresh)

    def abandon(self) -> None:
        self._circuit.unready = set()
        self._release()
        self._stop_reading()

    def _stop_reading(self) -> None:
        if isinstance(self._history, Generator):
            self._history.close()

    def _release(self) -> None:
        for result in self.results:
            self._circuit.release(result)
