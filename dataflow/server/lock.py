"""One server a folder: two on the same JetStream files would damage them, and nats-server itself does not look.

The lock is the server's own: it inherits the open file, so it holds for as long as the server lives, even where our
process is gone, and no longer. Not on Windows, which has no such inheritance.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataflow.nats.errors import ServerFailed
from storage.private import open_private


@contextmanager
def hold_lock(path: Path) -> Iterator[tuple[int, ...]]:
    """The descriptors that a child must inherit to keep the lock. Raises ServerFailed if another holds it."""
    if sys.platform == "win32":
        yield ()
        return
    import fcntl

    with open(path, "a", opener=open_private) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerFailed(f"{path.parent}: another server runs on it; end it, or name another --store") from None
        yield (file.fileno(),)
