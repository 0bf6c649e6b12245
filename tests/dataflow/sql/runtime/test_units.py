"""Units of time and what takes them, as DuckDB has it: every name, each function, times with and without a zone, before
Christ and beyond 9999; a unit from a column is read row by row, never by the column's name.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from dataflow.sql.runtime.units import LENGTHS, MONTH_LENGTHS, NAMES, UNITS
from tests.oracle.matrix import Sheet
from tests.oracle.world import Duck

DAY = 86_400_000_000
FIRST, LAST = -9_223_372_022_400_000_000, 9_223_372_036_854_775_806
MOMENTS = [
    0, -1, 1_709_210_096_123_456, 1_735_603_200_000_000, 253_402_300_800_000_000, 999_999_999_999_999_999,
    -62_135_596_800_000_000, -62_135_596_800_000_001, -62_167_219_200_000_001, -63_000_000_000_000_000,
    -65_291_961_600_000_000, -99_999_999_999_999_999, -400_000_000_000_000_000, FIRST, LAST,
]  # fmt: skip
INNER = [moment for moment in MOMENTS if moment not in (FIRST, LAST)]
KINDS = ["t", "t::TIMESTAMP", "t::DATE"]
PARTS = [unit for unit in UNITS if not unit.startswith("timezone")]
COUNTED = [unit for unit in PARTS if unit not in ("era", "isoyear")]


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    yield duck
    duck.close()


@pytest.fixture(scope="module")
def moments(duck: Duck) -> Sheet:
    return Sheet(duck, {"t": "timestamp"}, [(moment,) for moment in MOMENTS])


def told(sheet: Sheet, expressions: list[str]) -> list[object]:
    """What differs, by expression."""
    return [(each, found) for each in expressions if (found := sheet.differences(each, digits=14))]


@pytest.mark.parametrize("kind", KINDS)
def test_parts_and_truncations(moments: Sheet, kind: str) -> None:
    parts = [f"date_part('{unit}', {kind})" for unit in PARTS]
    assert not told(moments, parts)
    assert not told(moments, [f"date_trunc('{unit}', {kind})" for unit in PARTS if unit != "era"])


@pytest.mark.parametrize("kind", KINDS)
def test_texts_and_moves(moments: Sheet, kind: str) -> None:
    formats = ("%Y-%m-%d", "%y %G %V", "%j %U %W %u %w", "%c", "%x %X %f", "%-d.%-m.%-y %-H %-j %-I %-M %-S")
    assert not told(moments, [f"strftime({kind}, '{each}')" for each in formats])
    spans = ("1 day", "1 month", "400 years", "1 microsecond", "300000 years", "100000000 hours")
    assert not told(moments, [f"{kind} {sign} INTERVAL '{span}'" for span in spans for sign in "+-"])
    shown = ("epoch_ms", "epoch_us", "epoch", "last_day", "dayname", "year", "decade")
    assert not told(moments, [f"{name}({kind})" for name in shown])
    assert not told(moments, [f"({kind})::VARCHAR", f"({kind})::DATE", f"({kind})::TIMESTAMP"])


@pytest.mark.parametrize(("one", "two"), [("t", "u"), ("t::TIMESTAMP", "u::TIMESTAMP"), ("t::DATE", "u::TIMESTAMP")])
def test_differences(duck: Duck, one: str, two: str) -> None:
    pairs = [(a, b) for a in INNER for b in INNER[::3]]
    sheet = Sheet(duck, {"t": "timestamp", "u": "timestamp"}, pairs)
    counts = [f"{name}('{unit}', {one}, {two})" for unit in COUNTED for name in ("date_diff", "date_sub")]
    assert not told(sheet, [*counts, f"{one} - {two}"])


def test_every_name_of_a_unit(duck: Duck) -> None:
    sheet = Sheet(duck, {"t": "timestamp"}, [(1_709_210_096_123_456,), (None,)])
    assert not told(sheet, [f"date_part('{name}', t)" for name in NAMES if not name.startswith("timezone")])
    lengths = {**LENGTHS, **MONTH_LENGTHS}
    assert not told(sheet, [f"t + INTERVAL '2 {name}'" for name in NAMES if NAMES[name] in lengths])


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_from_a_column_is_read_row_by_row(duck: Duck, kind: str) -> None:
    names = [*PARTS, "HOURS", "Yr", "cents", "", None]
    rows = [(name, moment, INNER[-2]) for name in names if name not in ("era", "isoyear") for moment in INNER[::4]]
    sheet = Sheet(duck, {"h": "text", "t": "timestamp", "day": "timestamp"}, rows)
    other = kind.replace("t", "day", 1)
    calls = [
        f"date_trunc(h, {kind})", f"datetrunc(edge.h, {kind})", f"date_part(h, {kind})",
        f"datepart(lower(h), {kind})", f"date_diff(h, {kind}, {other})", f"datediff(h, {other}, {kind})",
        f"date_sub(h, {kind}, {other})", f"date_trunc('hour', {other})", f"date_trunc(NULL, {kind})",
    ]  # fmt: skip
    assert not told(sheet, calls)


WRONG = [
    "date_trunc(hour, t)", "date_trunc(day, t)", "date_diff(minute, t, t)", "date_trunc(t, t)", "date_part(year, t)",
    "date_trunc('da' || 'y', t)", "date_trunc('fortnight', t)", "date_sub(n, t, t)", "date_trunc('day')",
    "extract(hour, t)", "extract(q.h FROM t)", "extract(upper(day) FROM t)", "t + INTERVAL n day", "t + INTERVAL 3 h",
    "t + INTERVAL '3' h", "t + INTERVAL q.n DAY", "t + INTERVAL 3", "t + INTERVAL '1' day '2' hour",
    "t + (INTERVAL 1 day + 2)", "INTERVAL '99999999999999999999' day", "strftime(t, s)", "strftime(t, '')",
    "time_bucket(s, t)", "date_trunc(INTERVAL '1 day', t)", "INTERVAL '1' YEAR TO MONTH", "t + INTERVAL -1 day",
]  # fmt: skip


@pytest.mark.parametrize("expression", WRONG)
def test_what_names_no_unit_is_refused(expression: str) -> None:
    engine = Engine({"q": {"t": "timestamp", "n": "int", "h": "text", "s": "text"}})
    with pytest.raises(SqlError):
        engine.check(f"SELECT {expression} FROM q")


def test_the_issue_reads_a_column_named_like_a_unit() -> None:
    engine = Engine({"t": {"ts": "timestamp"}})
    live = engine.live("SELECT date_trunc(q.h, ts) FROM (SELECT 'year' AS h, ts FROM t) q")
    engine.push("t", [(1_709_210_096_123_456,)])
    assert list(live.rows()) == [(1_704_067_200_000_000,)]


def test_a_clock_moved_beyond_all_bounds_still_bounds() -> None:
    engine = Engine({"t": {"ts": "timestamp"}})
    bounds = "ts > now() - INTERVAL '300000 years' AND ts < now() + INTERVAL '1 month'"
    live = engine.live(f"SELECT ts FROM t WHERE {bounds}")
    engine.push("t", [(0,)])
    engine.advance(5)
    assert list(live.rows()) == [(0,)]
