"""Window functions of one SELECT: what they are, and where in the plan they stand.

While the SELECT is lowered, `WindowSlot(n)` stands for its nth window function. Then the rows that the windows and the
select list need are made (grouped, where the query is), the windows put their values after them, one node for each
partition and order, and the select list and QUALIFY read those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import Context, lower
from dataflow.sql.expressions.scope import folded
from dataflow.sql.expressions.window_calls import Found, Over, comparable, function, sort
from dataflow.sql.parsing.parse import error, only, short
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import (
    Col,
    Const,
    Expr,
    Map,
    Order,
    Rel,
    Window,
    WindowCall,
    WindowSlot,
    placed,
    replace,
)
from dataflow.sql.plan.push_filters import FilterPusher


class Windows:
    """The window functions of one SELECT, each kept once. `named` are those of its WINDOW clause."""

    def __init__(self, named: Sequence[exp.Expr], pusher: FilterPusher) -> None:
        self.pusher = pusher
        self.named: dict[str, Any] = {folded(window.name): window for window in named}
        if len(self.named) < len(named):
            raise error(named[-1], "two windows of the WINDOW clause have one name")
        self.found: list[Found] = []
        self.grouped = False
        self._inside = False

    def lower(self, node: exp.Expr, context: Context) -> Typed:
        """The window function, as a column to come."""
        assert isinstance(node, exp.Window)
        if self._inside:
            raise error(node, f"a window function inside a window function: {short(node)}", "a subquery in FROM first")
        self._inside = True
        try:
            over, frame = self._over(node, context)
            value, found = function(node, over, frame, context)
        finally:
            self._inside = False
        if found not in self.found:
            self.found.append(found)
        return Typed(placed(WindowSlot(self.found.index(found))), value.type, value.wild)

    def _over(self, node: exp.Window, context: Context) -> tuple[Over, exp.Expr | None]:
        partition, order, spec = (self._clause(node, name) for name in ("partition_by", "order", "spec"))
        keys = tuple(comparable(lower(key, context), key).expr for key in partition or ())
        sorts = tuple(sort(entry, context) for entry in order.expressions) if order is not None else ()
        return Over(keys, sorts), spec

    def _clause(self, node: exp.Window, name: str) -> Any:
        """What the window says of its partition, order or frame, or else the window that it is built on."""
        only(node, "this", "partition_by", "order", "spec", "alias", "over")
        own = node.args.get(name)
        base = self._clause(self._named(node), name) if node.args.get("alias") else None
        if own and base and name != "spec":
            raise error(node, f"the window that this one is built on has its own: {short(node)}")
        return own or base

    def _named(self, node: exp.Window) -> exp.Window:
        name = node.args["alias"].name
        if folded(name) not in self.named:
            raise error(node, f"there is no window '{name}'", f"WINDOW {name} AS (PARTITION BY … ORDER BY …)")
        found: exp.Window = self.named[folded(name)]
        return found

    def over(self, groups: Callable[[Expr], Expr]) -> Windows:
        """The same windows over groups: `groups` turns what they read."""
        turned = []
        for found in self.found:
            order = tuple(sort._replace(expr=groups(sort.expr)) for sort in found.over.order)
            over = Over(tuple(map(groups, found.over.partition)), order)
            arg, where = (None if each is None else groups(each) for each in (found.arg, found.where))
            turned.append(Found(over, found.call, arg, where))
        windows = copy(self)
        windows.found, windows.grouped = turned, True
        return windows

    def apply(
        self, rows: Callable[[tuple[Expr, ...]], Rel], outputs: Sequence[Expr], tests: Sequence[Expr]
    ) -> Map:
        """`outputs` of the rows for which all `tests` are true; `rows` makes rows of the columns that are needed."""
        base = (_made if self.grouped else _needed)([*outputs, *tests], self.found)
        rel, place = rows(base), dict[int, int]()
        width = len(base)
        for over in dict.fromkeys(found.over for found in self.found):
            mine = [(n, found) for n, found in enumerate(self.found) if found.over == over]
            order = tuple(Order(base.index(s.expr), s.type, s.desc, s.nulls_first) for s in over.order)
            calls = tuple(_placed(found, base, order) for _, found in mine)
            partition = tuple(base.index(key) for key in over.partition)
            rel = Window(rel, width, partition, order, calls)
            place |= {n: width + at for at, (n, _) in enumerate(mine)}
            width += len(mine)

        def swap(part: Expr) -> Expr | None:
            if isinstance(part, WindowSlot):
                return Col(place[part.n])
            return Col(base.index(part)) if part in base and not isinstance(part, Const) else None

        turned = [rewrite.replace(each, swap) for each in (*tests, *outputs)]
        for test in turned[: len(tests)]:
            rel = self.pusher.filter(rel, test)
        return Map(rel, (), tuple(turned[len(tests) :]))


def _made(read: Sequence[Expr], found: Sequence[Found]) -> tuple[Expr, ...]:
    """What the windows work on where they are over groups: whole expressions of these."""
    made = list(dict.fromkeys(expr for each in found for expr in each.reads()))
    for expr in read:
        rewrite.collected(expr, made)
    return tuple(made)


def _needed(read: Sequence[Expr], found: Sequence[Found]) -> tuple[Expr, ...]:
    """The columns of the rows that the windows work on."""
    columns = [Col(index) for index in sorted(rewrite.columns(*read))]
    return tuple(dict.fromkeys([*columns, *(expr for each in found for expr in each.reads())]))


def _placed(found: Found, base: tuple[Expr, ...], order: tuple[Order, ...]) -> WindowCall:
    call = found.call
    column = base.index(found.arg) if found.arg is not None else -1
    where = base.index(found.where) if found.where is not None else -1
    by = order[0].index if call.frame == "range" else -1
    return replace(call, column=column, where=where, by=by)
