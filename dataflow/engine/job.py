"""A job: some live queries on their way, whose nodes are fresh and are being fed."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from dataflow.engine.graph import Graph
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.node import Node, Rows, Source
from dataflow.engine.push import Push
from dataflow.engine.result import Result
from dataflow.zset import Row


class NeedsHistory(ValueError):
    """Events were pushed before the query came, and it was given no `hydrate` to read them."""

    def __init__(self) -> None:
        super().__init__("events were pushed before this query came: give `hydrate`, which reads them")


class Job:
    """`results` are those of `lives`, in the same order, `fresh` the nodes that were built for them.

    `position` is where the log was when the job began: history is read up to there. `queue` holds what has been pushed
    since. `starved` says whether history had nothing to give yet.
    """

    def __init__(
        self, lives: Sequence[LiveQuery], results: Sequence[Result], fresh: Sequence[Node], position: int, graph: Graph
    ) -> None:
        self.lives = list(lives)
        self.results = list(results)
        self.fresh = list(fresh)
        self.position = position
        self.queue: list[Push] = []
        self.starved = False
        self._graph = graph
        self._history: Iterator[Rows] = iter(())

    def open_history(self) -> None:
        """Read history from now on, if the fresh nodes read the log. Raises NeedsHistory, and what `hydrate` raises."""
        sources = {child for node in self.fresh for child in node.inputs if isinstance(child, Source)}
        if any(self._graph.keys[source].relation == "events" for source in sources):
            hydrate = self.lives[0].hydrate
            if hydrate is None:
                raise NeedsHistory
            self._history = iter(hydrate())

    def next_chunk(self) -> Rows | None:
        """Take the next chunk of history, which may be empty; None when there is no more."""
        chunk = next(self._history, None)
        if chunk is not None:
            self.starved = not chunk
        return chunk

    def note_progress(self, row: Row, at: int) -> None:
        """Tell the queries how far history has been read: up to a row, with its position at `at`."""
        if at >= 0 and self.position > 0:
            for live in self.lives:
                live.note_progress(min(1.0, row[at] / self.position))

    def is_spoiled(self) -> bool:
        """Say whether a confirmed row went that the fresh nodes cannot take back: history must be read again."""
        retracted = any(push.retracted and push.relation == "events" for push in self.queue)
        return retracted and not all(node.retracts() for node in self.fresh)

    def leave(self, live: LiveQuery) -> None:
        """Let one of the queries go that is not wanted any more. Without any, the job is to be abandoned."""
        at = self.lives.index(live)
        del self.lives[at]
        self._graph.release(self.results.pop(at))
        self.fresh = [node for node in self.fresh if node in self._graph.keys]

    def abandon(self) -> None:
        """Remove what has been built, and read no more."""
        for result in self.results:
            self._graph.release(result)
        self._graph.admit()
        if isinstance(self._history, Generator):
            self._history.close()
