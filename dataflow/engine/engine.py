"""The engine: relations in, live queries out.

    engine = Engine(relations={"flights": {"carrier": "text", "dep_delay": "float", "time": "timestamp"}})
    live = engine.live("SELECT carrier, avg(dep_delay) FROM flights GROUP BY carrier")
    live.changes.subscribe(print)           # the snapshot, then a batch of (row, weight) for each push that changed it
    engine.push("flights", rows)            # tuples in the declared order (also: with weights)
    engine.advance(now); live.rows()

`events` is the log: an append-only relation of wide rows, of which the engine keeps nothing but what queries need; a
query that comes when rows have already been pushed reads them from `hydrate`. Its pending rows (`pending` true) may
be retracted, and the engine knows them; its floats are finite, as JSON's are. Every other relation is kept whole. A
confirmed row of the log may be retracted too, but what has only been folded is then built anew from `hydrate`, which
must no longer give that row.
One thread; a push is one atomic step, and subscribers are told after it. Whatever fails in it, an operator on a value
or a subscriber, takes the queries with it that depend on that (`suspension.py`), and nothing else; nothing is raised
but what is wrong with the call itself.

Late queries: `live(sql, hydrate)` reads the history before it returns. With `sliced=True` it returns at once, not
`ready`, and the owner of the loop calls `work()` until it gives False; each call feeds one chunk. So it is where a
query is built anew: it shows what it had, then the difference. Every call of `hydrate` gives the confirmed rows
pushed so far, in order of position, as an iterable of chunks; rows pushed after that may be among them or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dataflow.engine.circuit import Circuit
from dataflow.engine.explain import Explainer, Operator
from dataflow.engine.fast_path import FastPath, Unsettled
from dataflow.engine.graph import Graph
from dataflow.engine.hydration import Hydration
from dataflow.engine.job import NeedsHistory
from dataflow.engine.late_queries import LateQueries
from dataflow.engine.live_query import Hydrate, LiveQuery
from dataflow.engine.planner import Planner
from dataflow.engine.readers import Readers
from dataflow.engine.relations import Relations, Table
from dataflow.engine.routing import Router
from dataflow.engine.step_budget import Budget
from dataflow.engine.step_times import StepTimes
from dataflow.engine.stepper import Stepper
from dataflow.engine.suspension import Suspension
from dataflow.engine.troubles import Troubles
from dataflow.engine.waiting import Waiting
from dataflow.notice import Notice
from dataflow.sql.plan.nodes import Query
from dataflow.zset import Column, Row

if TYPE_CHECKING:
    from dataflow.engine.plan_cache import Plans


class Engine:
    """`kinds` maps event types to their own columns of `events`, which come after the envelope's.

    `tables` (name to columns and rows) change rarely: joins index them instead of keeping the other side, and are
    built anew when one is pushed to. Those in `updating` are joined like any relation. `now` is the clock in µs.
    """

    advance: Callable[[int], None]
    """Move the clock, never back; rows enter and leave temporal filters. It is the circuit's: a call less a tick."""

    def __init__(
        self,
        relations: Mapping[str, Mapping[str, str]],
        tables: Mapping[str, Any] | None = None,
        views: Mapping[str, str] | None = None,
        kinds: Mapping[str, Sequence[str]] | None = None,
        plans: Plans | None = None,
        *,
        updating: Iterable[str] = (),
        now: int = 0,
    ) -> None:
        given = {name: Table(table[0], table[1]) for name, table in (tables or {}).items()}
        self._relations = Relations(relations, given, updating)
        self._log = self._relations.log
        self._planner = Planner(self._relations.columns, kinds or {}, views or {}, plans)
        self._graph = Graph(self._relations)
        self._troubles, self._times = Troubles(), StepTimes()
        self._waiting, readers = Waiting(), Readers(self._graph)
        self._suspension = Suspension(self._graph, self._troubles, readers, self._waiting, self._relations.columns)
        self._circuit = Circuit(self._graph, self._log, self._suspension, self._troubles, self._times, now)
        self.advance = self._circuit.advance
        self._router = Router(self._graph, self._log)
        hydration = Hydration(self._relations, self._graph, self._router, self._circuit, self._troubles)
        self._late = LateQueries(self._graph, self._waiting, hydration, readers, self._suspension)
        self._stepper = Stepper(self._relations, self._graph, self._router, self._circuit, readers, self._late)

    # queries

    def check(self, sql: str) -> tuple[Column, ...]:
        """Return the columns that a query would have. Raises SqlError; keeps nothing."""
        plan = self.plan(sql)
        return tuple(Column(*pair) for pair in zip(plan.names, plan.types, strict=True))

    def plan(self, sql: str) -> Query:
        """Return the plan of a query, with its operators. Raises SqlError."""
        return self._planner.plan(sql)

    def live(self, sql: str, hydrate: Hydrate | None = None, *, sliced: bool = False) -> LiveQuery:
        """Subscribe to a query. Raises SqlError, and NeedsHistory where `hydrate` is missing."""
        live = LiveQuery(sql, self.plan(sql), hydrate, self._suspension, sliced=sliced)
        self._late.add([live])
        if not sliced or not (self._log.begun or self._late.reading):
            self._late.work_off(live)
        return live

    # late queries

    def work(self) -> bool:
        """Bring the live queries that wait one chunk further; say whether there is more to do."""
        return self._late.work()

    @property
    def busy(self) -> bool:
        """Whether queries wait for history."""
        return bool(self._waiting)

    @property
    def reading(self) -> bool:
        """Whether history is being read."""
        return self._late.reading

    @property
    def starved(self) -> bool:
        """Whether history had nothing to give yet when the queries that wait were last worked on."""
        return self._late.starved

    def close(self) -> None:
        """Read no more history: who waits for it is not served any more."""
        self._waiting.clear()

    # what it is made of

    @property
    def now(self) -> int:
        """The clock, in µs."""
        return self._circuit.now

    @property
    def relations(self) -> Mapping[str, Mapping[str, str]]:
        """The columns of each relation, with their types."""
        return self._relations.columns

    @property
    def kinds(self) -> Mapping[str, Sequence[str]]:
        """The event types, with the names of their own columns."""
        return self._planner.kinds

    @property
    def fast_path(self) -> FastPath | None:
        """The shortest way of rows of the log and of the clock, where there is one at present."""
        return self._graph.fast_path

    @property
    def pending(self) -> Mapping[Row, int]:
        """The pending rows, with how often each is there."""
        return self._relations.pending

    def measure(self) -> None:
        """From now on, note how long each operator takes. It costs some ten thousandths of a millisecond a step."""
        self._times.start()
        self._graph.use_fast_path(None)

    def keep_to(self, budget: Budget, report: Callable[[Notice], object]) -> None:
        """From now on, report an operator that takes longer in a step than the budget has, and set its queries aside
        where that happens again and again. `report` also hears of queries that are set aside since they failed.
        """
        self._troubles.keep_to(budget)
        self._suspension.report_to(report)
        self._graph.use_fast_path(None)

    def explain(self, live: LiveQuery) -> Operator:
        """Return the operators of a live query that is ready: what each does, keeps and took."""
        if live.result is None:
            raise ValueError("the query is not ready yet")
        return Explainer(self._graph, self._times, self._relations.columns).explain(live.result)

    def stats(self) -> list[Operator]:
        """Return all operators, those that queries share once."""
        return Explainer(self._graph, self._times, self._relations.columns).stats()

    # steps

    def push(self, relation: str, rows: Sequence[Row], weights: Sequence[int] | None = None) -> None:
        """Push rows into a relation, in one atomic step. `weights` default to +1.

        Raises KeyError for a relation that there is not, ValueError for a retracted row that is not there, NeedsHistory
        where a query must be built anew and has no `hydrate`; nothing has changed then.
        """
        path = self._graph.fast_path
        try:
            if path is not None and relation == "events" and weights is None and rows and path.push(rows):
                return
        except Unsettled:
            self._suspension.settle_all()
            return
        if relation != "events" or not self._log.is_plain:
            rows = self._relations.to_text(relation, rows)
        if relation != "events" or weights is not None or self._waiting or not self._push_confirmed(rows):
            self._stepper.take(self._relations.prepare(relation, rows, weights))

    def _push_confirmed(self, rows: Sequence[Row]) -> bool:
        """Make the common push in a shorter way: confirmed rows that only come. False where it is not that."""
        at = self._log.pending_at
        if at >= 0:
            for row in rows:
                if row[at]:
                    return False
        if rows:
            self._log.rise(rows)
        self._circuit.step(self._router.lay_confirmed(rows))
        self._circuit.look_for_fast_path()
        return True


__all__ = ["Engine", "Hydrate", "LiveQuery", "NeedsHistory", "Notice", "Table"]
