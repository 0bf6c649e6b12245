"""Start-up, from outside: process start to the first content of the demo on the screen, and `watchfloor check demo`.

    uv run python -m tests.bench.startup [--json] [--runs 7]

Each run is a new process with the desktop's own start (`gui.cli`), on Qt's offscreen platform; the child says when
the first content is painted. With `--desks 2` it is the later one of the two that counts. *Warm* runs have the plan
cache of an earlier one, *cold* runs an empty one, as on the very first start.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import islice
from time import monotonic

from tests.bench.report import Figure, report

CHILD = """
import functools, sys, time
import gui.app
def painted():
    print(time.monotonic(), flush=True)
    from PySide6.QtWidgets import QApplication
    for widget in QApplication.topLevelWidgets():
        widget.close()
gui.app.run = functools.partial(gui.app.run, on_painted=painted)
from gui.cli import run
run(["demo"])
"""
DESKS = """
from gui.commands import demo_desks
demo_desks.DESK = "from tests.bench.startup import desk as main"
from gui.cli import run
run(["demo", "--desks", "2"])
"""
CHECK = "from gui.cli import run; run(['check', 'demo'])"


def environment(cache: str) -> dict[str, str]:
    """This process's, with a cache folder and a home of its own."""
    return os.environ | {
        "QT_QPA_PLATFORM": "offscreen", "XDG_CACHE_HOME": cache, "XDG_CONFIG_HOME": cache, "XDG_DATA_HOME": cache,
    }  # fmt: skip


def demo(cache: str) -> float:
    """Seconds from the start of the process to the first content on the screen."""
    began = monotonic()
    command = [sys.executable, "-c", CHILD]
    done = subprocess.run(command, env=environment(cache), stdout=subprocess.PIPE, text=True, check=False)
    return float(done.stdout.split()[0]) - began


def desks(cache: str) -> float:
    """Seconds from the start of the process to the first content in both of its desks' windows."""
    began = monotonic()
    command = [sys.executable, "-c", DESKS]
    with subprocess.Popen(command, env=environment(cache), stdout=subprocess.PIPE, text=True) as process:
        painted = islice((line for line in process.stdout if line.startswith("painted")), 2)
        times = [float(line.split()[1]) for line in painted]
        process.terminate()
    return max(times) - began


def desk(seat: str) -> int:
    """One of the two, in its own process."""
    from gui.demo.desk_process import main

    return main(seat, lambda: print("painted", monotonic(), flush=True))


def check(cache: str) -> float:
    """Seconds from the start of the process to its end."""
    began = monotonic()
    subprocess.run([sys.executable, "-c", CHECK], env=environment(cache), stdout=subprocess.DEVNULL, check=True)
    return monotonic() - began


def warm(command, runs: int) -> list[float]:
    with tempfile.TemporaryDirectory() as cache:
        command(cache)
        return [command(cache) for _ in range(runs)]


def cold(command, runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            times.append(command(cache))
    return times


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--runs", type=int, default=7)
    given = arguments.parse_args()
    figures = [
        Figure("demo, start to first content, warm", statistics.median(warm(demo, given.runs)), "s", 2.0),
        Figure("demo, start to first content, cold", statistics.median(cold(demo, given.runs)), "s", 2.0),
        Figure("demo --desks 2, start to both, warm", statistics.median(warm(desks, given.runs)), "s", 2.0),
        Figure("demo --desks 2, start to both, cold", statistics.median(cold(desks, given.runs)), "s"),
        Figure("check demo, warm", statistics.median(warm(check, given.runs)), "s", 0.5),
        Figure("check demo, cold", statistics.median(cold(check, given.runs)), "s"),
    ]
    return report(figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
