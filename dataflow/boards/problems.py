"""What is wrong with a board file: every problem with its place, so that one look finds it and one edit mends
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec


class BoardProblem(msgspec.Struct, frozen=True):
    """One problem. `key` is the place in TOML's own words (`panels[2].sql`), "" (and line 0) for the file as
    a whole.
    """

    path: Path
    line: int
    key: str
    message: str
    hint: str = ""
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(map(str, filter(None, (self.path, self.line, self.column))))
        key = f"{self.key}: " if self.key else ""
        hint = f". {self.hint[0].upper()}{self.hint[1:]}" if self.hint else ""
        return f"{place}: {key}{self.message}{hint}"


class BoardError(Exception):
    """The board file cannot be used; `problems` has at least one."""

    def __init__(self, problems: Sequence[BoardProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
