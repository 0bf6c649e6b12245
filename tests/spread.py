"""Spread the suite over the cores: files as measured in lengths.json, the longest first, each as a whole to one worker.

A run of a few short files, of single tests, with a debugger or of the long kind stays in one process. `-n 0` or `-n 4`
say otherwise; `uv run pytest --keep-lengths` measures anew.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_name("lengths.json")
WORTHWHILE_S = 30  # a worker takes some seconds to start
MOST_WORKERS = 8
SHORTEST_S = 0.5  # shorter files are not worth a line


def pytest_addoption(parser):
    parser.addoption("--keep-lengths", action="store_true", help="Keep how long each file takes in lengths.json")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if is_worker(config):
        return
    option = config.option
    if getattr(option, "numprocesses", 0) is None and option.dist == "no" and is_whole(option):
        option.numprocesses = workers(seconds(config))
    if getattr(option, "numprocesses", 0) and option.dist == "no":
        option.dist, option.loadscopereorder = "loadfile", False


def pytest_configure(config):
    if config.getoption("keep_lengths") and not is_worker(config):
        config.pluginmanager.register(Keeper(), "keeper-of-lengths")


def pytest_collection_modifyitems(config, items):
    if is_worker(config):
        lengths = measured()
        items.sort(key=lambda item: -lengths.get(item.nodeid.partition("::")[0], 0))


def is_worker(config):
    return hasattr(config, "workerinput")


def is_whole(option):
    """Whether nobody watches the run of a single test."""
    alone = option.usepdb or option.trace or option.collectonly or option.capture == "no"
    return not alone and option.markexpr == "not long"


def seconds(config):
    """How long the given files and folders took, single tests not counted."""
    paths = [Path(config.invocation_params.dir, each).resolve() for each in config.args if "::" not in each]
    files = [(ROOT / name, length) for name, length in measured().items()]
    return sum(length for file, length in files if any(file.is_relative_to(path) for path in paths))


def workers(length):
    """So many that each has enough to do, at most one for each core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = min(cores, MOST_WORKERS, int(length / WORTHWHILE_S) + 1)
    return count if count > 1 else 0


def measured():
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


class Keeper:
    """Adds up what each file takes by the clock, and keeps it beside this module."""

    def __init__(self):
        self.files = defaultdict(float)

    def pytest_runtest_logreport(self, report):
        self.files[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self):
        by_length = sorted(self.files.items(), key=lambda each: -each[1])
        kept = {file: round(length, 1) for file, length in by_length if length >= SHORTEST_S}
        KEPT.write_text(json.dumps(kept, indent=0) + "\n")
