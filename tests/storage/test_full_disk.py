"""A disk that is really full: a small file system in memory, filled up, then given room again."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from pathlib import Path
from storage.database import Database
from storage.errors import StoreFull
from tests.storage.samples import event, events, ids

disk = Path(sys.argv[1])
path, ballast = disk / "board.db", disk / "ballast"
with Database.open(path) as store:
    store.log.append(events(1, 10)).result()
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
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


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs Linux namespaces")
def test_a_full_disk_keeps_what_was_acknowledged_and_the_store_goes_on(tmp_path):
    mount = f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount")
    command = f'{mount} && exec "$0" -c "$1" "{tmp_path}"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, sys.executable, SCRIPT], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
