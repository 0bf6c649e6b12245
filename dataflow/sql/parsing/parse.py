"""SQL text to sqlglot's tree, with errors made one clear line; and where a node stands in the text.

Only here and in the lowering modules beside it is sqlglot imported: a plan from the cache needs none of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlglot import Dialect, exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError

from dataflow.sql.budget import spend
from dataflow.sql.errors import Refused, SqlError
from dataflow.sql.parsing.dialect import Live, LiveParser
from dataflow.sql.parsing.parse_checks import look
from dataflow.sql.parsing.tokens import tokens_of

GIVEN = "\x00given"
"""The column that stands for what is before IN, ANY or ALL in a `SubqueryAggregate`. No text can hold the name."""


def parse(sql: str) -> exp.Query:
    """One SELECT (or UNION of them). Raises SqlError."""
    try:
        sql.encode()
        dialect = _dialect()
        tokens = tokens_of(sql, dialect)
        look(tokens)
        trees = _Parser(dialect=dialect).parse(tokens, sql)
    except UnicodeEncodeError:
        raise SqlError("the text holds half of a character", 1, 1) from None
    except ParseError as error:
        raise _unreadable(error) from None
    except (LookupError, AttributeError, TypeError) as error:
        raise SqlError("the parser cannot read this text", 1, 1) from error
    except TokenError as error:
        raise SqlError("the text cannot be read: " + str(error).split("\n")[0], *_end(sql)) from None
    statements = [tree for tree in trees if tree is not None]
    if len(statements) != 1:
        raise SqlError("there is no query" if not statements else "one query at a time", 1, 1)
    tree = statements[0]
    if "VALUES" in sql.upper():
        tree = _selected(tree)
    if not isinstance(tree, exp.Query):
        raise Refused("only SELECT can be a live query", 1, 1)
    return tree


_LOOK_EVERY = 256


@cache
def _dialect() -> Dialect:
    return Live()


class _Parser(LiveParser):
    """Reads within the budget: it comes by here for each word that it looks at, again and again."""

    _steps = 0

    def _advance(self, times: int = 1) -> None:
        self._steps += 1
        if not self._steps % _LOOK_EVERY:
            spend(_LOOK_EVERY)
        super()._advance(times)


def _selected(tree: exp.Expr) -> exp.Expr:
    """VALUES that stand for a query, by themselves or after IN, as SELECT * FROM (VALUES …)."""
    for node in list(tree.find_all(exp.Values)):
        parent = node.parent
        if parent is None:
            return _all_of(node)
        if isinstance(parent, exp.In) and len(parent.expressions) == 1:
            parent.set("expressions", None)
            parent.set("query", exp.Subquery(this=_all_of(node)))
        if isinstance(parent, exp.Paren | exp.Subquery) and not isinstance(parent.parent, exp.From | exp.Join):
            parent.replace(exp.Subquery(this=_all_of(node)))
    return tree


def _all_of(node: exp.Values) -> exp.Select:
    one = len(node.expressions[0].expressions) == 1
    found = exp.select("col0" if one else "*").from_(node, copy=False)
    for name in ("order", "limit", "offset"):
        found.set(name, node.args.pop(name, None))
    return found


def place(node: exp.Expr) -> tuple[int, int]:
    """Line and column, from 1, of the first part of `node` whose place is known, or else of what it is a part of;
    (0, 0) if there is none.
    """
    found: list[tuple[int, int]] = []
    above: exp.Expr | None = node
    while above is not None and not found:
        for part in above.walk():
            line, column = part.meta.get("line"), part.meta.get("col")
            if line and column:
                found.append((line, max(column - (part.meta["end"] - part.meta["start"]), 1)))
        above = above.parent
    return min(found, default=(0, 0))


def error(node: exp.Expr, message: str, hint: str = "") -> SqlError:
    return SqlError(message, *place(node), hint)


def refused(node: exp.Expr, message: str, hint: str = "") -> Refused:
    return Refused(message, *place(node), hint)


def only(node: exp.Expr, *known: str) -> None:
    """The allow-list's teeth: refuse a node that says more than its rule reads."""
    for name, value in node.args.items():
        if name not in known and value is not None and value is not False and value != []:
            raise refused(node, f"{name.strip('_').replace('_', ' ')} is not supported here: {short(node)}")


def written(node: exp.Expr, **how: Any) -> str:
    """The node as SQL; its kind alone where the parser's own writer stumbles over what it has read."""
    try:
        return node.sql("duckdb", comments=False, unsupported_level=ErrorLevel.IGNORE, **how)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001
        return node.key.upper()


def short(node: exp.Expr) -> str:
    """The node's own text, cut to fit a message."""
    text = written(node)
    text = re.sub(r"\s+", " ", text).replace(f'"{GIVEN}"', "…")
    return text if len(text) <= 60 else text[:57] + "…"


def _unreadable(error: ParseError) -> SqlError:
    fact = error.errors[0] if error.errors else {}
    near = fact.get("highlight") or ""
    said = re.sub(r"\s+", " ", fact.get("description") or "syntax error").rstrip(". ")
    said = said[:1].lower() + said[1:]
    column = max((fact.get("col") or 1) - len(near) + 1, 1)
    shown = re.sub(r"\s+", " ", near[:60])
    return SqlError(f"{said}, near '{shown}'" if near else said, fact.get("line") or 1, column)


def _end(sql: str) -> tuple[int, int]:
    lines = sql.split("\n")
    return len(lines), len(lines[-1]) + 1
