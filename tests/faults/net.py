"""What the tests of bad lines share: desks that remember what they said, a load, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import nats

from dataflow.feeds.shared.producer import Producer
from dataflow.session import Entered
from storage.event import Event
from tests.dataflow.desks import until
from tests.faults import board
from tests.faults.desks import SharedDesk, desk
from tests.faults.verdict import Verdict

START = 1_700_000_000_000_000


class Told:
    """What a desk has said of its feed since then, in order: (state, detail)."""

    def __init__(self, desk: SharedDesk) -> None:
        self.states: list[tuple[str, str]] = []
        self.end = desk.pipeline._feed.status.subscribe(self._note).dispose

    def _note(self, said) -> None:
        self.states.append((said.state, said.detail))

    def count(self, state: str) -> int:
        return sum(said == state for said, _ in self.states)


@asynccontextmanager
async def desks(folder: Path, **urls: str):
    """A desk by each name, at its own address."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(desk(folder, url, name)) for name, url in urls.items()]


def made(count: int, begin: int = 0, padding: int = 0) -> list[Event]:
    """Events of another producer, with so many bytes more in each than they need."""
    events = [board.event(number, START + number) for number in range(begin, begin + count)]
    more = b',"note":"%b"}' % (b"x" * padding)
    return [msgspec.structs.replace(each, data=each.data[:-1] + more) for each in events] if padding else events


async def send(url: str, events: Sequence[Event]) -> None:
    """As another producer, in batches, until the log holds them all."""
    client = await nats.connect(url, allow_reconnect=False)
    try:
        await Producer(client, board.ID, "feed").send(events)
    finally:
        await client.close()


async def confirmed(entered: Iterable[Entered], timeout: float = 60) -> dict[str, int]:
    """The positions that the desks were told, by id, when they have been told of all."""
    entered = list(entered)
    positions = await asyncio.wait_for(asyncio.gather(*(each.confirmed for each in entered)), timeout)
    return {each.id: position for each, position in zip(entered, positions, strict=True)}


async def meet(*desks: SharedDesk, timeout: float = 30) -> None:
    """Until each desk knows of all."""
    for each in desks:
        await until(each.pipeline.presence, lambda here: len(here) == len(desks), timeout)


async def judge(
    folder: Path, url: str, desks: Iterable[SharedDesk], positions: dict[str, int], others: Iterable[str] = ()
) -> None:
    """All that was acknowledged is in the log once, in every store, and in every view."""
    verdict = await Verdict(folder, folder / "board.toml", board.ID).read(url)
    verdict.acknowledged([*positions, *others])
    verdict.confirmed(positions)
    await verdict.desks(*desks)
