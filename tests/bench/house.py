"""The house in numbers: rooms and arrows, lengths, and how often tests reach into what is private.

    uv run python -m tests.bench.house [--json] [--reach-ins]

For each package of gui, dataflow and storage that holds several rooms (a file or a package that lies directly in it):

- rooms, and how many of them are loose files
- arrows: pairs of different rooms of which one imports the other, wherever in it; imports for types only count too
- circles: groups of rooms that reach each other over arrows
- floors: the longest way down over arrows, a circle counted as one room
- up: the fewest arrows without which there would be no circle

`all files` says the same of files, over packages. Lengths are lines from `def` to the last one, docstrings included,
decorators not; a file's are all its lines. A reach-in is `x._y` in tests, where x is not `self` or `cls`, and a source
defines `_y` (no `__y__`) while the file itself does not. `--reach-ins` lists the files that have any.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations, count
from pathlib import Path
from statistics import median, quantiles

import grimp

from tests.bench.report import Figure, report

ROOT = Path(__file__).parents[2]
PACKAGES = ("gui", "dataflow", "storage")
FEW = 12  # so many arrows of a circle are tried in all combinations

Arrows = dict[str, set[str]]


def figures() -> list[Figure]:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    found: list[Figure] = []
    for package in sorted(module for module in graph.modules if len(graph.find_children(module)) > 1):
        found += arrows_of(package, rooms(graph, package), loose(graph, package))
    files = sorted(module for module in graph.modules if not graph.find_children(module))
    found += arrows_of("all files", {file: graph.find_modules_directly_imported_by(file) for file in files})
    return [*found, *lengths(), *reach_ins_figures()]


def rooms(graph: grimp.ImportGraph, package: str) -> Arrows:
    """What each room of this package imports of the others."""
    inside = graph.find_children(package)
    holds = {room: {room, *graph.find_descendants(room)} for room in inside}
    return {
        room: {
            other
            for other in inside - {room}
            if any(graph.find_modules_directly_imported_by(each) & holds[other] for each in holds[room])
        }
        for room in inside
    }


def loose(graph: grimp.ImportGraph, package: str) -> int:
    return sum(not graph.find_children(room) for room in graph.find_children(package))


def arrows_of(name: str, arrows: Arrows, loose: int | None = None) -> Iterator[Figure]:
    arrows = {room: {other for other in others if other in arrows and other != room} for room, others in arrows.items()}
    circles = [group for group in groups(arrows) if len(group) > 1]
    yield Figure(f"{name}: rooms", len(arrows), "")
    if loose is not None:
        yield Figure(f"{name}: loose files", loose, "")
    yield Figure(f"{name}: floors", floors(arrows), "")
    yield Figure(f"{name}: arrows", sum(map(len, arrows.values())), "")
    yield Figure(f"{name}: circles", len(circles), "", 0)
    yield Figure(f"{name}: up", sum(len(against(arrows, circle)) for circle in circles), "", 0)


def groups(arrows: Arrows) -> list[set[str]]:
    """The rooms that reach each other; a room in no circle alone. The lowest first."""
    below = {room: reached(arrows, room) for room in arrows}
    found = {frozenset({room, *(other for other in below[room] if room in below[other])}) for room in arrows}
    return [set(group) for group in sorted(found, key=lambda group: len(group | below[next(iter(group))]))]


def reached(arrows: Arrows, start: str) -> set[str]:
    """All that one comes to from there over arrows."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = arrows[ahead.pop()] - found
        found |= new
        ahead.extend(new)
    return found


def floors(arrows: Arrows) -> int:
    floor: dict[str, int] = {}
    for group in groups(arrows):
        below = {other for room in group for other in arrows[room]} - group
        floor |= dict.fromkeys(group, 1 + max((floor[other] for other in below), default=0))
    return max(floor.values(), default=0)


def against(arrows: Arrows, circle: set[str]) -> tuple[tuple[str, str], ...]:
    """The fewest arrows of a circle that have to go for it to be none; of a large one, more than that perhaps."""
    inside = {room: arrows[room] & circle for room in circle}
    drawn = sorted((room, other) for room, others in inside.items() for other in others)
    if len(drawn) > FEW:
        return tuple(greedily(inside))
    for size in count(1):
        for some in combinations(drawn, size):
            left = {room: {other for other in others if (room, other) not in some} for room, others in inside.items()}
            if all(len(group) == 1 for group in groups(left)):
                return some
    raise AssertionError("without its arrows a circle is none")


def greedily(inside: Arrows) -> Iterator[tuple[str, str]]:
    """Lay the rooms in an order, those with more arrows out than in on top; what runs up then."""
    into = Counter(other for others in inside.values() for other in others)
    order = sorted(inside, key=lambda room: into[room] - len(inside[room]))
    place = {room: index for index, room in enumerate(order)}
    yield from ((room, other) for room in order for other in inside[room] if place[other] < place[room])


def lengths() -> Iterator[Figure]:
    sources = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    functions = [length for file in sources for length in functions_of(ast.parse(file.read_text("utf-8")))]
    yield from lengths_of("functions", functions)
    yield from lengths_of("files", [len(file.read_text("utf-8").splitlines()) for file in sources])


def functions_of(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def lengths_of(name: str, found: list[int]) -> Iterator[Figure]:
    yield Figure(f"{name}: how many", len(found), "")
    yield Figure(f"{name}: median", median(found), "lines")
    yield Figure(f"{name}: nine in ten", quantiles(found, n=10, method="inclusive")[-1], "lines")
    yield Figure(f"{name}: longest", max(found), "lines")


def reach_ins() -> Counter[str]:
    """How often each file of the tests reaches in."""
    private = {name for package in PACKAGES for tree in trees(package).values() for name in defined(tree)}
    return Counter({file: number for file, tree in trees("tests").items() if (number := reach_ins_of(tree, private))})


def trees(package: str) -> dict[str, ast.Module]:
    files = sorted((ROOT / package).rglob("*.py"))
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text("utf-8")) for file in files}


def reach_ins_of(tree: ast.Module, private: set[str]) -> int:
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    foreign = private - set(defined(tree))
    return sum(node.attr in foreign and not is_self(node.value) for node in attributes)


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def defined(tree: ast.Module) -> Iterator[str]:
    """The private names of its functions, classes, fields, module's variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                pass
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                pass
            case _:
                continue
        if is_private(name):
            yield name


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def reach_ins_figures() -> Iterable[Figure]:
    by_file = reach_ins()
    yield Figure("reach-ins of tests", by_file.total(), "", 0)
    yield Figure("files of tests that reach in", len(by_file), "", 0)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--reach-ins", action="store_true", help="list the files with the most of them instead")
    given = arguments.parse_args()
    if given.reach_ins:
        return report((Figure(file, number, "reach-ins", 0) for file, number in reach_ins().most_common()), given.json)
    return report(figures(), given.json)


if __name__ == "__main__":
    sys.exit(main())
