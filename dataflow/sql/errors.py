"""What a query can do wrong. One root; facts as attributes, so that callers can point at the place.

SqlError
 └─ Refused     valid SQL, perhaps, but outside the dialect that can be kept up to date
"""

from __future__ import annotations


class SqlError(Exception):
    """SQL that cannot be run. `line` and `column` count from 1 inside the SQL text; 0 when the place is unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0, hint: str = "") -> None:
        where = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{where}{message}" + (f" ({hint})" if hint else ""))
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class Refused(SqlError):
    """Outside the dialect: refused rather than answered wrongly."""
