"""Compiled query plans, kept between runs so that a warm start needs no SQL parser.

A cache and nothing more: whatever is missing, torn, foreign or unreadable is as good as absent, and a disk
that cannot be written is no error. Each entry is a file of its own, written aside and renamed, so processes
never see half of one. An entry counts only for the `version` that wrote it; by default that is told from the
compiler's own source files.

A plan becomes code, so nobody else may have written it. Each entry is signed (keyed BLAKE2b, RFC 7693) with this
account's key, which stands in another folder than the cache and is for this account alone. And the folder, the one
above it and the file must be this account's or root's, and closed to the writing of others: a cache that is not is not
used.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import stat
import sys
from contextlib import suppress
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from storage.private import create_file, is_own, make_folder, tighten
from storage.regular import open_regular

_SIGNATURE = 32
_KEY = 32
_EXAMINE_EVERY = 64
_LARGEST = 16_000_000


class Plans(Protocol):
    """Where an engine keeps plans. `key` names the query and everything that its plan depends on."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, plan: bytes) -> None: ...


class PlanCache:
    """Plans in a folder of at most about `limit` bytes; the oldest go first.

    `secret` is the file of the key that signs them, made if there is none; by default it stands beside the folder.
    """

    def __init__(
        self, folder: Path, version: bytes | None = None, limit: int = 16_000_000, secret: Path | None = None
    ) -> None:
        self.folder = folder
        self._version = compiler_version() if version is None else version
        self._limit = limit
        self._secret_file = secret or folder.with_name(f"{folder.name}.key")
        self._secret: bytes | None = None
        self._refused = False
        self._puts = 0

    def get(self, key: str) -> bytes | None:
        if not self._opened():
            return None
        try:
            with open_regular(self._file(key), follow=False) as file:
                if not is_own(os.fstat(file.fileno())):
                    return None
                found = file.read(_LARGEST + 1)
        except OSError:
            return None
        signature, plan = found[:_SIGNATURE], found[_SIGNATURE:]
        return plan if hmac.compare_digest(signature, self._signature(key, plan)) else None

    def put(self, key: str, plan: bytes) -> None:
        if not self._opened():
            return
        file = self._file(key)
        aside = file.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
        try:
            with os.fdopen(create_file(aside), "wb") as fresh:
                fresh.write(self._signature(key, plan) + plan)
            aside.replace(file)
            self._puts += 1
            if self._puts % _EXAMINE_EVERY == 1:
                self._prune()
        except OSError:
            with suppress(OSError):
                aside.unlink()

    def _opened(self) -> bool:
        """Whether the folder is ours and there is a key. Where it is not, that is told once."""
        if self._refused:
            return False
        try:
            if self._secret is None:
                _open_folder(self.folder)
                self._secret = _read_secret(self._secret_file)
            foreign = next(filter(_is_foreign, (self.folder, self.folder.parent)), None)
        except OSError:
            self._refused = True
            return False
        if foreign is not None:
            self._refused = True
            logging.getLogger(__name__).warning(
                "%s: other accounts can write there, so no compiled queries are kept; mind its permissions", foreign
            )
        return not self._refused

    def _file(self, key: str) -> Path:
        name = blake2b(key.encode(), key=self._version, digest_size=20).hexdigest()
        return self.folder / f"{name}.plan"

    def _signature(self, key: str, plan: bytes) -> bytes:
        """Of a plan for this query by this version: no other entry's file can take its place."""
        assert self._secret is not None
        name = self._file(key).name.encode()
        return blake2b(name + plan, key=self._secret, digest_size=_SIGNATURE).digest()

    def _prune(self) -> None:
        """Half of the limit stays, so that this does not come back at once."""
        files = sorted(_sizes(self.folder))
        total = sum(size for _, size, _ in files)
        if total <= self._limit:
            return
        for _, size, path in files:
            if total <= self._limit // 2:
                break
            Path(path).unlink(missing_ok=True)
            total -= size


def default_cache() -> PlanCache:
    """This account's own."""
    from platformdirs import user_cache_path, user_state_path

    folder = user_cache_path("watchfloor", appauthor=False)
    tighten(folder)
    return PlanCache(folder / "plans", secret=user_state_path("watchfloor", appauthor=False) / "plans.key")


def _open_folder(folder: Path) -> None:
    """Make the folder, or close it to others; what they could have put there goes. Raises OSError."""
    was_open = folder.is_dir() and not is_own(folder.lstat())
    make_folder(folder)
    if was_open and is_own(folder.lstat()):
        for entry in folder.glob("*.plan"):
            entry.unlink(missing_ok=True)


def _read_secret(path: Path) -> bytes:
    """The key of this account, made if there is none. Raises OSError where it is another's or open to others."""
    if not path.exists():
        make_folder(path.parent)
        with suppress(FileExistsError):
            _make_secret(path)
    with open_regular(path, follow=False) as file:
        found = os.fstat(file.fileno())
        if not is_own(found) or (stat.S_IMODE(found.st_mode) & 0o077 and sys.platform != "win32"):
            raise PermissionError(f"{path}: not for this account alone")
        secret = file.read(_KEY)
    if len(secret) < _KEY:
        raise OSError(f"{path}: cut short")
    return secret


def _make_secret(path: Path) -> None:
    """Whole or not at all: another process may look at this moment."""
    aside = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with os.fdopen(create_file(aside), "wb") as file:
        file.write(secrets.token_bytes(_KEY))
    try:
        os.link(aside, path)
    finally:
        aside.unlink()


def _is_foreign(folder: Path) -> bool:
    """Whether others own the folder or may write to it; where only its owner may rename what is in it, they may."""
    found = folder.lstat()
    shared = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX and found.st_uid in {0, os.geteuid()}
    return not shared and (not stat.S_ISDIR(found.st_mode) or not is_own(found))


def compiler_version(dataflow: Path = Path(__file__).parent.parent) -> bytes:
    """Return what changes whenever the code that makes plans does: Python, sqlglot, our own compiler and engine.

    Those two are the sources in `engine/` and `sql/` of the package `dataflow`, and in all folders below.
    """
    sources = [sys.version]
    for package in (dataflow / "engine", dataflow / "sql"):
        for folder, _, names in sorted(os.walk(package)):
            sources += (_describe(Path(folder, name)) for name in sorted(names) if name.endswith(".py"))
    if parser := _source("sqlglot"):
        sources.append(_describe(parser))
    return blake2b("\n".join(sources).encode(), digest_size=32).digest()


def _describe(path: Path) -> str:
    """Path, size and time of change; nothing where there is no such file any more."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return ""
    return f"{path}{stat.st_size}{stat.st_mtime_ns}"


def _source(package: str) -> Path | None:
    """Where the package begins, without importing it."""
    spec = find_spec(package)
    return Path(spec.origin) if spec and spec.origin else None


def _sizes(folder: Path) -> list[tuple[int, int, str]]:
    """Modification time, size and path of the folder's files."""
    found = []
    for entry in os.scandir(folder):
        try:
            stat = entry.stat()
        except FileNotFoundError:
            continue
        found.append((stat.st_mtime_ns, stat.st_size, entry.path))
    return found
