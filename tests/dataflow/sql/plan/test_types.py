"""Types: where they meet, how they leave the engine."""

from __future__ import annotations

from itertools import product

import pytest

from dataflow.sql.plan import types
from dataflow.sql.plan.types import BOOL, DATE, FLOAT, INT, INTERVAL, JSON, LOCAL, NULL, TEXT, TIMESTAMP, decimal

ALL = [TEXT, INT, FLOAT, BOOL, TIMESTAMP, LOCAL, DATE, INTERVAL, JSON, NULL, decimal(2), decimal(3, bare=True)]
MET = {
    (INT, FLOAT): FLOAT, (INT, decimal(2)): decimal(2), (FLOAT, decimal(2)): FLOAT, (DATE, LOCAL): LOCAL,
    (DATE, TIMESTAMP): TIMESTAMP, (LOCAL, TIMESTAMP): TIMESTAMP, (decimal(2), decimal(3)): decimal(3),
    (INT, decimal(3, bare=True)): decimal(3), (decimal(2), decimal(3, bare=True)): decimal(3),
    (decimal(1, bare=True), decimal(3, bare=True)): decimal(3, bare=True), (FLOAT, decimal(3, bare=True)): FLOAT,
}  # fmt: skip


@pytest.mark.parametrize(("pair", "met"), MET.items())
def test_types_meet_in_one_that_both_fit_into(pair: tuple[str, str], met: str) -> None:
    assert types.common(*pair) == types.common(*reversed(pair)) == met


def test_others_meet_in_themselves_or_not_at_all() -> None:
    for one, other in product(ALL, ALL):
        if one == other:
            assert types.common(one, other) == one
        elif NULL in (one, other):
            assert types.common(one, other) == (one if other == NULL else other)
        elif (one, other) not in MET and (other, one) not in MET:
            assert types.common(one, other) is None


def test_what_leaves_the_engine_has_a_type_of_columns() -> None:
    shown = {LOCAL: TIMESTAMP, DATE: TIMESTAMP, NULL: TEXT, decimal(2): FLOAT, decimal(3, bare=True): FLOAT}
    assert {each: types.shown(each) for each in ALL} == {each: shown.get(each, each) for each in ALL}
    assert {types.shown(each) for each in ALL} <= types.COLUMN_TYPES


def test_a_decimal_is_known_by_its_scale() -> None:
    assert [types.scale(each) for each in (INT, decimal(0), decimal(12), decimal(3, bare=True))] == [0, 0, 12, 3]
    assert types.wide(decimal(3, bare=True)) == decimal(3)
    assert types.is_bare(decimal(3, bare=True))
    assert not types.is_bare(decimal(3))
    assert [each for each in ALL if types.is_number(each)] == [INT, FLOAT, decimal(2), decimal(3, bare=True)]
