"""Tokens stand where the text has them, and what no text may hold is refused at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.sql.errors import SqlError
from dataflow.sql.parsing.dialect import Live
from dataflow.sql.parsing.tokens import DIGITS, NESTING, tokens_of

DIALECT = Live()
PIECES = st.lists(st.sampled_from(["1e5", "2.5", "5.5e-1", "x", "'a'", "+", "-", "*", "1_000"]), min_size=1)


@given(PIECES, st.sampled_from([" ", "\n"]))
def test_tokens_are_the_pieces_at_their_places(pieces: list[str], space: str) -> None:
    sql = space.join(pieces)
    tokens = tokens_of(sql, DIALECT)
    assert [sql[token.start : token.end + 1] for token in tokens] == pieces


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("1e5+1", ["1e5", "+", "1"]), ("1e5-.5e0-2", ["1e5", "-", ".", "5e0", "-", "2"]), ("1e5", ["1e5"]),
        ("1e+5+1", ["1e+5", "+", "1"]), ("x+1e1+1e1", ["x", "+", "1e1", "+", "1e1"]),
    ],
)  # fmt: skip
def test_a_sign_after_an_exponent_stands_alone(sql: str, texts: list[str]) -> None:
    tokens = tokens_of(sql, DIALECT)
    assert [sql[token.start : token.end + 1] for token in tokens] == texts


def test_nesting_and_digits_have_bounds() -> None:
    deep = "(" * NESTING + ")" * NESTING
    assert len(tokens_of(deep, DIALECT)) == 2 * NESTING
    with pytest.raises(SqlError, match="nested more than 1,000 deep"):
        tokens_of("(" * (NESTING + 1), DIALECT)
    assert len(tokens_of("(a) " * 2000, DIALECT)) == 6000
    assert len(tokens_of("9" * DIGITS, DIALECT)) == 1
    with pytest.raises(SqlError, match="1,001 digits") as caught:
        tokens_of("SELECT\n  " + "9" * (DIGITS + 1), DIALECT)
    assert (caught.value.line, caught.value.column) == (2, 3)
