"""ASOF joins: each left row with the one right row that is nearest by an inequality, as DuckDB has them.

The tests are equalities (keys), exactly one inequality between the sides, and tests of one side: those of the right
side say which rows can be nearest, those of the left side which rows have one at all. USING compares its last column
by >=.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, meet
from dataflow.sql.expressions.lower import condition, lower
from dataflow.sql.expressions.scope import RowContext, Source
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan import rewrite, types
from dataflow.sql.plan.nodes import And, AsOf, Case, Col, Const, Expr, Map
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.plan.types import BOOL, INTERVAL, JSON, MONTHS, NULL

OPS: dict[type[exp.Expr], str] = {exp.GTE: ">=", exp.GT: ">", exp.LTE: "<=", exp.LT: "<"}
TURNED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
EXAMPLE = "ASOF JOIN prices p ON t.symbol = p.symbol AND t.time >= p.time"


class Nearest(NamedTuple):
    """The inequality: `left` and `right` over the two rows side by side, both of `type`."""

    left: Expr
    op: str
    right: Expr
    type: str


def nearest(left: Typed, op: str, right: Typed, node: exp.Expr) -> Nearest:
    """The inequality of these two. Raises SqlError where such values have no order."""
    (left, right), type = meet([left, right], node, "comparison")
    if type in (BOOL, JSON, MONTHS, INTERVAL, NULL):
        raise refused(node, f"ASOF JOIN compares numbers, times or text, not {types.spoken(type)}: {short(node)}")
    return Nearest(left.expr, op, right.expr, type)


def kind_of(node: exp.Expr) -> str:
    """inner or left. Raises SqlError for all other joins."""
    side, word = node.args.get("side") or "", node.args.get("kind") or ""
    if side not in ("", "LEFT") or word not in ("", "INNER", "OUTER"):
        kind = " ".join(filter(None, ("ASOF", side, word, "JOIN")))
        raise refused(node, f"{kind} is not supported", "ASOF JOIN or ASOF LEFT JOIN")
    return "left" if side else "inner"


def split_on(node: exp.Expr, both: Source, width: int) -> tuple[list[Expr], Nearest]:
    """The tests of ON, and the inequality among them; `width` is the left side's."""
    on = node.args.get("on")
    if on is None:
        raise error(node, f"ASOF JOIN needs ON with an inequality, or USING: {short(node)}", EXAMPLE)
    context = RowContext(both, "ON")
    tests: list[Expr] = []
    found: list[Nearest] = []
    for part in _parts(on):
        by = _inequality(part, context, width)
        if by is None:
            tests += _tested(part, context, width)
        else:
            found.append(by)
    if len(found) != 1:
        number = "one inequality between the sides, not " + ("several" if found else "none")
        raise error(on, f"ASOF JOIN takes {number}: {short(on)}", EXAMPLE)
    return tests, found[0]


def _tested(node: exp.Expr, context: RowContext, width: int) -> Sequence[Expr]:
    tests = rewrite.conjuncts(condition(node, context, "ON"))
    for test in tests:
        used = rewrite.columns(test)
        if used and min(used) < width <= max(used) and rewrite.equality(test, width) is None:
            raise refused(
                node, f"beside its inequality ASOF JOIN takes equalities and tests of one side: {short(node)}",
                "JOIN … ON, and max_by",
            )  # fmt: skip
    return tests


def _parts(on: exp.Expr) -> list[exp.Expr]:
    """What AND joins, BETWEEN as its two comparisons."""
    waiting, found = [on], list[exp.Expr]()
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, exp.Paren):
            waiting.insert(0, node.this)
        elif isinstance(node, exp.And):
            waiting[:0] = [node.this, node.expression]
        elif isinstance(node, exp.Between):
            waiting[:0] = _bounds(node)
        else:
            found.append(node)
    return found


def _bounds(node: exp.Between) -> list[exp.Expr]:
    made = [exp.GTE(this=node.this.copy(), expression=node.args["low"].copy()),
            exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())]  # fmt: skip
    for each in made:
        each.parent = node.parent
    return list(made)


def _inequality(node: exp.Expr, context: RowContext, width: int) -> Nearest | None:
    """The inequality between the sides that this is; None where it is something else."""
    op = OPS.get(type(node))
    if op is None or isinstance(node.this, exp.Tuple):
        return None
    left, right = lower(node.this, context), lower(node.expression, context)
    one, two = rewrite.columns(left.expr), rewrite.columns(right.expr)
    if not one or not two:
        return None
    if max(one) < width <= min(two):
        return nearest(left, op, right, node)
    if max(two) < width <= min(one):
        return nearest(right, TURNED[op], left, node)
    return None


def join_nearest(
    left: Source, right: Source, kind: str, tests: Sequence[Expr], by: Nearest, pusher: FilterPusher
) -> tuple[AsOf, Source, Source]:
    """The plan, and its two sides: what is compared is a column of theirs."""
    ours, theirs, value = left.rel, right.rel, by.left
    keys: list[tuple[Expr, Expr]] = []
    alone: list[Expr] = []
    for test in tests:
        used, pair = rewrite.columns(test), rewrite.equality(test, left.width)
        if pair is not None:
            keys.append(pair)
        elif used and min(used) >= left.width:
            theirs = pusher.filter(theirs, rewrite.shifted(test, -left.width))
        else:
            alone.append(test)
    if alone and kind == "inner":
        ours = pusher.filter(ours, And(tuple(alone)))
    elif alone:
        value = Case(((And(tuple(alone)), value),), Const(None, by.type))
    one, at = _with_column(left._replace(rel=ours), value)
    other, other_at = _with_column(right._replace(rel=theirs), rewrite.shifted(by.right, -left.width))
    sides = tuple(key[0] for key in keys), tuple(key[1] for key in keys)
    rel = AsOf(kind, one.rel, other.rel, *sides, (at, other_at), by.op, by.type, (one.width, other.width))
    return rel, one, other


def _with_column(source: Source, value: Expr) -> tuple[Source, int]:
    """The relation in which `value` is a column, and which one: its last one where it is computed."""
    if isinstance(value, Col):
        return source, value.index
    columns = (*map(Col, range(source.width)), value)
    return source._replace(rel=Map(source.rel, (), columns), width=source.width + 1), source.width
