"""A real nats-server for tests: on a free loopback port, with JetStream in the test's own folder.

Fixtures: `server` is running; `make_server(**settings)` makes others (unstarted). All are ended after the test.
Import them by name in a test module (or a conftest): `from tests.nats import make_server, server`.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dataflow.server.config import Settings
from dataflow.server.process import ServerProcess


class Server:
    """A nats-server that can be started, killed and restarted on the same port and the same store."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        """`settings`: those of dataflow.server.config.Settings, such as users, tls, mqtt."""
        self.folder = folder
        port = settings.pop("port", None) or free_port()
        self._process = ServerProcess(
            Settings(name=f"test-{port}", store=folder / "jetstream", port=port, **settings), folder
        )

    @property
    def url(self) -> str:
        return self._process.url

    @property
    def port(self) -> int:
        return self._process.settings.port

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self.pid is not None and self._process.wait(0) is None

    @property
    def log(self) -> str:
        """What the server said."""
        return self._process.log.read_text("utf-8")

    def start(self) -> Server:
        """Returns when clients can connect."""
        self._process.start()
        return self

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        self._process.kill()

    def stop(self) -> None:
        """In order."""
        self._process.stop()

    def restart(self) -> Server:
        """On the same port and store; ends it in order if it runs."""
        self.stop()
        return self.start()


@pytest.fixture
def make_server(tmp_path):
    made: list[Server] = []

    def make(**settings: Any) -> Server:
        made.append(Server(tmp_path / f"nats-{len(made)}", **settings))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def server(make_server):
    return make_server().start()


PORTS = range(15_000, 32_000)
"""Below those that the system gives to clients: no connection takes one while its server is away."""
_chance = random.SystemRandom()  # Hypothesis seeds the shared one, for several workers alike


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    while True:
        port = _chance.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
