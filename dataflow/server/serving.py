"""A board's server from start to end: nats-server as a child, its stream, and its users kept up to date.

Users that are added or removed while it runs are taken up within a second; a removed one is cut off. Once it has had
users it never opens to everybody again, even if the last one is removed. It talks to its own server by a key made for
this run alone, that is in no file but the server's own configuration (as a public key).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from dataflow.server.config import Settings, User, check
from dataflow.server.errors import IdentityError, ServerError, ServerFailed
from dataflow.server.identities import Identities, Member, new_seed, public_key
from dataflow.server.permissions import permitted
from dataflow.server.process import ServerProcess
from dataflow.server.streams import BoardStream, ensure

if TYPE_CHECKING:
    from nats.aio.client import Client

_TIMEOUT_S = 5
_NOT_TAKEN = "Users have changed, but the running server does not take them up: end it, and start it again"


class Serving:
    """`with Serving(…) as serving:` the board's log can be reached; `watch` returns when the server ends."""

    def __init__(
        self, board: str, settings: Settings, folder: Path, identities: Identities, say: Callable[[str], object],
        sources: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """`settings` without users: those come from `identities`. `say` hears what is worth a line to people.

        `sources` are the subjects that the log takes from devices.
        """
        self._board = board
        self._sources = tuple(sources)
        self._identities = identities
        self._say = say
        self._members = identities.list()
        self._complaint = ""
        self._seed = new_seed()
        users = self._users(self._members) if self._members else ()
        name = f"wf-{board}-{secrets.token_hex(8)}"
        self.settings = msgspec.structs.replace(settings, name=name, users=users, web_pages=bool(users))
        check(self.settings)
        self._process = ServerProcess(self.settings, folder)

    @property
    def url(self) -> str:
        return self._process.url

    def __enter__(self) -> Serving:
        """Raises ServerError."""
        self._process.start()
        try:
            self.stream = self._stream_made()
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.stop()

    def watch(self, every_s: float = 1.0, also: Callable[[], object] = lambda: None) -> None:
        """Keep its users up to date, and call `also`, until it ends by itself, which raises ServerFailed."""
        while (code := self._process.wait(every_s)) is None:
            self.refresh()
            also()
        raise ServerFailed(f"nats-server ended by itself (exit code {code}): {self._process.last_words()}")

    def refresh(self) -> None:
        """Take up users that were added or removed."""
        members = self._present()
        if members == self._members:
            return
        self._members = members
        taken = self._reloaded()
        names = ", ".join(f"{member.name} ({member.role})" for member in members) or "nobody"
        self._say(f"Users now: {names}" if taken else _NOT_TAKEN)

    def take(self, sources: Sequence[str]) -> None:
        """From now on the log takes these subjects from devices."""
        if set(sources) == set(self._sources):
            return
        before, self._sources = self._sources, tuple(sources)
        try:
            self.stream = self._stream_made()
        except ServerError as error:
            self._sources = before
            self._say(f"Sources stay as they were: {error}")
            return
        self._say(f"Devices are heard on {', '.join(sources) or 'nothing'}")
        if any(member.role == "device" for member in self._members) and not self._reloaded():
            self._say(_NOT_TAKEN)

    def _reloaded(self) -> bool:
        users = self._users(self._members)
        return self._process.reload(msgspec.structs.replace(self._process.settings, users=users))

    def _present(self) -> list[Member]:
        try:
            return self._identities.list()
        except IdentityError as error:
            if str(error) != self._complaint:
                self._say(f"Users stay as they were: {error}")
            self._complaint = str(error)
            return self._members

    def _users(self, members: list[Member]) -> tuple[User, ...]:
        own = permitted("admin", self._board, "", public_key(self._seed))
        return (own, *(
            permitted(member.role, self._board, member.name, member.key, member.password, self._sources)
            for member in members
        ))  # fmt: skip

    def _stream_made(self) -> BoardStream:
        with _without_false_alarm():
            return asyncio.run(self._make_stream())

    async def _make_stream(self) -> BoardStream:
        connection = await self._connect()
        try:
            return await ensure(connection, self._board, sources=self._sources)
        finally:
            await connection.close()

    async def _connect(self) -> Client:
        import nats

        heard: list[Exception] = []

        async def hear(error: Exception) -> None:
            heard.append(error)

        options: dict[str, Any] = {"tls": self._context()} if self.settings.tls else {}
        if self.settings.users:
            options["nkeys_seed_str"] = self._seed
        try:
            return await nats.connect(
                self.url, allow_reconnect=False, connect_timeout=_TIMEOUT_S, error_cb=hear, **options
            )
        except (OSError, nats.errors.Error) as error:
            why = next((found for found in (*heard, error) if isinstance(found, OSError)), error)
            raise ServerFailed(f"cannot connect to the server that was just started: {why}") from None

    def _context(self) -> ssl.SSLContext:
        """Takes our own child's certificate and no other, whatever host it names; also a self-signed one."""
        assert self.settings.tls
        context = ssl.create_default_context(cafile=str(self.settings.tls.cert))
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


@contextmanager
def _without_false_alarm() -> Iterator[None]:
    """nats-py upgrades its connection to TLS behind asyncio's back, which complains on stderr when it is closed."""

    def passes(record: logging.LogRecord) -> bool:
        return "eof_received" not in record.getMessage()

    logger = logging.getLogger("asyncio")
    logger.addFilter(passes)
    try:
        yield
    finally:
        logger.removeFilter(passes)
