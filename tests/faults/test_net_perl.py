"""A producer in another language, which knows no more than the README: plain CloudEvents over the NATS protocol."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults import board
from tests.faults.desks import stream
from tests.faults.net import confirmed, desks, judge
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

PERL = shutil.which("perl")
SCRIPT = Path(__file__).with_name("producer.pl")
ENTITIES = (
    "J1", "Gate 7/B", "a.b", "Zürich", "日本 🛫", "*", ">", "50%", "%41", "_", "__", " ", 'say "no"\\', "a:b;c=d",
)  # fmt: skip
MODES = ("structured", "binary", "plain", "structured+dedup", "binary+dedup")


@pytest.mark.skipif(PERL is None, reason="there is no perl on this machine")
def test_a_producer_in_another_language(server: Server, tmp_path: Path) -> None:  # noqa: F811
    asyncio.run(other_language(server, tmp_path))


async def other_language(server: Server, folder: Path) -> None:  # noqa: F811
    board.write(folder)
    await stream(server.url)
    told = {
        f"perl-{number}": (mode, entity, {"job": entity, "place": "JFK", "weight": number})
        for number, (mode, entity) in enumerate((mode, entity) for mode in MODES for entity in ENTITIES)
    }
    again = {id: each for id, each in told.items() if "dedup" in each[0]}
    async with desks(folder, amy=server.url) as (amy,):
        mine = amy.enter(1)
        first = await asyncio.to_thread(produce, server.port, told)
        second = await asyncio.to_thread(produce, server.port, again)
        assert second == {id: first[id] for id in again}, "with an id the server itself takes it once"
        positions = await confirmed([mine])
        await judge(folder, server.url, [amy], positions, told)
        held = {event.id: event for chunk in amy.desk.database.log.read() for event in chunk}
        assert {id: held[id].position for id in told} == first
        for id, (_, entity, data) in told.items():
            event = held[id]
            assert (event.subject, event.type, event.source, event.authid) == (entity, "job.opened", "/perl", "perl 5")
            assert json.loads(event.data) == data
        doubled = await asyncio.to_thread(produce, server.port, dict.fromkeys(("perl-0", "perl-x"), told["perl-0"]))
        assert doubled["perl-0"] > max(first.values())
        await amy.holds(doubled["perl-x"])
        assert amy.desk.database.log.count() == len(told) + 2, "without one every desk does"


def produce(port: int, told: dict[str, tuple[str, str, dict[str, object]]]) -> dict[str, int]:
    """The positions that the server answered, by event."""
    lines = [
        "\t".join((mode, id, entity, "job.opened", json.dumps(data, ensure_ascii=False)))
        for id, (mode, entity, data) in told.items()
    ]
    done = subprocess.run(
        [PERL, SCRIPT, str(port), board.ID, "perl 5"],
        input="\n".join(lines).encode(), capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    return {id: int(position) for id, position in (line.split() for line in done.stdout.decode().splitlines())}
