"""How long each test takes: by the clock, its own CPU seconds, and those of the processes that it ended.

Off unless asked for: `uv run pytest --lengths out.json`.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from pathlib import Path

import pytest

FIGURES = ("wall", "cpu", "children")


def pytest_addoption(parser):
    parser.addoption("--lengths", metavar="FILE", help="Write how long each test takes to a JSON file")


def pytest_configure(config):
    file = config.getoption("lengths")
    if file:
        config.pluginmanager.register(Lengths(Path(file)), "lengths-of-tests")


class Lengths:
    """Measures where tests run, collects where reports arrive (with workers, these are other processes)."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.tests: dict[str, dict[str, float]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self.started = measured()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.when == "teardown":
            report.lengths = [round(now - then, 4) for now, then in zip(measured(), self.started, strict=True)]
        return report

    def pytest_runtest_logreport(self, report):
        if hasattr(report, "lengths"):
            self.tests[report.nodeid.split("@")[0]] = dict(zip(FIGURES, report.lengths, strict=True))

    def pytest_sessionfinish(self, session):
        if hasattr(session.config, "workerinput"):
            return
        self.file.write_text(json.dumps({"files": self.by_file(), "tests": self.tests}, indent=1) + "\n")

    def by_file(self):
        files: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(FIGURES, 0.0))
        for test, lengths in self.tests.items():
            sums = files[test.partition("::")[0]]
            for figure, seconds in lengths.items():
                sums[figure] = round(sums[figure] + seconds, 4)
        return dict(sorted(files.items(), key=lambda item: -item[1]["wall"]))


def measured():
    times = os.times()
    return time.perf_counter(), times.user + times.system, times.children_user + times.children_system
