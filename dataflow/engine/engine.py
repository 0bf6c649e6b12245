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
or a subscriber, takes the queries with it that depend on that (`asides.py`), and nothing else; nothing is raised but
what is wrong with the call itself.

Late queries: `live(sql, hydrate)` reads the history before it returns. With `sliced=True` it returns at once, not
`ready`, and the owner of the loop calls `work()` until it gives False; each call feeds one chunk. So it is where a
query is built anew: it shows what it had, then the difference. Every call of `hydrate` gives the confirmed rows
pushed so far, in order of position, as an iterable of chunks; rows pushed after that may be among them or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dataflow.board import ENVELOPE
from dataflow.engine.circuit import Circuit
from dataflow.engine.explain import Operator, explained, stats
from dataflow.engine.fast_path import Unsettled, lane_for
from dataflow.engine.hydration import Job, NeedsHistory
from dataflow.engine.kept_rows import Kept
from dataflow.engine.late_queries import Backlog
from dataflow.engine.live_query import Hydrate, LiveQuery
from dataflow.engine.operators.node import NONE, Node, Rows, Source
from dataflow.engine.result import Result
from dataflow.engine.routing import Inlet, Put, Texts, count, spread, weighed
from dataflow.engine.step_budget import Budget
from dataflow.engine.suspension import Asides
from dataflow.notice import Notice
from dataflow.sql.plan.codec import decode, encode
from dataflow.sql.plan.nodes import Query
from dataflow.sql.plan_key import digest
from dataflow.zset import Column, Row

if TYPE_CHECKING:
    from dataflow.sql.compile import Compiler


class Plans(Protocol):
    """Where compiled plans are kept between runs."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, plan: bytes) -> None: ...


class Table(NamedTuple):
    """A relation with its first rows."""

    columns: Mapping[str, str]
    rows: Sequence[Row]


class Engine:
    """`kinds` maps event types to their own columns of `events`, which come after the envelope's.

    `tables` (name to columns and rows) change rarely: joins index them instead of keeping the other side, and are
    built anew when one is pushed to. Those in `updating` are joined like any relation.
    """

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
        given = {name: Table(dict(table[0]), list(table[1])) for name, table in (tables or {}).items()}
        self.relations = {n: dict(c) for n, c in relations.items()} | {n: dict(t.columns) for n, t in given.items()}
        self.kinds = {kind: tuple(own) for kind, own in (kinds or {}).items()}
        self.views = dict(views or {})
        self.plans = plans
        self.now = now
        self.pending: dict[Row, int] = {}
        self._texts = {name: Texts(columns) for name, columns in self.relations.items()}
        self.kept = {name: Kept(columns) for name, columns in self.relations.items() if name != "events"}
        for name, table in given.items():
            kept = self.kept[name]
            kept.add(kept.settle(self._texts[name](table.rows), ())[0])
        self._inlet = Inlet(self.relations.get("events", {}))
        at = self._inlet.position_at
        self.circuit = Circuit(
            set(given) - set(updating), lambda name: self.kept[name].rows(), now, -1 if at is None else at
        )
        self._compiler: Compiler | None = None
        self._lives: dict[Result, list[LiveQuery]] = {}
        self._backlog = Backlog(
            self.circuit, self._lay, self._history, self._finish, self._settle, self._settle_step, self._give_up
        )
        self._asides = Asides(self.circuit, self._lives, self._backlog, self._leave, self.relations)

    # queries

    def check(self, sql: str) -> tuple[Column, ...]:
        """The columns that a query would have. Raises SqlError; keeps nothing."""
        plan = self._plan(sql)
        return tuple(Column(*pair) for pair in zip(plan.names, plan.types, strict=True))

    def live(self, sql: str, hydrate: Hydrate | None = None, *, sliced: bool = False) -> LiveQuery:
        """Subscribe to a query. Raises SqlError, and NeedsHistory where `hydrate` is missing."""
        found = LiveQuery(sql, self._plan(sql), hydrate, self._close, self._fail_rows, sliced=sliced)
        self._backlog.add([found])
        if not sliced or not (self._backlog.begun or self._backlog.reading):
            self._backlog.work_off(found)
        return found

    def _close(self, live: LiveQuery) -> None:
        self._backlog.remove(live)
        if live.result is not None:
            self._leave(live)

    def _leave(self, live: LiveQuery) -> None:
        """Part a live query from its result."""
        result = live.detach()
        if result is None:
            return
        self._lives[result].remove(live)
        if not self._lives[result]:
            del self._lives[result]
        self.circuit.release(result)

    def _plan(self, sql: str) -> Query:
        if self.plans is None:
            return self.compiler.query(sql)
        key = digest(sql, self.relations, self.kinds, self.views)
        kept = self.plans.get(key)
        if kept is not None:
            with suppress(ValueError):  # it is none of ours: as good as absent
                return decode(kept)
        plan = self.compiler.query(sql)
        with suppress(OverflowError):  # a constant beyond 64 bits
            self.plans.put(key, encode(plan))
        return plan

    @property
    def compiler(self) -> Compiler:
        if self._compiler is None:
            from dataflow.sql.compile import Compiler

            envelope = sum(1 for name in self.relations.get("events", ()) if name in ENVELOPE)
            self._compiler = Compiler(self.relations, self.kinds, envelope, self.views)
        return self._compiler

    # what it is made of

    def measure(self) -> None:
        """From now on, note how long each operator takes. It costs some ten thousandths of a millisecond a step."""
        self.circuit.measured = True
        self.circuit.lane = None

    def keep_to(self, budget: Budget, tell: Callable[[Notice], object]) -> None:
        """From now on, an operator that takes longer in a step than the budget has is told, and its queries are set
        aside where that happens again and again. `tell` also hears of queries that are set aside since they failed.
        """
        self.circuit.budget, self.circuit.lane = budget, None
        self._asides.tell = tell

    def explain(self, live: LiveQuery) -> Operator:
        """The operators of a live query that is ready: what each does, keeps and took."""
        if live.result is None:
            raise ValueError("the query is not ready yet")
        return explained(self.circuit, live.result, self.relations)

    def stats(self) -> list[Operator]:
        """All operators, those that queries share once."""
        return stats(self.circuit, self.relations)

    # late queries

    def work(self) -> bool:
        """Bring the live queries that wait one chunk further; whether there is more to do."""
        return self._backlog.work()

    @property
    def busy(self) -> bool:
        """Whether queries wait for history."""
        return bool(self._backlog)

    @property
    def starved(self) -> bool:
        """Whether history had nothing to give yet when they were last worked on."""
        return self._backlog.starved

    def close(self) -> None:
        """Read no more history: who waits for it is not served any more."""
        self._backlog.clear()

    def _history(self, chunk: Rows, position: int) -> Rows:
        """A chunk of history as it is fed: up to a position, JSON as text."""
        return self._texts["events"](self._inlet.until(chunk, position))

    def _finish(self, job: Job) -> list[Result]:
        return job.finish(list(spread(self.pending)), self.kept, self.now)

    def _settle(self, live: LiveQuery, result: Result) -> None:
        """A live query has what it waited for."""
        self._lives.setdefault(result, []).append(live)
        try:
            if live.result is None:
                live.attach(result)
            else:
                self._leave(live)
                live.replace(result)
        except Exception as error:  # noqa: BLE001  (rows that have no order, or a subscriber)
            self._give_up([live], error)

    def _give_up(self, lives: Sequence[LiveQuery], error: Exception) -> None:
        self._asides.fail(lives, error)

    def _fail_rows(self, live: LiveQuery, error: Exception) -> None:
        """A result's rows cannot be told: what it reads is broken, for all that read it."""
        if live.result is not None:
            self.circuit.failed(live.result.inputs[0], error)
            self._settle_step()

    def _settle_step(self) -> None:
        """After a step: deal with what went wrong in it."""
        if self.circuit.troubles:
            self._asides.settle()

    def _deliver(self, results: Iterable[Result]) -> None:
        """Tell subscribers. Those that fail take their own query with them."""
        for result in results:
            result.deliver()
            if result.failed:
                self._drop_failed(result)

    def _drop_failed(self, result: Result) -> None:
        failed, result.failed = result.failed, []
        for tell, error in failed:
            self._give_up([live for live in self._lives.get(result, ()) if live.owns(tell)], error)

    def _settle_lane(self) -> None:
        self._settle_step()
        for result in list(self._lives):
            if result.failed:
                self._drop_failed(result)

    # steps

    def push(self, relation: str, rows: Sequence[Row], weights: Sequence[int] | None = None) -> None:
        """Rows into a relation, in one atomic step. `weights` default to +1."""
        lane = self.circuit.lane
        try:
            if lane is not None and relation == "events" and weights is None and rows and lane.push(rows):
                return
        except Unsettled:
            self._settle_lane()
            return
        texts = self._texts.get(relation)
        if texts is None:
            raise KeyError(f"there is no relation '{relation}'")
        if texts.places:
            rows = texts(rows)
        if relation == "events":
            if weights is not None or self._backlog or not self._express(rows):
                self._push_log(self._inlet.parted(rows, weights))
        else:
            self._push_kept(relation, rows, weights)

    def _express(self, rows: Sequence[Row]) -> bool:
        """The common push by the shortest way: confirmed rows that only come. False where it is not that."""
        inlet = self._inlet
        at = inlet.pending_at
        if at is not None:
            for row in rows:
                if row[at]:
                    return False
        if rows:
            self._backlog.begun = True
            self.circuit.position = inlet.last(rows, self.circuit.position)
        plain, kinds = self.circuit.sources("events")
        for source in plain:
            source.plus = source.confirmed = rows
        sources = inlet.lay_kinds(rows, plain, kinds) if kinds else plain
        circuit = self.circuit
        nodes, results = circuit.route(sources)
        circuit.run(nodes, sources)
        if circuit.troubles:
            self._settle_step()
        for result in results:
            if result.changes or result.splices:
                result.deliver()
                if result.failed:
                    self._drop_failed(result)
        if not (kinds or self._texts["events"].places or circuit.measured or at is None or circuit.position_at < 0):
            circuit.lane = lane_for(circuit, nodes, results, plain, at) if self._backlog.begun else None
        return True

    def _push_log(self, put: Put) -> None:
        if put.held or put.released:
            _there(self.pending, put.released)
            count(self.pending, put.held, 1)
            count(self.pending, put.released, -1)
        if put.confirmed:
            self._backlog.begun = True
            self.circuit.position = self._inlet.last(put.confirmed, self.circuit.position)
        self._backlog.queue(put)
        self._step(put)

    def _push_kept(self, relation: str, rows: Sequence[Row], weights: Sequence[int] | None) -> None:
        kept = self.kept[relation]
        plus, minus = kept.settle(*((rows, ()) if weights is None else weighed(rows, weights)))
        stale = [node for node, tables in self.circuit.indexed.items() if relation in tables]
        kept.add(plus)
        kept.add(minus, -1)
        try:
            self._step(Put(relation, plus, undone=minus), stale)
        except NeedsHistory:
            kept.add(plus, -1)
            kept.add(minus)
            raise

    def _lay(self, put: Put) -> tuple[Source, ...]:
        return self._inlet.lay(put, *self.circuit.sources(put.relation))

    def _step(self, put: Put, stale: Sequence[Node] = ()) -> None:
        sources = self._lay(put)
        if self.circuit.unready:
            sources = self._ready(sources)
        nodes, results = self.circuit.route(sources)
        if put.undone:
            stale = [*stale, *(node for node in nodes if put.relation == "events" and not node.retracts())]
        if stale:
            behind = self._step_around(nodes, sources, stale)
            if put.relation == "events":
                self._keep_up(put._replace(undone=NONE), [node for node in nodes if node in behind])
            return
        self.circuit.run(nodes, sources)
        self._settle_step()
        self._deliver(results)

    def _ready(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """Those that are in use; in others nothing is left lying."""
        for source in self.circuit.unready.intersection(sources):
            source.clear()
        return tuple(source for source in sources if source not in self.circuit.unready)

    def _keep_up(self, put: Put, stale: Sequence[Node]) -> None:
        """What is to be replaced takes the rest of a step, where it reads the log: it shows what is entered until then,
        and is not asked later to take back a pending row that it never got.
        """
        if not any(put[1:]):
            return
        sources, kept_up = self._ready(self._lay(put)), dict[Node, None]()
        for node in stale:
            if all(isinstance(child, Source) or child in kept_up for child in node.inputs):
                kept_up[node] = None
        self.circuit.run([*kept_up], sources)
        self._settle_step()
        self._deliver(node for node in kept_up if isinstance(node, Result))

    def _step_around(self, nodes: Sequence[Node], sources: Sequence[Source], stale: Sequence[Node]) -> set[Node]:
        """Run what can be run, and have built anew what cannot; all of that."""
        behind = self.circuit.behind(stale)
        lives = [live for node in behind if isinstance(node, Result) for live in self._lives.get(node, ())]
        if self._backlog.begun and any(live.hydrate is None for live in lives):
            for source in sources:
                source.clear()
            raise NeedsHistory
        sound = [node for node in nodes if node not in behind]
        self.circuit.run(sound, sources)
        self._settle_step()
        self._deliver(node for node in sound if isinstance(node, Result))
        self._renew(behind, [live for live in lives if not live.aside])
        return behind

    def _renew(self, stale: set[Node], lives: Sequence[LiveQuery]) -> None:
        """Other nodes in the place of the stale ones, which show what they have until then, whatever still comes."""
        self._backlog.renew(stale)
        for node in stale:
            self.circuit.forget(node)
        for live in lives:
            live.wait()
        self._backlog.add(lives)
        for live in lives:
            if not live.sliced:
                self._backlog.work_off(live)

    def advance(self, now: int) -> None:
        """Move the clock, never back; rows enter and leave temporal filters."""
        if now <= self.now:
            return
        self.now = self.circuit.now = now
        lane = self.circuit.lane
        try:
            if lane is not None and lane.advance(now):
                return
        except Unsettled:
            self._settle_lane()
            return
        circuit = self.circuit
        due = tuple(node for node in circuit.timed if node not in circuit.unready and circuit.due(node, now))
        if due:
            nodes, results = circuit.route(due)
            circuit.run(nodes)
            self._settle_step()
            self._deliver(results)
        self._settle_step()


def _there(rows: Mapping[Row, int], gone: Sequence[Row]) -> None:
    """Refuse to retract what is not there, or not so often, before anything has changed."""
    for row, times in Counter(gone).items():
        if rows.get(row, 0) < times:
            raise ValueError(f"a row is retracted that is not there: {row!r:.200}")


__all__ = ["Engine", "Hydrate", "LiveQuery", "NeedsHistory", "Notice", "Plans", "Table"]
