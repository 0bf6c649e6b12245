"""Somebody who may do everything at the server, and does it to a desk's subscription."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import nats

from dataflow.feeds.shared.connection_tasks import cancel_all
from dataflow.nats import consumer
from tests.dataflow.feeds.shared.logs import BOARD

STREAM = f"WF_{BOARD}"
NOTHING = f"wf.{BOARD}.nothing.nobody.never"


class Attacker:
    """`client` is its connection."""

    def __init__(self, client: nats.NATS) -> None:
        self.client = client

    async def ask(self, request: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return await consumer.ask(self.client, request, body)

    async def names(self) -> list[str]:
        """The consumers of the log."""
        return (await self.ask(f"CONSUMER.NAMES.{STREAM}")).get("consumers") or []

    async def victim(self) -> dict[str, Any]:
        """The configuration of the one that there is."""
        while not (names := await self.names()):
            await asyncio.sleep(0.01)
        return dict((await self.ask(f"CONSUMER.INFO.{STREAM}.{names[0]}"))["config"])

    async def make(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Make a consumer, or change the one of this name."""
        place = f"CONSUMER.CREATE.{STREAM}.{config['name']}"
        if chosen := config.get("filter_subject"):
            place += f".{chosen}"
        return await self.ask(place, {"stream_name": STREAM, "config": config})

    async def narrow(self, to: str = NOTHING) -> None:
        """The desk gets only what is on these subjects."""
        config = await self.victim()
        assert "error" not in await self.make(config | {"filter_subject": to})

    async def pause(self) -> None:
        config = await self.victim()
        until = {"pause_until": "2100-01-01T00:00:00Z"}
        assert (await self.ask(f"CONSUMER.PAUSE.{STREAM}.{config['name']}", until))["paused"]

    async def lead_elsewhere(self) -> None:
        """The server does not let anybody do that to a consumer; but another of its name can be made."""
        config = await self.victim()
        await self.delete()
        assert "error" not in await self.make(config | {"deliver_subject": "somewhere.else"})

    async def delete(self) -> None:
        config = await self.victim()
        assert (await self.ask(f"CONSUMER.DELETE.{STREAM}.{config['name']}"))["success"]

    async def replace(self) -> None:
        """By one of the same name that delivers what comes, and it alone; heartbeats go on."""
        config = await self.victim()
        await self.delete()
        changed = {name: value for name, value in config.items() if name != "opt_start_seq"}
        assert "error" not in await self.make(changed | {"deliver_policy": "new", "filter_subject": NOTHING})

    async def lie(self) -> None:
        """Nothing is delivered any more, and heartbeats say that all is well."""
        config = await self.victim()
        await self.delete()
        for _ in range(100):
            await self.beat(config["deliver_subject"], 1)
            await asyncio.sleep(0.1)

    async def beat(self, inbox: str, number: int) -> None:
        """A heartbeat, as the server says it."""
        headers = {"Nats-Last-Consumer": str(number), "Nats-Last-Stream": str(number)}
        body = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"NATS/1.0 100 Idle Heartbeat\r\n{body}\r\n".encode()
        await self.client._send_command(b"HPUB %b %d %d\r\n%b\r\n" % (inbox.encode(), len(head), len(head), head))
        await self.client.flush()

    async def ask_for_answer(self, inbox: str, place: str) -> None:
        """A wish for flow control, whose answer would be a message in the desk's name."""
        head = b"NATS/1.0 100 FlowControl Request\r\n\r\n"
        line = b"HPUB %b %b %d %d\r\n%b\r\n" % (inbox.encode(), place.encode(), len(head), len(head), head)
        await self.client._send_command(line)
        await self.client.flush()


@asynccontextmanager
async def attacker(url: str):
    connection = await nats.connect(url, allow_reconnect=False)
    try:
        yield Attacker(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def again_and_again(what):
    """As often as it can be done."""

    async def keep() -> None:
        while True:
            with suppress(AssertionError, KeyError, nats.errors.Error, msgspec.MsgspecError):
                await what()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        await cancel_all([task])
