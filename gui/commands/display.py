"""What the commands with a window share: the display that it needs, and the times and sizes that are asked
for.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import click

_SIZE = re.compile(r"([0-9]{2,5})x([0-9]{2,5})\Z")
_LEAST, _MOST = 200, 8000


def clock(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A time of day, HH:MM."""
    if value is None:
        return None
    try:
        return time.strftime("%H:%M", time.strptime(value, "%H:%M"))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time of day; write it as 06:00") from None


def size(_: click.Context, __: click.Parameter, value: str) -> tuple[int, int]:
    """Pixels, WIDTHxHEIGHT."""
    found = _SIZE.match(value)
    if not found:
        raise click.BadParameter(f"{value!r} is no size; write it as 1600x1000")
    width, height = int(found[1]), int(found[2])
    if not (_LEAST <= width <= _MOST and _LEAST <= height <= _MOST):
        raise click.BadParameter(f"{value!r}: each side has {_LEAST} to {_MOST} pixels")
    return width, height


def need_display(environment: Mapping[str, str] = os.environ) -> None:
    """Say so where no window can be shown: Qt itself would abort the process."""
    known = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(environment.get(name) for name in known):
        raise click.ClickException(
            "there is no display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set. "
            "Run it in a desktop session, or make a picture with `watchfloor shot`"
        )


def recording() -> Path:
    """The demo's two days."""
    return Path(str(files("assets") / "demo" / "nyc-2013-02-08.ndjson.gz"))
