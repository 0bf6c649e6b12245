"""Which shared log a board is opened on: kept from one opening to the next, in a file for each board.

A desk's own store of a shared log is a file of its own for each board and server, never the local board's: a local log
and a shared one have nothing in common but the board.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from gui.paths import connection_of, store_of
from storage.private import make_folder, write_file
from storage.regular import read_regular

PORT = 4222
LARGEST = 2**20
"""Bytes of what is kept for a board."""
_SCHEMES = ("nats", "tls")
_ODD = re.compile(r"[^A-Za-z0-9.-]+")


class Unreadable(Exception):
    """What was kept cannot be read. `path` is the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; name the server again with --server, or open it with --local")
        self.path = path


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """The servers of one cluster, who the operator is to them, and the store of what they sent.

    `ca`: a file that names who signed their certificates; None: somebody whom this machine trusts.
    """

    urls: tuple[str, ...]
    store: str
    identity: str | None = None
    ca: str | None = None
    author: str | None = None
    active: bool = True

    def overlaps(self, urls: tuple[str, ...]) -> bool:
        """Whether these name the same cluster: one server in common is enough."""
        return bool(set(urls) & set(self.urls))


def servers(text: str) -> tuple[str, ...]:
    """"nats://tower, nats://tower-2:4223" as addresses with a port, each once. Raises ValueError."""
    return tuple(dict.fromkeys(_server(part.strip()) for part in text.split(",")))


def _server(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"{text!r} is no server; write it as nats://HOST:{PORT}, or tls://HOST:{PORT}")
    if parts.username or parts.password:
        raise ValueError("a name or password is no part of a server's address; use --identity FILE")
    try:
        port = parts.port or PORT
    except ValueError:
        raise ValueError(f"{text!r}: a port is a number up to 65535") from None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def default_store(board_id: str, urls: tuple[str, ...]) -> Path:
    """Where the events of a board on a server are kept."""
    return store_of(board_id, _ODD.sub("_", urls[0].partition("://")[2]).strip("_"))


def recall(board_id: str) -> Connection | None:
    """What was kept for a board, if anything. Raises Unreadable."""
    path = connection_of(board_id)
    try:
        return msgspec.json.decode(read_regular(path, LARGEST), type=Connection)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Unreadable(path, str(error)) from None


def keep(board_id: str, connection: Connection) -> None:
    """Keep it for the next opening; a crash leaves the old one or the new one."""
    path = connection_of(board_id)
    make_folder(path.parent)
    write_file(path, msgspec.json.format(msgspec.json.encode(connection)))


def renewed_text(old: Path, new: Path, along: object) -> str:
    """What became of a store: two lines."""
    return f"{new} follows the server from now on; {old} is kept as it is.\nOf your entries go along: {along}."


def renewed(board_id: str, connection: Connection, store: Path) -> Connection:
    """The same server, on another store from now on; kept."""
    found = msgspec.structs.replace(connection, store=str(store))
    keep(board_id, found)
    return found
