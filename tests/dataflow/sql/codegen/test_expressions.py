"""Generated code computes what an expression means: SQL's NULLs and three-valued logic, however deep or shared."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.sql.plan.codec import encode
from dataflow.sql.plan.nodes import (
    Agg,
    Aggregate,
    And,
    Call,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNull,
    Map,
    Not,
    Or,
    Order,
    Pool,
    Query,
    Rel,
    Scan,
)
from dataflow.zset import Row

COLUMNS = {"a": "int", "b": "int", "c": "bool", "d": "bool"}
ROWS = st.lists(
    st.tuples(*[st.sampled_from([None, 0, 1, 2, -3])] * 2, *[st.sampled_from([None, True, False])] * 2), max_size=6
)
STRICT = {
    "({0} + {1}) % 7": lambda a, b: (a + b) % 7, "({0} - {1}) % 5": lambda a, b: (a - b) % 5,
    "{0} if {0} > {1} else None": lambda a, b: a if a > b else None,
}  # fmt: skip
COMPARED = {
    "{0} < {1}": lambda a, b: a < b, "{0} == {1}": lambda a, b: a == b, "{0} in (0, {1})": lambda a, b: a in (0, b),
}  # fmt: skip
LENIENT = {"({0},) < (2,) if ({0},) != (None,) else True": lambda a: a is None or a < 2}


def meaning(expr: Expr, row: Row, known: dict[Expr, Any]) -> Any:
    """What SQL says the expression is, on a row."""
    if expr not in known:
        known[expr] = _meaning(expr, row, known)
    return known[expr]


def _meaning(expr: Expr, row: Row, known: dict[Expr, Any]) -> Any:
    def of(part: Expr) -> Any:
        return meaning(part, row, known)

    match expr:
        case Col(index=index):
            return row[index]
        case Const(value=value):
            return value
        case Pool(values=values):
            return values
        case Call(code=code, args=args, strict=strict):
            values = [of(arg) for arg in args]
            if strict and None in values:
                return None
            return {**STRICT, **COMPARED, **LENIENT, "{0} in {1}": lambda a, b: a in b}[code](*values)
        case And(args=args) | Or(args=args):
            decides, values = isinstance(expr, Or), [of(arg) for arg in args]
            return decides if decides in values else None if None in values else not decides
        case Not(arg=arg):
            return None if of(arg) is None else not of(arg)
        case IsNull(arg=arg):
            return of(arg) is None
        case Coalesce(args=args):
            return next((of(arg) for arg in args if of(arg) is not None), None)
        case Case(whens=whens, default=default):
            return next((of(value) for when, value in whens if of(when) is True), of(default))


@cache
def ints(depth: int) -> st.SearchStrategy[Expr]:
    leaf = st.one_of(
        st.sampled_from([Col(0), Col(1)]), st.sampled_from([0, 2, None]).map(lambda value: Const(value, "int"))
    )
    if not depth:
        return leaf
    inner, tests = ints(depth - 1), bools(depth - 1)
    whens = st.lists(st.tuples(tests, inner), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        leaf,
        st.builds(lambda code, *args: Call(code, args, True, "None" in code), st.sampled_from([*STRICT]), inner, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda args: Coalesce(tuple(args))), st.builds(Case, whens, inner),
    )  # fmt: skip


@cache
def bools(depth: int) -> st.SearchStrategy[Expr]:
    leaf = st.one_of(
        st.sampled_from([Col(2), Col(3)]), st.sampled_from([True, False, None]).map(lambda value: Const(value, "bool"))
    )
    if not depth:
        return leaf
    inner, numbers = bools(depth - 1), ints(depth - 1)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        leaf, several.map(And), several.map(Or), inner.map(Not), inner.map(IsNull), numbers.map(IsNull),
        st.builds(lambda code, *args: Call(code, args), st.sampled_from([*COMPARED]), numbers, numbers),
        numbers.map(lambda each: Call(next(iter(LENIENT)), (each,), False)),
        numbers.map(lambda each: Call("{0} in {1}", (each, Pool((1, 2))))), several.map(Coalesce),
        st.builds(lambda when, value, default: Case(((when, value),), default), inner, inner, inner),
    )  # fmt: skip


STEPS = (
    lambda part, test, other: Call("({0} + {1}) % 7", (part, part)),
    lambda part, test, other: Case(((test, part), (IsNull(other), Const(1, "int"))), other),
    lambda part, test, other: Coalesce((Call("{0} if {0} > {1} else None", (part, other), True, True), other)),
    lambda part, test, other: Case(
        ((And((test, Call("{0} < {1}", (part, other)))), other), (Or((test, IsNull(part))), part)), part
    ),
)


@st.composite
def towers(draw: st.DrawFn) -> Expr:
    """What is deeper than a line of code, each level read more than once."""
    part = draw(ints(1))
    for _ in range(draw(st.sampled_from([1, 3, 8, 25]))):
        part = draw(st.sampled_from(STEPS))(part, draw(bools(1)), draw(ints(1)))
    return part


def wide(tests: list[Expr], value: Expr) -> Expr:
    """A CASE of more branches than stand in one line."""
    values = [Call("({0} + {1}) % 7", (value, Const(at, "int"))) for at in range(len(tests))]
    return Case(tuple(zip(tests, values, strict=True)), value)


def live_rows(rel: Rel, types: tuple[str, ...], rows: list[Row], gone: list[Row]) -> Counter[Row]:
    """What the engine has of a relation over `t` after rows came and some went."""

    class Plans:
        def get(self, key: str) -> bytes:
            return encode(query)

        def put(self, key: str, plan: bytes) -> None:
            pass

    order = tuple(Order(at, type) for at, type in enumerate(types))
    query = Query(tuple(f"c{at}" for at in range(len(types))), types, rel, order)
    engine = Engine({"t": COLUMNS}, plans=Plans())
    live = engine.live("SELECT 1")
    engine.push("t", [*rows, *gone])
    for row in gone:
        engine.push("t", [row], [-1])
    return Counter(live.rows())


def computed(exprs: list[Expr], where: Expr, rows: list[Row]) -> Counter[Row]:
    known: list[tuple[Row, dict[Expr, Any]]] = [(row, {}) for row in rows]
    return Counter(
        tuple(meaning(expr, row, values) for expr in exprs)
        for row, values in known if meaning(where, row, values) is True
    )  # fmt: skip


TRUE = Const(True, "bool")


@settings(max_examples=80, deadline=None)
@given(number=ints(3), test=bools(3), where=bools(3), rows=ROWS)
def test_values_and_conditions(number: Expr, test: Expr, where: Expr, rows: list[Row]) -> None:
    rel = Map(Scan("t"), (where,), (number, test))
    assert live_rows(rel, ("int", "bool"), rows, []) == computed([number, test], where, rows)


@settings(max_examples=20, deadline=None)
@given(tower=towers(), test=bools(2), rows=ROWS)
def test_what_is_deep_and_shared(tower: Expr, test: Expr, rows: list[Row]) -> None:
    where = Or((test, Call("{0} < {1}", (tower, Const(2, "int"))), IsNull(tower)))
    rel = Map(Scan("t"), (where,), (tower, Coalesce((tower, Col(0)))))
    assert live_rows(rel, ("int", "int"), rows, []) == computed([tower, Coalesce((tower, Col(0)))], where, rows)


@settings(max_examples=10, deadline=None)
@given(tests=st.lists(bools(2), min_size=17, max_size=24), value=towers(), rows=ROWS)
def test_what_is_wide(tests: list[Expr], value: Expr, rows: list[Row]) -> None:
    parts = [wide(tests, value), And(tuple(tests)), Or(tuple(tests)), Coalesce((*tests, Col(3)))]
    rel = Map(Scan("t"), (), tuple(parts))
    assert live_rows(rel, ("int", "bool", "bool", "bool"), rows, []) == computed(parts, TRUE, rows)


def folded(kind: str, values: list[Any]) -> Any:
    """An aggregate of what is known."""
    if kind == "count":
        return len(values)
    if not values:
        return None
    return {"sum": sum, "min": min, "max": max, "bool_and": all, "bool_or": any}[kind](values)


@settings(max_examples=60, deadline=None)
@given(key=ints(1), number=ints(2), test=bools(2), where=bools(1), least=st.integers(0, 2), rows=ROWS, gone=ROWS)
def test_groups_are_what_their_rows_make(
    key: Expr, number: Expr, test: Expr, where: Expr, least: int, rows: list[Row], gone: list[Row]
) -> None:
    wanted: list[tuple[str, tuple[Expr, ...]]] = [("count", ()), ("bool_or", (test,)), ("bool_and", (test,))]
    wanted += [(kind, (number,)) for kind in ("count", "sum", "min", "max")]
    aggs = tuple(Agg(kind, args, where if at % 2 else None) for at, (kind, args) in enumerate(wanted))
    having = (Call("{0} < {1}", (Const(least, "int"), Col(1))),)
    columns = tuple(map(Col, range(1 + len(aggs))))
    rel = Aggregate(Map(Scan("t"), (Not(IsNull(Col(0))),), None), (key,), aggs, having, columns)
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        if row[0] is not None:
            groups.setdefault(meaning(key, row, {}), []).append(row)
    expected: Counter[Row] = Counter()
    for group, members in groups.items():
        if len(members) <= least:
            continue
        values = []
        for agg in aggs:
            asked = [row for row in members if agg.where is None or meaning(agg.where, row, {}) is True]
            args = [meaning(agg.args[0], row, {}) if agg.args else 1 for row in asked]
            values.append(folded(agg.kind, [value for value in args if value is not None]))
        expected[group, *values] += 1
    types = ("int", *("bool" if agg.kind.startswith("bool") else "int" for agg in aggs))
    assert live_rows(rel, types, rows, gone) == expected
