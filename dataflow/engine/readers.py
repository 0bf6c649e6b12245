"""Who reads which result: live queries that are ready, several of them perhaps one result."""

from __future__ import annotations

from collections.abc import Sequence

from dataflow.engine.graph import Graph
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.result import Result


class Readers:
    """The live queries of each result. A result is released in the graph when a live query leaves it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lives: dict[Result, list[LiveQuery]] = {}

    def attach(self, live: LiveQuery, result: Result) -> None:
        """Give a live query its result, or another one in the place of its old one.

        What its subscribers raise, and what reading the rows raises, is raised; the result is the live query's then.
        """
        self._lives.setdefault(result, []).append(live)
        old = self.leave(live)
        if old is None:
            live.attach(result)
        else:
            live.replace(old, result)

    def leave(self, live: LiveQuery) -> Result | None:
        """Part a live query from its result, if it has one, and return that."""
        result = live.detach()
        if result is not None:
            self._lives[result].remove(live)
            if not self._lives[result]:
                del self._lives[result]
            self._graph.release(result)
        return result

    def results(self) -> list[Result]:
        return list(self._lives)

    def of(self, result: Result) -> Sequence[LiveQuery]:
        """Return the live queries that read a result."""
        return self._lives.get(result, ())
