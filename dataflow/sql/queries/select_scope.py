"""What the expressions of one SELECT mean: columns, aliases, aggregates, window functions, subqueries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import Any

from sqlglot import exp

from dataflow.sql.expressions import aggregates
from dataflow.sql.expressions.aggregates import Aggregates
from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import lower
from dataflow.sql.expressions.scope import RowContext, folded
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call, Const, Expr
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.queries.group_subqueries import GroupSubqueries
from dataflow.sql.queries.grouping import UNGROUPED, Groups
from dataflow.sql.queries.grouping_sets import GROUPING
from dataflow.sql.queries.rows import Rows
from dataflow.sql.queries.subqueries import Nested
from dataflow.sql.queries.windows import Windows


class SelectScope:
    """Lowers the expressions of one SELECT over its rows.

    `aggregates`, `windows` and `subqueries` collect what becomes slots, each once. An entry of the select list is
    lowered once, whoever names its alias. `groups` is empty until GROUP BY is lowered.
    """

    def __init__(self, rows: Rows, nested: Nested, pusher: FilterPusher) -> None:
        self.rows = rows
        self.groups = UNGROUPED
        self.subqueries = GroupSubqueries(nested, pusher, rows.waiting)
        self.aggregates = Aggregates(
            RowContext(rows.source, "an aggregate", aggregate=self._inner_aggregate, subquery=self._subquery)
        )
        self.windows = Windows(rows.node.args.get("windows") or [], pusher)
        self.places = {folded(n.alias): at for at, n in enumerate(rows.entries) if isinstance(n, exp.Alias)}
        self._entries: dict[int, Typed] = {}
        self._lowering: set[str] = set()

    def grouped(self, groups: Groups) -> SelectScope:
        """The same, once it is known what the rows are grouped by."""
        scope = copy(self)
        scope.groups = groups
        return scope

    def row_context(self, clause: str) -> RowContext:
        """A clause before the rows are grouped: aliases stand for entries without aggregates."""
        return RowContext(self.rows.source, clause, aliases=Aliases(self, clause), subquery=self._subquery)

    def context(self, clause: str, *, keys: list[Expr] | None = None, upto: int | None = None) -> RowContext:
        """A clause over groups and window functions. It reads the aliases of the entries `upto` one, or all."""
        known = Aliases(self, "", upto)
        return RowContext(
            self.rows.source, clause, aliases=known, keys=keys, subquery=self._subquery,
            aggregate=lambda node: self._collect(node, upto),
        )  # fmt: skip

    def entry(self, at: int, upto: int | None) -> Typed:
        """The value of an entry of the select list, lowered once."""
        if at not in self._entries:
            node = self.rows.entries[at]
            name = folded(node.alias)
            self._lowering.add(name)
            try:
                inner = node.this if isinstance(node, exp.Alias) else node
                self._entries[at] = lower(inner, self.context("the select list", upto=upto))
            finally:
                self._lowering.discard(name)
        return self._entries[at]

    def is_lowering(self, alias: str) -> bool:
        return folded(alias) in self._lowering

    def _inner_aggregate(self, node: exp.Expr) -> Typed | None:
        return self.aggregates.lower(node)

    def _subquery(self, node: exp.Expr) -> Typed:
        if id(node) in self.subqueries.waiting:
            return self.subqueries.lower(node, self.rows.source.rel, self.rows.source, self.groups.keys)
        if id(node) not in self.rows.values:
            raise refused(node, f"a subquery is not supported here: {short(node)}", "join it in FROM")
        return self.rows.values[id(node)]

    def _collect(self, node: exp.Expr, upto: int | None) -> Typed | None:
        """A window function or an aggregate, as a slot; None for anything else."""
        if isinstance(node, exp.Grouping | exp.GroupingId):
            return self._grouping(node)
        if isinstance(node, exp.Window):
            return self.windows.lower(node, self.context("a window", upto=upto))
        return self.aggregates.lower(node)

    def _grouping(self, node: exp.Expr) -> Typed:
        """grouping(a, b): which of the keys the row's set leaves out; a call that `grouping_sets.py` makes a number."""
        context = RowContext(self.rows.source, "grouping", aliases=Aliases(self, "grouping"))
        args = tuple(lower(arg, context).expr for arg in node.expressions)
        keys = [key.expr for key in self.groups.keys]
        if any(arg not in keys for arg in args):
            raise error(node, f"grouping takes keys of GROUP BY: {short(node)}")
        called = Call(GROUPING, args, strict=False) if self.groups.sets else Const(0, types.INT)
        return Typed(called, types.INT)


class Aliases(Mapping[str, Callable[[], Typed]]):
    """The select list's aliases, lowered when asked for.

    In the clause `whole_rows`, if any, an alias is an error that stands for an aggregate or a window function; so is
    one of an entry after `upto`.
    """

    def __init__(self, scope: SelectScope, whole_rows: str, upto: int | None = None) -> None:
        self.scope = scope
        self.whole_rows = whole_rows
        self.upto = upto

    def __getitem__(self, name: str) -> Callable[[], Typed]:
        at = self.scope.places[name]
        return lambda: self._value(at)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self.scope.places else default

    def __iter__(self) -> Iterator[str]:
        return iter(self.scope.places)

    def __len__(self) -> int:
        return len(self.scope.places)

    def _value(self, at: int) -> Typed:
        entry = self.scope.rows.entries[at]
        if self.scope.is_lowering(entry.alias):
            raise error(entry, f"'{entry.alias}' is defined by itself")
        if self.upto is not None and at > self.upto:
            raise error(entry, f"'{entry.alias}' is read before it is defined: {short(entry)}")
        if self.whole_rows and entry.find(exp.Window):
            raise error(entry, f"a window function in {self.whole_rows}: {short(entry)}", "QUALIFY filters by it")
        if self.whole_rows and aggregates.holds(entry):
            raise error(entry, f"an aggregate in {self.whole_rows}: {short(entry)}")
        return self.scope.entry(at, self.upto)
