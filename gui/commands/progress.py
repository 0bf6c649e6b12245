"""A progress bar on stderr, where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from gui.reporting.terminal import printable, unguarded


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to call with how many are done, of how many."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=1, label=printable(label), file=unguarded(sys.stderr)) as shown:

        def show(done: int, total: int) -> None:
            shown.length = total
            shown.update(done - shown.pos)

        yield show
