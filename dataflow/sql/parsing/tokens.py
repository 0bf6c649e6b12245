"""A query's text as tokens, within the compiler's limits, and numbers as DuckDB reads them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from sqlglot import Dialect, Token, TokenType

from dataflow.sql import budget
from dataflow.sql.errors import WAYS_OUT, SqlError

NESTING = 1000
"""How deep parentheses, brackets and CASE stand in each other: as deep as DuckDB's expressions go."""
WORDS = 200_000
DIGITS = 1000
NUMBER = re.compile(r"(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?")
NEWLINE = re.compile("\n")
OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})


def tokens_of(sql: str, dialect: Dialect) -> list[Token]:
    """Raises SqlError, and what the tokenizer raises."""
    if len(sql) > budget.TEXT:
        raise SqlError(f"the query has more than {budget.TEXT:,} characters", 1, 1, WAYS_OUT)
    found = dialect.tokenize(sql)
    if len(found) > WORDS:
        raise SqlError(f"the query has more than {WORDS:,} words", 1, 1, WAYS_OUT)
    ends: list[int] = []
    for token in found:
        if token.token_type == TokenType.NUMBER and token.start >= (ends[-1] if ends else 0):
            ends += _ends(token, sql)
    if ends:
        found = _apart(sql, ends, dialect)
    _check_nesting(found)
    _check_numbers(found, sql)
    return found


def _ends(token: Token, sql: str) -> list[int]:
    """Where numbers end that the tokenizer takes for one: with an exponent, `+1` after it is read into it."""
    ends: list[int] = []
    number = NUMBER.match(sql, token.start)
    if number is None or number.end() > token.end:
        return ends
    while number is not None and sql[number.end() : number.end() + 1] in ("+", "-"):
        ends.append(number.end())
        number = NUMBER.match(sql, number.end() + 1)
    return ends


def _apart(sql: str, ends: Sequence[int], dialect: Dialect) -> list[Token]:
    """The tokens with a space after those numbers, at their places in the text without it."""
    bounds = [0, *ends, len(sql)]
    found = dialect.tokenize(" ".join(sql[start:end] for start, end in pairwise(bounds)))
    spaces = [end + at for at, end in enumerate(ends)]
    lines = [0, *(match.end() for match in NEWLINE.finditer(sql))]
    for token in found:
        before = bisect_left(spaces, token.start)
        token.start -= before
        token.end -= before
        token.col -= before - bisect_left(ends, lines[bisect_right(lines, token.start) - 1])
    return found


def _check_nesting(tokens: Sequence[Token]) -> None:
    depth = 0
    for token in tokens:
        if token.token_type in OPENING:
            depth += 1
            if depth > NESTING:
                raise SqlError(f"the query is nested more than {NESTING:,} deep", token.line, token.col, WAYS_OUT)
        elif token.token_type in CLOSING:
            depth = max(depth - 1, 0)


def _check_numbers(tokens: Sequence[Token], sql: str) -> None:
    """What goes on after a number as one would is none: `.5.5`. Digits beyond all types are not read at all."""
    for token in tokens:
        if token.token_type == TokenType.NUMBER:
            column = max(token.col - (token.end - token.start), 1)
            if _goes_on(token, sql):
                raise SqlError(f"{sql[token.start : token.end + 3][:40]} is no number", token.line, column)
            if len(token.text) > DIGITS:
                message = f"a number of {len(token.text):,} digits is beyond 64 bits"
                raise SqlError(message, token.line, column, "write it as a float: 1e20")


def _goes_on(token: Token, sql: str) -> bool:
    before, after = sql[token.start - 1 : token.start], sql[token.end + 1 : token.end + 2]
    if after == "." or (before == "." and "." in token.text):
        return True
    text = sql[token.start : token.end + 1]
    if NUMBER.fullmatch(text) is None and text[-1] not in "eE":
        return True
    return "e" in text.lower() and (after.isalnum() or after == "_")
