"""What another account can do with a store: a script in a process that belongs to nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_BEGIN = """
import os
from pathlib import Path
from storage import database, errors, log, read_only
os.chdir({folder!r})
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


def run_as_nobody(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, without root's rights; an account that is not root stays itself.

    It goes into the folder while it still may, so that it does not matter who reaches those above it.
    """
    whole = _BEGIN.format(folder=str(folder)) + script
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=False, env=environment)
