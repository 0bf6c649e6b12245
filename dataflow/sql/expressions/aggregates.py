"""Aggregate functions: which there are, what they take, and into which accumulators they go (`plan.Agg`).

avg is a sum over a count, so that both are shared with whoever else asks for them. `latest(x)` is `arg_max(x,
position)` and `earliest(x)` `arg_min(x, position)`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.expressions.lower import Context, condition, lower
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Agg, AggregateSlot, Call, Expr, placed
from dataflow.sql.plan.types import BOOL, FLOAT, INT, JSON, MONTHS, NULL

HINTS = {
    "approxdistinct": "count(DISTINCT x)", "arrayagg": "to_json(list(x ORDER BY y)), or string_agg(x, ', ' ORDER BY y)",
}  # fmt: skip


class Aggregates:
    """The aggregates of one SELECT, each kept once: `AggregateSlot(n)` stands for the nth."""

    def __init__(self, rows: Context) -> None:
        self.rows = rows
        self.aggs: list[Agg] = []
        self.inside = False

    def lower(self, node: exp.Expr) -> Typed | None:
        """The aggregate that `node` is, as a column to come; None if it is none."""
        where, call = None, node
        if isinstance(node, exp.Filter):
            call, where = node.this, node.expression.this
        name = name_of(call)
        if name is None:
            return None
        if self.inside:
            raise error(node, f"an aggregate inside an aggregate: {short(node)}", "aggregate in a subquery first")
        self.inside = True
        try:
            test = condition(where, self.rows, "FILTER") if where is not None else None
            return RULES[name](self, call, test)
        finally:
            self.inside = False

    def add(self, agg: Agg) -> Expr:
        if agg not in self.aggs:
            self.aggs.append(agg)
        return placed(AggregateSlot(self.aggs.index(agg)))

    def value(self, node: exp.Expr) -> Typed:
        return lower(node, self.rows)


Rule = Callable[[Aggregates, exp.Expr, Expr | None], Typed]


def name_of(node: exp.Expr) -> str | None:
    """The rule's name for an aggregate call; None for anything else. Raises for aggregates without a rule."""
    if isinstance(node, exp.Anonymous):
        return "listed" if _is_listed(node) else node.name.lower() if _is_named(node) else None
    if isinstance(node, exp.WithinGroup):
        return "withingroup"
    if isinstance(node, exp.IgnoreNulls) and isinstance(node.this, exp.AnyValue):
        return "anyvalue"
    if isinstance(node, exp.IgnoreNulls | exp.RespectNulls) and isinstance(node.this, exp.AggFunc):
        node = node.this
    if not isinstance(node, exp.AggFunc):
        return None
    name = type(node).__name__.lower()
    if name not in RULES:
        hint = HINTS.get(name, "")
        said = "list" if name == "arrayagg" else node.sql_name().lower()
        raise refused(node, f"the aggregate {said} is not supported", hint and f"write {hint}")
    return name


def _is_listed(node: exp.Expr) -> bool:
    """to_json(list(…)): a list is none of the types that a row can hold."""
    if node.name.lower() != "to_json" or len(node.expressions) != 1:
        return False
    inner = node.expressions[0]
    return isinstance(inner.this if isinstance(inner, exp.Filter) else inner, exp.ArrayAgg)


def holds(node: exp.Expr) -> bool:
    """Whether an aggregate stands anywhere in the expression (not in its subqueries)."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Window):
            waiting += inside(part)
        elif not isinstance(part, exp.Query):
            if isinstance(part, exp.AggFunc) or _is_named(part):
                return True
            waiting += part.iter_expressions()
    return False


def _is_named(node: exp.Expr) -> bool:
    """An aggregate that the parser does not know for one."""
    return isinstance(node, exp.Anonymous) and node.name.lower() in ("latest", "earliest", "product")


def inside_one(node: exp.Expr, root: exp.Expr) -> bool:
    """Whether the node stands inside an aggregate's call, below `root`."""
    part = node.parent
    while part is not None and part is not root:
        if isinstance(part, exp.AggFunc | exp.Filter) or _is_named(part):
            return not isinstance(part.parent, exp.Window)
        part = part.parent
    return False


def inside(window: exp.Window) -> list[exp.Expr]:
    """What a window function reads: its function's arguments, the partition and the order."""
    call, parts = window.this, []
    if isinstance(call, exp.IgnoreNulls | exp.RespectNulls):
        call = call.this
    if isinstance(call, exp.Filter):
        parts.append(call.expression)
        call = call.this
    parts += [*call.iter_expressions(), *(window.args.get("partition_by") or [])]
    order = window.args.get("order")
    return [*parts, *([order] if order is not None else [])]


def single(aggs: Aggregates, node: exp.Expr, *also: str) -> tuple[Typed, bool]:
    """The argument, and whether DISTINCT stands before it."""
    only(node, "this", *also)
    inner = node.this
    if not isinstance(inner, exp.Distinct):
        if inner is None or isinstance(inner, exp.Star):
            raise error(node, f"{short(node)} needs a column")
        return aggs.value(inner), False
    only(inner, "expressions")
    if len(inner.expressions) != 1:
        raise refused(node, f"DISTINCT takes one expression: {short(node)}")
    return aggs.value(inner.expressions[0]), True


def count(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    only(node, "this", "big_int")
    if node.this is None or isinstance(node.this, exp.Star):
        only(node.this or node, "this", "big_int")
        return Typed(aggs.add(Agg("count", (), where)), INT)
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) and node.this.expressions else node.this
    if isinstance(inner, exp.Tuple):
        return _count_rows(aggs, node, inner, where)
    value, distinct = single(aggs, node, "big_int")
    if distinct and value.type == JSON:
        raise refused(node, f"json values cannot be compared: {short(node)}")
    return Typed(aggs.add(Agg("count", (value.expr,), where, distinct)), INT)


def _count_rows(aggs: Aggregates, node: exp.Expr, inner: exp.Tuple, where: Expr | None) -> Typed:
    """count((a, b)): rows of values are never NULL, and equal where each is, NULLs too."""
    values = [aggs.value(part) for part in inner.expressions]
    if not values:
        raise error(node, f"{short(node)} needs values", "count(*)")
    for value in values:
        comparable(value, node)
    slots = ", ".join(f"{{{at}}}" for at in range(len(values)))
    row = Call(f"({slots},)", tuple(value.expr for value in values), strict=False)
    return Typed(aggs.add(Agg("count", (row,), where, isinstance(node.this, exp.Distinct))), INT)


def count_if(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    """As DuckDB has it: a sum of ones and zeros, which is NULL where nothing is known."""
    value, distinct = single(aggs, node)
    if value.type not in (BOOL, NULL) or distinct:
        raise error(node, f"count_if takes a condition: {short(node)}")
    return Typed(aggs.add(Agg("sum", (cast(value, INT, node).expr,), where)), INT)


def _number(aggs: Aggregates, node: exp.Expr, *also: str) -> tuple[Typed, bool]:
    value, distinct = single(aggs, node, *also)
    if value.type == BOOL and isinstance(node, exp.Sum):
        value = cast(value, INT, node)
    return number(value, node), distinct


def number(value: Typed, node: exp.Expr) -> Typed:
    """The value, if it is a number."""
    if value.type == NULL:
        value = cast(value, INT, node)
    if not types.is_number(value.type):
        hint = "epoch(x)" if value.type in types.TIMES or value.type == types.INTERVAL else "TRY_CAST(x AS DOUBLE)"
        raise error(node, f"{node.key} needs numbers, not {types.spoken(value.type)}: {short(node)}", hint)
    return value


def sum_(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    value, distinct = _number(aggs, node)
    kind = "sum_float" if value.type == FLOAT else "sum"
    return Typed(aggs.add(Agg(kind, (value.expr,), where, distinct)), types.wide(value.type), value.type == FLOAT)


def avg(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    value, distinct = _number(aggs, node)
    kind = "sum_float" if value.type == FLOAT else "sum"
    total = aggs.add(Agg(kind, (value.expr,), where, distinct))
    size = aggs.add(Agg("count", (value.expr,), where, distinct))
    unit = 10 ** types.scale(value.type)
    code = f"({{0}} / ({{1}} * {unit}))" if unit > 1 else "one_nan({0} / {1})" if value.wild else "({0} / {1})"
    return Typed(Call(code, (total, size)), FLOAT, True)


def _extreme(kind: str) -> Rule:
    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        value, _ = single(aggs, node)
        comparable(value, node)
        name = kind + ("_float" if value.type == FLOAT else "")
        return Typed(aggs.add(Agg(name, (value.expr,), where)), value.type, value.wild)

    return apply


def comparable(value: Typed, node: exp.Expr) -> None:
    if value.type in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(value.type)} values cannot be compared: {short(node)}")


def _arg_extreme(kind: str) -> Rule:
    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        only(node, "this", "expression")
        value, key = aggs.value(node.this), aggs.value(node.expression)
        return _arg(aggs, kind, value, key, node, where)

    return apply


def _by_position(kind: str) -> Rule:
    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        if len(node.expressions) != 1:
            raise error(node, f"{node.name.lower()} takes one expression: {short(node)}")
        inner = node.expressions[0]
        return _arg(aggs, kind, aggs.value(inner), aggs.value(position_for(inner)), node, where)

    return apply


def position_for(node: exp.Expr) -> exp.Column:
    """The position column of the relation that `node`'s columns come from."""
    tables = {column.table for column in node.find_all(exp.Column)}
    table = tables.pop() if len(tables) == 1 else ""
    column = exp.column("position", table=table or None)
    for part in node.find_all(exp.Identifier):
        column.this.meta.update(part.meta)
        break
    return column


def _arg(aggs: Aggregates, kind: str, value: Typed, key: Typed, node: exp.Expr, where: Expr | None) -> Typed:
    comparable(key, node)
    comparable(value, node)
    name = kind + ("_float" if key.type == FLOAT else "")
    return Typed(aggs.add(Agg(name, (value.expr, key.expr), where)), value.type, value.wild)


def _logical(kind: str) -> Rule:
    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        value, _ = single(aggs, node)
        if value.type not in (BOOL, NULL):
            raise error(node, f"{kind} takes a condition, not {types.spoken(value.type)}: {short(node)}")
        return Typed(aggs.add(Agg(kind, (value.expr,), where)), BOOL)

    return apply


def _values(aggs: Aggregates, node: exp.Expr, where: Expr | None, *also: str) -> Expr:
    """All numbers of a group, as a dict of how often each is there."""
    value, distinct = _number(aggs, node, *also)
    if distinct or types.is_decimal(value.type):
        raise refused(
            node,
            f"{node.key} of {'DISTINCT' if distinct else 'decimals'} is not supported: {short(node)}",
            "cast to DOUBLE",
        )
    return aggs.add(Agg("values", (value.expr,), where))


def _statistic(code: str) -> Rule:
    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        return Typed(Call(code, (_values(aggs, node, where),), nullable=True), FLOAT, True)

    return apply


def quantile(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    part = quantile_part(node)
    values = _values(aggs, node, where, "expression")
    return Typed(Call(f"quantile({{0}}, {part})", (values,), nullable=True), FLOAT, True)


def quantile_part(node: exp.Expr) -> float:
    """The number from 0 to 1 that a quantile takes."""
    part = node.expression
    if not isinstance(part, exp.Literal) or part.args.get("is_string") or not 0 <= float(part.name) <= 1:
        raise refused(node, f"quantile_cont takes a number from 0 to 1: {short(node)}", "quantile_cont(x, 0.9)")
    return float(part.name)


def any_value(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    """Any will do, and the least is one that stays the same while other rows come and go."""
    return _extreme("min")(aggs, node.this, where)


RULES: dict[str, Rule] = {
    "count": count, "countif": count_if, "sum": sum_, "avg": avg, "min": _extreme("min"), "max": _extreme("max"),
    "argmin": _arg_extreme("arg_min"), "argmax": _arg_extreme("arg_max"),
    "earliest": _by_position("arg_min"), "latest": _by_position("arg_max"),
    "median": _statistic("quantile({0}, 0.5)"), "percentilecont": quantile,
    "stddev": _statistic("deviation({0}, 1)"), "stddevsamp": _statistic("deviation({0}, 1)"),
    "stddevpop": _statistic("deviation({0}, 0)"), "variance": _statistic("variance({0}, 1)"),
    "variancepop": _statistic("variance({0}, 0)"),
    "anyvalue": any_value,
    "logicaland": _logical("bool_and"), "logicalor": _logical("bool_or"),
}  # fmt: skip
