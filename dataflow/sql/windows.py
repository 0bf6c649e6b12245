"""Window functions of one SELECT: what they are, and where in the plan they stand.

While the SELECT is lowered, Col(PLACE + n) stands for its nth window function. Then the rows that the windows and the
select list need are made (grouped, where the query is), the windows put their values after them, one node for each
partition and order, and the select list and QUALIFY read those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql import shape, types
from dataflow.sql.casts import Typed, cast
from dataflow.sql.expressions import Context, condition, lower
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.placing import Shaper
from dataflow.sql.plan import Col, Const, Expr, Map, Order, Rel, Window, WindowCall
from dataflow.sql.scope import folded
from dataflow.sql.types import FLOAT, INT, JSON, MONTHS, NULL

PLACE = 2_000_000
Kinds = dict[type[exp.Expr], str]
PLAIN: Kinds = {exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank"}
SHIFTED: Kinds = {exp.Lag: "lag", exp.Lead: "lead"}
FOLDED: Kinds = {exp.Count: "count", exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max"}
KNOWN = "there are row_number, rank, dense_rank, lag, lead, first_value, count, sum, avg, min and max"
FRAMES = "ROWS BETWEEN 5 PRECEDING AND CURRENT ROW"


class Sort(NamedTuple):
    """An entry of a window's ORDER BY."""

    expr: Expr
    type: str
    desc: bool
    nulls_first: bool


class Over(NamedTuple):
    """What stands in OVER (…) but for the frame."""

    partition: tuple[Expr, ...]
    order: tuple[Sort, ...]


class Found(NamedTuple):
    """A window function: `column` and `where` of its call are still to come."""

    over: Over
    call: WindowCall
    arg: Expr | None
    where: Expr | None

    def reads(self) -> tuple[Expr, ...]:
        given = [each for each in (self.arg, self.where) if each is not None]
        return (*self.over.partition, *(sort.expr for sort in self.over.order), *given)


class Windows:
    """The window functions of one SELECT, each kept once. `named` are those of its WINDOW clause."""

    def __init__(self, named: Sequence[exp.Expr], shaper: Shaper) -> None:
        self.shaper = shaper
        self.named = {folded(window.name): window for window in named}
        if len(self.named) < len(named):
            raise error(named[-1], "two windows of the WINDOW clause have one name")
        self.found: list[Found] = []
        self._inside = False

    def lower(self, node: exp.Expr, context: Context) -> Typed:
        """The window function, as a column to come."""
        assert isinstance(node, exp.Window)
        if self._inside:
            raise error(node, f"a window function inside a window function: {short(node)}", "a subquery in FROM first")
        self._inside = True
        try:
            over, frame = self._over(node, context)
            value, found = _function(node, over, frame, context)
        finally:
            self._inside = False
        if found not in self.found:
            self.found.append(found)
        return Typed(Col(PLACE + self.found.index(found)), value.type, value.wild)

    def _over(self, node: exp.Window, context: Context) -> tuple[Over, exp.Expr | None]:
        only(node, "this", "partition_by", "order", "spec", "alias", "over")
        base = self._named(node) if node.args.get("alias") else None
        partition = node.args.get("partition_by") or (base.args.get("partition_by") if base else None) or []
        order = node.args.get("order") or (base.args.get("order") if base else None)
        spec = node.args.get("spec") or (base.args.get("spec") if base else None)
        keys = tuple(_comparable(lower(key, context), key).expr for key in partition)
        sorts = tuple(_sort(entry, context) for entry in order.expressions) if order is not None else ()
        return Over(keys, sorts), spec

    def _named(self, node: exp.Window) -> exp.Expr:
        name = node.args["alias"].name
        if folded(name) not in self.named:
            raise error(node, f"there is no window '{name}'", f"WINDOW {name} AS (PARTITION BY … ORDER BY …)")
        return self.named[folded(name)]

    def over(self, groups: Callable[[Expr], Expr]) -> None:
        """The windows are over groups: what they read is turned so."""
        turned = []
        for found in self.found:
            order = tuple(sort._replace(expr=groups(sort.expr)) for sort in found.over.order)
            over = Over(tuple(map(groups, found.over.partition)), order)
            arg, where = (None if each is None else groups(each) for each in (found.arg, found.where))
            turned.append(Found(over, found.call, arg, where))
        self.found = turned

    def apply(
        self, rows: Callable[[tuple[Expr, ...]], Rel], outputs: Sequence[Expr], tests: Sequence[Expr]
    ) -> Map:
        """`outputs` of the rows for which all `tests` are true; `rows` makes rows of the columns that are needed."""
        base = _needed([*outputs, *tests], self.found)
        rel, place = rows(base), dict[int, int]()
        width = len(base)
        for over in dict.fromkeys(found.over for found in self.found):
            mine = [(n, found) for n, found in enumerate(self.found) if found.over == over]
            calls = tuple(_placed(found, base) for _, found in mine)
            order = tuple(Order(base.index(s.expr), s.type, s.desc, s.nulls_first) for s in over.order)
            partition = tuple(base.index(key) for key in over.partition)
            rel = Window(rel, width, partition, order, calls)
            place |= {n: width + at for at, (n, _) in enumerate(mine)}
            width += len(mine)

        def swap(part: Expr) -> Expr | None:
            if isinstance(part, Col):
                return Col(place[part.index - PLACE] if part.index >= PLACE else base.index(part))
            return None

        turned = [shape.replace(each, swap) for each in (*tests, *outputs)]
        for test in turned[: len(tests)]:
            rel = self.shaper.filter(rel, test)
        return Map(rel, (), tuple(turned[len(tests) :]))


def _needed(read: Sequence[Expr], found: Sequence[Found]) -> tuple[Expr, ...]:
    """The columns of the rows that the windows work on."""
    columns = [Col(index) for index in sorted(shape.columns(*read)) if index < PLACE]
    return tuple(dict.fromkeys([*columns, *(expr for each in found for expr in each.reads())]))


def _placed(found: Found, base: tuple[Expr, ...]) -> WindowCall:
    call = found.call
    column = base.index(found.arg) if found.arg is not None else -1
    where = base.index(found.where) if found.where is not None else -1
    return WindowCall(call.kind, column, where, call.frame, call.offset, call.default)


# one call


def _sort(entry: exp.Expr, context: Context) -> Sort:
    only(entry, "this", "desc", "nulls_first")
    value = _comparable(lower(entry.this, context), entry)
    return Sort(value.expr, value.type, bool(entry.args.get("desc")), bool(entry.args.get("nulls_first")))


def _comparable(value: Typed, node: exp.Expr) -> Typed:
    if value.type in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(value.type)} values cannot be compared: {short(node)}")
    return value


def _function(node: exp.Window, over: Over, spec: exp.Expr | None, context: Context) -> tuple[Typed, Found]:
    """The function's value (its expression is of no matter), and what it is."""
    call, where = node.this, None
    if isinstance(call, exp.Filter):
        call, where = call.this, condition(call.expression.this, context, "FILTER")
    if where is not None and type(call) not in FOLDED:
        raise error(node, f"FILTER goes with an aggregate: {short(node)}")
    if type(call) in PLAIN:
        only(call)
        return Typed(Const(0, INT), INT), Found(over, WindowCall(PLAIN[type(call)]), None, None)
    if type(call) in SHIFTED:
        return _shifted(call, over, context)
    if isinstance(call, exp.FirstValue):
        only(call, "this")
        if spec is not None and _frame(spec, over) == "sliding":
            raise refused(node, f"first_value of a sliding frame is not supported: {short(node)}", "lag(x, 5)")
        value = lower(call.this, context)
        return value, Found(over, WindowCall("first_value"), value.expr, None)
    if type(call) in FOLDED:
        return _folded(call, over, spec, where, context)
    raise refused(node, f"{call.sql('duckdb')} OVER is not supported", KNOWN)


def _shifted(call: exp.Expr, over: Over, context: Context) -> tuple[Typed, Found]:
    only(call, "this", "offset", "default")
    value = lower(call.this, context)
    by = call.args.get("offset")
    if by is not None and (not isinstance(by, exp.Literal) or not by.name.isdigit()):
        raise refused(call, f"{call.key} takes a whole number as its second argument: {short(call)}", "lag(x, 2)")
    given = call.args.get("default")
    default = None
    if given is not None:
        other = cast(lower(given, context), value.type, given)
        if other.constant is None and not isinstance(given, exp.Null):
            raise refused(call, f"{call.key} takes a literal as its third argument: {short(call)}", "coalesce(…, x)")
        default = other.constant
    kind = WindowCall(SHIFTED[type(call)], offset=int(by.name) if by is not None else 1, default=default)
    return value, Found(over, kind, value.expr, None)


def _folded(
    call: exp.Expr, over: Over, spec: exp.Expr | None, where: Expr | None, context: Context
) -> tuple[Typed, Found]:
    only(call, "this", "big_int")
    kind = FOLDED[type(call)]
    frame = _frame(spec, over)
    size = int(spec.args["start"].name) if spec is not None and frame == "sliding" else 0
    if kind == "count" and (call.this is None or isinstance(call.this, exp.Star)):
        return Typed(Const(0, INT), INT), Found(over, WindowCall(kind, frame=frame, offset=size), None, where)
    if isinstance(call.this, exp.Distinct):
        raise refused(call, f"DISTINCT in a window is not supported: {short(call)}", "group in a subquery first")
    value = lower(call.this, context)
    if kind in ("sum", "avg"):
        if value.type == NULL or (value.type == types.BOOL and kind == "sum"):
            value = cast(value, INT, call)
        if not types.is_number(value.type):
            raise error(call, f"{kind} needs numbers, not {types.spoken(value.type)}: {short(call)}")
        if types.is_decimal(value.type) and kind == "avg":
            value = cast(value, FLOAT, call)
    elif kind != "count":
        _comparable(value, call)
    type_ = {"count": INT, "avg": FLOAT}.get(kind, value.type)
    found = Found(over, WindowCall(kind, frame=frame, offset=size), value.expr, where)
    return Typed(value.expr, type_, value.wild or type_ == FLOAT), found


def _frame(spec: exp.Expr | None, over: Over) -> str:
    """Which of the frames that can be kept up to date."""
    if spec is None:
        return "peers" if over.order else "whole"
    only(spec, "kind", "start", "start_side", "end", "end_side")
    start, end, kind = spec.args.get("start"), spec.args.get("end"), str(spec.args.get("kind")).upper()
    before = str(spec.args.get("start_side") or "").upper() == "PRECEDING"
    after = str(spec.args.get("end_side") or "").upper() == "FOLLOWING"
    if start == "UNBOUNDED" and before and end == "UNBOUNDED" and after:
        return "whole"
    if start == "UNBOUNDED" and before and end in ("CURRENT ROW", None):
        return "rows" if kind == "ROWS" else "peers" if over.order else "whole"
    counted = isinstance(start, exp.Literal) and start.name.isdigit()
    if kind == "ROWS" and before and end in ("CURRENT ROW", None) and counted:
        return "sliding"
    raise refused(spec, f"this frame is not supported: {short(spec)}", FRAMES)
