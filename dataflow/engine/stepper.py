"""One push as one atomic step, and what becomes of queries that cannot take it back.

Nodes that only fold rows cannot retract a confirmed row of the log; nodes that have indexed a constant relation do not
see it change. Those are stale then: the step runs around them, and their queries are built anew. Until that is done
they show what they had, and take the rest of the step as far as it comes from the log: what is entered is shown at
once, and no node is asked later to take back a pending row that it never got.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dataflow.engine.circuit import Circuit
from dataflow.engine.graph import Graph, Route
from dataflow.engine.job import NeedsHistory
from dataflow.engine.late_queries import LateQueries
from dataflow.engine.operators.node import NONE, Node, Source
from dataflow.engine.push import Push
from dataflow.engine.readers import Readers
from dataflow.engine.relations import Relations
from dataflow.engine.result import Result
from dataflow.engine.routing import Router


class Stepper:
    """Applies pushes to `relations`, and runs them through `circuit`."""

    def __init__(
        self, relations: Relations, graph: Graph, router: Router, circuit: Circuit, readers: Readers, late: LateQueries
    ) -> None:
        self._relations, self._graph, self._router = relations, graph, router
        self._circuit, self._readers, self._late = circuit, readers, late

    def take(self, push: Push) -> None:
        """Make a prepared push.

        Raises NeedsHistory where queries must be built anew and cannot be; nothing has changed then.
        """
        sources = self._router.lay_ready(push)
        route = self._graph.route(sources)
        stale = self._find_stale(push, route.nodes)
        if stale:
            self._step_around(push, route, sources, self._graph.behind(stale))
        else:
            self._apply(push)
            self._run(route.nodes, route.results, sources)

    def _find_stale(self, push: Push, nodes: Iterable[Node]) -> list[Node]:
        if push.relation != "events":
            return self._graph.indexing(push.relation)
        return [node for node in nodes if not node.retracts()] if push.retracted else []

    def _apply(self, push: Push) -> None:
        self._relations.apply(push)
        if push.relation == "events":
            self._late.queue(push)

    def _step_around(self, push: Push, route: Route, sources: Sequence[Source], behind: set[Node]) -> None:
        """Make a push, past the stale nodes and all `behind` them, whose queries are built anew."""
        lives = [live for node in behind if isinstance(node, Result) for live in self._readers.of(node)]
        begun = self._relations.log.begun or (push.relation == "events" and push.confirmed)
        if begun and any(live.hydrate is None for live in lives):
            for source in sources:
                source.clear()
            raise NeedsHistory
        self._apply(push)
        self._run_sound(route, sources, behind)
        self._late.renew(behind, [live for live in lives if not live.aside])
        if push.relation == "events":
            self._keep_up(push._replace(retracted=NONE), [node for node in route.nodes if node in behind])

    def _run_sound(self, route: Route, sources: Sequence[Source], behind: set[Node]) -> None:
        """Run what does not read a stale node."""
        nodes = [node for node in route.nodes if node not in behind]
        self._run(nodes, (node for node in nodes if isinstance(node, Result)), sources)

    def _keep_up(self, push: Push, stale: Sequence[Node]) -> None:
        """Have stale nodes take what they can of a step: that which comes to them from the log alone."""
        if not any(push[1:]):
            return
        sources, able = self._router.lay_ready(push), dict[Node, None]()
        for node in stale:
            if all(isinstance(child, Source) or child in able for child in node.inputs):
                able[node] = None
        self._run([*able], (node for node in able if isinstance(node, Result)), sources)

    def _run(self, nodes: Sequence[Node], results: Iterable[Result], sources: Sequence[Source]) -> None:
        self._circuit.run(nodes, sources)
        self._circuit.deliver(results)
