"""Do the tests catch faults? Puts one small fault at a time into a copy of the sources, and runs tests on it.

    uv run python -m tests.bench.mutation dataflow/engine/operators --tests tests/dataflow/engine/operators [--count 30]
        [--seed 1] [--timeout 300] [--json]

A fault is a comparison, a condition, a number, an operator or a statement that is another, or is not there. Which ones
are tried is drawn by `--seed`. A fault is caught when pytest fails, or does not end in time; those that survive are
listed with their line, to be read: some change nothing that anybody could see. The sources here are not touched.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.report import Figure, report

ROOT = Path(__file__).parents[2]
GOAL = 0.85
KEPT = ("gui", "dataflow", "storage", "tests", "assets", "pyproject.toml", "README.md")
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip


class Fault(NamedTuple):
    """What is put into `path` in the place of `old`, from one offset in the file's bytes to another."""

    path: Path
    line: int
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.old.split()):.70} → {' '.join(self.new.split()):.70}"


def faults(path: Path) -> Iterator[Fault]:
    """All that can be put into a file."""
    text = path.read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tree = ast.parse(text)
    skipped = {id(node) for outer in ast.walk(tree) if _is_skipped(outer) for node in ast.walk(outer)}
    for node in ast.walk(tree):
        if id(node) in skipped or not hasattr(node, "lineno"):
            continue
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        old = text[start:end].decode()
        for other in _others(node):
            yield Fault(path.relative_to(ROOT), node.lineno, start, end, old, other)


def _is_skipped(node: ast.AST) -> bool:
    """Docstrings, annotations and what is for the type checker change nothing."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.arg | ast.Import | ast.ImportFrom | ast.JoinedStr | ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _others(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
            changed = copy.copy(node)
            changed.ops = [COMPARISONS[type(operator)]()]
            yield f"({ast.unparse(changed)})"
        case ast.BoolOp():
            for at in range(len(node.values)):
                left = [value for index, value in enumerate(node.values) if index != at]
                changed = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
                yield f"({ast.unparse(changed)})"
        case ast.UnaryOp(op=ast.Not()):
            yield f"bool({ast.unparse(node.operand)})"
        case ast.BinOp() if type(node.op) in OPERATORS and not isinstance(node.left, ast.Constant | ast.JoinedStr):
            yield f"({ast.unparse(ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right))})"
        case ast.Constant(value=bool()):
            yield str(not node.value)
        case ast.Constant(value=int()):
            yield str(node.value + 1)
        case ast.IfExp():
            yield f"({ast.unparse(node.body)})"
            yield f"({ast.unparse(node.orelse)})"
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete() | ast.Continue() | ast.Break():
            yield "pass"
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield "return None"


def draw(places: list[Path], count: int, seed: int) -> list[Fault]:
    """So many faults of all that there could be in these files and folders."""
    files = sorted({file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))})
    found = [fault for file in files for fault in faults(file)]
    return random.Random(seed).sample(found, min(count, len(found)))


def is_caught(copied: Path, fault: Fault, tests: list[str], timeout: float) -> bool:
    """Whether these tests fail with the fault in place."""
    path = copied / fault.path
    right = path.read_bytes()
    path.write_bytes(right[: fault.start] + fault.new.encode() + right[fault.end :])
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copied), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copied, env=environment, timeout=timeout, check=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode not in (0, 1, 2):
            print(f"pytest ended with {done.returncode}", file=sys.stderr)
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_bytes(right)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("places", nargs="+", type=Path)
    arguments.add_argument("--tests", nargs="+", required=True)
    arguments.add_argument("--count", type=int, default=30)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--timeout", type=float, default=300)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    drawn = draw([place.resolve() for place in given.places], given.count, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder)
        for name in KEPT:
            place = ROOT / name
            ignored = shutil.ignore_patterns("__pycache__")
            (shutil.copytree if place.is_dir() else _copy)(place, copied / name, ignore=ignored)
        survivors = [fault for fault in drawn if not _tried(copied, fault, given)]
    caught = len(drawn) - len(survivors)
    name = f"faults caught in {' '.join(map(str, given.places))}, of {len(drawn)}"
    code = report([Figure(name, caught / max(1, len(drawn)), "", GOAL, "higher")], given.json)
    for fault in survivors:
        print(json.dumps({"survivor": str(fault)}) if given.json else f"survived: {fault}")
    return code


def _tried(copied: Path, fault: Fault, given: argparse.Namespace) -> bool:
    caught = is_caught(copied, fault, given.tests, given.timeout)
    print(f"{'caught  ' if caught else 'SURVIVED'} {fault}", file=sys.stderr, flush=True)
    return caught


def _copy(place: Path, to: Path, ignore: object) -> None:
    shutil.copy(place, to)


if __name__ == "__main__":
    sys.exit(main())
