"""The engine: relations in, live queries out.

    engine = Engine(relations={"flights": {"carrier": "text", "dep_delay": "float", "time": "timestamp"}})
    live = engine.live("SELECT carrier, avg(dep_delay) FROM flights GROUP BY carrier")
    live.changes.subscribe(print)           # the snapshot, then one batch of (row, weight) for each push that changed it
    engine.push("flights", rows)            # tuples in the declared order (also: with weights)
    engine.advance(now); live.rows()

`events` is the log: an append-only relation of wide rows, of which the engine keeps nothing but what queries need; a query that comes
when rows have already been pushed reads them from `hydrate`. Its pending rows (`pending` true) may be retracted, and the
engine knows them. Every other relation is kept whole. One thread; a push is one atomic step, and subscribers are told after it.

Late queries: `live(sql, hydrate)` reads the history before it returns. With `sliced=True` it returns at once, not `ready`, and the owner
of the loop calls `work()` until it gives False; each call feeds one chunk. Chunks must hold exactly the confirmed rows that
were pushed before `live` was called; what is pushed meanwhile is queued and fed at the end, with the pending rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dataflow.board import ENVELOPE
from dataflow.circuit import Circuit
from dataflow.operators.aggregate import Unretractable
from dataflow.operators.node import NONE, Node, Rows, Source
from dataflow.operators.sorted import difference
from dataflow.operators.timed import Timed
from dataflow.result import Result, net
from dataflow.sql.cache import digest
from dataflow.sql.plan import DECODER, ENCODER, Query
from dataflow.zset import Change, Column, Row, Splice

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase

    from dataflow.sql.compile import Compiler

Hydrate = Callable[[], Iterable[Rows]]


class Plans(Protocol):
    """Where compiled plans are kept between runs."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, plan: bytes) -> None: ...


class Table(NamedTuple):
    """A relation with its first rows."""

    columns: Mapping[str, str]
    rows: Sequence[Row]


class LiveQuery:
    """A live query: a snapshot, then changes. Close it to give its state back."""

    def __init__(self, engine: Engine, plan: Query, hydrate: Hydrate | None) -> None:
        self.columns = tuple(Column(*pair) for pair in zip(plan.names, plan.types, strict=True))
        self.plan = plan
        self.hydrate = hydrate
        self.ready = False
        self.result: Result | None = None
        self._engine = engine
        self._changed: list[Callable[[list[Change]], None]] = []
        self._spliced: list[Callable[[list[Splice]], None]] = []
        self._closed = False

    @property
    def changes(self) -> Observable[list[Change]]:
        """On subscribing the snapshot (once there is one), then a consolidated batch for each push that changed the result."""
        return self._observable(self._changed, lambda result: result.changed, lambda result: result.snapshot())

    @property
    def splices(self) -> Observable[Sequence[Splice]]:
        """The same as positional changes to the rows in order."""
        return self._observable(self._spliced, lambda result: result.spliced, _first_splice)

    def rows(self) -> Sequence[Row]:
        """The result in order, as it stands. Not to be changed by the caller."""
        return self.result.ordered() if self.result else ()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._engine.close(self)

    def attach(self, result: Result) -> None:
        """The result is there: tell those who wait."""
        self.result, self.ready = result, True
        for tell in self._changed:
            result.changed.append(tell)
            tell(result.snapshot())
        for put in self._spliced:
            put(_first_splice(result))
            result.spliced.append(put)

    def detach(self) -> None:
        if self.result is not None:
            self.result.changed = [tell for tell in self.result.changed if tell not in self._changed]
            self.result.spliced = [tell for tell in self.result.spliced if tell not in self._spliced]

    def _observable(self, mine: list[Any], theirs: Callable[[Result], list[Any]], first: Callable[[Result], Any]) -> Observable[Any]:
        import reactivex
        from reactivex.disposable import Disposable

        def subscribe(observer: ObserverBase[Any], _: object = None) -> DisposableBase:
            def tell(value: Any) -> None:
                observer.on_next(value)

            mine.append(tell)
            if self.result is not None:
                tell(first(self.result))
                theirs(self.result).append(tell)

            def stop() -> None:
                mine.remove(tell)
                if self.result is not None and tell in theirs(self.result):
                    theirs(self.result).remove(tell)

            return Disposable(stop)

        return reactivex.create(subscribe)


def _first_splice(result: Result) -> list[Splice]:
    return [Splice(0, 0, tuple(result.ordered()))]


class Put(NamedTuple):
    """The rows of one push into a relation."""

    relation: str
    confirmed: Rows
    held: Rows = NONE
    released: Rows = NONE
    undone: Rows = NONE


class Job(NamedTuple):
    """A live query on its way: its fresh nodes, the history still to read, what was pushed since."""

    live: LiveQuery
    result: Result
    fresh: list[Node]
    history: Iterator[Rows]
    queue: list[Put]


class Engine:
    """See the module. `kinds` maps event types to their own columns of `events`; `tables` are constant unless in `updating`."""

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
        self.relations = {**{n: dict(c) for n, c in relations.items()}, **{n: dict(t.columns) for n, t in given.items()}}
        self.kinds = {kind: tuple(own) for kind, own in (kinds or {}).items()}
        self.views = dict(views or {})
        self.plans = plans
        self.now = now
        self.pending: dict[Row, int] = {}
        self.begun = False
        self.kept: dict[str, dict[Row, int]] = {name: {} for name in self.relations if name != "events"}
        for name, table in given.items():
            _count(self.kept[name], table.rows, 1)
        columns = list(self.relations.get("events", ()))
        self._pending_at = columns.index("pending") if "pending" in columns else None
        self._type_at = columns.index("type") if "type" in columns else None
        self.circuit = Circuit(set(given) - set(updating), self._table_rows)
        self.circuit.now = now
        self._compiler: Compiler | None = None
        self._lives: dict[Result, list[LiveQuery]] = {}
        self._waiting: list[LiveQuery] = []
        self._job: Job | None = None
        self._unready: set[Node] = set()

    # queries

    def check(self, sql: str) -> tuple[Column, ...]:
        """The columns that a query would have. Raises SqlError; keeps nothing."""
        plan = self._plan(sql)
        return tuple(Column(*pair) for pair in zip(plan.names, plan.types, strict=True))

    def live(self, sql: str, hydrate: Hydrate | None = None, *, sliced: bool = False) -> LiveQuery:
        """Subscribe to a query. Raises SqlError."""
        found = LiveQuery(self, self._plan(sql), hydrate)
        self._waiting.append(found)
        if not sliced:
            while not found.ready:
                self.work()
        elif not self.begun and self._job is None:
            self.work()
        return found

    def close(self, live: LiveQuery) -> None:
        """Give back a live query's state."""
        if live in self._waiting:
            self._waiting.remove(live)
        if self._job is not None and self._job.live is live:
            job, self._job = self._job, None
            self._unready.clear()
            self.circuit.release(job.result)
        elif live.result is not None:
            live.detach()
            self._lives[live.result].remove(live)
            if not self._lives[live.result]:
                del self._lives[live.result]
            self.circuit.release(live.result)
        live.result = None

    def _plan(self, sql: str) -> Query:
        key = ""
        if self.plans is not None:
            key = digest(sql, self.relations, self.kinds, self.views)
            kept = self.plans.get(key)
            if kept is not None:
                return DECODER.decode(kept)
        plan = self.compiler.query(sql)
        if self.plans is not None:
            self.plans.put(key, ENCODER.encode(plan))
        return plan

    @property
    def compiler(self) -> Compiler:
        if self._compiler is None:
            from dataflow.sql.compile import Compiler

            envelope = sum(1 for name in self.relations.get("events", ()) if name in ENVELOPE)
            self._compiler = Compiler(self.relations, self.kinds, envelope, self.views)
        return self._compiler

    # hydration

    def work(self) -> bool:
        """Bring one waiting live query one chunk further; whether there is more to do."""
        if self._job is None:
            if not self._waiting:
                return False
            self._begin(self._waiting.pop(0))
        job = self._job
        assert job is not None
        chunk = next(job.history, None)
        if chunk is None:
            self._finish(job)
        else:
            self._feed(job, Put("events", chunk))
        return self._job is not None or bool(self._waiting)

    def _begin(self, live: LiveQuery) -> None:
        result, fresh = self.circuit.grow(live.plan)
        needed = self.begun and self._reads_log(fresh)
        if needed and live.hydrate is None:
            self.circuit.release(result)
            raise ValueError("events were pushed before this query came: it needs `hydrate`, which reads them")
        history = iter(live.hydrate()) if needed and live.hydrate else iter(())
        self._unready = set(fresh)
        self.circuit.dirty_routes()
        self._job = Job(live, result, fresh, history, [])
        self._run(fresh, quiet=True)

    def _reads_log(self, fresh: list[Node]) -> bool:
        inputs = {child for node in fresh for child in node.inputs}
        sources = [self.circuit.keys[node] for node in inputs if isinstance(node, Source)]
        return any(key.relation == "events" for key in sources)

    def _finish(self, job: Job) -> None:
        pending = [row for row, count in self.pending.items() for _ in range(count)]
        for put in job.queue:
            self._feed(job, put._replace(held=NONE, released=NONE))
        if pending:
            self._feed(job, Put("events", NONE, pending))
        for name, rows in self.kept.items():
            self._feed(job, Put(name, list(_spread(rows))))
        self._attach(job)
        for node in job.fresh:
            if isinstance(node, Timed):
                node.due(self.now)
        self._run(job.fresh, quiet=True)
        self._unready.clear()
        self.circuit.dirty_routes()
        self._job = None
        self._lives.setdefault(job.result, []).append(job.live)
        job.live.attach(job.result)

    def _attach(self, job: Job) -> None:
        """Feed the fresh nodes with what older nodes hold."""
        fresh = set(job.fresh)
        older = {child for node in job.fresh for child in node.inputs if child not in fresh and not isinstance(child, Source)}
        constants = [node for node in job.fresh if not node.inputs and not isinstance(node, Source)]
        for node in [*older, *constants]:
            node.plus = list(node.rows() or ())
        self._run([node for node in job.fresh if node not in constants], quiet=True, also=[*older, *constants])

    def _feed(self, job: Job, put: Put) -> None:
        sources = self._put(put)
        self._run(job.fresh, quiet=True, also=sources)

    # steps

    def push(self, relation: str, rows: Sequence[Row], weights: Sequence[int] | None = None) -> None:
        """Rows into a relation, in one atomic step. `weights` default to +1; a pending row goes by −1."""
        if relation not in self.relations:
            raise KeyError(f"there is no relation '{relation}'")
        if relation != "events":
            self._push_kept(relation, rows, weights)
            return
        self._push_log(self._parted(rows, weights))

    def _push_log(self, put: Put) -> None:
        if put.held or put.released:
            _count(self.pending, put.held, 1)
            _count(self.pending, put.released, -1)
        self.begun = self.begun or bool(put.confirmed)
        if self._job is not None:
            self._job.queue.append(put)
        self._step(put)

    def _parted(self, rows: Sequence[Row], weights: Sequence[int] | None) -> Put:
        at = self._pending_at
        if weights is None:
            held = [row for row in rows if row[at]] if at is not None else NONE
            return Put("events", [row for row in rows if not row[at]], held) if held else Put("events", rows)
        plus, minus = _weighed(rows, weights)
        if at is None:
            return Put("events", plus, NONE, NONE, minus)
        held, released = [r for r in plus if r[at]], [r for r in minus if r[at]]
        return Put("events", [r for r in plus if not r[at]], held, released, [r for r in minus if not r[at]])

    def _push_kept(self, relation: str, rows: Sequence[Row], weights: Sequence[int] | None) -> None:
        plus, minus = (rows, NONE) if weights is None else _weighed(rows, weights)
        _count(self.kept[relation], plus, 1)
        _count(self.kept[relation], minus, -1)
        stale = [node for node, tables in self.circuit.indexed.items() if relation in tables]
        self._step(Put(relation, plus, NONE, NONE, minus))
        if stale:
            self._rebuild(stale)

    def _step(self, put: Put) -> None:
        sources: tuple[Source, ...] = self._put(put)
        if self._unready:
            sources = tuple(source for source in sources if source not in self._unready)
        if not sources:
            return
        nodes = self.circuit.route(sources, self._is_ready)
        try:
            self._run(nodes, also=sources)
        except Unretractable:
            self._rebuild([node for node in nodes if not isinstance(node, Source)])

    def _is_ready(self, node: Node) -> bool:
        return node not in self._unready

    def _put(self, put: Put) -> tuple[Source, ...]:
        """Lay the rows out in the relation's sources; those that got any."""
        plain, kinds = self.circuit.sources(put.relation)
        for source in plain:
            source.put(*put[1:])
        return plain + self._put_kinds(put, kinds) if kinds else plain

    def _put_kinds(self, put: Put, kinds: Sequence[tuple[Source, tuple[str, ...]]]) -> tuple[Source, ...]:
        routed = [self._by_type(rows) if rows else {} for rows in put[1:]]
        found: list[Source] = []
        for source, names in kinds:
            parts = [_picked(by_type, names) for by_type in routed]
            if any(parts):
                source.put(*parts)
                found.append(source)
        return tuple(found)

    def _by_type(self, rows: Rows) -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = {}
        at = self._type_at or 0
        for row in rows:
            kind = row[at]
            if kind in found:
                found[kind].append(row)
            else:
                found[kind] = [row]
        return found

    def advance(self, now: int) -> None:
        """Move the clock, never back; rows enter and leave temporal filters."""
        if now <= self.now:
            return
        self.now = self.circuit.now = now
        timed = (node for node in self.circuit.keys if isinstance(node, Timed))
        active = tuple(node for node in timed if node.due(now) and node not in self._unready)
        if active:
            self._run(self.circuit.route(active, self._is_ready))

    def _run(self, nodes: Sequence[Node], *, quiet: bool = False, also: Sequence[Node] = ()) -> None:
        try:
            for node in nodes:
                node.step()
        finally:
            for node in nodes:
                node.clear()
            for node in also:
                node.clear()
        if not quiet:
            for node in nodes:
                if isinstance(node, Result) and node.told:
                    node.deliver()

    def _table_rows(self, name: str) -> Iterable[Row]:
        return _spread(self.kept[name])

    # rebuilding

    def _rebuild(self, stale: Sequence[Node]) -> None:
        """Build anew all results that read the stale nodes, and tell their subscribers the difference."""
        while self.work():
            pass
        reached = set(stale)
        for node in sorted(self.circuit.keys, key=lambda n: n.rank):
            if any(child in reached for child in node.inputs):
                reached.add(node)
        affected = [(node, self._lives[node]) for node in reached if isinstance(node, Result)]
        before = [(live, list(live.rows()), result.snapshot()) for result, lives in affected for live in lives]
        for node in reached:
            self.circuit.forget(node)
        for live, rows, snapshot in before:
            self._renew(live, rows, snapshot)

    def _renew(self, live: LiveQuery, rows: list[Row], snapshot: list[Change]) -> None:
        changed, spliced = live._changed, live._spliced
        live.detach()
        old = live.result
        live._changed, live._spliced, live.result, live.ready = [], [], None, False
        if old is not None:
            self._lives[old].remove(live)
            if not self._lives[old]:
                del self._lives[old]
            self.circuit.release(old)
        self._waiting.append(live)
        while not live.ready:
            self.work()
        assert live.result is not None
        live._changed, live._spliced = changed, spliced
        live.result.changed += changed
        live.result.spliced += spliced
        _tell_difference(live.result, rows, snapshot, changed, spliced)


def _tell_difference(result: Result, rows: list[Row], snapshot: list[Change], changed: list[Any], spliced: list[Any]) -> None:
    before = [row for row, count in snapshot for _ in range(count)]
    after = [row for row, count in result.snapshot() for _ in range(count)]
    plus, minus = net(after, before)
    weights: dict[Row, int] = {}
    _count(weights, plus, 1)
    _count(weights, minus, -1)
    splices = difference(rows, result.ordered())
    for tell in changed if weights else ():
        tell(list(weights.items()))
    for tell in spliced if splices else ():
        tell(splices)


def _weighed(rows: Sequence[Row], weights: Sequence[int]) -> tuple[list[Row], list[Row]]:
    plus, minus = [], []
    for row, weight in zip(rows, weights, strict=True):
        (plus if weight > 0 else minus).extend([row] * abs(weight))
    return plus, minus


def _count(counts: dict[Row, int], rows: Iterable[Row], sign: int) -> None:
    for row in rows:
        count = counts.get(row, 0) + sign
        if count:
            counts[row] = count
        else:
            del counts[row]


def _spread(counts: dict[Row, int]) -> Iterator[Row]:
    return (row for row, count in counts.items() for _ in range(count))


def _picked(by_type: dict[Any, list[Row]], names: tuple[str, ...]) -> Rows:
    if len(names) == 1:
        return by_type.get(names[0], NONE)
    return [row for name in names for row in by_type.get(name, NONE)]
