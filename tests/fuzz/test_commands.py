"""The fuzzer of the commands finds nothing: for a moment in every run of the suite, for long when that is asked."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.fuzz.commands import BOARD, EVENTS, ROWS, SEEDS, TABLE
from tests.fuzz.mutate import mutated, with_odd_values

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its alarm is POSIX's")


def findings(seconds: int, seed: int) -> tuple[float, str]:
    command = [sys.executable, "-m", "tests.fuzz.commands", "--json", f"--seconds={seconds}", f"--seed={seed}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert sum(figure["value"] for figure in figures[:-1]) > 0
    return figures[-1]["value"], done.stderr


def test_a_moment_of_it():
    assert findings(3, 1)[0] == 0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_minutes_of_it():
    found, told = findings(600, random.randrange(10**6))
    assert found == 0, told


def test_its_bytes_are_odd_and_the_same_for_a_seed():
    for seed, form in ((BOARD, "toml"), (TABLE, "csv"), (ROWS, "csv"), (EVENTS, "json")):
        made = [
            (mutated(random.Random(number), seed, SEEDS), with_odd_values(random.Random(number), seed, form))
            for number in range(40)
        ]
        again = [
            (mutated(random.Random(number), seed, SEEDS), with_odd_values(random.Random(number), seed, form))
            for number in range(40)
        ]
        assert made == again
        assert len(set(made)) > 30
