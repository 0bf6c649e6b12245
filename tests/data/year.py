"""The whole year as a file, built once for each user and kept in their cache folder: for benchmarks."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

from platformdirs import user_cache_path

from tests.data import flight, nyc, source


def year_file(*, packed: bool = False, folder: Path | None = None) -> Path:
    """A CloudEvents NDJSON file of a million events (`packed`: gzip). The first call takes 20 seconds."""
    folder = folder or user_cache_path("watchfloor") / "bench"
    path = folder / f"nyc-2013-{_version()}.ndjson{'.gz' if packed else ''}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{os.getpid()}-{path.name}")
        nyc.write_year(part)
        part.replace(path)
    return path


def _version() -> str:
    """Changes with the builder, so that a stale file is never used."""
    text = b"".join(Path(module.__file__ or "").read_bytes() for module in (flight, nyc, source))
    return blake2b(text, digest_size=4).hexdigest()
