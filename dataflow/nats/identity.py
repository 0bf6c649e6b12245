"""Who somebody is to a shared log: name, role, and an nkey (Ed25519) whose secret seed its owner keeps in a file.

The server knows public keys alone. But a device has a password, since MQTT has no keys, and that the server knows, too.
"""

from __future__ import annotations

import os
import stat
import sys
import tomllib
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from dataflow.nats.errors import IdentityError
from dataflow.nats.subjects import escaped
from storage.regular import open_regular

Role: TypeAlias = Literal["viewer", "operator", "admin", "device"]

_LARGEST = 64 * 1024
_LONGEST = 64
"""Of a name, in bytes as it stands in a subject."""


class Identity(msgspec.Struct, frozen=True):
    """A user as it knows itself. `seed`, or a device's `password`, is secret."""

    name: str
    role: Role
    seed: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Identity(name={self.name!r}, role={self.role!r})"


def read(path: Path) -> Identity:
    """An identity file. Raises IdentityError."""
    try:
        content = _private(path)
    except OSError as error:
        raise IdentityError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    try:
        identity = msgspec.convert(tomllib.loads(content.decode()), Identity)
        if identity.role != "device":
            public_key(identity.seed)
        name_token(identity.name)
    except (ValueError, msgspec.MsgspecError, IdentityError):
        raise IdentityError(f"{path}: not an identity file as `watchfloor user add` writes it") from None
    return identity


def new_seed() -> str:
    """A fresh secret key of a user."""
    import nkeys

    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def public_key(seed: str) -> str:
    """Raises IdentityError if it is no user's seed."""
    import nkeys

    try:
        raw = bytearray(seed.encode())
        prefix, _ = nkeys.decode_seed(raw)
        key: bytes = nkeys.from_seed(raw).public_key
    except (ValueError, nkeys.NkeysError) as error:
        raise IdentityError("not a seed of a user's nkey") from error
    if prefix != nkeys.PREFIX_BYTE_USER:
        raise IdentityError("not a seed of a user's nkey")
    return key.decode()


def name_token(name: str) -> str:
    """The name as it stands in a subject, and in the names of files. Raises IdentityError if it can be no user's."""
    if not name or not name.isprintable() or name != name.strip() or name == "_":
        raise IdentityError(f"{name!r} cannot be a user's name: use visible characters, without spaces around them")
    token = escaped(name)
    if len(token) > _LONGEST:
        raise IdentityError(f"{name[:20]!r}… is too long for a user's name; up to {_LONGEST} letters")
    return token


def _private(path: Path) -> bytes:
    with open_regular(path) as file:
        if sys.platform != "win32" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise IdentityError(f"{path}: other accounts can read it; run `chmod 600 {path}`")
        return file.read(_LARGEST)
