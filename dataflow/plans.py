"""Compiled query plans, kept between runs so that a warm start needs no SQL parser.

A cache and nothing more: whatever is missing, torn, foreign or unreadable is as good as absent, and a disk
that cannot be written is no error. Each entry is a file of its own, written aside and renamed, so processes
never see half of one. An entry counts only for the `version` that wrote it; by default that is told from the
compiler's own source files.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

_DIGEST = 16
_EXAMINE_EVERY = 64


class Plans(Protocol):
    """Where an engine keeps plans. `key` names the query and everything that its plan depends on."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, plan: bytes) -> None: ...


class PlanCache:
    """Plans in a folder of at most about `limit` bytes; the oldest go first."""

    def __init__(self, folder: Path, version: bytes | None = None, limit: int = 16_000_000) -> None:
        self.folder = folder
        self._version = compiler_version() if version is None else version
        self._limit = limit
        self._puts = 0

    def get(self, key: str) -> bytes | None:
        try:
            found = self._file(key).read_bytes()
        except OSError:
            return None
        digest, plan = found[:_DIGEST], found[_DIGEST:]
        return plan if digest == _digest(plan) else None

    def put(self, key: str, plan: bytes) -> None:
        file = self._file(key)
        aside = file.with_suffix(f".{os.getpid()}-{id(self)}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(_digest(plan) + plan)
            aside.replace(file)
            self._puts += 1
            if self._puts % _EXAMINE_EVERY == 1:
                self._prune()
        except OSError:
            with suppress(OSError):
                aside.unlink()

    def _file(self, key: str) -> Path:
        name = blake2b(key.encode(), key=self._version, digest_size=20).hexdigest()
        return self.folder / f"{name}.plan"

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
    from platformdirs import user_cache_path

    return PlanCache(user_cache_path("watchfloor", appauthor=False) / "plans")


def compiler_version() -> bytes:
    """Changes whenever the code that makes plans does: Python, sqlglot, the sources of our own compiler."""
    here = Path(__file__).parent
    told = [sys.version]
    for folder in (here / "sql", here / "operators"):
        told += (f"{path}{size}{changed}" for changed, size, path in sorted(_sizes(folder, ".py")))
    engine = here / "engine.py"
    told += (_told(path) for path in (engine, _source("sqlglot")) if path and path.exists())
    return blake2b("\n".join(told).encode(), digest_size=32).digest()


def _told(path: Path) -> str:
    stat = path.stat()
    return f"{path}{stat.st_size}{stat.st_mtime_ns}"


def _source(package: str) -> Path | None:
    """Where the package begins, without importing it."""
    spec = find_spec(package)
    return Path(spec.origin) if spec and spec.origin else None


def _sizes(folder: Path, suffix: str = "") -> list[tuple[int, int, str]]:
    """Modification time, size and path of the folder's files."""
    found = []
    for entry in os.scandir(folder):
        try:
            stat = entry.stat()
        except FileNotFoundError:
            continue
        if entry.name.endswith(suffix):
            found.append((stat.st_mtime_ns, stat.st_size, entry.path))
    return found


def _digest(plan: bytes) -> bytes:
    return blake2b(plan, digest_size=_DIGEST).digest()
