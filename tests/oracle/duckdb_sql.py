"""A query of the dialect as DuckDB runs it: the sugar written out, the clock set. The text is otherwise left alone,
so that DuckDB reads what the operator wrote and not what our parser made of it.

`latest(x)` is `arg_max(x, position)`, `earliest(x)` is `arg_min(x, position)`; where all columns of x come from one
table alias, the position does too.
"""

from __future__ import annotations

from typing import Any

CLOCKS = {
    "now": "make_timestamptz({})", "current_timestamp": "make_timestamptz({})",
    "today": "make_timestamptz({})::DATE", "current_date": "make_timestamptz({})::DATE",
}  # fmt: skip
SUGAR = {"latest": "arg_max", "earliest": "arg_min"}


def to_duckdb(sql: str, now: int | None = None) -> str:
    """`now`, in microseconds, replaces `now()` and its like."""
    from sqlglot import TokenType, tokenize

    tokens = [*tokenize(sql, read="duckdb")]
    edits: list[tuple[int, int, str]] = []
    for at, token in enumerate(tokens):
        after = tokens[at + 1].token_type if at + 1 < len(tokens) else None
        word = token.text.lower()
        if word in SUGAR and after == TokenType.L_PAREN:
            close = _closing(tokens, at + 1)
            edits.append((token.start, token.end + 1, SUGAR[word]))
            edits.append((tokens[close].start, tokens[close].start, f", {_position(tokens[at + 2 : close])}"))
        elif now is not None and word in CLOCKS:
            called = after == TokenType.L_PAREN
            if called or word.startswith("current"):
                edits.append((token.start, tokens[at + 2 * called].end + 1, CLOCKS[word].format(now)))
    for start, end, text in sorted(edits, reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql


def _closing(tokens: list[Any], at: int) -> int:
    """The index of the parenthesis that closes the one at `at`."""
    depth = 0
    for index in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if not depth:
            return index
    return len(tokens) - 1


def _position(tokens: list[Any]) -> str:
    from sqlglot import TokenType

    owners = [tokens[i - 1].text for i, token in enumerate(tokens) if token.token_type == TokenType.DOT and i]
    return f'"{owners[0]}".position' if owners and len(set(owners)) == 1 else "position"
