"""Several processes on one store, and one that is killed in the middle of it."""

from __future__ import annotations

import subprocess
import sys

from storage.database import Database
from tests.storage.samples import ids

APPEND = """
import sys
from pathlib import Path
from storage.database import Database
from tests.storage.samples import event
path, start, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with Database.open(path) as store:
    for n in range(start, start + count):
        store.log.append([event(n), event(n + 1_000_000)]).result()
        print(n, flush=True)
"""


def appending(path, start: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPEND, str(path), str(start), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_several_processes_make_a_store_and_append_to_it(tmp_path):
    """All start on a file that is not there: one of them makes it."""
    path = tmp_path / "board.db"
    others = [appending(path, k * 1000, 40) for k in (1, 2, 3)]
    assert [other.communicate()[1] or other.returncode for other in others] == [0, 0, 0]
    with Database.open(path) as store:
        found = ids(store.log)
        assert store.log.last() == 240
    for k in (1, 2, 3):
        own = [id for id in found if id.startswith(f"id-{k}") and len(id) == 7]
        assert own == [f"id-{n}" for n in range(k * 1000, k * 1000 + 40)]


RACE = """
import sys
from pathlib import Path
from storage.database import Database
from tests.storage.samples import event
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Database.open(path) as store:
    for n in range(count):
        entry = event(0, id=f"{name}-{n}", subject="one", expects=store.log.last(), authid=name)
        store.log.append_guarded([entry], own=()).result()
"""


def test_processes_that_race_for_one_entity_never_pass_each_other(tmp_path):
    """Each entry is in the log only where nothing came between what its operator saw and its own position."""
    path = tmp_path / "board.db"
    Database.open(path).close()
    command = [sys.executable, "-c", RACE, str(path)]
    racers = [subprocess.Popen([*command, name, "150"]) for name in ("amy", "bob")]
    assert [racer.wait(60) for racer in racers] == [0, 0]
    with Database.open(path) as store:
        taken = [event for chunk in store.log.read() for event in chunk]
    assert [(event.expects, event.position) for event in taken] == [(n, n + 1) for n in range(len(taken))]
    assert {event.authid for event in taken} == {"amy", "bob"}
    assert len(taken) >= 150


FORGET = """
import sys
from pathlib import Path
from storage.database import Database
from tests.storage.samples import event
store = Database.open(Path(sys.argv[1]))
store.log.watch(print)
store.log.append([event(1)]).result()
"""


def test_a_process_that_forgets_to_close_ends_and_keeps_what_was_acknowledged(tmp_path):
    path = tmp_path / "board.db"
    subprocess.run([sys.executable, "-c", FORGET, str(path)], timeout=30, check=True, stdout=subprocess.DEVNULL)
    with Database.open(path) as store:
        assert ids(store.log) == ["id-1"]


def test_a_kill_keeps_all_that_was_acknowledged(tmp_path):
    path = tmp_path / "board.db"
    with appending(path, 1, 1_000_000) as other:
        acknowledged = [other.stdout.readline() for _ in range(25)]
        other.kill()
        acknowledged += other.stdout.read().splitlines()
    with Database.open(path) as store:
        found = ids(store.log)
        (verdict,) = store.rows("PRAGMA integrity_check")
    assert verdict[0] == "ok"
    assert [f"id-{n.strip()}" for n in acknowledged] == found[0 : 2 * len(acknowledged) : 2]
    assert len(found) % 2 == 0  # an append comes whole
