"""Formats are known by what they show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.boards.formats import LONGEST, check_format

TYPES = ("text", "int", "float", "bool", "timestamp", "interval", "json")
PIECES = st.sampled_from(list("<>=^+- z#0123456789,_.eEfFgGdnbcxXs%HMSYd"))


@pytest.mark.parametrize(
    ("spec", "type"),
    [
        (",.0f", "float"), (".1f", "float"), ("+.2f", "float"), (",", "float"), (".0%", "float"), (".4g", "float"),
        (".2e", "float"), (">12.3f", "float"), ("_.1f", "float"), ("+d", "int"), (",d", "int"), ("04d", "int"),
        ("x", "int"), (",.0f", "int"), (",", "int"), ("%H:%M", "timestamp"), ("%-d %b", "timestamp"), (">5", "text"),
    ],
)  # fmt: skip
def test_what_shows_numbers_as_numbers_passes(spec: str, type: str) -> None:
    assert check_format(spec, type) is None


@pytest.mark.parametrize(
    ("spec", "type", "wrong"),
    [
        (">999999999.3f", "float", '">999999999.3f" is no format for float: it is wider than 40 characters'),
        ("0999999999d", "int", '"0999999999d" is no format for int: it is wider than 40 characters'),
        (".999999999f", "float", '".999999999f" is no format for float: it has more than 20 decimals'),
        ("0.0", "float", '"0.0" is no format for float: it shows 21.7 as 2e+01; one decimal is ".1f"'),
        ("#.0", "float", '"#.0" is no format for float: it shows 21.7 as 2.e+01; one decimal is ".1f"'),
        (".3", "float", '".3" is no format for float: it shows 1234.5 as 1.23e+03; one decimal is ".1f"'),
        ("#,##0.00", "float", '"#,##0.00" is no format for float'),
        ("0.0", "int", '"0.0" is no format for int'),
        ("c", "int", '"c" is no format for int: it shows 0 as something that is no number'),
        ("d", "float", '"d" is no format for float'),
        ("%H:%M", "float", '"%H:%M" is no format for float'),
        (".1f", "timestamp", '".1f" is no format for timestamp'),
        ("%Q", "timestamp", '"%Q" is no format for timestamp: "%Q" is not a part of a time'),
        ("%99999999d", "timestamp", '"%99999999d" is no format for timestamp: "%9" is not a part of a time'),
        ("%A" * 11, "timestamp", None),
        (" " * 61, "float", "a format has at most 60 characters"),
        ("a\nb", "int", "a format is one line, without control characters"),
        (".1f", "bool", "a format has no meaning for bool, only for int, float and timestamp"),
    ],
)  # fmt: skip
def test_what_does_not_is_refused_with_the_reason(spec: str, type: str, wrong: str | None) -> None:
    found = check_format(spec, type)
    assert found is not None
    assert wrong is None or found == wrong


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=12), st.sampled_from(TYPES))
def test_what_passes_is_short_and_never_fails(spec: str, type: str) -> None:
    if not spec or check_format(spec, type) is not None or type not in ("int", "float"):
        return
    for value in (0, 7, -42, 1_234, 98_765, 10**12):
        assert len(format(value if type == "int" else float(value), spec)) <= 2 * LONGEST
