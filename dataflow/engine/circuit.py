"""The circuit: runs steps through the graph, and delivers what comes out of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter

from dataflow.engine.fast_path import Unsettled, find_fast_path
from dataflow.engine.graph import Graph
from dataflow.engine.log import Log
from dataflow.engine.operators.node import NONE, Node
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.engine.step_budget import LIMIT_S
from dataflow.engine.step_times import StepTimes
from dataflow.engine.suspension import Suspension
from dataflow.engine.troubles import Troubles


class Circuit:
    """Steps through `graph`. What goes wrong in one is noted in `troubles`; `suspension` takes the queries out that it
    concerns, before anything is delivered. `times` are those of the operators. `now` is the views' clock, in µs.
    """

    def __init__(
        self, graph: Graph, log: Log, suspension: Suspension, troubles: Troubles, times: StepTimes, now: int
    ) -> None:
        self.now = now
        self._graph, self._log = graph, log
        self._suspension, self._troubles, self._times = suspension, troubles, times

    def step(self, sources: tuple[Node, ...]) -> None:
        """Run what reads these nodes, which have rows, and deliver its results."""
        nodes, results = self._graph.route(sources)
        self.run(nodes, sources)
        self.deliver(results)

    def deliver(self, results: Iterable[Result]) -> None:
        """Deal with what went wrong in a step, then give subscribers the changes of its results.

        A subscriber that raises takes its own query out.
        """
        if self._troubles.noted:
            self._suspension.settle()
        for result in results:
            if result.changes or result.splices:
                result.deliver()
                if result.failed:
                    self._suspension.fail_subscribers(result)

    def advance(self, now: int) -> None:
        """Move the clock, never back; rows enter and leave temporal filters."""
        if now <= self.now:
            return
        self.now = now
        path = self._graph.fast_path
        try:
            if path is not None and path.advance(now):
                return
        except Unsettled:
            self._suspension.settle_all()
            return
        unready = self._graph.unready
        due = tuple(node for node in self._graph.timed if node not in unready and self.move_clock(node))
        if due:
            self.step(due)
        self._suspension.settle()

    def move_clock(self, node: TemporalFilter) -> bool:
        """Move a temporal filter's clock; say whether a row enters or leaves by it, in the step to come."""
        try:
            return node.due(self.now)
        except Exception as error:  # noqa: BLE001  (a bound beyond all times)
            self._troubles.note_failure(node, error)
            return False

    def look_for_fast_path(self) -> None:
        """Go the shortest way from now on, where there is one for rows of the log."""
        plain, kinds = self._graph.sources("events")
        log, unready = self._log, self._graph.unready
        if kinds or self._times.measuring or unready or not (log.begun and log.is_plain):
            return  # a push that goes the fast path is not queued for those that are not ready
        nodes, results = self._graph.route(plain)
        path = find_fast_path(nodes, results, plain, self._graph.timed, log, self._troubles)
        self._graph.use_fast_path(path)

    def run(self, nodes: Sequence[Node], given: Iterable[Node] = ()) -> None:
        """Run `nodes`, in order, as one step; then clear what they, and the `given` ones, came out with.

        A node that fails is noted, and no node that reads it is run.
        """
        node: Node | None = None
        try:
            if self._times.measuring or self._troubles.budget is not None:
                self._run_timed(nodes)
            else:
                for node in nodes:
                    node.step()
        except Exception as error:  # noqa: BLE001  (whatever a value does to one query, others go on)
            self._go_on(nodes, node, error)
        finally:
            for node in nodes:
                node.plus = node.minus = NONE
            for node in given:
                node.clear()

    def _run_timed(self, nodes: Sequence[Node]) -> None:
        budget, times = self._troubles.budget, self._times
        clock = budget.clock if budget is not None else perf_counter
        ended = clock()
        for node in nodes:
            began = ended
            try:
                node.step()
            except Exception as error:  # noqa: BLE001
                self._go_on(nodes, node, error)
                return
            ended = clock()
            if times.measuring:
                times.note(node, ended - began)
            if ended - began > LIMIT_S:
                self._troubles.note_time(node, ended - began)

    def _go_on(self, nodes: Sequence[Node], failed: Node | None, error: Exception) -> None:
        """Run those nodes after a failed one that do not read it."""
        rest = list(nodes)
        while failed is not None:
            self._troubles.note_failure(failed, error)
            behind = self._graph.behind([failed])
            rest = [node for node in rest[rest.index(failed) + 1 :] if node not in behind]
            failed = None
            for node in rest:
                try:
                    node.step()
                except Exception as another:  # noqa: BLE001
                    failed, error = node, another
                    break
