"""Formatters: what is shown, and that nothing makes them raise."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.board import ColumnSpec
from gui.text.values import check_format, format_value, formatter, plain_value

NEW_YORK = ZoneInfo("America/New_York")
NOON = 1_360_342_800_000_000  # 8 February 2013, 12:00 in New York
THIN, MINUS = "\u202f", "\u2212"
TYPES = ("text", "int", "float", "bool", "timestamp", "interval", "json")


@pytest.mark.parametrize(
    ("value", "type", "spec", "shown"),
    [
        (2013, "int", None, "2013"),
        (1234567, "int", None, f"1{THIN}234{THIN}567"),
        (9999, "int", None, "9999"),
        (10_000, "int", None, f"10{THIN}000"),
        (-9999, "int", None, f"{MINUS}9999"),
        (-10_000, "int", None, f"{MINUS}10{THIN}000"),
        (9999.5, "float", None, "9999.5"),
        (10_000.0, "float", None, f"10{THIN}000"),
        (1.0, "float", None, "1"),
        (0.99994, "float", None, "0.9999"),
        (0.0001, "float", None, "0.0001"),
        (0.00009, "float", None, f"9e{MINUS}05"),
        (999_999_999_999_999.0, "float", None, f"999{THIN}999{THIN}999{THIN}999{THIN}999"),
        (1e15, "float", None, "1e+15"),
        (0.0, "float", None, "0"),
        (999_999, "interval", None, f"999{THIN}ms"),
        (0, "interval", None, f"0{THIN}s"),
        (59_000_000, "interval", None, f"59{THIN}s"),
        (60_000_000, "interval", None, f"1{THIN}min"),
        (86_400_000_000, "interval", None, f"1{THIN}d"),
        (90_061_000_000, "interval", None, f"1{THIN}d 1{THIN}h"),
        (-7, "int", "+d", f"{MINUS}7"),
        (26, "int", "+d", "+26"),
        (-0.3, "float", "+.0f", "0"),
        (0.3, "float", "+.0f", "0"),
        (2118, "int", ",d", f"2{THIN}118"),
        (13.25, "float", None, "13.25"),
        (13.0, "float", None, "13"),
        (-0.5, "float", None, f"{MINUS}0.5"),
        (0.00012, "float", None, "0.0001"),
        (1e-9, "float", None, f"1e{MINUS}09"),
        (float("nan"), "float", ".1f", "NaN"),
        (float("-inf"), "float", None, f"{MINUS}∞"),
        (0.241, "float", ".0%", f"24{THIN}%"),
        (NOON, "timestamp", "%H:%M", "12:00"),
        (NOON, "timestamp", None, "8 Feb 12:00"),
        (7_500_000_000, "interval", None, f"2{THIN}h 5{THIN}min"),
        (-45_000_000, "interval", None, f"{MINUS}45{THIN}s"),
        (12_000, "interval", None, f"12{THIN}ms"),
        (3_600_000_000, "interval", None, f"1{THIN}h"),
        (True, "bool", None, "yes"),
        (["a", 1], "json", None, "a, 1"),
        ({"a": None}, "json", None, '{"a":null}'),
        ("two\nlines\tand tabs", "text", None, "two lines and tabs"),
        ("x" * 10_000, "text", None, "x" * 500 + "…"),
        (None, "int", ",d", ""),
    ],
)
def test_shown(value: object, type: str, spec: str | None, shown: str) -> None:
    assert format_value(value, type, ColumnSpec(format=spec), NEW_YORK) == shown


def test_null_may_be_a_dash() -> None:
    assert format_value(None, "float", None, NEW_YORK, null="–") == "–"


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.sampled_from([10**5_000, -(10**5_000), 1.7e308, 5e-324, 2**63]),
    st.decimals(),
    st.floats(),
    st.text(max_size=20),
    st.text(min_size=600, max_size=700),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)


@given(
    _VALUES,
    st.sampled_from(TYPES),
    st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["+.0f", ",d", "%H:%M", ",.20f", ">40", "%A" * 5])),
)
def test_nothing_raises_and_all_is_one_short_line(value: object, type: str, spec: str | None) -> None:
    shown = formatter(type, spec, NEW_YORK)(value)
    assert "\n" not in shown
    assert len(shown) <= 501
    if isinstance(value, (int, float)) and type in ("int", "float"):
        assert len(shown) <= 60
    assert "\t" not in plain_value(value, type, NEW_YORK)


@pytest.mark.parametrize(
    ("spec", "type"), [(",.0f", "float"), ("+d", "int"), ("%H:%M", "timestamp"), (None, "text")]
)
def test_good_formats_pass(spec: str | None, type: str) -> None:
    assert check_format(spec, type) is None


@pytest.mark.parametrize(
    ("spec", "type", "says"),
    [
        (".0q", "float", ".0q"),
        ("%H:%Q", "timestamp", "%Q"),
        ("%", "timestamp", "%"),
        (".1f", "text", "text"),
        ("%H\n%M", "timestamp", "one line"),
        ("\n>9", "int", "one line"),
        ("d", "float", "d"),
    ],
)
def test_bad_formats_are_told_and_count_as_none(spec: str, type: str, says: str) -> None:
    problem = check_format(spec, type)
    assert problem is not None
    assert says in problem
    assert formatter(type, spec, NEW_YORK)(5) == formatter(type, None, NEW_YORK)(5)


def test_what_is_copied_reads_back() -> None:
    assert plain_value(NOON, "timestamp", NEW_YORK) == "2013-02-08 12:00:00"
    assert plain_value(-1234567.5, "float", NEW_YORK) == "-1234567.5"
    assert plain_value(10**30, "timestamp", NEW_YORK) == str(10**30)
