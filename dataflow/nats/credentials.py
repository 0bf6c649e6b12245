"""How a desk proves who it is: our own identity file (an nkey), or `.creds` of NATS' own tools (a JWT and an nkey).

A `.creds` file is text with two marked parts: the JWT, which the server's operator has signed and which tells until
when it holds, and the seed of the key that it is for.
Source: https://docs.nats.io/using-nats/developer/connecting/creds
"""

from __future__ import annotations

import base64
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from dataflow.nats.errors import IdentityError
from dataflow.nats.identity import Identity, public_key, read
from storage.regular import read_regular

_PARTS = re.compile(r"-{3,}BEGIN (NATS USER JWT|USER NKEY SEED)-{3,}\s+(\S+)\s+-{3,}END \1-{3,}")
_LARGEST = 64 * 1024
_HOW = "not a file of credentials as `nsc` writes it"


class Credentials(msgspec.Struct, frozen=True):
    """What is in a `.creds` file. `expires`: seconds since 1970, 0 for never. `seed` is secret."""

    jwt: str
    seed: str
    expires: int

    def __repr__(self) -> str:
        return f"Credentials(expires={self.expires})"


class _Claims(msgspec.Struct):
    """What a JWT says."""

    sub: str
    exp: int = 0


def is_nsc(identity: Path) -> bool:
    """Whether it is a file of NATS' own tool."""
    return identity.suffix == ".creds"


def check(identity: Path) -> None:
    """Raises IdentityError where the file can't prove anything, in one line: which file, what is wrong."""
    if is_nsc(identity):
        _unexpired(identity, read_creds(identity))
    else:
        _of_desk(identity)


def options(identity: Path | None) -> dict[str, Any]:
    """What nats-py's `connect` takes. Raises IdentityError."""
    if identity is None:
        return {}
    if not is_nsc(identity):
        return {"nkeys_seed_str": _of_desk(identity).seed}
    _unexpired(identity, read_creds(identity))
    return {"user_credentials": str(identity)}


def read_creds(path: Path) -> Credentials:
    """A `.creds` file. Raises IdentityError."""
    try:
        text = read_regular(path, _LARGEST).decode()
    except OSError as error:
        raise IdentityError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise IdentityError(f"{path}: {_HOW}") from None
    parts = dict(_PARTS.findall(text))
    jwt, seed = parts.get("NATS USER JWT", ""), parts.get("USER NKEY SEED", "")
    try:
        claims = _claims(jwt)
        if public_key(seed) != claims.sub:
            raise IdentityError(f"{path}: its key is not the one that it was signed for; ask for new credentials")
    except (ValueError, IndexError, msgspec.MsgspecError):
        raise IdentityError(f"{path}: {_HOW}") from None
    except IdentityError as error:
        raise error if str(error).startswith(str(path)) else IdentityError(f"{path}: {_HOW}") from None
    return Credentials(jwt=jwt, seed=seed, expires=claims.exp)


def _of_desk(path: Path) -> Identity:
    identity = read(path)
    if identity.role == "device":
        raise IdentityError(f"{path}: this is a device's; a desk is opened by a viewer's, an operator's or an admin's")
    return identity


def _unexpired(path: Path, credentials: Credentials) -> None:
    if 0 < credentials.expires <= time.time():
        end = datetime.fromtimestamp(credentials.expires, UTC)
        raise IdentityError(f"{path}: these credentials expired on {end.day} {end:%b %Y %H:%M} UTC; ask for new ones")


def _claims(jwt: str) -> _Claims:
    middle = jwt.split(".")[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)), type=_Claims)
