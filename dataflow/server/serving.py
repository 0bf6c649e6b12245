"""A board's server from start to end: nats-server as a child, its stream, and its users kept up to date.

Users that are added or removed while it runs are taken up within a second; a removed one is cut off. Once it has had
users it never opens to everybody again, even if the last one is removed. It talks to its own server by a key made for
this run alone, that is in no file but the server's own configuration (as a public key). Whoever sends more than their
quota is shut out for a time. A log that is shorter than it was is served only if that is accepted.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from dataflow.devices import topics
from dataflow.nats import subjects
from dataflow.nats.errors import ServerError, ServerFailed
from dataflow.nats.identity import new_seed, public_key
from dataflow.nats.streams import BoardStream, ensure, find
from dataflow.server import high_water, inspection, permissions
from dataflow.server.config import Account, Settings, check
from dataflow.server.connecting import connect_child, run
from dataflow.server.high_water import Mark
from dataflow.server.identities import Identities, Member
from dataflow.server.keeper import Keeper
from dataflow.server.process import ServerProcess, free_port
from dataflow.server.quotas import Over, Sent
from dataflow.server.roster import Roster, without_users

if TYPE_CHECKING:
    from nats.aio.client import Client


_NOT_TAKEN = "Users have changed, but the running server does not take them up: end it, and start it again"
_ANYBODY = " anybody"
"""No user's name begins with a space."""
_ROOM = 16 * 2**20
"""Bytes that must be free before a server whose disk was full is started again; less on a small disk."""

_MENDED_S = 10.0
"""Between two such starts: a disk that is broken stays so."""


class Serving:
    """`with Serving(…) as serving:` the board's log can be reached; `watch` returns when the server ends."""

    def __init__(
        self, board: str, settings: Settings, folder: Path, identities: Identities, say: Callable[[str], object],
        sources: Sequence[str] = (), accept_loss: bool = False,
    ) -> None:  # fmt: skip
        """`settings` without users: those come from `identities`. `say` hears what is worth a line to people, from
        any thread. `sources` are the subjects that the log takes from devices, `{user}` for a device's own name.
        `accept_loss`: serve a log that is shorter than it was.
        """
        self._board, self._folder, self._accept_loss = board, folder, accept_loss
        self._sources = tuple(sources)
        self._say = say
        self._lock = threading.RLock()
        self._roster = Roster(identities, folder)
        self._seed, self._system_seed = new_seed(), new_seed()
        self._open = not self._roster.members
        self._told_trouble, self._mended = "", float("-inf")
        settings = msgspec.structs.replace(
            settings, name=subjects.server(board, secrets.token_hex(8)), anybody=_ANYBODY if self._open else "",
            web_pages=not self._open,
        )  # fmt: skip
        self.settings = msgspec.structs.replace(settings, accounts=self._accounts())
        check(self.settings)
        self._process = ServerProcess(self.settings, folder)
        self._keeper = Keeper(board, folder, self._connect, self._connect_system, self._count, say)

    @property
    def url(self) -> str:
        return self._process.url

    @property
    def sources(self) -> tuple[str, ...]:
        """The subjects that the log takes from devices, `{user}` for a device's own name."""
        return self._sources

    @property
    def members(self) -> Sequence[Member]:
        return self._roster.members

    def __enter__(self) -> Serving:
        """Raises ServerError."""
        self._inspect()
        self._process.start()
        try:
            self.stream = self._run_make_stream()
            self._keeper.start()
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._keeper.stop()
        mark = self._last_mark()
        self._process.stop()
        with suppress(OSError):
            self._roster.save()
            if mark is not None:
                high_water.write(self._folder, mark)

    def watch(self, every_s: float = 1.0, also: Callable[[], object] = lambda: None) -> None:
        """Keep its users up to date, and call `also`, until it ends by itself, which raises ServerFailed."""
        while (code := self._process.wait(every_s)) is None:
            self.refresh()
            also()
            self.mend()
        raise ServerFailed(f"nats-server ended by itself (exit code {code}): {self._process.last_words()}")

    def refresh(self) -> None:
        """Take up users that were added or removed."""
        with self._lock:
            with suppress(OSError):
                self._roster.save()
            news = self._roster.refresh()
            if news is None:
                return
            if news:
                self._say(f"Users stay as they were: {news}")
                return
            self._open = False
            taken = self._reload_accounts()
            names = ", ".join(f"{member.name} ({member.role})" for member in self._roster.members) or "nobody"
            self._say(f"Users now: {names}" if taken else _NOT_TAKEN)

    def take(self, sources: Sequence[str]) -> None:
        """From now on the log takes these subjects from devices."""
        if set(sources) == set(self._sources):
            return
        with self._lock:
            before, self._sources = self._sources, tuple(sources)
            try:
                self.stream = self._run_make_stream()
            except ServerError as error:
                self._sources = before
                self._say(f"Sources stay as they were: {error}")
                return
            self._say(f"Devices are heard on {', '.join(sources) or 'nothing'}")
            if not self._reload_accounts():
                self._say(_NOT_TAKEN)

    def mend(self) -> None:
        """Start the server again where it can't write the log any more, and there is room. Raises ServerError."""
        trouble = self._keeper.trouble
        if not trouble:
            return
        if trouble != self._told_trouble:
            self._told_trouble = trouble
            self._say(
                f"The log can't be written ({trouble}): entries wait at their desks; "
                f"make room on the disk of {self._folder}, and it goes on by itself"
            )
        if not self._has_room() or time.monotonic() < self._mended + _MENDED_S:
            return
        self._mended = time.monotonic()
        self._keeper.stop()
        self._process.stop()
        with self._lock:
            self._process.start()
        self._keeper.start()
        self._told_trouble = ""
        self._say("The server was started again, and the log goes on")

    def _last_mark(self) -> Mark | None:
        """How far the log reaches, which is on disk when the server has ended in order; None where it can't say."""
        if self._process.wait(0) is not None:
            return None
        with suppress(ServerError, OSError):
            stream = run(self._find_stream())
            return Mark(stream.log, stream.last)
        return None

    def _has_room(self) -> bool:
        usage = shutil.disk_usage(self._folder)
        return usage.free >= min(_ROOM, usage.total // 20)

    def _count(self, sent: Mapping[str, Sent]) -> None:
        """Shut out who sends too much, and let back in whose time is over. Called by the keeper's thread."""
        with self._lock:
            now = time.monotonic()
            back, over = self._roster.readmit(now), self._roster.count(sent, now)
            if (back or over) and not self._reload_accounts():
                self._say(_NOT_TAKEN)
        for each in over:
            self._say(_describe(each))
        if back:
            self._say(f"Let in again: {', '.join(back)}")

    def _reload_accounts(self) -> bool:
        """A new account can be used only when the server has been told of it twice; until then nobody is let into it.

        Of imports of an account that is made by a reload nats-server 2.15 looks for the exports in an account that it
        has thrown away. The next reload puts that right, but not the subscriptions of those who are there by then.
        """
        accounts = self._accounts()
        known = {account.name for account in self._process.settings.accounts}
        fresh = {account.name for account in accounts} - known
        if fresh and not self._reload(without_users(accounts, fresh)):
            return False
        return self._reload(accounts)

    def _reload(self, accounts: Sequence[Account]) -> bool:
        anybody = _ANYBODY if self._open else ""
        settings = msgspec.structs.replace(self._process.settings, accounts=tuple(accounts), anybody=anybody)
        try:
            return self._process.reload(settings)
        except OSError:
            return False

    def _accounts(self) -> tuple[Account, ...]:
        own = [permissions.everything(public_key(self._seed))]
        if self._open:
            own.append(permissions.everything(name=_ANYBODY, password=secrets.token_urlsafe()))
        system = Account(permissions.SYSTEM, (permissions.everything(public_key(self._system_seed)),))
        return *self._roster.accounts(self._board, self._sources, own), system

    def _inspect(self) -> None:
        """Look at what is kept before anybody can reach it. Raises ServerError."""
        store = self.settings.store
        if not inspection.is_there(store):
            inspection.compare(None, self._board, self._folder, self._accept_loss, self._say)
            return
        alone = tuple(account for account in self._accounts() if account.name in (permissions.LOG, permissions.SYSTEM))
        own = msgspec.structs.replace(alone[0], users=alone[0].users[:1])
        settings = Settings(name=self.settings.name, store=store, port=free_port(), accounts=(own, alone[-1]))
        process = ServerProcess(settings, self._folder)
        process.start(before=lambda: inspection.migrate(store))
        try:
            run(self._inspect_store(process.url))
        finally:
            process.stop()

    async def _inspect_store(self, url: str) -> None:
        client = await connect_child(url, self._seed, None)
        try:
            await inspection.inspect(client, self._board, self._folder, self._accept_loss, self._say)
        finally:
            await client.close()

    def _run_make_stream(self) -> BoardStream:
        return run(self._make_stream())

    async def _find_stream(self) -> BoardStream:
        client = await self._connect()
        try:
            return await find(client, self._board)
        finally:
            await client.close()

    async def _make_stream(self) -> BoardStream:
        client = await self._connect()
        try:
            sources = tuple({topics.for_everybody(source) for source in self._sources})
            return await ensure(client, self._board, sources=sources)
        finally:
            await client.close()

    async def _connect(self) -> Client:
        return await connect_child(self.url, self._seed, self.settings.tls)

    async def _connect_system(self) -> Client:
        return await connect_child(self.url, self._system_seed, self.settings.tls)


def _describe(over: Over) -> str:
    if over.seconds is None:
        return f"Shut out: {over.name}: {over.why}; to give it more: watchfloor user limit {over.name} --disk SIZE"
    return f"Shut out for {over.seconds / 60:,.0f} min: {over.name} sends {over.why}"
