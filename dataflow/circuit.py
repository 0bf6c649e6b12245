"""The circuit: plans made into nodes, equal subplans into one node, whose state is freed with its last reader.

A node is known by its plan. `grow` builds what is missing and says which nodes are fresh, that is, empty and yet to
be fed with what was before; `hydration.py` does that, and until then they are `unready`: no route leads to them.
Nodes run in order of rank, inputs first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from dataflow.operators.aggregate import Aggregate, Folds
from dataflow.operators.join import Join, Outer
from dataflow.operators.node import NONE, Constant, Node, Piped, Rows, Source
from dataflow.operators.timed import Timed
from dataflow.operators.top import Top
from dataflow.operators.window import Window
from dataflow.result import Result
from dataflow.sql import plan
from dataflow.sql.assemble import assemble, clock_function, pair_test
from dataflow.sql.fold import fold_functions, tells_groups_apart
from dataflow.sql.pipeline import Index, Pipe, paired_function, pipes, rows_function
from dataflow.sql.plan import Expr, Query, Rel, Scan, Values
from dataflow.sql.python import Names
from dataflow.sql.sorting import sort_key
from dataflow.zset import Change, Row

Lane = Callable[[Rows], bool]
TableRows = Callable[[str], Iterable[Row]]


class Route(NamedTuple):
    nodes: list[Node]
    results: list[Result]


class Circuit:
    """`constant` names the relations that lookups may index; `table_rows` gives their rows. `position_at`: the log's
    column of positions, −1 if it has none.
    """

    def __init__(self, constant: Iterable[str], table_rows: TableRows, now: int, position_at: int) -> None:
        self.position_at = position_at
        self.constant = frozenset(constant)
        self.table_rows = table_rows
        self.now = now
        self.unready: set[Node] = set()
        self.timed: list[Timed] = []
        self.nodes: dict[Any, Node] = {}
        self.keys: dict[Node, Any] = {}
        self.readers: dict[Node, int] = {}
        self.indexed: dict[Node, set[str]] = {}
        self.fresh: list[Node] = []
        self.lane: Lane | None = None
        self.measured = False
        self.spent: WeakKeyDictionary[Node, float] = WeakKeyDictionary()
        self._routes: dict[tuple[Node, ...], Route] = {}
        self._tables: set[str] = set()
        self._indexes: dict[Index, dict[Any, list[Row]]] = {}
        self._sources: dict[str, tuple[tuple[Source, ...], tuple[tuple[Source, tuple[str, ...]], ...]]] = {}

    # growing

    def grow(self, query: Query) -> tuple[Result, list[Node]]:
        """The result of a query, and the nodes that are new, inputs first."""
        self.fresh = []
        found = self.nodes.get(query)
        if not isinstance(found, Result):
            found = Result(query, self._node(query.rel))
            self._add(query, found)
        self.readers[found] += 1
        fresh, self.fresh = self.fresh, []
        return found, fresh

    def release(self, node: Node) -> None:
        """One reader less; without readers a node goes, and with it its claim on its inputs."""
        self.readers[node] -= 1
        if self.readers[node]:
            return
        del self.readers[node]
        key = self.keys.pop(node)
        if self.nodes.get(key) is node:
            del self.nodes[key]
        self.indexed.pop(node, None)
        if isinstance(node, Timed):
            self.timed.remove(node)
        self.changed()
        for child in node.inputs:
            child.readers.remove(node)
            self.release(child)

    def forget(self, node: Node) -> None:
        """Let nobody else find this node: it is about to be replaced."""
        key = self.keys[node]
        if self.nodes.get(key) is node:
            del self.nodes[key]

    def _add(self, key: Any, node: Node) -> None:
        self.nodes[key] = node
        self.keys[node] = key
        if isinstance(node, Timed):
            self.timed.append(node)
        self.readers[node] = 0
        for child in node.inputs:
            self.readers[child] += 1
            child.readers.append(node)
        self.fresh.append(node)
        self.changed()

    def _node(self, rel: Rel) -> Node:
        found = self.nodes.get(rel)
        if found is None or (found not in self.fresh and not isinstance(found, Source) and found.rows() is None):
            found = self._build(rel)
            self._add(rel, found)
        return found

    def _build(self, rel: Rel) -> Node:
        if isinstance(rel, Scan):
            return Source()
        if isinstance(rel, Values):
            return Constant(rel.rows)
        if isinstance(rel, plan.Aggregate):
            return self._aggregate(rel)
        if isinstance(rel, plan.Join):
            return self._join(rel)
        if isinstance(rel, plan.Timed):
            return self._timed(rel)
        if isinstance(rel, plan.Top):
            return self._top(rel)
        if isinstance(rel, plan.Window):
            inputs, functions, _ = self._rows(rel.input)
            return self._noted(Window(inputs, functions, rel))
        return self._piped(rel)

    def _pipes(self, rel: Rel) -> tuple[list[Pipe], list[Node]]:
        found = pipes(rel, self._is_constant)
        return found, [self._node(pipe.source) for pipe in found]

    def _is_constant(self, rel: Rel) -> bool:
        while isinstance(rel, plan.Map):
            rel = rel.input
        return isinstance(rel, Values) or (isinstance(rel, Scan) and rel.relation in self.constant)

    def _assemble(self, lines: list[str], names: Names, **given: Any) -> dict[str, Callable[..., Any]]:
        indexes = {wanted: self._lookup_table(wanted) for wanted in names.lookups}
        self._tables = {_table(wanted.rel) for wanted in names.lookups}
        self._indexes.clear()
        return assemble(lines, names, indexes, **given)

    def _is_unique(self, wanted: Index) -> bool:
        return all(len(rows) == 1 for rows in self._index(wanted).values())

    def _lookup_table(self, wanted: Index) -> dict[Any, Any]:
        index = self._index(wanted)
        return {key: rows[0] for key, rows in index.items()} if self._is_unique(wanted) else index

    def _index(self, wanted: Index) -> dict[Any, list[Row]]:
        """A constant relation's rows by key, made once for each node."""
        if wanted not in self._indexes:
            self._indexes[wanted] = self._indexed(wanted)
        return self._indexes[wanted]

    def _indexed(self, wanted: Index) -> dict[Any, list[Row]]:
        (pipe,) = pipes(wanted.rel, self._is_constant)
        names = Names()
        run = assemble(paired_function(pipe, wanted.keys, "run", names), names, {})["run"]
        source = pipe.source
        rows = source.rows if isinstance(source, Values) else list(self.table_rows(_table(source)))
        found: dict[Any, list[Row]] = {}
        for key, row in run(rows):
            if key is not None:
                found.setdefault(key, []).append(row)
        return found

    def _noted(self, node: Node) -> Node:
        """The node, known to depend on the tables that its code has indexed."""
        if self._tables - {""}:
            self.indexed[node] = self._tables - {""}
        return node

    def _piped(self, rel: Rel) -> Node:
        inputs, functions, _ = self._rows(rel)
        return self._noted(Piped(inputs, functions))

    def _aggregate(self, rel: plan.Aggregate) -> Node:
        found, inputs = self._pipes(rel.input)
        names = Names(self._is_unique, self.position_at)
        lines, layout = fold_functions(rel, found, names)
        groups: dict[Any, list[Any]] = {}
        dirty: list[list[Any]] = []
        grand = self._grand(layout.initial()) if rel.grand else None
        if grand is not None:
            groups[()] = grand
            dirty.append(grand)
        made = self._assemble(lines, names, groups=groups, dirty=dirty, mark=dirty.append, grand=grand)
        folds = [
            Folds(made[f"insert{n}"], *(made.get(f"{way}{n}") for way in ("retract", "hold", "release")))
            for n in range(len(found))
        ]
        netted = tells_groups_apart(rel)
        return self._noted(Aggregate(inputs, folds, groups, made["emit"], made["changes"], netted=netted))

    def _grand(self, initial: list[str]) -> list[Any]:
        names = Names()
        made = assemble([f"def made(): return [True, None, (), 0{''.join(', ' + i for i in initial)}]"], names, {})
        group: list[Any] = made["made"]()
        return group

    def _paired(self, rel: Rel, keys: tuple[Expr, ...]) -> tuple[list[Node], list[Callable[..., Any]]]:
        found, inputs = self._pipes(rel)
        names = Names(self._is_unique, self.position_at)
        lines = [line for n, pipe in enumerate(found) for line in paired_function(pipe, keys, f"run{n}", names)]
        made = self._assemble(lines, names)
        return inputs, [made[f"run{n}"] for n in range(len(found))]

    def _join(self, rel: plan.Join) -> Node:
        left = self._paired(rel.left, rel.left_keys)
        tables = self._tables
        right = self._paired(rel.right, rel.right_keys)
        self._tables = tables | self._tables
        on = pair_test(rel.on, rel.widths[0])
        if rel.kind == "inner":
            return self._noted(Join(left, right, on))
        return self._noted(Outer(rel.kind, left, right, on, rel.widths[1]))

    def _timed(self, rel: plan.Timed) -> Node:
        assert isinstance(rel.value, plan.Col), "narrow.py puts the time into a column"
        inputs, functions, _ = self._rows(rel.input)
        bound = clock_function(rel.bound)
        return self._noted(Timed(inputs, functions, rel.value.index, bound, rel.op, self.now))

    def _rows(self, rel: Rel) -> tuple[list[Node], list[Callable[..., Any]], bool]:
        """What feeds an operator with plain rows; and whether it is all log."""
        found, inputs = self._pipes(rel)
        names = Names(self._is_unique, self.position_at)
        lines = [line for n, pipe in enumerate(found) for line in rows_function(pipe, f"run{n}", names)]
        made = self._assemble(lines, names)
        return inputs, [made[f"run{n}"] for n in range(len(found))], all(pipe.log for pipe in found)

    def _top(self, rel: plan.Top) -> Node:
        inputs, functions, log = self._rows(rel.input)
        return self._noted(Top(inputs, functions, sort_key(rel.order), (rel.offset, rel.limit), log=log))

    # running

    def run(self, nodes: Sequence[Node], given: Iterable[Node] = ()) -> None:
        """One step of `nodes`, in order; then nobody's output is left standing, nor that of those whose output was
        given.
        """
        try:
            if self.measured:
                self._step_measured(nodes)
            else:
                for node in nodes:
                    node.step()
        finally:
            for node in nodes:
                node.plus = node.minus = NONE
            for node in given:
                node.clear()

    def _step_measured(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            began = perf_counter()
            node.step()
            self.spent[node] = self.spent.get(node, 0.0) + perf_counter() - began

    def route(self, active: tuple[Node, ...]) -> Route:
        """The nodes to run when `active` have something to say, in order, and the results among them."""
        known = self._routes.get(active)
        if known is None:
            reached = self.behind(active, self.unready)
            nodes = sorted((node for node in reached if not isinstance(node, Source)), key=_rank)
            known = self._routes[active] = Route(nodes, [node for node in nodes if isinstance(node, Result)])
        return known

    def behind(self, nodes: Iterable[Node], beside: Iterable[Node] = ()) -> set[Node]:
        """The nodes and all that read them, but not through those `beside`."""
        reached, out = set(nodes), set(beside)
        for node in sorted(self.keys, key=_rank):
            if node not in reached and node not in out and any(child in reached for child in node.inputs):
                reached.add(node)
        return reached

    def sources(self, relation: str) -> tuple[tuple[Source, ...], tuple[tuple[Source, tuple[str, ...]], ...]]:
        """The relation's sources: those of all its rows, and those of some event types with the types' names."""
        known = self._sources.get(relation)
        if known is None:
            scans = [
                (k, n)
                for k, n in self.nodes.items()
                if isinstance(k, Scan) and isinstance(n, Source) and k.relation == relation
            ]
            plain = tuple(node for key, node in scans if not key.kinds)
            known = self._sources[relation] = plain, tuple((node, key.kinds) for key, node in scans if key.kinds)
        return known

    def changed(self) -> None:
        """The circuit has changed: what was known of ways through it no longer holds."""
        self.lane = None
        self._routes.clear()
        self._sources.clear()


def lane_for(nodes: Sequence[Node], sources: Sequence[Source], pending_at: int) -> Lane | None:
    """The shortest way for rows that only come, where every query is one aggregate over the log, told as changes. It
    says no, and does nothing, where that does not hold any more, or where a row is pending.
    """
    results = [node for node in nodes if isinstance(node, Result)]
    ways: list[tuple[Callable[[Rows], None], Callable[[], list[Change]], Result]] = []
    for result in results:
        (node,) = result.inputs
        if not (isinstance(node, Aggregate) and result.passes_on() and node.readers == [result]):
            return None
        if len(node.pairs) != 1 or node.pairs[0][0] not in sources:
            return None
        ways.append((node.pairs[0][1].insert, node.changes, result))
    if len(nodes) != 2 * len(ways):
        return None

    def run_one(rows: Rows) -> bool:
        if result.sorted is not None or result.changes or not result.changed:
            return False
        for row in rows:
            if row[pending_at]:
                return False
        insert(rows)
        told = changes()
        if told:
            for tell in tuple(result.changed):
                tell(told)
        return True

    def run(rows: Rows) -> bool:
        for result in results:
            if result.sorted is not None or result.changes or not result.changed:
                return False
        if any(row[pending_at] for row in rows):
            return False
        for insert, changes, result in ways:
            insert(rows)
            result.changes = changes()
        for result in results:
            result.deliver()
        return True

    if len(ways) == 1:
        insert, changes, result = ways[0]
        return run_one
    return run


def _rank(node: Node) -> int:
    return node.rank


def _table(rel: Rel) -> str:
    while isinstance(rel, plan.Map):
        rel = rel.input
    return rel.relation if isinstance(rel, Scan) else ""
