"""Operators made of plans: the generated code of each, and its first state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataflow.engine.operators.aggregate import Aggregate, Folds, Newest
from dataflow.engine.operators.asof_join import AsOf
from dataflow.engine.operators.join import Join, Outer
from dataflow.engine.operators.node import Constant, Node, Piped, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.operators.top import Top
from dataflow.engine.operators.window import Window
from dataflow.engine.relations import Relations
from dataflow.sql.codegen.accumulators import Layout
from dataflow.sql.codegen.assemble import assemble, clock_function, pair_test
from dataflow.sql.codegen.expressions import Names
from dataflow.sql.codegen.folds import fold_functions, fresh_group, tells_groups_apart
from dataflow.sql.codegen.loops import Index, Pipe, paired_function, pipes, rows_function
from dataflow.sql.codegen.single_row import express_functions
from dataflow.sql.codegen.sort_keys import sort_key
from dataflow.sql.plan import nodes
from dataflow.sql.plan.nodes import Expr, Rel, Scan, Values
from dataflow.zset import Row


class Builder:
    """Builds operators over `relations`. Lookups may index those that are constant.

    It reads `nodes`, the nodes of plans that there are already; the caller adds to them.
    """

    def __init__(self, relations: Relations, nodes: Mapping[Any, Node]) -> None:
        self._relations, self._nodes = relations, nodes
        self._position_at = relations.log.position_at
        self._now = 0
        self._tables: set[str] = set()
        self._indexes: dict[Index, dict[Any, list[Row]]] = {}
        self._known: dict[Rel, list[Pipe]] = {}

    def build(self, rel: Rel, now: int) -> tuple[Node, set[str]]:
        """The operator, and the tables that its code has indexed: it must be built anew when one of them changes.

        The nodes that it reads (`inputs`) are there already.
        """
        outer, self._tables, self._now = self._tables, set(), now
        try:
            node = self._build(rel)
            return node, self._tables - {""}
        except Exception:
            self._indexes.clear()
            self._known.clear()
            raise
        finally:
            self._tables = outer

    def _build(self, rel: Rel) -> Node:
        if isinstance(rel, Scan):
            return Source()
        if isinstance(rel, Values):
            return Constant(rel.rows)
        if isinstance(rel, nodes.Aggregate):
            return self._aggregate(rel)
        if isinstance(rel, nodes.Join):
            return self._join(rel)
        if isinstance(rel, nodes.AsOf):
            left, right = self._paired(rel.left, rel.left_keys), self._paired(rel.right, rel.right_keys)
            return AsOf(left, right, rel)
        if isinstance(rel, nodes.Timed):
            return self._timed(rel)
        if isinstance(rel, nodes.Top):
            return self._top(rel)
        if isinstance(rel, nodes.Window):
            inputs, functions, _ = self._rows(rel.input)
            return Window(inputs, functions, rel)
        return self._piped(rel)

    def inputs(self, rel: Rel) -> list[Rel]:
        """The relations whose operators that of `rel` reads."""
        if isinstance(rel, Scan | Values):
            return []
        if isinstance(rel, nodes.Join | nodes.AsOf):
            sides: tuple[Rel, ...] = (rel.left, rel.right)
        else:
            sides = (rel if isinstance(rel, nodes.Map | nodes.Union) else rel.input,)
        for side in sides:
            self._known[side] = pipes(side, self._is_constant)
        return [pipe.source for side in sides for pipe in self._known[side]]

    def _pipes(self, rel: Rel) -> tuple[list[Pipe], list[Node]]:
        found = self._known.pop(rel, None) or pipes(rel, self._is_constant)
        return found, [self._nodes[pipe.source] for pipe in found]

    def _is_constant(self, rel: Rel) -> bool:
        while isinstance(rel, nodes.Map):
            rel = rel.input
        return isinstance(rel, Values) or (isinstance(rel, Scan) and rel.relation in self._relations.constant)

    def _assemble(self, lines: list[str], names: Names, **given: Any) -> dict[str, Callable[..., Any]]:
        indexes = {wanted: self._lookup_table(wanted) for wanted in names.lookups}
        self._tables |= {_table(wanted.rel) for wanted in names.lookups}
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
        rows = source.rows if isinstance(source, Values) else list(self._relations.rows(_table(source)))
        found: dict[Any, list[Row]] = {}
        for key, row in run(rows):
            if key is not None:
                found.setdefault(key, []).append(row)
        return found

    def _piped(self, rel: Rel) -> Node:
        inputs, functions, _ = self._rows(rel)
        return Piped(inputs, functions)

    def _aggregate(self, rel: nodes.Aggregate) -> Node:
        found, inputs = self._pipes(rel.input)
        names = Names(self._is_unique, self._position_at)
        lines, layout = fold_functions(rel, found, names)
        groups: dict[Any, Any] = {}
        dirty: list[Any] = []
        aside: dict[Any, list[Any]] = {}
        group = type("Group", (), {"__slots__": layout.slots})
        grand = _grand(group, layout) if rel.grand else None
        if grand is not None:
            groups[()] = grand
            dirty.append(grand)
        given = {
            "Group": group, "groups": groups, "dirty": dirty, "grand": grand, "aside": aside, "newest": Newest(),
        }  # fmt: skip
        made = self._assemble(lines, names, **given)
        folds = [
            Folds(made[f"insert{n}"], *(made.get(f"{way}{n}") for way in ("retract", "hold", "release")))
            for n in range(len(found))
        ]

        def express() -> Mapping[str, Any]:
            timed = inputs[0] if isinstance(inputs[0], TemporalFilter) else None
            more = Names(self._is_unique, self._position_at)
            lines = express_functions(rel, found[0], layout, more, self._before(found[0]))
            return self._assemble(lines, more, **{**made, **given, "timed": timed, "future": timed and timed.future})

        told = made["emit"], made["changes"], express
        return Aggregate(inputs, folds, groups, dirty, aside, *told, netted=tells_groups_apart(rel))

    def _before(self, pipe: Pipe) -> Pipe | None:
        """The one pipeline of the log that leads into the temporal filter that a pipeline comes from."""
        found = pipes(pipe.source.input, self._is_constant) if isinstance(pipe.source, nodes.Timed) else []
        return found[0] if len(found) == 1 and found[0].log else None

    def _paired(self, rel: Rel, keys: tuple[Expr, ...]) -> tuple[list[Node], list[Callable[..., Any]]]:
        found, inputs = self._pipes(rel)
        names = Names(self._is_unique, self._position_at)
        lines = [line for n, pipe in enumerate(found) for line in paired_function(pipe, keys, f"run{n}", names)]
        made = self._assemble(lines, names)
        return inputs, [made[f"run{n}"] for n in range(len(found))]

    def _join(self, rel: nodes.Join) -> Node:
        left, right = self._paired(rel.left, rel.left_keys), self._paired(rel.right, rel.right_keys)
        on = pair_test(rel.on, rel.widths[0])
        if rel.kind == "inner":
            return Join(left, right, on)
        return Outer(rel.kind, left, right, on, rel.widths[1])

    def _timed(self, rel: nodes.Timed) -> Node:
        assert isinstance(rel.value, nodes.Col), "narrow.py puts the time into a column"
        inputs, functions, log = self._rows(rel.input)
        bound = clock_function(rel.bound)
        return TemporalFilter(inputs, functions, rel.value.index, bound, rel.op, self._now, log=log)

    def _rows(self, rel: Rel) -> tuple[list[Node], list[Callable[..., Any]], bool]:
        """What feeds an operator with plain rows; and whether it is all log."""
        found, inputs = self._pipes(rel)
        names = Names(self._is_unique, self._position_at)
        lines = [line for n, pipe in enumerate(found) for line in rows_function(pipe, f"run{n}", names)]
        made = self._assemble(lines, names)
        return inputs, [made[f"run{n}"] for n in range(len(found))], all(pipe.log for pipe in found)

    def _top(self, rel: nodes.Top) -> Node:
        inputs, functions, log = self._rows(rel.input)
        return Top(inputs, functions, sort_key(rel.order), (rel.offset, rel.limit), log=log)


def _grand(group: type, layout: Layout) -> Any:
    """The one group that is always there."""
    fill = fresh_group("()", layout, dirty=True)
    lines = ["def made():", "    g = Group()", *("    " + line for line in fill), "    return g"]
    return assemble(lines, Names(), {}, Group=group)["made"]()


def _table(rel: Rel) -> str:
    while isinstance(rel, nodes.Map):
        rel = rel.input
    return rel.relation if isinstance(rel, Scan) else ""
