"""DISTINCT, and DISTINCT ON: of the rows that are equal in some values, the first in the query's order."""

from __future__ import annotations

from collections.abc import Sequence

from dataflow.sql.plan.nodes import Aggregate, Call, Col, Const, Map, Order, Rel, Window, WindowCall
from dataflow.sql.plan.types import INT


def distinct(rel: Rel, width: int) -> Rel:
    keys = tuple(Col(i) for i in range(width))
    return Aggregate(rel, keys, (), (), keys)


def distinct_on(rel: Rel, width: int, by: Sequence[int], order: tuple[Order, ...]) -> Rel:
    """The first row of each; rows that are tied go by their columns. `by` are columns of the row."""
    first = Window(rel, width, tuple(by), order, (WindowCall("row_number"),), 1)
    test = Call("{0} <= {1}", (Col(width), Const(1, INT)))
    return Map(first, (test,), tuple(Col(i) for i in range(width)))


def numbered(rel: Rel, width: int) -> Rel:
    """Every row with a number among those equal to it, from 1: what makes of EXCEPT and INTERSECT their ALL."""
    return Window(rel, width, tuple(range(width)), (), (WindowCall("row_number"),))
