"""Bytecode for the tests and for the processes that they start, where the environment forbids it (as images of CI do).

Without any, each process compiles some 1,600 modules anew, which takes several seconds of its start.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

KEPT = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"

if sys.dont_write_bytecode:
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(KEPT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
