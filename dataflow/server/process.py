"""A running nats-server: a child process, ready when it greets us by the name that we gave it.

It ends with its parent: by `stop`, and on Linux also when the parent is killed (PR_SET_PDEATHSIG; it is the thread that
calls `start` whose end counts, so start it from one that lives as long as the process). It is in a session of its own:
Ctrl+C reaches the parent alone, which then stops it in order. What it says goes to the log file.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from dataflow.nats.errors import ServerFailed
from dataflow.server.binary import find
from dataflow.server.config import Settings, render
from dataflow.server.lock import hold_lock
from storage.private import PRIVATE_UMASK, make_folder, open_private, write_file

READY_S = 20.0
"""A store with a long log takes its time to recover."""
_PAUSE_S = 0.02
_GREETING = 64 * 1024
_STAMP = re.compile(r"^(nats-server: |\[\d+\] .*?\[[A-Z]{3}\] )")


class ServerProcess:
    """One nats-server with these settings; `folder` holds its configuration and its log."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._config = folder / "nats-server.conf"
        self._lock = folder / "lock"
        self.log = folder / "nats-server.log"
        self.settings = self._logging(settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def url(self) -> str:
        scheme = "tls" if self.settings.tls else "nats"
        host = _reachable(self.settings.host)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.settings.port}"

    def start(self, ready_s: float = READY_S, before: Callable[[], object] = lambda: None) -> None:
        """Returns when clients can connect; `before` is called when nobody else runs on this folder, and can't.

        Raises ServerMissing, ServerFailed; also if another runs on this folder.
        """
        binary = find()
        make_folder(self._config.parent)
        _write_private(self._config, render(self.settings))
        with hold_lock(self._lock) as lock, open(self.log, "ab", opener=open_private) as log:
            heard_from = log.tell()
            before()
            self._process = subprocess.Popen(
                [binary, "--config", self._config], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=lock,
                start_new_session=True, umask=PRIVATE_UMASK,
                preexec_fn=_dies_with_parent(),  # noqa: PLW1509  one call to the kernel
            )  # fmt: skip
        try:
            self._await_ready(time.monotonic() + ready_s, heard_from)
        except BaseException:
            self.kill()
            raise

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code; None if it still runs after so many seconds."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, timeout: float = 10.0) -> None:
        """End it in order; after so many seconds, at once."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            if self.wait(timeout) is None:
                self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def reload(self, settings: Settings, ready_s: float = 5.0) -> bool:
        """Take up other users while it runs; who is no longer among them is cut off. False: it did not."""
        self.settings = self._logging(settings)
        _write_private(self._config, render(self.settings))
        if sys.platform == "win32" or self._process is None or self._process.poll() is not None:
            return False
        heard_from = self.log.stat().st_size
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + ready_s
        while time.monotonic() < deadline and self.wait(_PAUSE_S) is None:
            lines = self.log.read_bytes()[heard_from:]
            if b"Reloaded server configuration" in lines:
                return True
            if b"[ERR] Failed to reload" in lines:
                break
        return False

    def last_words(self, since: int = 0) -> str:
        """Why it ended, as it said itself: its last error."""
        lines = self.log.read_bytes()[since:].decode(errors="replace").splitlines()
        errors = [line for line in lines if "[FTL] " in line or "[ERR] " in line or line.startswith("nats-server: ")]
        return _STAMP.sub("", (errors or lines or ["it said nothing"])[-1]).strip()

    def _logging(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, log=self.log)

    def _await_ready(self, deadline: float, heard_from: int) -> None:
        while time.monotonic() < deadline:
            if (code := self.wait(_PAUSE_S)) is not None:
                raise ServerFailed(f"nats-server ended at once (exit code {code}): {self.last_words(heard_from)}")
            if _greeting(self.settings).get("server_name") == self.settings.name:
                return
        raise ServerFailed(f"nats-server does not answer at {self.url}; its log is {self.log}")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _greeting(settings: Settings) -> dict[str, Any]:
    """What a NATS server says first, before TLS: `INFO {…}`. Empty if nobody answers."""
    try:
        with socket.create_connection((_reachable(settings.host), settings.port), timeout=1) as connection:
            line = connection.makefile("rb").readline(_GREETING)
            greeting: dict[str, Any] = json.loads(line.removeprefix(b"INFO "))
            return greeting
    except (OSError, ValueError):
        return {}


def _reachable(host: str) -> str:
    """An address that a client on this machine can connect to."""
    bare = host.strip("[]")
    if bare in ("0.0.0.0", ""):
        return "127.0.0.1"
    return "::1" if bare == "::" else bare


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for this account's eyes only."""
    write_file(path, text.encode())


def _dies_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, signal.SIGTERM) and None
