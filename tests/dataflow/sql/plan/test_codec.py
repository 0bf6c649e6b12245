"""Plans as bytes: what is not finished has none."""

from __future__ import annotations

import msgspec
import pytest

from dataflow.sql.plan.codec import decode, encode, is_finished
from dataflow.sql.plan.nodes import (
    Agg,
    Aggregate,
    AggregateSlot,
    Call,
    Case,
    Col,
    Const,
    Expr,
    LookupSlot,
    Map,
    Query,
    Scan,
    Slot,
    SubquerySlot,
    WindowSlot,
    placed,
)

SLOTS = [AggregateSlot(0), WindowSlot(0), SubquerySlot(0), LookupSlot(1, 0)]


def selecting(expr: Expr) -> Query:
    return Query(("v",), ("int",), Map(Scan("t"), (), (expr,)), ())


@pytest.mark.parametrize("slot", SLOTS)
def test_a_plan_with_a_slot_has_no_bytes(slot: Slot) -> None:
    deep = Case(((Const(True, "bool"), Call("{0} + 1", (placed(slot),))),), Col(0))
    filtered = Aggregate(Scan("t"), (), (Agg("count", (), placed(slot)),), (), (Col(0),), True)
    for query in (selecting(placed(slot)), selecting(deep), Query(("v",), ("int",), filtered, ())):
        assert not is_finished(query)
        with pytest.raises(ValueError, match="not finished"):
            encode(query)


def test_a_finished_plan_has() -> None:
    query = selecting(Call("{0} + 1", (Col(1_000_000),)))
    assert is_finished(query)
    assert decode(encode(query)) is query


@pytest.mark.parametrize("slot", SLOTS)
def test_bytes_that_name_a_slot_are_no_plan(slot: Slot) -> None:
    name, fields = type(slot).__name__, [getattr(slot, field) for field in slot.__struct_fields__]
    with pytest.raises(ValueError, match="no plan"):
        decode(msgspec.msgpack.encode([[name, *fields]]))


def test_slots_are_no_columns() -> None:
    """Kinds are types: the nth of one is neither a column nor the nth of another."""
    assert len({placed(slot) for slot in (AggregateSlot(0), WindowSlot(0), SubquerySlot(0))} | {Col(0)}) == 4
