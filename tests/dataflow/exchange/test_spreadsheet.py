"""Text that a spreadsheet would run as a formula, made harmless; numbers stay numbers."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.exchange.spreadsheet import neutralise, neutralise_row, tab_separated

RISKY = "=+-@\t\r\n＝＋－＠"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("+49 30 1234", "'+49 30 1234"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("  =1", "'  =1"),
        ('"=1', "'\"=1"),
        ("＝1+1", "'＝1+1"),
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ("note\n=1+1", "note\n'=1+1"),
        ("a\t=b", "a\t'=b"),
    ],
)
def test_a_formula_is_text(text, harmless):
    assert neutralise(text) == harmless


@pytest.mark.parametrize(
    "text", ["", "a", "a=b", "a - b", "1-2", "-5", "+5", "-1.5e-7", "2013-02-08", "x@y.org", "a, -b", "two\n\nlines"]
)
def test_what_is_none_stays(text):
    assert neutralise(text) == text


@given(st.text())
def test_nothing_begins_as_a_formula_but_a_number(text):
    found = neutralise(text)
    assert not found.strip(" \"'\u00a0").startswith(tuple("=@")) or found.lstrip(' "\u00a0').startswith("'")
    if found[:1] in tuple(RISKY):
        float(found)


def test_numbers_and_nothing_stay_what_they_are():
    assert neutralise_row([-5, -0.5, None, True, "=1"]) == [-5, -0.5, None, True, "'=1"]


def test_long_text_takes_no_long_time():
    began = time.process_time()
    for text in ("\n" * 10**6, " " * 10**6, ";" * 10**6, "; " * 10**6, "'" * 10**6):
        neutralise(text)
    assert time.process_time() - began < 5


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=5))
def test_a_copied_line_is_read_back_as_its_cells(cells):
    [found] = csv.reader(io.StringIO(tab_separated(cells), newline=""), delimiter="\t")
    assert found == cells
