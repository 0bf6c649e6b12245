"""What documents and docstrings name is there: a file that moves takes its mentions along."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`([\w/]+\.py)`")


def test_files_that_are_named_exist():
    sources = [path for folder in ("gui", "dataflow", "storage", "tests") for path in (ROOT / folder).rglob("*.py")]
    known = {path.relative_to(ROOT).as_posix() for path in sources}
    documents = [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"]
    lost = []
    for path in (*documents, *sources):
        for name in NAMED.findall(path.read_text("utf-8")):
            beside = (path.parent.relative_to(ROOT) / name).as_posix()
            if name not in known and beside not in known and not any(each.endswith(f"/{name}") for each in known):
                lost.append(f"{path.relative_to(ROOT)}: {name}")
    assert len(known) > 400
    assert lost == []
