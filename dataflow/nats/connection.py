"""One connection to a NATS server. It never mends itself: when it is lost it is over, and the feed makes a new one.

nats-py's own reconnecting keeps what was half sent and subscriptions that the server has forgotten; with a fresh
connection each time there is one way in, and it is the tested one. What nobody here may do to a desk: a message whose
subject or headers are no text ends nats-py's reading for good, so both are read leniently; the wire then refuses them.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from dataflow.nats import certificates, credentials, subjects
from dataflow.nats.connect_errors import Attempt, NotAdmitted, Unreachable, describe_place, explain_failure
from dataflow.nats.errors import IdentityError
from dataflow.nats.identity import read
from dataflow.nats.parser import Parser, Tray
from storage.errors import CloudEventError

__all__ = ["Connection", "NotAdmitted", "Unreachable", "as_coroutine", "connect", "describe_place", "role_of"]

CONNECT_S = 3
CLOSE_S = 1
PING_S = 4
_BUFFER = 8 * 2**20
_PUBLISH = re.compile(r'permissions violation for publish to "([^"]*)"')


class _TermsError(errors.Error):
    """What the server greets us with can't be agreed to; the text completes "the server at …"."""


class _Client(Client):
    def __init__(self) -> None:
        super().__init__()
        self.listens = self.greets = False
        self.served: str | None = None
        self._ps: Parser = Parser(self)
        self._tray: tuple[int, Tray] | None = None

    @property
    def ssl_context(self) -> ssl.SSLContext:
        return self.options.get("tls") or certificates.context(None)

    async def _process_connect_init(self) -> None:
        self.listens = True
        await super()._process_connect_init()

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """nats-py encrypts what the server wants encrypted, and who is in between could say that it wants nothing."""
        self.greets = True
        if initial_connection and "tls" in self.options and not info.get("tls_required"):
            raise _TermsError("does not speak TLS, and nothing is sent to it in the clear")
        if initial_connection and info.get("tls_verify"):
            raise _TermsError("demands a certificate of the desk, too, and that is not supported")
        self.served = _served(info)
        await super()._process_info(info, initial_connection)

    async def _process_op_err(self, e: Exception) -> None:
        """nats-py would write what is pending to the broken line, fail at that, and never say that the line is lost."""
        if not self.is_closed:
            self._pending, self._pending_data_size = [], 0
        await super()._process_op_err(e)

    @property
    def api(self) -> str:
        """What JetStream's API is called by."""
        return "$JS.API" if self.served is None else subjects.api(self.served)

    def jetstream(self, **options: Any) -> JetStreamContext:
        return super().jetstream(**{"prefix": self.api} | options)

    def bring(self, sid: int, tray: Tray) -> None:
        """The messages of this subscription go to the tray from now on, as soon as they are read, in their order."""
        self._tray, self._ps.tray = (sid, tray), tray

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: Any) -> None:
        if self._tray is None or sid != self._tray[0]:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            self._tray[1].put(self._build_message(sid, subject, reply, data, await self._process_headers(headers)))

    def abort(self) -> None:
        """Close without a word. On a line on which nothing passes `close` would wait, and leave the socket open."""
        for subscription in self._subs.values():
            if subscription._wait_for_msgs_task is not None:
                subscription._wait_for_msgs_task.cancel()
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

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

    async def open(self, url: str, name: str, identity: Path | None, ca: Path | None = None) -> None:
        """Raises `Unreachable` or `NotAdmitted`."""
        options = _credentials(identity) | _trust(url, ca)
        try:
            await self.client.connect(
                url, name=name, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
                connect_timeout=CONNECT_S, ping_interval=PING_S, max_outstanding_pings=2, pending_size=_BUFFER,
                error_cb=self._hear_error, closed_cb=self._lose, **options,
            )  # fmt: skip
        except (OSError, EOFError, ValueError, AttributeError, TypeError, KeyError, errors.Error) as error:
            await self.close()
            raise self._explain(url, identity, ca, error) from None

    async def close(self) -> None:
        """In order, or else at once. Closing twice is fine."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.client.close()
        except (OSError, EOFError, TimeoutError, errors.Error, RuntimeError):
            self.client.abort()
        if not self.lost:
            await self._lose()

    @property
    def served(self) -> str | None:
        """The board that `watchfloor serve` serves here; None: the server is somebody else's."""
        return self.client.served

    @property
    def others(self) -> list[str]:
        """The other servers of its cluster, as this one tells them."""
        return [server.geturl() for server in self.client.discovered_servers]

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

    async def _lose(self) -> None:
        self.lost = True
        self._tell_lost()

    async def _hear_error(self, error: Exception) -> None:
        self.last_error = error
        denied = _PUBLISH.search(str(error))
        if denied:
            self._tell_denied(denied[1])

    def _explain(self, url: str, identity: Path | None, ca: Path | None, error: Exception) -> Exception:
        cause = self.last_error if isinstance(error, errors.NoServersError) and self.last_error else error
        if isinstance(cause, _TermsError):
            return NotAdmitted(f"the server at {describe_place(url)} {cause}")
        return explain_failure(Attempt(url, identity, ca, self.client.listens, self.client.greets), cause)


async def connect(
    urls: Sequence[str], name: str, identity: Path | None, lost: Callable[[], None], denied: Callable[[str], None],
    ca: Path | None = None, others: Sequence[str] = (),
) -> Connection:  # fmt: skip
    """A connection to the first server that takes us, in random order. Raises `Unreachable` or `NotAdmitted`.

    `others` are tried after all `urls`, and nothing is said of them: nobody has named them.
    `ca`: who must have signed the servers' certificates (PEM); None: somebody whom this machine trusts.
    """
    failure: Exception = Unreachable("no server is named")
    for url in (*random.sample(urls, len(urls)), *random.sample(others, len(others))):
        connection = Connection(lost, denied)
        try:
            await connection.open(url, name, identity, ca)
        except (Unreachable, NotAdmitted) as error:
            failure = failure if isinstance(failure, NotAdmitted) or url not in urls else error
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
    raise failure


def as_coroutine(function: Callable[[Msg], None]) -> Callable[[Msg], Awaitable[None]]:
    """nats-py takes coroutine functions only."""

    async def call(message: Msg) -> None:
        function(message)

    return call


def role_of(identity: Path | None) -> str:
    """What a desk says that it may do; without an identity, an operator's."""
    if identity is None or credentials.is_nsc(identity):
        return "operator"
    try:
        return str(read(identity).role)
    except IdentityError as error:
        raise NotAdmitted(str(error)) from None


def _credentials(identity: Path | None) -> dict[str, Any]:
    """Raises `NotAdmitted`."""
    try:
        return credentials.options(identity)
    except IdentityError as error:
        raise NotAdmitted(str(error)) from None


def _trust(url: str, ca: Path | None) -> dict[str, Any]:
    """TLS by name or by `ca` is TLS, or nothing. Raises `NotAdmitted`."""
    if ca is None and not url.startswith("tls:"):
        return {}
    try:
        return {"tls": certificates.context(ca)}
    except certificates.BadAuthority as error:
        raise NotAdmitted(str(error)) from None


def _served(info: dict[str, Any]) -> str | None:
    try:
        return subjects.served(str(info.get("server_name", "")))
    except CloudEventError:
        return None
