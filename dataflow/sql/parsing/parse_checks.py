"""What sqlglot's parser overlooks or misreads, looked for in the tokens: a second comma, statements that it does not
know, values beyond those that a function takes, names of
other databases, and what follows in an interval's text (it drops both), and a :: after
DATE '…'.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from sqlglot import Token, TokenType

from dataflow.sql.errors import Refused, SqlError

TYPES = frozenset({
    "DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME", "INTERVAL", "INT", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR",
    "BOOLEAN",
})  # fmt: skip
"""Words that stand before a text to say what it is: the parser then takes a :: after the text for the text's own."""
STARTS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "("})

MOST = {
    "any_value": 1, "arg_max": 2, "arg_min": 2, "argmax": 2, "argmin": 2, "max_by": 2, "min_by": 2, "ceil": 1,
    "ceiling": 1, "floor": 1, "date_diff": 3, "datediff": 3, "date_trunc": 2, "datetrunc": 2, "epoch_ms": 1,
    "log10": 1, "log2": 1, "lpad": 3, "rpad": 3, "ltrim": 2, "rtrim": 2, "trim": 2, "mod": 2, "position": 1,
    "quantile_cont": 2, "strftime": 2, "percentile_cont": 1, "percentile_disc": 1,
}  # fmt: skip
"""How many values the parser keeps for these functions, whatever is written."""

FOREIGN = {
    "bitwise_and_agg": "bit_and", "bitwise_or_agg": "bit_or", "bitwise_xor_agg": "bit_xor", "booland_agg": "bool_and",
    "boolor_agg": "bool_or", "logical_and": "bool_and", "logical_or": "bool_or", "char": "chr", "charindex": "strpos",
    "locate": "strpos", "str_position": "strpos", "datefromparts": "make_date", "date_from_parts": "make_date",
    "date_to_date_str": "strftime", "time_to_str": "strftime", "time_to_time_str": "strftime",
    "ts_or_ds_to_date_str": "strftime", "dayofweek_iso": "isodow", "day_of_month": "day", "day_of_week": "dayofweek",
    "day_of_year": "dayofyear", "week_of_year": "week", "last_day_of_month": "last_day", "startswith": "starts_with",
    "endswith": "ends_with", "iif": "if", "nvl": "coalesce", "is_inf": "isinf", "is_nan": "isnan", "leftpad": "lpad",
    "rightpad": "rpad", "regexp_like": "regexp_matches", "sha": "sha1", "signum": "sign", "stdev": "stddev",
    "timestamp_trunc": "date_trunc", "time_to_unix": "epoch", "unix_to_time": "make_timestamp", "truncate": "trunc",
    "variance_pop": "var_pop", "variance_samp": "var_samp",
}  # fmt: skip
"""Names of other databases that the parser takes for DuckDB's, and what DuckDB calls them."""

INTERVAL_TEXT = re.compile(
    r"\s*(?:[+-]?\d+(?:\.\d+)?\s*|(?:[+-]?\d+(?:\.\d+)?\s*[a-zA-Z]+\s*)+|[+-]?\d+:\d\d(?::\d\d(?:\.\d+)?)?\s*)"
)
AGO = re.compile(r"\bago\b", re.IGNORECASE)


def look(tokens: Sequence[Token]) -> None:
    """Raises SqlError."""
    if tokens and tokens[0].text.upper() not in STARTS:
        raise Refused("only SELECT can be a live query", tokens[0].line, 1)
    for at, (one, two) in enumerate(pairwise(tokens)):
        if one.token_type == two.token_type == TokenType.COMMA:
            raise SqlError("nothing stands between two commas", two.line, two.col)
        after = tokens[at + 2].token_type if at + 2 < len(tokens) else None
        if two.token_type == TokenType.STRING and after == TokenType.DCOLON and one.text.upper() in TYPES:
            said = f"{one.text} '{two.text}'"
            raise Refused(f"{said} needs parentheses before ::", one.line, one.col - len(one.text) + 1, f"({said})::…")
        if one.token_type == TokenType.INTERVAL and two.token_type == TokenType.STRING:
            _interval(two)
        if two.token_type == TokenType.L_PAREN and one.text.lower() in FOREIGN:
            said, known = one.text.lower(), FOREIGN[one.text.lower()]
            raise Refused(f"{said} is no function of DuckDB's", one.line, one.col - len(said) + 1, f"{known}(…)")
        most = MOST.get(one.text.lower()) if two.token_type == TokenType.L_PAREN else None
        if most is not None and one.token_type != TokenType.STRING and _values(tokens, at + 1) > most:
            said = one.text.lower()
            raise Refused(f"{said} takes {most} value{'s' * (most > 1)} here", one.line, one.col - len(said) + 1)


def _interval(token: Token) -> None:
    if not INTERVAL_TEXT.fullmatch(token.text) or AGO.search(token.text):
        line, column = token.line, max(token.col - len(token.text) - 1, 1)
        raise SqlError(f"'{token.text}' does not read as an interval", line, column, "INTERVAL '1 day 5 hours'")


def _values(tokens: Sequence[Token], at: int) -> int:
    """How many values stand in the parentheses that open at `at`."""
    depth, commas = 0, 0
    for token in tokens[at:]:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0) * (
            token.token_type != TokenType.STRING
        )
        if not depth:
            break
        commas += depth == 1 and token.token_type == TokenType.COMMA
    return commas + 1
