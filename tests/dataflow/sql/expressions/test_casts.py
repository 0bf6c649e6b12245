"""Every type cast to every other at the edges, as DuckDB has it; where DuckDB would stop, the value is NULL."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from tests.oracle.matrix import Sheet
from tests.oracle.world import Duck

INTEGERS = [
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
]  # fmt: skip
BARE = ["DECIMAL(38,38)", "DECIMAL(1,1)", "DECIMAL(4,4)"]
DECIMALS = [
    "DECIMAL(38,0)", "DECIMAL(18,3)", "DECIMAL(4,2)", "DECIMAL(9,0)", "DECIMAL(19,1)", "DECIMAL", "DECIMAL(38,9)",
]  # fmt: skip
NUMBERS = [*INTEGERS, *DECIMALS, "DOUBLE", "BOOLEAN"]
EDGES = sorted({
    sign * (2**bits) + by for bits in (7, 8, 15, 16, 31, 32, 63, 64, 127, 128) for sign in (1, -1) for by in (-1, 0, 1)
})  # fmt: skip
TEXTS = [
    *map(str, EDGES), *(f"{edge}.{rest}" for edge in EDGES for rest in ("4", "5")),
    "0", "-0", "-00", "-0_0", "1", "-1", "+1", "++1", "-0.4", "0.4", "0.5", "-0.5", "1.5", "-1.5", "2.5", "-0.6", " 7 ",
    "\t8\n", " 1_000 ", "1__0", "_1", "1_", "1_0.5", "1e3", "1E3", "1e+3", "1e-3", "-1e-3", "1e", "e1", "1e1.5",
    "1e10_0", "0x10", "0xFF", "-0x10", "0b11", "0o17", "0xFFFFFFFFFFFFFFFF", "0x1FFFFFFFFFFFFFFFFF", "", "  ", ".",
    ".5", "5.", "-.5", "1e-32768", "1e-32769", "0e32767", "0e32768", "1e-0_1", "1_000.5e-0003", "+.5", "-0.", "-0e0",
    "nan", "inf", "1e308", "1e309", "1e-400", "9223372036854775807.4999", "1e18", "9.3e18",
    "1.8446744073709551615e19", "12345678901234567890123456789012345678", "1e37", "1e38", "1e39",
    "0.12345678901234567890123456789012345678", "99999999999999999999999999999999999999", "0e99", "1e999999999999",
    "99999999999999999999999999999999999999.5", "1e-999999999999999999", "1e999999999999999999", "0x", "0b2", "0xG",
    "17014118346046923173168730371588410572.75e1", "true", "f", "yes", "n", "on", "True ", " true", "1,000", "1 000",
    "00012", "1.00000000000000000001", "0.49999999999999999999", "１２", "1\u00a0", "99.995", "0.005", "-0.001",
    "100e-2", "12e-1", "1000e-3", "123456e-4", "1.234e1", "1.235e1", "1.2349e1", "99.9949e0", "0.5e-1",
    "5e-3", "9.99999e1", "99.99999e-1", ".1e1", ".15e2", "0.1e-2", "0.00000001e8", "0.12345678e2", "1e 1",
]  # fmt: skip
TIMES = [
    "2020-01-01", "99999-01-01", "2020-02-30", "2020-13-01", "20200101", "2020-1-1", "2020/01/01",
    "2020-01-01T00:00:00Z", "2020-01-01 25:00:00", "2020-01-01 24:00:00", "2020-01-01 00:60",
    "2020-01-01 00:00:00.1234567", "epoch", "2020-01-01 00:00:00+05:30", "2020-01-01 00:00:00-15:59",
    "2020-01-01 00:00:00 UTC", "2020-01-01 00:00:00 Mars/X", "290309-12-22 (BC)", "290309-12-22 (BC) 00:00:00",
    "290309-12-21 (BC) 23:59:59", "294247-01-10 04:00:54.775806", "294247-01-10 04:00:54.775807", "294247-01-11",
    "5877642-06-25 (BC)", "5877642-06-24 (BC)", "5881580-07-10", "5881580-07-11", "0000-01-01", "0001-01-01",
    "-0001-01-01", "1970-01-01 00:00:00.9999995", "  2020-01-01  ", "2020-01-01 1:2:3", "2020-01-01 01:02",
    "2020-01-01 01", "2020-01-01T", "1969-12-31 23:59:59.999999", "", "x",
]  # fmt: skip
FLOATS = [
    0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -1.5, 0.49999999999999994, -0.4, 1e-3, 127.5, 127.4, -128.5, -128.4, -129.0, 255.5,
    32767.5, 65535.5, 2147483647.5, -2147483648.5, 4294967295.5, 9223372036854774784.0, 9223372036854775808.0,
    -9223372036854775808.0, -9223372036854777856.0, 18446744073709549568.0, 18446744073709551616.0, 2.0**127,
    -(2.0**127), 1.7014118346046921e38, 2.0**128, 3.402823669209384e38, 1e308, -1e308, math.nan, math.inf, -math.inf,
    5e-324, 1e15, 1e16, 1e17, 123456789012345680.0, 1e21, 1e22, 1e-4, 1e-5, 1.5e-7, 0.1, 0.30000000000000004, 1 / 3,
    2.675, 1.005, 99.995, -99.995, 0.05, 0.25, 1e37, 1e38, 9.999e37, 4503599627370496.5, 1.7976931348623157e308,
]  # fmt: skip
INTS = [0, 1, -1, 10, 99, 100, 10**17, 10**18, -(10**18), *(edge for edge in EDGES if -(2**63) <= edge < 2**63)]
SCALED = ["0", "0.5", "-0.5", "1.5", "2.5", "99.99", "-99.99", "127.49", "127.50", "0.005", "12345678.125", "-0.001"]


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    yield duck
    duck.close()


def told(sheet: Sheet, value: str, targets: list[str]) -> list[object]:
    """What differs, by cast; also of the text of what came of it, which shows every digit."""
    casts = [f"TRY_CAST({value} AS {target})" for target in targets]
    wanted = [*casts, *(f"({cast})::VARCHAR" for cast in casts if "BOOLEAN" not in cast)]
    return [(each, found) for each in wanted if (found := sheet.differences(each))]


def test_texts_to_numbers(duck: Duck) -> None:
    sheet = Sheet(duck, {"t": "text"}, [(text,) for text in [*TEXTS, None]])
    assert not told(sheet, "t", [*NUMBERS, *BARE])


def test_texts_to_times(duck: Duck) -> None:
    sheet = Sheet(duck, {"t": "text"}, [(text,) for text in [*TIMES, None]])
    assert not told(sheet, "t", ["TIMESTAMP", "TIMESTAMPTZ"])
    shown = ["(TRY_CAST(t AS DATE))::VARCHAR", "TRY_CAST(t AS DATE)::TIMESTAMP", "year(TRY_CAST(t AS DATE))"]
    shown += [f"(TRY_CAST(t AS DATE) {sign} {by})::VARCHAR" for sign in "+-" for by in ("1", "INTERVAL '1 day'")]
    assert not [(each, found) for each in shown if (found := sheet.differences(each))]


def test_floats_to_all(duck: Duck) -> None:
    sheet = Sheet(duck, {"x": "float"}, [(value,) for value in [*FLOATS, None]])
    assert not told(sheet, "x", [*NUMBERS, *BARE, "VARCHAR"])
    casts = [f"CAST(x AS {target})" for target in ("TINYINT", "BIGINT", "UBIGINT", "HUGEINT", "DECIMAL(18,3)")]
    assert not [(each, found) for each in casts if (found := sheet.differences(each))]


def test_whole_numbers_and_conditions_to_all(duck: Duck) -> None:
    sheet = Sheet(duck, {"n": "int", "b": "bool"}, [(value, value > 9) for value in INTS] + [(None, None)])
    assert not told(sheet, "n", [*NUMBERS, *BARE, "VARCHAR"])
    assert not told(sheet, "b", [*NUMBERS, "VARCHAR"])
    casts = [f"CAST(n AS {target})" for target in ("TINYINT", "INTEGER", "UINTEGER", "DECIMAL(18,3)")]
    assert not [(each, found) for each in casts if (found := sheet.differences(each))]


@pytest.mark.parametrize("source", ["DECIMAL(12,3)", "DECIMAL(38,3)", "DECIMAL(18,0)", "DECIMAL(4,4)"])
def test_decimals_to_all(duck: Duck, source: str) -> None:
    sheet = Sheet(duck, {"t": "text"}, [(text,) for text in [*SCALED, None]])
    assert not told(sheet, f"TRY_CAST(t AS {source})", [*NUMBERS, *BARE, "VARCHAR"])


DIGITS = "12345678901234567890123456789012345678"
CONSTANTS = [
    "TRY_CAST('1.7e38' AS HUGEINT)", "TRY_CAST('1.71e38' AS HUGEINT)", "TRY_CAST('0.001e2' AS DECIMAL(4,2))",
    "TRY_CAST(9223372036854775807.0::DOUBLE AS BIGINT)", "1::HUGEINT << 64", "1::HUGEINT << 126", "1::HUGEINT << 127",
    "TRY_CAST('-0.4' AS UTINYINT)", "1::TINYINT << 6", "1::TINYINT << 7", "1::UBIGINT << 63", "1 << 30", "1 << 31",
    "(-1)::HUGEINT >> 127", "(-1)::BIGINT >> 64", "n << 62", "n << 63", "1 << n", "n >> -n", "hex(-n)", "bin(-n)",
    f"'{DIGITS}'::DECIMAL(38,0)::VARCHAR", f"'0.{DIGITS}'::DECIMAL(38,38)::VARCHAR", f"0.{DIGITS}::VARCHAR",
    "12345678901234567890.123456789012345678::VARCHAR", "12345678901234567890.1234567890123456789::VARCHAR",
    "(0.1::DECIMAL(3,3))::VARCHAR", "(0.1::DECIMAL(3,3) + 0.1::DECIMAL(3,3))::VARCHAR", ".5::VARCHAR", "0.5::VARCHAR",
    "(0.1::DECIMAL(3,3) * 0.1::DECIMAL(3,3))::VARCHAR", "(-(0.1::DECIMAL(3,3)))::VARCHAR", "abs(.25)::VARCHAR",
    "round(0.1::DECIMAL(3,3), 2)::VARCHAR", "round(0.1::DECIMAL(3,3), 3)::VARCHAR", "floor(1.5::DECIMAL(3,1))::VARCHAR",
    "ceil(-1.5::DECIMAL(3,1))::VARCHAR", "trunc(-1.5::DECIMAL(3,1))::VARCHAR", "coalesce(.5, 1)::VARCHAR",
    "greatest(.125, .25)::VARCHAR", "greatest(.125, 0.25)::VARCHAR", "(.5 - 1)::VARCHAR", "(.5 % .3)::VARCHAR",
    "CASE WHEN n > 0 THEN .5 ELSE .125 END::VARCHAR", ".5 || 'x'", "(.5 / 2)::VARCHAR", "lcm(9223372036854775807, 2)",
]  # fmt: skip


def test_constants(duck: Duck) -> None:
    sheet = Sheet(duck, {"n": "int"}, [(1,)])
    assert not [(each, found) for each in CONSTANTS if (found := sheet.differences(each))]


@pytest.mark.parametrize("each", ["sum(n) << 3", "(n::TINYINT + 1) << 3", "n::UTINYINT << n::TINYINT", "~(n::UBIGINT)"])
def test_how_many_bits_is_not_guessed(each: str) -> None:
    with pytest.raises(SqlError):
        Engine({"t": {"n": "int"}}).check(f"SELECT {each} FROM t")
