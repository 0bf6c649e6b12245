"""One connection to a NATS server. It never mends itself: when it is lost it is over, and the feed makes a new one.

nats-py's own reconnecting keeps what was half sent and subscriptions that the server has forgotten; with a fresh
connection each time there is one way in, and it is the tested one. What nobody here may do to a desk: a message whose
subject or headers are no text ends nats-py's reading for good, so both are read leniently; the wire then refuses them.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from dataflow.feeds.parser import Parser, Tray
from dataflow.server.errors import IdentityError
from dataflow.server.identities import Identity, read

CONNECT_S = 3
CLOSE_S = 1
PING_S = 4
_BUFFER = 8 * 2**20
_PUBLISH = re.compile(r'permissions violation for publish to "([^"]*)"')


class Unreachable(Exception):
    """No server took us now; another try may help."""


class NotAdmitted(Exception):
    """A server answers, but does not let us in: trying again won't help before somebody has changed something."""


class _Client(Client):
    def __init__(self) -> None:
        super().__init__()
        self._ps: Parser = Parser(self)
        self._tray: tuple[int, Tray] | None = None

    def bring(self, sid: int, tray: Tray) -> None:
        """The messages of this subscription go to the tray from now on, as soon as they are read, in their order."""
        self._tray, self._ps.tray = (sid, tray), tray

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: Any) -> None:
        if self._tray is None or sid != self._tray[0]:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            self._tray[1].put(self._build_message(sid, subject, reply, data, await self._process_headers(headers)))

    def _build_message(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: Any) -> Msg:
        return self.msg_class(
            subject=subject.decode(errors="replace"), reply=reply.decode(errors="replace"), data=data, headers=headers,
            _client=self, _sid=sid,
        )  # fmt: skip

    async def _process_headers(self, headers: Any) -> dict[str, str] | None:
        try:
            return await super()._process_headers(headers)
        except (ValueError, IndexError):
            return None


class Connection:
    """Open until `lost`. `denied` is called with each subject, in lower case, that we may not publish on."""

    def __init__(self, lost: Callable[[], None], denied: Callable[[str], None]) -> None:
        self.client = _Client()
        self.lost = False
        self.last_error: Exception | None = None
        self._tell_lost, self._tell_denied = lost, denied

    async def open(self, url: str, name: str, identity: Path | None) -> None:
        """Raises `Unreachable` or `NotAdmitted`."""
        try:
            await self.client.connect(
                url, name=name, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
                connect_timeout=CONNECT_S, ping_interval=PING_S, max_outstanding_pings=2, pending_size=_BUFFER,
                error_cb=self._heard, closed_cb=self._closed, **_credentials(identity),
            )  # fmt: skip
        except (OSError, EOFError, ValueError, errors.Error) as error:
            await self.close()
            raise self._meaning(url, error) from None

    async def close(self) -> None:
        """Closing twice is fine."""
        with suppress(OSError, EOFError, TimeoutError, errors.Error, RuntimeError):
            async with asyncio.timeout(CLOSE_S):
                await self.client.close()

    @property
    def heard(self) -> float:
        """When anything last came (loop time)."""
        return self.client._ps.heard

    @property
    def heard_of_message(self) -> float:
        """When a part of a message came that is not whole yet (loop time); 0.0 where there is none."""
        parser = self.client._ps
        return parser.heard if parser.waits else 0.0

    async def answers(self, answered: Callable[[Msg], None]) -> str:
        """Subscribe to an inbox of our own; the subject without its last token."""
        inbox = self.client.new_inbox()
        await self.client.subscribe(f"{inbox}.*", cb=as_coroutine(answered))
        return inbox

    async def _closed(self) -> None:
        self.lost = True
        self._tell_lost()

    async def _heard(self, error: Exception) -> None:
        self.last_error = error
        denied = _PUBLISH.search(str(error))
        if denied:
            self._tell_denied(denied[1])

    def _meaning(self, url: str, error: Exception) -> Exception:
        cause = self.last_error if isinstance(error, errors.NoServersError) and self.last_error else error
        said = _said(cause)
        if "authorization" in said.lower() or "nkey" in said.lower():
            return NotAdmitted(f"{place(url)} does not admit this identity ({said})")
        if isinstance(cause, ssl.SSLCertVerificationError):
            way_out = "set SSL_CERT_FILE to the certificate of who signed it"
            return NotAdmitted(f"{place(url)} shows a certificate that is not trusted here ({said}); {way_out}")
        return Unreachable(f"no answer from {place(url)} ({said})")


async def connect(
    urls: Sequence[str], name: str, identity: Path | None, lost: Callable[[], None], denied: Callable[[str], None]
) -> Connection:
    """A connection to the first server that takes us, in random order. Raises `Unreachable` or `NotAdmitted`."""
    failure: Exception = Unreachable("no server is named")
    for url in random.sample(urls, len(urls)):
        connection = Connection(lost, denied)
        try:
            await connection.open(url, name, identity)
        except (Unreachable, NotAdmitted) as error:
            failure = error
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
    raise failure


def place(url: str) -> str:
    """A server's address without what is secret in it."""
    parts = urlsplit(url if "://" in url else f"nats://{url}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def as_coroutine(function: Callable[[Msg], None]) -> Callable[[Msg], Awaitable[None]]:
    """nats-py takes coroutine functions only."""

    async def call(message: Msg) -> None:
        function(message)

    return call


def _said(error: Exception) -> str:
    """What went wrong, without what only programmers read."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__


def role_of(identity: Path | None) -> str:
    """What a desk says that it may do; without an identity, an operator's."""
    if identity is None or _is_nsc(identity):
        return "operator"
    return str(_read(identity).role)


def _credentials(identity: Path | None) -> dict[str, Any]:
    """Raises `NotAdmitted`."""
    if identity is None:
        return {}
    if _is_nsc(identity):
        return {"user_credentials": str(identity)}
    return {"nkeys_seed_str": _read(identity).seed}


def _is_nsc(identity: Path) -> bool:
    """A credentials file made by NATS' own tool."""
    return identity.suffix == ".creds"


def _read(identity: Path) -> Identity:
    try:
        return read(identity)
    except IdentityError as error:
        raise NotAdmitted(str(error)) from None
