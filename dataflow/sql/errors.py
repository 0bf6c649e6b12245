"""What a query can do wrong. One root; facts as attributes, so that callers can point at the place.

SqlError
 └─ Refused     valid SQL, perhaps, but outside the dialect that can be kept up to date
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

WAYS_OUT = "make views of its parts, or nest it less"


class SqlError(Exception):
    """SQL that cannot be run. `line` and `column` count from 1 inside the SQL text; 0 when the place is unknown.

    `message` is one line, also where it quotes text of several.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, hint: str = "") -> None:
        message = " ".join(part.strip() for part in message.splitlines())
        where = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{where}{message}" + (f" ({hint})" if hint else ""))
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class Refused(SqlError):
    """Outside the dialect: refused rather than answered wrongly."""


@contextmanager
def only_sql_errors() -> Iterator[None]:
    """Let nothing but SqlError out: what else fails inside is its cause."""
    try:
        yield
    except SqlError:
        raise
    except RecursionError as error:
        raise SqlError("the query is nested too deeply", 1, 1, WAYS_OUT) from error
    except MemoryError as error:
        raise SqlError("the query takes more memory to compile than there is", 1, 1, WAYS_OUT) from error
    except Exception as error:
        said = " ".join(str(error).split())[:100]
        raise SqlError(
            f"the query cannot be compiled ({type(error).__name__}: {said})", 1, 1, "please report it"
        ) from error
