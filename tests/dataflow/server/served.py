"""A served board with real users, and connections of theirs that do what no desk would."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest

from dataflow.nats import streams, subjects, wire
from dataflow.nats.identity import read
from dataflow.server.config import Settings
from dataflow.server.identities import Identities
from dataflow.server.serving import Serving
from storage.event import Event
from storage.ids import uuid7
from tests.nats import free_port

BOARD = "ops-1"
STREAM = subjects.stream(BOARD)
OPERATOR = "O'Neil. *>"
VICTIM = "amy"
ROLES = {"vee": "viewer", OPERATOR: "operator", VICTIM: "operator", "boss": "admin",
         "kitchen": "device", "reactor": "device"}  # fmt: skip
SOURCES = ("tele.{user}.SENSOR",)
START = 1_700_000_000_000_000
TIMEOUT = 5


class Caller:
    """A connection of a user's, which hears of every violation. `api`: what JetStream's API is called by."""

    def __init__(self, url: str, file: Path) -> None:
        self._url, self.identity = url, read(file)
        self.violations: asyncio.Queue[str] = asyncio.Queue()
        self.api = subjects.api(BOARD)

    async def __aenter__(self) -> Caller:
        import nats

        async def hear(error: Exception) -> None:
            self.violations.put_nowait(str(error))

        who = self.identity
        options = {"nkeys_seed_str": who.seed} if who.seed else {"user": who.name, "password": who.password}
        self.nats = await nats.connect(self._url, error_cb=hear, allow_reconnect=False, **options)
        self.nats.api = self.api
        return self

    async def __aexit__(self, *_) -> None:
        await self.nats.close()

    async def enter(self, operator: str, *, entity: str = "UA1", type: str = "flight.held") -> int:
        """The position of an event that is entered under this name."""
        message = event(operator, entity, type)
        publish = self.nats.jetstream().publish
        return (await publish(message.subject, message.body, timeout=TIMEOUT, headers=message.headers)).seq

    async def forbidden(self, subject: str, body: bytes = b"", reply: str = "") -> None:
        await self.nats.publish(subject, body, reply=reply)
        said = await asyncio.wait_for(self.violations.get(), TIMEOUT)
        assert "permissions violation" in said
        assert subject.lower() in said.lower()

    async def ask(self, request: str, body: object = None) -> dict:
        """JetStream's API."""
        payload = b"" if body is None else json.dumps(body).encode()
        return json.loads((await self.nats.request(f"{self.api}.{request}", payload, timeout=TIMEOUT)).data)

    async def last(self) -> int:
        return (await streams.find(self.nats, BOARD)).last

    async def opened(self, start: int = 1):
        """A subscription to the log as a desk opens it, and the consumer's name."""
        name = uuid4().hex
        heard = await self.nats.subscribe(subjects.delivery(BOARD, name))
        answer = await self.feed({"name": name, "start": start, "heartbeat_s": 2.0})
        return heard, answer["name"]

    async def feed(self, body: object) -> dict:
        reply = await self.nats.request(subjects.feed(BOARD), json.dumps(body).encode(), timeout=TIMEOUT)
        return json.loads(reply.data)

    async def read(self, count: int) -> list[str]:
        """The subjects of the first messages of the log."""
        heard, _ = await self.opened()
        found = [(await heard.next_msg(TIMEOUT)).subject for _ in range(count)]
        await heard.unsubscribe()
        return found


def event(operator: str, entity: str = "UA1", type: str = "flight.held") -> wire.Message:
    """A message with an event, as a desk sends it."""
    fact = Event(id=uuid7(START), source="/test", type=type, time=START, subject=entity, data=b"{}", authid=operator)
    return wire.encode(BOARD, operator, fact)


class Served:
    """A running `Serving` with a user of each of `ROLES`; `said` are the lines that people read."""

    def __init__(self, folder: Path, **settings) -> None:
        self.folder, self.said = folder / "served", []
        self.identities = Identities(folder / "access")
        self.files = {name: self.identities.add(name, role) for name, role in ROLES.items()}
        settings = {"name": BOARD, "store": self.folder / "jetstream", "port": free_port()} | settings
        self.settings = Settings(**settings)

    def serving(self, **options) -> Serving:
        sources = options.pop("sources", SOURCES)
        return Serving(BOARD, self.settings, self.folder, self.identities, self.said.append, sources, **options)

    def caller(self, name: str) -> Caller:
        return Caller(f"nats://127.0.0.1:{self.settings.port}", self.files[name])


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Shared by the tests of a module: they add to one log."""
    board = Served(tmp_path_factory.mktemp("served"), mqtt=free_port())
    with board.serving() as board.server:
        yield board


@pytest.fixture
def as_users(served):
    """Run a coroutine function with a connection of each of these users: `as_users(main, "vee", "boss")`."""

    async def run(main, names):
        async with asyncio.timeout(60):
            callers = [served.caller(name) for name in names]
            for caller in callers:
                await caller.__aenter__()
            try:
                await main(*callers)
            finally:
                for caller in callers:
                    await caller.__aexit__()

    return lambda main, *names: asyncio.run(run(main, names or ("vee", OPERATOR, "boss")))
