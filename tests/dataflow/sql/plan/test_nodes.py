"""Parts of plans are equal by type, value and sign, and exist once; and plans are the same after they were bytes."""

from __future__ import annotations

import gc
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.sql.compile import Compiler
from dataflow.sql.plan import interned
from dataflow.sql.plan.codec import decode, encode
from dataflow.sql.plan.interned import exact
from dataflow.sql.plan.nodes import Call, Col, Const, Map, Node, Pool, Query, Scan, Values, WindowCall

ALIKE = [1, True, 1.0, Decimal(1), Decimal("1.0"), 0, False, 0.0, -0.0, Decimal("0.00"), "1", None]
"""Python takes some of these for equal; no two of them are."""
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.sampled_from(ALIKE))


def same(one: Any, other: Any) -> bool:
    """By type and by what is written for it: that tells 0.0 from -0.0, and takes NaN for NaN."""
    return type(one) is type(other) and repr(one) == repr(other)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_constants_are_equal_by_type_value_and_sign(one: Any, other: Any) -> None:
    assert (exact(one) == exact(other)) == same(one, other)
    for make in (lambda v: Const(v, "x"), lambda v: Values(((v,),)), lambda v: Pool((v,)),
                 lambda v: WindowCall("lag", default=v), lambda v: Call("{0}", (Const(v, "x"),))):  # fmt: skip
        assert (make(one) is make(other)) == same(one, other)
        assert (make(one) == make(other)) == same(one, other)


def test_nodes_that_nobody_holds_are_forgotten() -> None:
    node: Node | None = Call("{0} + 77", (Col(12_345),))
    assert node is Call("{0} + 77", (Col(12_345),))
    gc.collect()
    before = len(interned._KNOWN)
    node = None
    assert len(interned._KNOWN) == before - 2


def shown(engine: Engine, sql: str) -> list[Any]:
    return [[(type(value), repr(value)) for value in row] for row in engine.live(sql).rows()]


@pytest.mark.parametrize(
    "template",
    [
        "VALUES ({})",
        "SELECT * FROM (VALUES ({}), ({}))",
        "SELECT {} AS v",
        "SELECT col0 FROM (VALUES ({})) GROUP BY 1",
        "SELECT lag(i, 1, {}) OVER (ORDER BY i) FROM (VALUES ({})) v(i)",
    ],
)
def test_queries_over_like_values_show_their_own(template: str) -> None:
    together, kept = Engine({}), []
    for literal in ("1", "true", "1e0", "0", "false", "0e0", "'-0'::DOUBLE", "'nan'::DOUBLE"):
        sql = template.replace("{}", literal)
        if "lag" not in sql or literal[0] not in "tf":
            kept.append(together.live(sql))
            assert shown(together, sql) == shown(Engine({}), sql)


def test_like_values_in_one_query_are_told_apart() -> None:
    engine = Engine({})
    found = engine.live("SELECT * FROM (VALUES (1)) a(x), (VALUES (true)) b(y), (VALUES (1e0)) c(z)").rows()
    assert [list(map(type, row)) for row in found] == [[int, bool, float]]
    found = engine.live("SELECT * FROM (VALUES (0e0)) a(x), (VALUES ('-0'::DOUBLE)) b(y)").rows()
    assert [[math.copysign(1, value) for value in row] for row in found] == [[1.0, -1.0]]


class Kept:
    """Plans kept in memory."""

    def __init__(self) -> None:
        self.plans: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.plans.get(key)

    def put(self, key: str, plan: bytes) -> None:
        self.plans[key] = plan


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.i, count(*) FROM t a JOIN t b ON a.i = b.i + 1 WHERE a.s IN ('x', 'y') OR a.f > 1.5 GROUP BY a.i",
        "SELECT s, count(*) FROM t GROUP BY s HAVING sum(f) > 1",
        "SELECT i, lag(i, 1, 0) OVER (PARTITION BY s ORDER BY i) FROM t ORDER BY i LIMIT 3",
        "VALUES (1, true, 1e0, NULL, -0e0), (2, false, 2.5e0, 'é', 0e0)",
        "SELECT i + i AS u, u + u AS v, v + v AS w, CASE WHEN w > 1 THEN w ELSE v END FROM t",
        "SELECT i FROM t UNION ALL SELECT i FROM t WHERE i NOT IN (SELECT i FROM t WHERE b)",
    ],
)
def test_a_plan_is_the_same_after_it_was_bytes(sql: str) -> None:
    plan = Compiler({"t": {"i": "int", "f": "float", "s": "text", "b": "bool"}}, {}, 0, {}).query(sql)
    assert decode(encode(plan)) is plan


def test_bytes_of_shared_parts_are_few() -> None:
    sql = f"SELECT i + i AS a0, {', '.join(f'a{n} + a{n} AS a{n + 1}' for n in range(60))} FROM t"
    assert len(encode(Compiler({"t": {"i": "int"}}, {}, 0, {}).query(sql))) < 20_000


TORN = encode(Query((), (), Map(Scan("t"), (), ()), ()))[:-3]


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"\x91\x91\xa5Nodes", TORN])
def test_bytes_that_are_no_plan_are_as_good_as_absent(data: bytes) -> None:
    with pytest.raises(ValueError, match="no plan"):
        decode(data)
    kept = Kept()
    kept.get = lambda _: data  # type: ignore[method-assign]
    assert not Engine({"t": {"i": "int"}}, plans=kept).live("SELECT i FROM t").rows()
