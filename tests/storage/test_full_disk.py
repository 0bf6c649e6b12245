"""A disk that is really full: a small file system in memory, filled up, then given room again."""

from __future__ import annotations

from tests.full_disk import run_on_small_disk

SCRIPT = """
import sys
from pathlib import Path
from storage.database import Database
from storage.errors import StoreFull
from tests.full_disk import fill
from tests.storage.samples import event, events, ids

disk = Path(sys.argv[1])
path = disk / "board.db"
with Database.open(path) as store:
    store.log.append(events(1, 10)).result()
    ballast = fill(disk)
    refused, kept, n = 0, [f"id-{n}" for n in range(1, 11)], 11
    while refused < 5:
        waiting = [store.log.append([event(n + i, data=b'{"x":"' + b"x" * 3000 + b'"}')]) for i in range(10)]
        for i, future in enumerate(waiting):
            error = future.exception()
            if error is None:
                kept.append(f"id-{n + i}")
            else:
                assert isinstance(error, StoreFull), error
                refused += 1
        n += 10
    assert ids(store.log) == kept
    ballast.unlink()
    assert store.log.append(events(n, n + 100)).result().new == [True] * 101
    kept += [f"id-{i}" for i in range(n, n + 101)]
with Database.open(path) as store:
    assert ids(store.log) == kept
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
print("done")
"""


def test_a_full_disk_keeps_what_was_acknowledged_and_the_store_goes_on(tmp_path):
    done = run_on_small_disk(SCRIPT, tmp_path, "1m")
    assert (done.stdout, done.stderr) == ("done\n", "")
