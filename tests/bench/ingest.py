"""Ingest, from outside: `watchfloor import demo FILE` of a whole year of flights into a fresh store.

    uv run python -m tests.bench.ingest [--json]

The time is the whole process': start, board, reading, decoding, checking against the board, durable writing, closing.
Then the same file again, which must add nothing, and the store out again as a file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from tests.bench.report import Figure, report
from tests.data.year import year_file

GOAL = 50_000  # events a second
MAIN = "import sys; from gui.cli import main; sys.exit(main())"


class Run(NamedTuple):
    """One run of the command: what it said, how long it took, and the most memory that it held."""

    said: str
    seconds: float
    megabytes: float


def watchfloor(*arguments: str) -> Run:
    """Raises CalledProcessError if it fails."""
    began = monotonic()
    with subprocess.Popen([sys.executable, "-c", MAIN, *arguments], stdout=subprocess.PIPE, text=True) as child:
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args, said)
    return Run(said, monotonic() - began, usage.ru_maxrss / 1024)


def figures(file: Path, folder: Path) -> list[Figure]:
    store, out = str(folder / "year.db"), folder / "out.ndjson"
    first = watchfloor("import", "demo", str(file), "--store", store)
    again = watchfloor("import", "demo", str(file), "--store", store)
    export = watchfloor("export", "demo", str(out), "--store", store)
    count = new(first)
    assert count == lines(file)
    assert new(again) == 0
    assert lines(out) == count
    return [
        Figure("import: events", count, "events"),
        Figure("import: rate", count / first.seconds, "events/s", GOAL, "higher"),
        Figure("import: peak memory", first.megabytes, "MB", 256),
        Figure("import again, nothing new: rate", count / again.seconds, "events/s", GOAL, "higher"),
        Figure("export: rate", count / export.seconds, "events/s"),
        Figure("store: size", Path(store).stat().st_size / count, "bytes/event"),
    ]


def new(run: Run) -> int:
    return int(run.said.split()[0].replace(",", ""))


def lines(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(1 for _ in opened)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.ingest", description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return report(figures(year_file(), Path(folder)), arguments.json)


if __name__ == "__main__":
    sys.exit(main())
