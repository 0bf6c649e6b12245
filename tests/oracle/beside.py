"""DuckDB in a process of its own: DuckDB 2.0.0 dies of a segmentation fault on some queries that Hypothesis grows, and
that must end a question, not the test run.

`python -m tests.oracle.beside` answers pickled statements on its standard input until that is closed.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import suppress
from typing import Any, BinaryIO

import duckdb


class DuckDied(Exception):
    """The process ended in the middle of a statement; another one has been started, and is empty."""


class Beside:
    """A connection to DuckDB in another process. `died` are the statements that ended one."""

    def __init__(self) -> None:
        self.died: list[str] = []
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.oracle.beside"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement. Raises what DuckDB raises, and DuckDied."""
        try:
            pickle.dump(sql, self._stdin)
            self._stdin.flush()
            answer = pickle.load(self._stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.died.append(sql)
            self.close()
            self._start()
            raise DuckDied(sql) from None
        if isinstance(answer, list):
            return answer
        name, message = answer
        raise getattr(duckdb, name, duckdb.Error)(message)

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._stdin.close()
        self._process.wait(timeout=10)
        self._stdout.close()

    @property
    def _stdin(self) -> BinaryIO:
        return self._process.stdin

    @property
    def _stdout(self) -> BinaryIO:
        return self._process.stdout


def serve(given: BinaryIO, out: BinaryIO) -> None:
    """Answer each statement with its rows, or with the name and message of DuckDB's error."""
    connection = duckdb.connect()
    while True:
        try:
            sql = pickle.load(given)
        except EOFError:
            return
        try:
            found = connection.execute(sql)
            answer = found.fetchall() if found.description else []
        except duckdb.Error as error:
            answer = type(error).__name__, str(error)
        pickle.dump(answer, out)
        out.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
