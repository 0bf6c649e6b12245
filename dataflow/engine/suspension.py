"""Queries that are set aside: an operator of theirs failed on a value, or took too long again and again.

Algorithm: a step notes what went wrong, by node, and goes on with all nodes that do not read a failed one
(`Circuit.run`). Then, before anybody is told of changes, `settle` takes out of the graph exactly those queries that
read such a node: whatever is half done in it goes with it. A query that shares only sound nodes with them goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from dataflow.engine.graph import Graph
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.node import Node
from dataflow.engine.readers import Readers
from dataflow.engine.result import Result
from dataflow.engine.step_budget import LIMIT_S, TIMES
from dataflow.engine.troubles import Trouble, Troubles
from dataflow.engine.waiting import Waiting
from dataflow.notice import Notice
from dataflow.sql.plan.describe import Describer, Relations

_LONGEST = 120
_AGAIN = "Save the board, or press F5, to try it again"


class Suspension:
    """Takes queries out: of `readers`, of those `waiting` for history, and by that of `graph`."""

    def __init__(
        self, graph: Graph, troubles: Troubles, readers: Readers, waiting: Waiting, relations: Relations
    ) -> None:
        self._graph, self._troubles = graph, troubles
        self._readers, self._waiting = readers, waiting
        self._relations = relations
        self._report: Callable[[Notice], object] = lambda _: None

    def report_to(self, report: Callable[[Notice], object]) -> None:
        """Give each notice, from now on, to `report`."""
        self._report = report

    def settle(self) -> None:
        """Deal with what went wrong in the step that has just been run."""
        while self._troubles.noted:
            trouble = self._troubles.take()
            if trouble.node not in self._graph.keys:
                continue  # it went with an earlier one
            if trouble.error is not None:
                self._suspend_failed(trouble.node, trouble.error)
            else:
                self._judge_slow(trouble)

    def settle_all(self) -> None:
        """Deal with what went wrong in a step, and with every subscriber that failed after it."""
        self.settle()
        for result in self._readers.results():
            self.fail_subscribers(result)

    def close(self, live: LiveQuery) -> None:
        """Take a query out that is not wanted any more."""
        self._waiting.remove(live)
        self._readers.leave(live)

    def fail(self, lives: Iterable[LiveQuery], error: Exception) -> None:
        """Set queries aside since they cannot be built, or their subscribers cannot be told."""
        self._suspend(lives, f"Set aside: {_describe(error)}. {_AGAIN}", error)

    def fail_subscribers(self, result: Result) -> None:
        """Set the queries aside whose subscribers failed on a result's changes."""
        for subscriber, error in result.take_failures():
            self.fail([live for live in self._readers.of(result) if live.owns(subscriber)], error)

    def fail_rows(self, live: LiveQuery, error: Exception) -> None:
        """Set everything aside that reads what a live query's rows come from: they cannot be read."""
        if live.result is not None:
            self._troubles.note_failure(live.result.inputs[0], error)
            self.settle()

    def _suspend_failed(self, node: Node, error: Exception) -> None:
        reason = f"Set aside: {self._describe_node(node)} failed ({_describe(error)}). {_AGAIN}"
        self._suspend(self._find_readers(node), reason, error)

    def _judge_slow(self, trouble: Trouble) -> None:
        """Report a slow operator; set its queries aside where that happens again and again."""
        budget, key = self._troubles.budget, self._graph.keys[trouble.node]
        times = budget.count(key) if budget is not None else 0
        took = f"{self._describe_node(trouble.node)} took {trouble.seconds * 1000:.0f} ms in one step"
        lives = self._find_readers(trouble.node)
        if budget is None or times < TIMES:
            self._notify(Notice(f"{took}: more than {LIMIT_S * 1000:.0f} ms hold up the window", _queries(lives)))
            return
        budget.forget(key)
        reason = f"Set aside: {took}, {times} times within a minute. Make the query lighter. {_AGAIN}"
        self._suspend(lives, reason, None)

    def _suspend(self, lives: Iterable[LiveQuery], reason: str, error: Exception | None) -> None:
        """Take all of the queries out first; then tell them."""
        gone = list(lives)
        for live in gone:
            self.close(live)
        self._notify(Notice(reason, _queries(gone), error, aside=True))
        for live in gone:
            with suppress(Exception):  # who cannot take the reason has been told it
                live.set_aside(reason, error)

    def _notify(self, notice: Notice) -> None:
        with suppress(Exception):  # a notice that nobody can take stops nothing
            self._report(notice)

    def _find_readers(self, node: Node) -> list[LiveQuery]:
        results = [each for each in self._graph.behind([node]) if isinstance(each, Result)]
        lives = [live for result in results for live in self._readers.of(result)]
        return list(dict.fromkeys([*lives, *self._waiting.lives_of(results)]))

    def _describe_node(self, node: Node) -> str:
        if isinstance(node, Result):
            return "its result"
        name, detail = Describer(self._relations).operator(self._graph.keys[node])
        return f"its {name} ({_shorten(detail)})"


def _queries(lives: Iterable[LiveQuery]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(live.sql for live in lives))


def _describe(error: Exception) -> str:
    words = _shorten(" ".join(str(error).split()))
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
