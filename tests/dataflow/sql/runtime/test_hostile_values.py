"""Each function of the dialect on hostile arguments: it ends soon, raises nothing, and its result is bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from time import thread_time
from typing import Any

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.codegen.assemble import NAMESPACE
from dataflow.sql.expressions.casts import PARTIAL, PLAIN
from dataflow.sql.expressions.functions import FUNCTIONS
from dataflow.sql.runtime.limits import DEEPEST, LONGEST_TEXT

SOON_S = 0.5
MEGA = 1_000_000
TEXTS = [
    "", "a" * MEGA, " " * MEGA, "é" * (MEGA // 2), "1" * MEGA, "2013-02-08" + " " * MEGA, "1_" * 400_000, "\x00%_[\\",
    "1e999999999", "-" + "9" * 5_000, "🇩🇪👩‍👧" * 20_000, "ab" * (MEGA // 2), "0x" + "f" * MEGA, "12:" * 300_000,
]  # fmt: skip
SHORT = ["", "a", "a" * 3_000, "ab" * 20_000, "é🦆", "".join(map(chr, range(32, 9_000)))]
INTS = [0, 1, -1, 3, 63, 64, 1_000_000, 2**31, 2**63 - 1, -(2**63), 2**127 - 1, -(2**127)]
VALUES: dict[str, list[Any]] = {
    "text": TEXTS, "int": INTS, "bool": [True, False], "json": ['{"a":1}', "[" * DEEPEST + "]" * DEEPEST, "null"],
    "float": [0.0, -0.0, 1.5, -1e308, 1.7e308, 5e-324, math.inf, -math.inf, NAMESPACE["NAN"], 9.3e18, -1e15],
    "timestamp": [0, -1, 2**63 - 2, -9_223_372_022_400_000_000, 1_700_000_000_000_000, 253_402_300_799_999_999],
    "interval": [0, 1, -1, 2**63 - 1, -(2**63)],
}  # fmt: skip
VALUES |= {"date": VALUES["timestamp"], "local": VALUES["timestamp"], "months": INTS}


def hostile(params: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Combinations of arguments: the first text is a megabyte long, each of the others is odd for itself."""
    lists = [VALUES[param] if not at or param != "text" else SHORT for at, param in enumerate(params)]
    if params.count("text") > 1:
        lists[0] = TEXTS[:5] + SHORT
    yield from product(*lists)


def codes() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for name, overloads in FUNCTIONS.items():
        for overload in overloads:
            yield f"{name}({', '.join(overload.params)})", overload.code, overload.params
    for table in (PLAIN, PARTIAL):
        for (given, to), code in table.items():
            yield f"{given} to {to}", code, (given,)
    for name, params in {"joined_text": ("text", "text"), "concat": ("text",) * 3, "like": ("text", "text")}.items():
        slots = ", ".join(f"{{{at}}}" for at in range(len(params))) + (", ''" if name == "like" else "")
        yield name, f"{name}({slots})", params


def compiled(code: str, params: tuple[str, ...]) -> Callable[..., Any]:
    names = [f"a{at}" for at in range(len(params))]
    found: Callable[..., Any] = eval(f"lambda {', '.join(names)}: {code.format(*names)}", dict(NAMESPACE))
    return found


@pytest.mark.parametrize("case", [*codes()], ids=lambda case: case[0])
def test_a_function_ends_soon_and_raises_nothing(case: tuple[str, str, tuple[str, ...]]) -> None:
    _, code, params = case
    call = compiled(code, params)
    for given in hostile(params):
        began = thread_time()
        found = call(*given)
        took = thread_time() - began
        short = tuple(str(each)[:20] for each in given)
        assert took < SOON_S, (short, took)
        if isinstance(found, str):
            assert len(found) <= LONGEST_TEXT, short
        elif isinstance(found, int):
            assert found.bit_length() <= 256, short


EXPRESSIONS = [
    "t || t || t || t", "repeat(t, n)", "concat_ws(t, t, t, t)", "round(x, 400)", "round(n, -300)", "n << k",
    "n * n * n * n", "x::BIGINT", "TRY_CAST(t AS DECIMAL(38, 10))", "TRY_CAST(x AS DECIMAL(38, 38))",
    "t ILIKE '%_A%A_%b'", "t GLOB '*a*b'", "regexp_replace(t, '(a)(.*)', '\\2\\1\\2', 'g')",
    "regexp_extract(t, '(a|b)*c', 1)", "regexp_matches(t, '^(a+)+$')", "t[n:k]", "t[n]", "u + to_days(n)",
    "u + n * INTERVAL '1 month'", "u - u", "date_trunc('month', u)", "date_diff('day', u, w)", "date_part('week', u)",
    "strftime(u, '%c %j %G-W%V')", "u AT TIME ZONE 'Europe/Berlin'", "time_bucket(INTERVAL '1 day', u)",
    "last_day(u)", "j ->> '$.a'", "j -> 0", "j ->> 0", "epoch(u)", "make_timestamp(n)", "greatest(x, n)", "abs(n)",
    "n % k", "x % n", "n // k", "n / k", "bin(t)", "hex(hex(hex(t)))", "translate(t, t, t)", "trim(t, t)",
    "split_part(t, t, n)", "replace(replace(t, 'a', t), 'a', t)", "lpad(t, n, t)", "levenshtein(t, t)",
    "CASE WHEN t LIKE t THEN 1 END", "n IN (1, k)", "t ~ 'a.*a.*b'", "t SIMILAR TO '(a|aa)+b'",
    "strpos(t, t || 'x')", "CAST(j AS TEXT)", "md5(t)", "upper(t)",
]  # fmt: skip
AGGREGATES = [
    "sum(n)", "avg(n)", "sum(x)", "avg(x)", "product(x)", "stddev_samp(x)", "median(x)", "quantile_cont(x, 0.5)",
    "mode(t)", "string_agg(t, ',' ORDER BY n)", "string_agg(t, ',' ORDER BY t)", "min(t)", "max(t)",
    "count(DISTINCT t)", "bit_xor(n)", "arg_max(t, x)", "first(t ORDER BY n)", "bool_or(b)", "max(u)",
    "to_json(list(t ORDER BY n))", "corr(x, n)",
]  # fmt: skip
COLUMNS = {
    "t": "text", "n": "int", "k": "int", "x": "float", "b": "bool", "u": "timestamp", "w": "timestamp", "j": "json",
}  # fmt: skip


def nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels - 1):
        found = [found]
    return found


@pytest.mark.parametrize("levels", [1, 99, DEEPEST, DEEPEST + 1, 985, 1_000, 5_000])
def test_json_is_kept_down_to_a_depth_and_null_beyond(levels: int) -> None:
    engine = Engine({"m": {"j": "json"}})
    live = engine.live("SELECT CAST(j AS TEXT), j -> 0 IS NULL FROM m")
    engine.push("m", [(nested(levels),), (["]" * 3_000],)])
    text = "[" * levels + "]" * levels if levels <= DEEPEST else None
    brackets = ('["' + "]" * 3_000 + '"]', False)
    assert set(live.rows()) == {(text, levels == 1 or levels > DEEPEST), brackets}
    engine.push("m", [(nested(levels),)], [-1])
    assert len(live.rows()) == 1


def rows() -> list[tuple[Any, ...]]:
    deep = nested(2_000)
    ints = [each for each in INTS if -(2**63) <= each < 2**63]
    times, floats = VALUES["timestamp"], VALUES["float"]
    found = [
        (text[: MEGA if at == 1 else MEGA // 8], ints[at % len(ints)], ints[(at * 7 + 3) % len(ints)],
         floats[at % len(floats)], bool(at % 2), times[at % len(times)], times[(at * 5 + 1) % len(times)],
         {"a": text[:9]})
        for at, text in enumerate(TEXTS)
    ]  # fmt: skip
    return [*found, ("deep", 1, 2, 0.5, True, 0, 0, deep), (None,) * 8]


@pytest.mark.parametrize("query", [
    *(f"SELECT {expression} AS v FROM m" for expression in EXPRESSIONS),
    *(f"SELECT {aggregate} FROM m" for aggregate in AGGREGATES),
    *(f"SELECT k, {aggregate} FROM m GROUP BY k" for aggregate in AGGREGATES),
    "SELECT t, x, row_number() OVER (PARTITION BY b ORDER BY t, x) FROM m",
    "SELECT DISTINCT t, x FROM m ORDER BY t DESC",
    "SELECT u, t FROM m WHERE u > now() - INTERVAL '1 hour'", "SELECT m.t FROM m JOIN m o ON m.t = o.t AND m.x >= o.x",
])  # fmt: skip
def test_no_value_sets_a_query_aside_or_holds_it_up(query: str) -> None:
    engine, given = Engine({"m": COLUMNS}), rows()
    live = engine.live(query)
    live.changes.subscribe(lambda _: None)
    for weight in (1, -1):
        for row in given:
            began = thread_time()
            engine.push("m", [row], [weight])
            assert thread_time() - began < 4 * SOON_S
            assert not live.aside, live.aside
    assert len(live.rows()) <= 1
