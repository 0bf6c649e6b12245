"""A disk that is really full: a small file system in memory, seen by one process only, that is filled up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_on_small_disk(script: str, disk: Path, size: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python script with `disk` mounted as a file system of a size ("1m"); its arguments are `disk` and these.

    Skips the test where this account may not mount.
    """
    if shutil.which("unshare") is None:
        pytest.skip("needs Linux namespaces")
    disk.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size={size} tmpfs "$1"'
    shell = ["unshare", "-rm", "sh", "-c"]
    if subprocess.run([*shell, mount, "sh", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount")
    run = f'{mount} && exec "$0" -c "$SCRIPT" "$@"'
    command = [*shell, run, sys.executable, str(disk), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"SCRIPT": script})


def fill(disk: Path, *, left: int = 0) -> Path:
    """Write a file that takes all the room of a disk, but so many bytes; returns it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            file.truncate(ballast.stat().st_size - left)
    return ballast

