"""DuckDB's SQL as we read it: sqlglot's dialect without the places where it reads something else than DuckDB does.

Functions in `BY_NAME` come as plain calls with the arguments as written, where sqlglot takes a column for a unit of
time by its name, swaps arguments, drops some or turns a format. After INTERVAL stand a literal or parentheses, then a
unit's keyword; EXTRACT takes a name and FROM; a keyword of DuckDB's is no alias without AS.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.parsers.duckdb import DuckDBParser

from dataflow.sql.runtime.units import KEYWORDS

BY_NAME = frozenset({
    "DATE_TRUNC", "DATETRUNC", "DATE_DIFF", "DATEDIFF", "DATE_ADD", "STRFTIME", "TIME_BUCKET", "LAST_DAY",
    "JSON_EXTRACT", "JSON_EXTRACT_PATH", "JSON_EXTRACT_STRING", "JSON_EXTRACT_PATH_TEXT",
})  # fmt: skip

NO_ALIASES = frozenset({
    "all", "analyse", "analyze", "anti", "any", "array", "asc", "asof", "asymmetric", "at", "authorization", "binary",
    "both", "by", "case", "cast", "centuries", "century", "check", "collation", "column", "concurrently",
    "constraint", "day", "days", "decade", "decades", "default", "deferrable", "desc", "describe", "do", "end",
    "escape", "exclude", "export_state", "false", "filter", "foreign", "freeze", "full", "group", "hour", "hours",
    "ignore", "initially", "is", "lambda", "leading", "left", "limit", "microsecond", "microseconds", "millennia",
    "millennium", "millisecond", "milliseconds", "minute", "minutes", "month", "months", "natural", "null", "offset",
    "order", "over", "pivot", "pivot_longer", "pivot_wider", "placing", "precision", "primary", "quarter", "quarters",
    "references", "rename", "replace", "respect", "right", "second", "seconds", "semi", "show", "similar", "some",
    "symmetric", "table", "to", "trailing", "true", "unique", "unpack", "unpivot", "variadic", "varying", "verbose",
    "week", "weeks", "window", "within", "without", "year", "years",
})  # fmt: skip
"""What DuckDB 2.0.0 takes for an alias only after AS; sqlglot takes it without."""


class LiveParser(DuckDBParser):
    FUNCTIONS: ClassVar[Any] = {name: build for name, build in DuckDBParser.FUNCTIONS.items() if name not in BY_NAME}

    JSON_OPERATORS: ClassVar[Any] = {
        TokenType.ARROW: lambda self, this, path: self.expression(exp.JSONExtract(this=this, expression=path)),
        TokenType.DARROW: lambda self, this, path: self.expression(exp.JSONExtractScalar(this=this, expression=path)),
    }

    def _parse_alias(self, this: exp.Expr | None, explicit: bool = False) -> exp.Expr | None:
        token = self._curr
        quoted = token is not None and token.token_type == TokenType.IDENTIFIER
        if token and not quoted and (token.text.lower() in NO_ALIASES or token.token_type == TokenType.PARAMETER):
            return this
        found: exp.Expr | None = super()._parse_alias(this, explicit)
        return found

    def _parse_interval(
        self, require_interval: bool = True, parse_function_unit: bool = True
    ) -> exp.Add | exp.Interval | None:
        index = self._index
        if not self._match(TokenType.INTERVAL):
            return None
        literal = self._match_set((TokenType.STRING, TokenType.NUMBER, TokenType.L_PAREN), advance=False)
        count = self._parse_primary() if literal else None
        if count is None:
            self._retreat(index)
            return None
        unit = self._parse_unit()
        if unit is not None and self._match_text_seq("TO"):
            unit = exp.IntervalSpan(this=unit, expression=self._parse_unit())
        found: exp.Interval = self.expression(exp.Interval(this=count, unit=unit))
        return found

    def _parse_primary(self) -> exp.Expr | None:
        """A number that starts with its point stays as it is written: it is of another type."""
        if self._match_pair(TokenType.DOT, TokenType.NUMBER):
            return exp.Literal.number(f".{self._prev.text}")
        found: exp.Expr | None = super()._parse_primary()
        return found

    def _parse_unit(self) -> exp.Expr | None:
        token = self._curr
        if token is None or token.token_type == TokenType.IDENTIFIER or token.text.lower() not in KEYWORDS:
            return None
        unit: exp.Expr | None = self._parse_var(any_token=True)
        return unit

    def _parse_extract(self) -> exp.Extract | exp.Anonymous:
        unit = self._parse_string() or self._parse_var(any_token=True) or self._parse_id_var()
        if not self._match(TokenType.FROM):
            self.raise_error("Expected FROM after EXTRACT's unit", self._prev)
        found: exp.Extract = self.expression(exp.Extract(this=unit, expression=self._parse_bitwise()))
        return found


class Live(DuckDB):
    Parser = LiveParser
