"""How commands that run until they are told to stop are told: Ctrl+C, `kill`, a closed terminal."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gui.reporting.terminal import say

_SIGNALS = ("SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def until_signal() -> Iterator[None]:
    """What is within ends in order, wherever it is, and that is no failure."""
    try:
        with _handled(_SIGNALS, _interrupt):
            yield
    except KeyboardInterrupt:
        say("ended")


@contextmanager
def on_signal(tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` at the first signal, also at Ctrl+C; others are of no effect, so that nothing holds up the end."""
    heard: list[int] = []

    def hear(number: int, _: object) -> None:
        heard.append(number)
        if len(heard) == 1:
            tell()

    with _handled(("SIGINT", *_SIGNALS), hear):
        yield


@contextmanager
def _handled(names: tuple[str, ...], handler: Callable[[int, Any], object]) -> Iterator[None]:
    """Signals that whoever started us wants ignored, as `nohup` does, stay so."""
    before: dict[int, Any] = {}
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        if signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
