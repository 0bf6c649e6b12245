"""GROUP BY's grouping sets: ROLLUP, CUBE and GROUPING SETS as sets of keys, one aggregate each, their rows together.

An expression over a group's row, which is all keys and then the aggregates, is turned for one set: a key that is not
of the set is NULL, and `grouping(…)`, which stands as a call of that name, becomes the number that tells which.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Aggregate, Call, Col, Const, Expr, Rel, Union
from dataflow.sql.plan.prune_columns import prune_columns

Set = tuple[exp.Expr, ...]
GROUPING = "grouping"
MANY = 64
"""More sets than that are refused."""


def holds_sets(nodes: Sequence[exp.Expr]) -> bool:
    return any(isinstance(node, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple) for node in nodes)


def sets_of(nodes: Sequence[exp.Expr]) -> list[Set]:
    """Each entry of GROUP BY is a list of sets; together they are all combinations."""
    return [tuple(key for part in parts for key in part) for parts in product(*map(_sets, nodes))]


def _sets(node: exp.Expr) -> list[Set]:
    if isinstance(node, exp.GroupingSets):
        return [found for part in node.expressions for found in _sets(part)]
    if isinstance(node, exp.Rollup):
        parts = [_keys(part) for part in node.expressions]
        return [_together(parts[:size]) for size in range(len(parts), -1, -1)]
    if isinstance(node, exp.Cube):
        parts = [_keys(part) for part in node.expressions]
        chosen = product((True, False), repeat=len(parts))
        return [_together([part for part, there in zip(parts, each, strict=True) if there]) for each in chosen]
    return [_keys(node)]


def _keys(node: exp.Expr) -> Set:
    while isinstance(node, exp.Paren):
        node = node.this
    return tuple(node.expressions) if isinstance(node, exp.Tuple) else (node,)


def _together(parts: Sequence[Set]) -> Set:
    return tuple(key for part in parts for key in part)


def over_sets(
    whole: Aggregate, keys: Sequence[Typed], sets: Sequence[tuple[int, ...]], columns: Sequence[Expr]
) -> Rel:
    """`whole` is the aggregate by all keys; its rows, keys and aggregates, are what `columns` are over."""
    return Union(tuple(prune_columns(_over_set(whole, keys, own, columns)) for own in sets))


def _over_set(
    whole: Aggregate, keys: Sequence[Typed], own: tuple[int, ...], columns: Sequence[Expr]
) -> Aggregate:
    def turn(part: Expr) -> Expr | None:
        if isinstance(part, Call) and part.code == GROUPING:
            return Const(_bits(part, own), "int")
        if not isinstance(part, Col):
            return None
        if part.index >= len(keys):
            return Col(part.index - len(keys) + len(own))
        return Col(own.index(part.index)) if part.index in own else Const(None, keys[part.index].type)

    having = tuple(rewrite.replace(test, turn) for test in whole.having)
    made = tuple(rewrite.replace(column, turn) for column in columns)
    return Aggregate(whole.input, tuple(whole.keys[at] for at in own), whole.aggs, having, made, not own)


def _bits(call: Call, own: tuple[int, ...]) -> int:
    found = 0
    for arg in call.args:
        found = found * 2 + (not isinstance(arg, Col) or arg.index not in own)
    return found
