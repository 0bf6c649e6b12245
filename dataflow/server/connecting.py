"""Connections of `serve` to the server that it has started itself."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.nats.errors import ServerFailed
from dataflow.server.config import Tls

if TYPE_CHECKING:
    from nats.aio.client import Client

_TIMEOUT_S = 5

T = TypeVar("T")


def run(work: Awaitable[T]) -> T:
    """Until it is done, in a loop of its own."""

    async def main() -> T:
        return await work

    with _without_false_alarm():
        return asyncio.run(main())


async def connect_child(url: str, seed: str, tls: Tls | None) -> Client:
    """A connection to our own child. Raises ServerFailed."""
    import nats

    heard: list[Exception] = []

    async def hear(error: Exception) -> None:
        heard.append(error)

    options: dict[str, Any] = {"tls": _make_context(tls)} if tls else {}
    try:
        return await nats.connect(
            url, allow_reconnect=False, connect_timeout=_TIMEOUT_S, error_cb=hear, nkeys_seed_str=seed, **options
        )
    except (OSError, nats.errors.Error) as error:
        why = next((found for found in (*heard, error) if isinstance(found, OSError)), error)
        raise ServerFailed(f"cannot connect to the server that was just started: {why}") from None


def _make_context(tls: Tls) -> ssl.SSLContext:
    """Takes our own child's certificate and no other, whatever host it names; also a self-signed one."""
    context = ssl.create_default_context(cafile=str(tls.cert))
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
