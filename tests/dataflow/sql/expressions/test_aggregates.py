"""Every aggregate, plain and with DISTINCT, FILTER and ORDER BY, of each type it takes, at the ends of floats and whole
numbers, over groups and over windows, while rows come and go: DuckDB's value, or a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from dataflow.sql.runtime.exact_sums import exact_sum
from dataflow.zset import Row
from tests.oracle.steps import compare
from tests.oracle.world import Duck

BIG = 2**62
COLUMNS = {
    "id": "int", "g": "int", "j": "int", "k": "int", "x": "float", "y": "float", "s": "text", "b": "bool",
    "u": "timestamp",
}  # fmt: skip
GROUPS: list[list[Row]] = [
    [(3, 1, 1.5, 2.0, "b", True, 5), (3, 2, 1.5, 3.0, "a", False, 1), (5, 3, 2.5, -1.0, "b", None, 1)],
    [(None, 4, None, 2.0, None, True, None), (-7, 5, 0.1, 0.2, "", True, -3), (3, 6, 1.5, 7.0, "b", True, 1)],
    [(BIG, 1, 1e308, 1.0, "z", False, 0), (-BIG, 2, math.inf, 5.0, "z", None, 7), (BIG, 3, 1e308, 2.0, "y", False, 7)],
    [(6, 1, math.nan, 1.0, "é", True, 9), (2, 3, -math.inf, 2.0, None, True, 11), (6, 2, math.nan, 2.0, "é", True, 9)],
    [(9, 7, 0.0, None, "a", None, None), (9, 8, -0.0, 1.0, "A", False, 12)],
    [(None, None, None, None, None, None, None)],
    [(1, 1, 1e308, 1.0, "m", True, 1), (2, 2, 1e308, 1.0, "n", False, 2)],
    [(1, 1, 1e308, 2.0, "m", True, 1), (2, 2, -1e308, 1.0, "n", False, 2)],
    [(5, 2, 1e-320, 1e300, "s", False, 3), (5, 3, 5e-324, -1e300, "s", True, 3)],
    [(1, 1, 1e200, 1e200, "s", False, 3), (2, 2, 2e200, 3.5e200, "t", True, 4), (4, 3, 1.0, 2.0, "u", True, 5)],
]  # fmt: skip
IN_GROUPS = [(at, row) for at, each in enumerate(GROUPS) for row in each]
ROWS: list[Row] = [(number, group, *row) for number, (group, row) in enumerate(IN_GROUPS)]
NUMBERS = ["j", "x", "k::DECIMAL(9,2)"]
ALL = [*NUMBERS, "s", "b", "u", "u::DATE"]
PAIRED = (
    "corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept", "regr_r2", "regr_count", "regr_avgx",
    "regr_avgy",
)  # fmt: skip
TAKEN: dict[str, list[str]] = {
    "count": ALL, "min": ALL, "max": ALL, "sum": [*NUMBERS, "b"], "avg": NUMBERS, "median": NUMBERS, "product": NUMBERS,
    "stddev": NUMBERS, "stddev_pop": NUMBERS, "var_pop": NUMBERS, "var_samp": NUMBERS, "quantile_cont": NUMBERS,
    "quantile_disc": ALL, "arg_min": ALL, "arg_max": ALL, "bit_and": ["j"], "bit_or": ["j"], "bit_xor": ["j"],
    "bool_and": ["b"], "bool_or": ["b"], "count_if": ["b"], "first": ALL, "last": ALL, "string_agg": ["s"],
    **{name: ["x, y", "j, k"] for name in PAIRED},
}  # fmt: skip
ALSO = {"quantile_cont": ", 0.3", "quantile_disc": ", 0.3", "arg_min": ", id", "arg_max": ", id", "string_agg": ", '|'"}
FORMS = [
    "{f}({a}{e})", "{f}(DISTINCT {a}{e})", "{f}({a}{e}) FILTER (WHERE k > 1)", "{f}(DISTINCT {a}{e}) FILTER (k > 1)",
    "{f}({a}{e} ORDER BY id)", "{f}({a}{e} ORDER BY id DESC)", "{f}(DISTINCT {a}{e} ORDER BY {a})",
    "{f}(DISTINCT {a}{e} ORDER BY {a} DESC NULLS FIRST) FILTER (k > 1)",
]  # fmt: skip
OTHERS = [
    "count(*)", "count(*) FILTER (WHERE j > 3)", "count(DISTINCT (j, k))", "quantile_cont(x, 0)", "quantile_cont(x, 1)",
    "quantile_disc(x, 1)", "percentile_cont(0.3) WITHIN GROUP (ORDER BY x DESC)", "sum(-x)", "sum(x) FILTER (b)",
    "percentile_disc(0.3) WITHIN GROUP (ORDER BY j DESC)", "sum(DISTINCT j % 2)", "avg(b::INT)", "max(j) FILTER (NULL)",
]  # fmt: skip
OVERS = [
    "OVER ()", "OVER (PARTITION BY g)", "OVER (ORDER BY id)", "OVER (PARTITION BY g ORDER BY k)",
    "OVER (ORDER BY id ROWS 2 PRECEDING)", "OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
    "OVER (PARTITION BY g ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)", "OVER (PARTITION BY x)",
]  # fmt: skip


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    yield duck
    duck.close()


def calls(forms: list[str]) -> list[str]:
    return [
        form.format(f=name, a=argument, e=ALSO.get(name, ""))
        for name, taken in TAKEN.items()
        for argument in taken
        for form in forms
    ]


def accepted(wanted: list[str]) -> list[str]:
    """Those that are not refused."""
    engine, found = Engine({"t": COLUMNS}), []
    for call in wanted:
        with suppress(SqlError):
            engine.check(f"SELECT {call} AS v FROM t")
            found.append(call)
    return found


def together(wanted: list[str], form: str, size: int) -> list[str]:
    """So many calls in one statement."""
    return [
        form.format(", ".join(f"{call} AS v{number}" for number, call in enumerate(wanted[at : at + size])))
        for at in range(0, len(wanted), size)
    ]


LONG = pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(600)])


@pytest.mark.parametrize("part", [4, LONG])
def test_every_aggregate_over_groups(duck: Duck, part: int) -> None:
    taken = accepted([*calls(FORMS), *OTHERS])[::part]
    told, refused = compare(duck, COLUMNS, ROWS, together(taken, "SELECT g, {} FROM t GROUP BY g", 4))
    assert (told, refused) == ([], {})


def test_what_is_taken() -> None:
    plain = calls(FORMS[:1])
    without = ("first", "last", "string_agg", "median", "quantile_cont", "stddev", "var_")
    assert not [call for call in set(plain) - set(accepted(plain)) if not call.startswith(without)]


@pytest.mark.parametrize("part", [16, LONG])
def test_every_aggregate_over_windows(duck: Duck, part: int) -> None:
    wanted = [call for call in calls(FORMS[:3]) if not call.startswith(("first", "last"))]
    taken = accepted([f"{call} {over}" for call in wanted for over in OVERS][part // 2 :: part])
    told, refused = compare(duck, COLUMNS, ROWS, together(taken, "SELECT id, {} FROM t", 12))
    assert (told, refused) == ([], {})
    assert len(taken) > 400 // part


def test_bits_of_each_value_once(duck: Duck) -> None:
    told, _ = compare(duck, {"j": "int"}, [(5,), (5,), (3,), (3,), (3,), (None,)], [
        "SELECT bit_xor(DISTINCT j), bit_xor(j), bit_and(DISTINCT j), bit_or(DISTINCT j) FROM t",
    ])  # fmt: skip
    assert not told


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([1e308, 1e308], math.inf), ([-1e308, -1e308], -math.inf), ([1e308, 1e308, -1e308], 1e308),
        ([1e308] * 9 + [-1e308] * 9 + [1.0], 1.0), ([math.inf, 1e308, 1e308], math.inf),
        ([math.inf, -math.inf], math.nan), ([math.nan, 1e308, 1e308], math.nan), ([], 0.0),
    ],
)  # fmt: skip
def test_sums_beyond_all_floats(values: list[float], total: float) -> None:
    assert exact_sum(values) == pytest.approx(total, nan_ok=True)
