"""One window function: its kind, its argument, its frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions import times
from dataflow.sql.expressions.aggregates import quantile_part
from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.expressions.lower import Context, condition, lower
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Bound, Const, Expr, WindowCall, replace
from dataflow.sql.plan.types import BOOL, DATE, FLOAT, INT, JSON, MONTHS, NULL
from dataflow.sql.runtime.calendar import DAY

Kinds = dict[type[exp.Expr], str]
PLAIN: Kinds = {
    exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank", exp.PercentRank: "percent_rank",
    exp.CumeDist: "cume_dist",
}  # fmt: skip
SHIFTED: Kinds = {exp.Lag: "lag", exp.Lead: "lead"}
PICKED: Kinds = {
    exp.FirstValue: "first_value", exp.LastValue: "last_value", exp.First: "first_value", exp.Last: "last_value",
    exp.NthValue: "nth_value",
}  # fmt: skip
FOLDED: Kinds = {
    exp.Count: "count", exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max", exp.LogicalAnd: "min",
    exp.LogicalOr: "max",
}  # fmt: skip
GATHERED: dict[type[exp.Expr], tuple[str, float]] = {
    exp.Median: ("quantile", 0.5), exp.PercentileCont: ("quantile", 0.5), exp.Stddev: ("deviation", 1),
    exp.StddevSamp: ("deviation", 1), exp.StddevPop: ("deviation", 0), exp.Variance: ("variance", 1),
    exp.VariancePop: ("variance", 0),
}  # fmt: skip
"""Kind and parameter of what needs all values of a frame."""
KNOWN = (
    "there are row_number, rank, dense_rank, percent_rank, cume_dist, ntile, lag, lead, first_value, last_value, "
    "nth_value, count, sum, avg, min, max, bool_and, bool_or, median, quantile_cont, stddev and variance"
)
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


class Frame(NamedTuple):
    """As in `plan.WindowCall`."""

    kind: str
    offset: int = 0
    bounds: tuple[Bound, Bound] = (None, None)


def sort(entry: exp.Expr, context: Context) -> Sort:
    only(entry, "this", "desc", "nulls_first")
    value = comparable(lower(entry.this, context), entry)
    return Sort(value.expr, value.type, bool(entry.args.get("desc")), bool(entry.args.get("nulls_first")))


def comparable(value: Typed, node: exp.Expr) -> Typed:
    if value.type in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(value.type)} values cannot be compared: {short(node)}")
    return value


def function(node: exp.Window, over: Over, spec: exp.Expr | None, context: Context) -> tuple[Typed, Found]:
    """The function's value (its expression is of no matter), and what it is."""
    call = node.this
    if isinstance(call, exp.IgnoreNulls | exp.RespectNulls):
        if type(call.this) not in {**SHIFTED, **PICKED}:
            raise error(node, f"IGNORE NULLS goes with lag, lead, first_value, last_value and nth_value: {short(node)}")
        value, found = _plain(call.this, node, over, spec, context)
        known = isinstance(call, exp.IgnoreNulls)
        return value, found._replace(call=replace(found.call, known=known))
    return _plain(call, node, over, spec, context)


def _plain(
    call: exp.Expr, node: exp.Window, over: Over, spec: exp.Expr | None, context: Context
) -> tuple[Typed, Found]:
    where = None
    if isinstance(call, exp.Filter):
        call, where = call.this, condition(call.expression.this, context, "FILTER")
    kind = type(call)
    if where is not None and kind not in FOLDED and kind not in GATHERED:
        raise error(node, f"FILTER goes with an aggregate: {short(node)}")
    if kind in PLAIN:
        only(call)
        number = FLOAT if kind in (exp.PercentRank, exp.CumeDist) else INT
        return Typed(Const(0, number), number), Found(over, WindowCall(PLAIN[kind]), None, None)
    if kind is exp.Ntile:
        only(call, "this")
        return Typed(Const(0, INT), INT), Found(over, WindowCall("ntile", offset=_count(call.this, call)), None, None)
    if kind in SHIFTED:
        return _shifted(call, over, context)
    frame = _frame(spec, over)
    if kind in PICKED:
        return _picked(call, over, frame, context)
    if kind in GATHERED or _is_distinct(call):
        return _gathered(call, over, frame, where, context)
    if kind in FOLDED:
        return _folded(call, over, frame, where, context)
    raise refused(node, f"{short(call)} OVER is not supported", KNOWN)


def _count(node: exp.Expr | None, call: exp.Expr) -> int:
    """A whole number above zero."""
    if not isinstance(node, exp.Literal) or not node.name.isdigit() or int(node.name) == 0:
        raise refused(call, f"{call.key} takes a whole number above zero: {short(call)}", "ntile(4)")
    return int(node.name)


def _shifted(call: exp.Expr, over: Over, context: Context) -> tuple[Typed, Found]:
    only(call, "this", "offset", "default")
    value = lower(call.this, context)
    by = _distance(call)
    given = call.args.get("default")
    default = None
    if given is not None:
        other = cast(lower(given, context), value.type, given)
        if other.constant is None and not isinstance(given, exp.Null):
            raise refused(call, f"{call.key} takes a literal as its third argument: {short(call)}", "coalesce(…, x)")
        default = other.constant
    kind = WindowCall(SHIFTED[type(call)], offset=by, default=default)
    return value, Found(over, kind, value.expr, None)


def _distance(call: exp.Expr) -> int:
    by = call.args.get("offset")
    if by is None:
        return 1
    inner = by.this if isinstance(by, exp.Neg) else by
    if not isinstance(inner, exp.Literal) or not inner.name.isdigit():
        raise refused(call, f"{call.key} takes a whole number as its second argument: {short(call)}", "lag(x, 2)")
    return -int(inner.name) if inner is not by else int(inner.name)


def _picked(call: exp.Expr, over: Over, frame: Frame, context: Context) -> tuple[Typed, Found]:
    kind = PICKED[type(call)]
    only(call, "this", "offset")
    if isinstance(call.this, exp.Order):
        raise refused(call, f"ORDER BY in a window function is not supported: {short(call)}", "OVER (ORDER BY …)")
    value = lower(call.this, context)
    nth = _count(call.args.get("offset"), call) if kind == "nth_value" else None
    found = WindowCall(kind, frame=frame.kind, offset=frame.offset, default=nth, bounds=frame.bounds)
    return value, Found(over, found, value.expr, None)


def _is_distinct(call: exp.Expr) -> bool:
    return isinstance(call, exp.Count) and isinstance(call.this, exp.Distinct)


def _gathered(
    call: exp.Expr, over: Over, frame: Frame, where: Expr | None, context: Context
) -> tuple[Typed, Found]:
    """Of all values of a frame, which are told anew for each frame: so not of those that grow with every row."""
    if frame.kind in ("peers", "rows", "onward") or None in frame.bounds != (None, None):
        raise refused(call, f"{short(call)} of a growing frame is not supported", f"OVER (PARTITION BY …), or {FRAMES}")
    if _is_distinct(call):
        only(call.this, "expressions")
        if len(call.this.expressions) != 1:
            raise refused(call, f"DISTINCT takes one expression: {short(call)}")
        value = comparable(lower(call.this.expressions[0], context), call)
        kind, told, type_ = "distinct", None, INT
    else:
        only(call, "this", "expression")
        value = lower(call.this, context)
        (kind, told), type_ = GATHERED[type(call)], FLOAT
        if kind == "quantile" and types.is_decimal(value.type):
            raise refused(call, f"{call.key} of decimals is not supported: {short(call)}", "cast to DOUBLE")
        value = _number(value, call)
        if call.args.get("expression") is not None:
            told = quantile_part(call)
    found = WindowCall(kind, frame=frame.kind, offset=frame.offset, default=told, bounds=frame.bounds)
    return Typed(value.expr, type_, type_ == FLOAT), Found(over, found, value.expr, where)


def _number(value: Typed, call: exp.Expr) -> Typed:
    """A number that is no decimal."""
    if value.type == NULL:
        value = cast(value, INT, call)
    if not types.is_number(value.type):
        raise error(call, f"{call.key} needs numbers, not {types.spoken(value.type)}: {short(call)}")
    return cast(value, FLOAT, call) if types.is_decimal(value.type) else value


def _folded(
    call: exp.Expr, over: Over, frame: Frame, where: Expr | None, context: Context
) -> tuple[Typed, Found]:
    only(call, "this", "big_int")
    kind = FOLDED[type(call)]
    if isinstance(call.this, exp.Distinct):
        raise refused(call, f"DISTINCT in a window is not supported: {short(call)}", "group in a subquery first")

    def found(column: Expr | None) -> Found:
        made = WindowCall(kind, frame=frame.kind, offset=frame.offset, bounds=frame.bounds)
        return Found(over, made, column, where)

    if kind == "count" and (call.this is None or isinstance(call.this, exp.Star)):
        return Typed(Const(0, INT), INT), found(None)
    value = lower(call.this, context)
    if kind in ("sum", "avg"):
        if value.type == types.BOOL and kind == "sum":
            value = cast(value, INT, call)
        kept = value.type if types.is_decimal(value.type) and kind == "sum" else ""
        value = value if kept else _number(value, call)
    elif isinstance(call, exp.LogicalAnd | exp.LogicalOr):
        if value.type not in (BOOL, NULL):
            raise error(call, f"{call.key} takes a condition, not {types.spoken(value.type)}: {short(call)}")
        value = cast(value, BOOL, call)
    elif kind != "count":
        comparable(value, call)
    type_ = {"count": INT, "avg": FLOAT}.get(kind, value.type)
    return Typed(value.expr, type_, value.wild or type_ == FLOAT), found(value.expr)


def _frame(spec: exp.Expr | None, over: Over) -> Frame:
    """The frame; a RANGE without ORDER BY, where all rows are peers, is the whole partition."""
    if spec is None:
        return Frame("peers" if over.order else "whole")
    only(spec, "kind", "start", "start_side", "end", "end_side")
    if str(spec.args.get("kind")).upper() == "RANGE" and over.order and _measured(spec):
        return _ranged(spec, over)
    start, end = _bound(spec, "start"), _bound(spec, "end") if spec.args.get("end") is not None else 0
    if str(spec.args.get("kind")).upper() != "ROWS":
        known = {(None, None): "whole", (None, 0): "peers", (0, 0): "tied", (0, None): "onward"}
        if (start, end) not in known:
            raise refused(spec, f"this frame is not supported: {short(spec)}", FRAMES)
        return Frame(known[start, end] if over.order else "whole")
    if start is not None and end is not None and start > end:
        raise error(spec, f"the frame ends before it starts: {short(spec)}", FRAMES)
    if start is None:
        return Frame("whole" if end is None else "rows") if not end else Frame("between", bounds=(start, end))
    return Frame("sliding", -start) if end == 0 else Frame("between", bounds=(start, end))


def _measured(spec: exp.Expr) -> bool:
    """Whether an end of the frame is a distance."""
    return any(isinstance(spec.args.get(name), exp.Expr) for name in ("start", "end"))


def _ranged(spec: exp.Expr, over: Over) -> Frame:
    """A frame of the rows whose value is within a distance of the row's."""
    if len(over.order) > 1:
        raise error(spec, f"a RANGE with a distance needs one value in ORDER BY: {short(spec)}")
    type_ = over.order[0].type
    start = _end(spec, "start", lambda node: _span(node, type_))
    end = _end(spec, "end", lambda node: _span(node, type_)) if spec.args.get("end") is not None else 0
    if start is not None and end is not None and start > end:
        raise error(spec, f"the frame ends before it starts: {short(spec)}")
    return Frame("range", bounds=(start, end))


def _span(node: exp.Expr, type_: str) -> Bound:
    """A distance between values of a type; None where it has none."""
    if isinstance(node, exp.Interval) and type_ in types.TIMES:
        value = times.interval(node)
        return value.constant if value.type == types.INTERVAL and value.constant >= 0 else None
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if type_ == FLOAT:
        return float(node.name)
    return int(node.name) * (DAY if type_ == DATE else 1) if type_ in (INT, DATE) and node.name.isdigit() else None


def _bound(spec: exp.Expr, name: str) -> int | None:
    """A distance in rows; None where there is no bound."""

    def rows(node: exp.Expr) -> Bound:
        return int(node.name) if isinstance(node, exp.Literal) and node.name.isdigit() else None

    found = _end(spec, name, rows)
    return None if found is None else int(found)


def _end(spec: exp.Expr, name: str, distance: Callable[[exp.Expr], Bound]) -> Bound:
    """An end of the frame; None where there is no bound."""
    bound, side = spec.args.get(name), str(spec.args.get(f"{name}_side") or "").upper()
    if bound == "CURRENT ROW":
        return 0
    if bound == "UNBOUNDED" and side == ("PRECEDING" if name == "start" else "FOLLOWING"):
        return None
    found = distance(bound) if isinstance(bound, exp.Expr) else None
    if found is None:
        raise refused(spec, f"this frame is not supported: {short(spec)}", FRAMES)
    return found if side == "FOLLOWING" else -found
