"""Three real nats-servers as one cluster, on free loopback ports, each as `watchfloor serve` sets one up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import nats

from dataflow.nats import streams, subjects
from dataflow.nats.errors import ServerError
from dataflow.server.binary import find
from dataflow.server.config import Settings, render
from dataflow.server.process import _dies_with_parent
from tests.faults.proxy import Link, link
from tests.nats import free_port

READY_S = 30.0
PAUSE_S = 0.05


class Node:
    """One server of a cluster; it can be killed and started again on its store and ports."""

    def __init__(self, folder: Path, name: str, port: int, route: int, routes: list[int]) -> None:
        self.name, self.port, self.route = name, port, route
        self.url = f"nats://127.0.0.1:{port}"
        self._log = folder / "nats-server.log"
        self._config = folder / "nats-server.conf"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        self._settings = render(Settings(name=name, store=folder / "jetstream", port=port, log=self._log))
        self.meet([f"nats://127.0.0.1:{each}" for each in routes if each != route])

    def meet(self, others: list[str], advertised: int | None = None) -> None:
        """Before it is started: where it reaches the others, and (a port) where these hear that they reach it."""
        more = f'advertise: "127.0.0.1:{advertised}", ' if advertised else ""
        listed = ", ".join(f'"{other}"' for other in others)
        routes = f'cluster: {{name: "test", listen: "127.0.0.1:{self.route}", {more}routes: [{listed}]}}\n'
        self._config.write_text(self._settings + routes)

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        assert self._process is None
        self._process = subprocess.Popen(
            [find(), "--config", self._config], stdin=subprocess.DEVNULL, preexec_fn=_dies_with_parent()  # noqa: PLW1509
        )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """It stands still, and its connections stay as they are."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    @property
    def log(self) -> str:
        return self._log.read_text()


class Cluster:
    def __init__(self, folder: Path) -> None:
        ports = free_ports(6)
        self.nodes = [Node(folder / f"n{n}", f"n{n}", ports[n], ports[3 + n], ports[3:]) for n in range(3)]

    @property
    def url(self) -> str:
        """All of them, as `--server` takes them."""
        return ",".join(node.url for node in self.nodes)

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    async def start(self) -> None:
        for node in self.nodes:
            node.start()
        await self.ready()

    async def ready(self) -> None:
        """Until JetStream's own leader is known to all that run."""
        async with asyncio.timeout(READY_S):
            while not all([await leads(node) for node in self.nodes if node.running]):
                await asyncio.sleep(PAUSE_S)

    async def make(self, board: str, **changes: Any) -> None:
        """The board's stream on all three."""
        async with asyncio.timeout(READY_S), self.client() as client:
            while True:
                try:
                    if changes:
                        config = streams.configuration(board, 3) | changes
                        await streams._ask(client, f"STREAM.CREATE.{subjects.stream(board)}", config)
                    await streams.ensure(client, board, 3)
                    return
                except ServerError:
                    await asyncio.sleep(PAUSE_S)  # not all have met yet

    async def leader(self, board: str) -> Node:
        """Whose copy of the board's log leads, once there is one."""
        info = await self._cluster(board, lambda cluster: bool(cluster.get("leader")))
        return self.node(info["leader"])

    async def whole(self, board: str) -> None:
        """Until every copy of the log holds what the leader's does."""
        await self._cluster(
            board,
            lambda cluster: cluster.get("leader")
            and len(cluster.get("replicas", ())) == 2
            and all(each["current"] and not each.get("offline") for each in cluster["replicas"]),
        )

    async def _cluster(self, board: str, done: Any) -> dict[str, Any]:
        async with asyncio.timeout(READY_S), self.client() as client:
            while True:
                with suppress(nats.errors.Error):
                    reply = await client.request(f"$JS.API.STREAM.INFO.{subjects.stream(board)}", b"", timeout=2)
                    cluster: dict[str, Any] = msgspec.json.decode(reply.data).get("cluster") or {}
                    if done(cluster):
                        return cluster
                await asyncio.sleep(PAUSE_S)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """A plain client of any node that runs."""
        running = [node.url for node in self.nodes if node.running]
        client = await nats.connect(running, allow_reconnect=False, error_cb=unheard)
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def linked(self) -> AsyncIterator[dict[tuple[Node, Node], Link]]:
        """Before it is started: each way from one server to another goes by a line of its own, and no other way."""
        async with AsyncExitStack() as stack:
            links = {
                (one, other): await stack.enter_async_context(link(other.route))
                for one in self.nodes
                for other in self.nodes
                if one is not other
            }
            for node, nowhere in zip(self.nodes, free_ports(3), strict=True):
                node.meet([each.url for (one, _), each in links.items() if one is node], advertised=nowhere)
            yield links

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()


async def unheard(error: Exception) -> None:
    """One of the servers is not there: that is what these tests are about."""


async def leads(node: Node) -> bool:
    """Whether a node knows who leads the cluster's JetStream."""
    with suppress(OSError, nats.errors.Error, TimeoutError):
        client = await nats.connect(node.url, allow_reconnect=False, connect_timeout=1, error_cb=unheard)
        try:
            reply = await client.request("$JS.API.INFO", b"", timeout=1)
            return "error" not in json.loads(reply.data)
        finally:
            await client.close()
    return False


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    made = Cluster(folder)
    try:
        await made.start()
        yield made
    finally:
        made.kill()


def free_ports(count: int) -> list[int]:
    """Different ones: the operating system may give the same one twice in a row."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
