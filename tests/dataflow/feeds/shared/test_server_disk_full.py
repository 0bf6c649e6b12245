"""A server whose disk is really full: a small file system in memory, filled up, then given room again.

nats-server then answers no more for the log, room or not, until it is restarted.
"""

from __future__ import annotations

from tests.full_disk import run_on_small_disk

SCRIPT = """
import asyncio, sys
from pathlib import Path
from dataflow.feeds.shared import publisher
from tests.dataflow.feeds.shared.logs import client, desk, entry
from tests.full_disk import fill
from tests.nats import Server

disk, store = Path(sys.argv[1]), Path(sys.argv[2])
publisher.ANSWER_S, publisher.SLOWEST = 0.3, 2**40

async def main(server):
    entries = [entry(n, f"UA{n % 7}") for n in range(2500)]
    async with client(server.url), desk(server.url, store) as amy:
        await amy.says("live")
        ballast = fill(disk, left=300_000)
        await amy.enter(*entries)
        await amy.says("failed", "is its disk full?", 30)
        assert amy.database.outbox.count() + len(amy.ids()) == 2500
        ballast.unlink()
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


def test_entries_wait_until_the_server_has_room_and_is_restarted(tmp_path):
    done = run_on_small_disk(SCRIPT, tmp_path / "disk", "4m", tmp_path / "a.db")
    assert done.stdout == "done\n", done.stderr
