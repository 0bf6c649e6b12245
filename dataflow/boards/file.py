"""Reading a board file: TOML to a `Board`, its CSV tables, and every problem with file, line and key.

    load(path) ─► text ─► tomllib ─► shape.fit ─► rules ─► tables ─► LoadedBoard
                  └─────► toml_lines.TomlLines (where everything stands)  └────► BoardError(problems)

`sql.check` then holds the SQL against the engine. `BoardFile` notices saves; whoever has a clock polls
it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from dataflow.board import Board
from dataflow.boards import tables
from dataflow.boards.problems import BoardError, BoardProblem
from dataflow.boards.rules import broken
from dataflow.boards.shape import Finding, fit
from dataflow.boards.tables import CsvTable, TableError
from dataflow.boards.toml_lines import TomlLines, written
from dataflow.events.schema import Schema
from storage.regular import read_regular

LARGEST = 4 * 2**20
"""Bytes of a board's file."""

__all__ = ["BoardError", "BoardFile", "BoardProblem", "LoadedBoard", "board_path", "load", "read"]


class LoadedBoard:
    """A board and where it came from. `panels[i]` is the index in the file of the board's panel i."""

    def __init__(self, board: Board, path: Path, text: str, panels: list[int]) -> None:
        self.board, self.path, self.text, self.panels = board, path, text, panels
        self.tables: dict[str, CsvTable] = {}

    @cached_property
    def lines(self) -> TomlLines:
        return TomlLines(self.text)

    @cached_property
    def schema(self) -> Schema:
        return Schema(self.board)

    def problem(self, finding: Finding) -> BoardProblem:
        return _problem(self.path, self.lines, finding)


def load(path: Path) -> LoadedBoard:
    """Raises BoardError with every problem that can be told without the engine."""
    loaded, problems = read(path)
    if problems:
        raise BoardError(problems)
    return loaded


def read(path: Path) -> tuple[LoadedBoard, list[BoardProblem]]:
    """What can be read of the board, and what is wrong with it; raises BoardError where it is not even TOML.
    """
    text = _text(path)
    shape = fit(_document(path, text))
    loaded = LoadedBoard(shape.board, path, text, shape.panels)
    rules = [_in_file(f, shape.panels) for f in broken(shape.board)]
    findings = shape.findings + [f for f in rules if not _follows(f, shape.findings)]
    problems = [loaded.problem(finding) for finding in findings]
    problems += _read_tables(loaded)
    return loaded, sorted(problems, key=lambda p: (p.path != path, p.line))


def _in_file(finding: Finding, panels: list[int]) -> Finding:
    match finding.path:
        case ("panels", int(i), *rest):
            return finding._replace(path=("panels", panels[i], *rest))
    return finding


def _follows(finding: Finding, shape: list[Finding]) -> bool:
    """Whether it may only be a consequence of a piece with the wrong shape beside it, which was taken away.
    """
    beside = [s.path[:-1] for s in shape if len(s.path) > 1]
    places = (finding.path, finding.rests_on)
    return any(place[: len(path)] == path for path in beside for place in places)


def _text(path: Path) -> str:
    try:
        raw = read_regular(path, LARGEST)
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8: byte {raw[error.start]:#04x}"
        raise BoardError([BoardProblem(path, line, "", message, "save it as UTF-8")]) from None


def _unreadable(path: Path, error: OSError) -> BoardError:
    match error:
        case FileNotFoundError():
            message, hint = "no such file", "give the path of a board file, or `demo`"
        case IsADirectoryError():
            message, hint = "is a folder", "give the path of a board file in it"
        case PermissionError():
            message, hint = "may not be read", "mind its permissions"
        case _:
            message, hint = f"cannot be read: {error.strerror or error}", ""
    return BoardError([BoardProblem(path, 0, "", message, hint)])


def _document(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BoardError([_not_toml(path, text, str(error))]) from None
    except RecursionError:
        raise BoardError([BoardProblem(path, 0, "", "nested too deeply")]) from None
    except ValueError:  # the one thing that tomllib leaves to Python: a whole number of thousands of digits
        problem = BoardProblem(path, 0, "", "not TOML: a number is too long", "64 bits hold 19 digits")
        raise BoardError([problem]) from None


def _not_toml(path: Path, text: str, error: str) -> BoardProblem:
    """tomllib says "… (at line 3, column 5)" or "… (at end of document)"."""
    message, _, place = error.removesuffix(")").rpartition(" (at ")
    words = place.replace(",", "").split()
    if len(words) == 4 and words[1].isdigit() and words[3].isdigit():
        return BoardProblem(path, int(words[1]), "", f"not TOML: {_lower(message)}", "", int(words[3]))
    last = text.count("\n") + 1
    return BoardProblem(path, last, "", f"not TOML: {_lower(message or error)}", "something is not closed")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _read_tables(loaded: LoadedBoard) -> list[BoardProblem]:
    problems = []
    for name, table in loaded.board.tables.items():
        try:
            loaded.tables[name] = tables.read(loaded.path.parent / table.csv, loaded.path.parent)
        except TableError as error:
            problems.append(_table_problem(loaded, name, error))
    return problems


def _table_problem(loaded: LoadedBoard, name: str, error: TableError) -> BoardProblem:
    if error.line == 0:
        return loaded.problem(Finding(("tables", name, "csv"), f"{error.path}: {error.message}", error.hint))
    return BoardProblem(error.path, error.line, "", error.message, error.hint)


def _problem(path: Path, lines: TomlLines, finding: Finding) -> BoardProblem:
    return BoardProblem(path, lines.line(finding.path), written(finding.path), finding.message, finding.hint)


class Stamp(NamedTuple):
    """What tells one saved state of a file from another, also where an editor saves by renaming."""

    inode: int
    size: int
    changed: int


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


class BoardFile:
    """A board file under watch, with its CSV tables. The first poll says something unless the board is known.

    An error is handed out only when a second poll finds the same file: an editor may be halfway through
    saving it.
    """

    def __init__(
        self,
        path: Path,
        check: Callable[[LoadedBoard], Sequence[BoardProblem]] | None = None,
        known: LoadedBoard | None = None,
    ) -> None:
        """`check` finds what reading alone does not: see `sql.check`. `known` was just read from there."""
        self.path = path
        self._check = check
        self._watched: tuple[Path, ...] = (path,)
        self._stamps: tuple[Stamp | None, ...] | None = None
        self._doubt: BoardError | None = None
        if known is not None:
            self._watched = _files(known)
            self._stamps = tuple(map(_stamp, self._watched))

    def poll(self) -> LoadedBoard | BoardError | None:
        """The board or its problems if the file has changed since, else None."""
        stamps = tuple(map(_stamp, self._watched))
        if stamps == self._stamps:
            settled, self._doubt = self._doubt, None
            return settled
        first = self._stamps is None
        self._stamps = stamps
        news = self._load()
        self._doubt = news if isinstance(news, BoardError) and not first else None
        return None if self._doubt else news

    def _load(self) -> LoadedBoard | BoardError:
        try:
            loaded, problems = read(self.path)
        except BoardError as error:
            return error
        files = _files(loaded)
        if files != self._watched:
            before, self._watched = self._stamps or (), files
            self._stamps = (*before[:1], *map(_stamp, files[1:]))
        if not problems and self._check:
            problems = list(self._check(loaded))
        return BoardError(problems) if problems else loaded


def _files(loaded: LoadedBoard) -> tuple[Path, ...]:
    return loaded.path, *(loaded.path.parent / table.csv for table in loaded.board.tables.values())


def board_path(name: str) -> Path:
    """`demo` is the shipped board; anything else is a path."""
    from importlib.resources import files

    return Path(str(files("assets") / "boards" / "nyc.toml")) if name == "demo" else Path(name)
