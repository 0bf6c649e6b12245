"""A server whose disk is really full: a small file system in memory, filled up, then given room again.

nats-server then answers no more for the log, room or not, until it is restarted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, sys
from pathlib import Path
from dataflow.feeds.shared import publisher
from tests.dataflow.feeds.shared.logs import client, desk, entry
from tests.nats import Server

disk, store = Path(sys.argv[1]), Path(sys.argv[2])
publisher.ANSWER_S, publisher.SLOWEST = 0.3, 2**40

def fill(ballast):
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            file.truncate(ballast.stat().st_size - 300_000)

async def main(server):
    entries = [entry(n, f"UA{n % 7}") for n in range(2500)]
    async with client(server.url), desk(server.url, store) as amy:
        await amy.says("live")
        fill(disk / "ballast")
        await amy.enter(*entries)
        await amy.says("failed", "is its disk full?", 30)
        assert amy.database.outbox.count() + len(amy.ids()) == 2500
        (disk / "ballast").unlink()
        server.restart()
        await amy.reaches(2500, 60)
        await amy.says("live")
        assert amy.ids() == [each.id for each in entries]
        assert (amy.refusals, amy.database.outbox.count()) == ([], 0)

server = Server(disk)
server.start()
try:
    asyncio.run(main(server))
finally:
    server.kill()
print("done")
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs Linux namespaces")
def test_entries_wait_until_the_server_has_room_and_is_restarted(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=4m tmpfs "{disk}"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount")
    command = f'{mount} && exec "$0" -c "$1" "{disk}" "{tmp_path}/a.db"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, sys.executable, SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.stdout == "done\n", done.stderr
