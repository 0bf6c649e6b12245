"""A served log whose disk is really full goes on by itself when there is room: nats-server alone would not."""

from __future__ import annotations

from tests.full_disk import run_on_small_disk

SCRIPT = """
import asyncio, sys, threading
from contextlib import suppress
from pathlib import Path
from dataflow.feeds.shared import publisher
from dataflow.server.config import Settings
from dataflow.server.identities import Identities
from dataflow.server.serving import Serving
from tests.dataflow.feeds.shared.logs import desk, entry
from tests.full_disk import fill
from tests.nats import free_port

disk, elsewhere = Path(sys.argv[1]), Path(sys.argv[2])
publisher.ANSWER_S, publisher.SLOWEST = 0.3, 2**40
said = []

async def hears(words):
    async with asyncio.timeout(30):
        while not (said and words in said[-1]):
            await asyncio.sleep(0.05)

async def main(serving, file):
    entries = [entry(n, f"UA{n % 7}") for n in range(2500)]
    async with desk(serving.url, elsewhere / "a.db", identity=file) as amy:
        await amy.says("live")
        ballast = fill(disk, left=300_000)
        await amy.enter(*entries)
        await hears("The log can't be written (no space left on device): entries wait at their desks; make room on")
        await amy.says("failed", "is its disk full?", 30)
        ballast.unlink()
        await hears("The server was started again, and the log goes on")
        await amy.reaches(2500, 60)
        await amy.says("live")
        assert amy.ids() == [each.id for each in entries]
        assert (amy.refusals, amy.database.outbox.count(), len(said)) == ([], 0, 2)

def run(serving, file):
    try:
        asyncio.run(main(serving, file))
        print("done")
    finally:
        over.set()

class Over(Exception):
    pass

def stop():
    if over.is_set():
        raise Over

over = threading.Event()
identities = Identities(elsewhere / "access")
file = identities.add("amy", "operator")
settings = Settings(name="b", store=disk / "jetstream", port=free_port())
with Serving("b", settings, disk, identities, said.append) as serving, suppress(Over):
    threading.Thread(target=run, args=(serving, file)).start()
    serving.watch(0.1, also=stop)
"""


def test_it_starts_the_server_again_when_there_is_room(tmp_path):
    done = run_on_small_disk(SCRIPT, tmp_path / "disk", "4m", tmp_path)
    assert done.stdout == "done\n", done.stderr
