"""Why a server was not reached or did not let us in, in words: one line, with what to do next."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from dataflow.nats import certificates

_STRANGER = ("authorization", "nkey")


class Unreachable(Exception):
    """No server took us now; another try may help."""


class NotAdmitted(Exception):
    """A server answers, but does not let us in: trying again won't help before somebody has changed something."""


class Attempt(msgspec.Struct, frozen=True):
    """How far a connection came: to whom, as whom, trusting whom; did anybody listen, and greet as a NATS server?"""

    url: str
    identity: Path | None
    ca: Path | None
    listens: bool
    greets: bool


def explain_failure(attempt: Attempt, error: Exception) -> Unreachable | NotAdmitted:
    """What it means that a connection failed."""
    where, what = describe_place(attempt.url), describe_error(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotAdmitted(certificates.describe_wrong(where, error, attempt.ca))
    if isinstance(error, ssl.SSLError):
        return Unreachable(f"TLS with {where} fails ({what})")
    if any(word in what.lower() for word in _STRANGER):
        return NotAdmitted(f"the server at {where} {_describe_stranger(attempt.identity)}")
    if attempt.listens and not attempt.greets and isinstance(error, TimeoutError):
        return Unreachable(f"something listens at {where}, but says nothing; is it a NATS server?")
    if attempt.listens and not attempt.greets and not isinstance(error, OSError):
        return NotAdmitted(f"what answers at {where} is no NATS server, by its greeting; look at the host and the port")
    return Unreachable(f"no answer from {where} ({what})")


def describe_place(url: str) -> str:
    """A server's address without what is secret in it."""
    parts = urlsplit(url if "://" in url else f"nats://{url}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def describe_error(error: Exception) -> str:
    """What went wrong, without what only programmers read."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, TimeoutError):
        return "timed out"
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__


def _describe_stranger(identity: Path | None) -> str:
    if identity is None:
        return "does not admit everybody; open the board with --identity FILE"
    return f"does not admit this identity, {identity.name}; ask who runs it for a new one"
