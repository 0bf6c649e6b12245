"""Who may use a server, in one folder: what the server needs of each, and a file for each to keep.

`folder/users/<name>.json` is what the server needs of a user; `folder/identities/<name>.toml` is what the user needs,
readable by this account only. It may be moved to the user's own machine. A name is one spelling for all: the percent-
escaped token that stands in the log's subjects is also the file's name. Whoever makes the file first has the name.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from dataflow.nats.errors import IdentityError
from dataflow.nats.identity import Role, name_token, new_seed, public_key
from dataflow.text import user_names
from storage.private import create_file, make_folder, tighten

_PASSWORD = 18
"""Random bytes of a device's."""
_TEXT = """\
# Watchfloor: who you are to a shared log. Keep it to yourself: whoever has it is taken for you.
name = {name}
role = "{role}"
{kind} = "{secret}"
"""


class Limits(msgspec.Struct, frozen=True):
    """What a device may send; None: the usual. `rate`: messages a second, `largest`: bytes of a message, `disk`: bytes
    in all.
    """

    rate: float | None = None
    largest: int | None = None
    disk: int | None = None


class Member(msgspec.Struct, frozen=True):
    """A user as the server knows it. `key` is public; a device has a `password` instead, which is not.

    `rate`, `largest` and `disk` are a device's `Limits`.
    """

    name: str
    role: Role
    key: str = ""
    password: str = ""
    rate: float | None = None
    largest: int | None = None
    disk: int | None = None

    def __repr__(self) -> str:
        return f"Member(name={self.name!r}, role={self.role!r}, key={self.key!r})"


class Identities:
    """The users of this account's servers, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._users = folder / "users"
        self._secrets = folder / "identities"
        for each in (folder, self._users, self._secrets):
            tighten(each)

    def add(self, name: str, role: Role, limits: Limits | None = None) -> Path:
        """Make a user; the identity file. `limits` are a device's. Raises IdentityError if the name is taken, looks
        like another's, or is no name.
        """
        token = name_token(name)
        self._check_new(name)
        device = role == "device"
        secret_text = secrets.token_urlsafe(_PASSWORD) if device else new_seed()
        make_folder(self._users.parent)
        make_folder(self._users)
        make_folder(self._secrets)
        secret = self._secrets / f"{token}.toml"
        kind = "password" if device else "seed"
        text = _TEXT.format(name=_toml(name), role=role, kind=kind, secret=secret_text)
        key, password = ("", secret_text) if device else (public_key(secret_text), "")
        limits = limits or Limits()
        member = msgspec.json.encode(Member(
            name=name, role=role, key=key, password=password, rate=limits.rate, largest=limits.largest,
            disk=limits.disk,
        ))  # fmt: skip
        try:
            _create(secret, text.encode())
        except FileExistsError:
            raise IdentityError(f"there is a user {name!r} already, or a file of theirs: {secret}") from None
        try:
            _create(self._users / f"{token}.json", member)
        except FileExistsError:
            secret.unlink()
            raise IdentityError(f"there is a user {name!r} already; remove them first to make a new key") from None
        return secret

    def limit(self, name: str, limits: Limits) -> Member:
        """Give a device other limits; what is None stays. Raises IdentityError if there is no such device."""
        path = self._users / f"{name_token(name)}.json"
        if not path.is_file():
            raise IdentityError(f"there is no user {name!r}; `watchfloor user list` names them")
        member = _member(path)
        if member.role != "device":
            raise IdentityError(f"{name!r} is no device ({member.role}); only devices have limits of their own")
        changes = {key: value for key, value in msgspec.structs.asdict(limits).items() if value is not None}
        member = msgspec.structs.replace(member, **changes)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        _create(fresh, msgspec.json.encode(member))
        fresh.replace(path)
        return member

    def list(self) -> list[Member]:
        """Everybody, by name. Raises IdentityError for a file that is none of ours."""
        if not self._users.is_dir():
            return []
        return sorted((_member(path) for path in self._users.glob("*.json")), key=lambda member: member.name)

    def _check_new(self, name: str) -> None:
        """Raises IdentityError for a name that can't be told from another's."""
        if problem := user_names.problem(name):
            raise IdentityError(f"{user_names.describe(name)!r} cannot be a user's name: {problem}")
        if other := user_names.alike(name, [member.name for member in self.list()]):
            raise IdentityError(f"{name!r} looks like {other!r}, who is a user already; choose another name")

    def remove(self, name: str) -> None:
        """Servers that run take it up too. Raises IdentityError if there is no such user."""
        token = name_token(name)
        try:
            (self._users / f"{token}.json").unlink()
        except FileNotFoundError:
            raise IdentityError(f"there is no user {name!r}; `watchfloor user list` names them") from None
        (self._secrets / f"{token}.toml").unlink(missing_ok=True)


def _member(path: Path) -> Member:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Member)
    except (OSError, msgspec.DecodeError):
        raise IdentityError(f"{path}: damaged; delete it and add the user again") from None


def _create(path: Path, content: bytes) -> None:
    with os.fdopen(create_file(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _toml(text: str) -> str:
    """A basic string of TOML; JSON's escapes are a part of TOML's for text without surrogates."""
    return msgspec.json.encode(text).decode()
