"""What a board must hold beyond the shape of its sections: one rule a function, each gives its findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dataflow.board import Board
from dataflow.boards import field_rules, panel_rules, source_rules
from dataflow.boards.field_rules import NAME, PLAIN
from dataflow.boards.shape import Finding
from dataflow.boards.toml_lines import Path
from dataflow.zones import UnknownZone, find_zone
from storage.event import WITHDRAWN

Findings = Iterator[Finding]

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_TYPE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")


def broken(board: Board) -> list[Finding]:
    """Everything that a rule finds."""
    return [finding for rule in RULES for finding in rule(board)]


def board_id(board: Board) -> Findings:
    if not _ID.match(board.id):
        hint = "use up to 64 small letters, digits, - and _: it names the board's store"
        yield Finding(("id",), f'"{board.id}" cannot be a board\'s id', hint)


def timezone(board: Board) -> Findings:
    try:
        find_zone(board.timezone)
    except UnknownZone as error:
        yield Finding(("timezone",), str(error), error.hint)


def admins(board: Board) -> Findings:
    for at, name in enumerate(board.admins):
        if not name or name != name.strip():
            yield Finding(("admins", at), f'"{name}" cannot be who enters events', "write it as after `--as`: bob")
        elif name in board.admins[:at]:
            yield Finding(("admins", at), f'"{name}" is named twice')


def names(board: Board) -> Findings:
    """Relations share one namespace in SQL, where aa is Aa."""
    taken = {"events": "the relation of all events", WITHDRAWN: "the built-in type by which an event is withdrawn"}
    for name in board.events:
        if not _TYPE.match(name):
            hint = "use words joined by dots: flight.held"
            yield Finding(("events", name), f'"{name}" cannot be an event type', hint)
        yield from _taken(taken, ("events", name), name, "an event type")
    for section, members in (("tables", board.tables), ("views", board.views)):
        for name in members:
            if not NAME.match(name):
                yield Finding((section, name), f'"{name}" cannot be a name in SQL', PLAIN)
            yield from _taken(taken, (section, name), name, f"a {section[:-1]}")


def _taken(taken: dict[str, str], path: Path, name: str, what: str) -> Findings:
    if name.lower() in taken:
        hint = "choose another; SQL does not tell Aa from aa"
        yield Finding(path, f"the name `{name}` is taken: it is {taken[name.lower()]}", hint)
    taken.setdefault(name.lower(), what)


def cycles(board: Board) -> Findings:
    """A view that rests on itself; told by the words after FROM, JOIN and commas, so no SQL parser is needed.
    """
    uses = {name: views_used(view.sql, board) for name, view in board.views.items()}
    done: set[str] = set()
    for name in board.views:
        circle = _circle(name, uses, [])
        if circle and not done.intersection(circle):
            done.update(circle)
            message = f"a view cannot rest on itself: {' → '.join([*circle, circle[0]])}"
            yield Finding(("views", name, "sql"), message)


def _circle(name: str, uses: dict[str, list[str]], trail: list[str]) -> list[str]:
    if name in trail:
        return trail[trail.index(name):]
    for used in uses.get(name, ()):
        if circle := _circle(used, uses, [*trail, name]):
            return circle
    return []


_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_SOURCE = re.compile(
    r'\b(?:from|join)\s+"?([A-Za-z_]\w*)"?|,\s*"?([A-Za-z_]\w*)"?\s*(?:as\b|where\b|,|$)', re.IGNORECASE
)
_CTE = re.compile(r'(?:\bwith|,)\s+"?([A-Za-z_]\w*)"?\s+as\s*\(', re.IGNORECASE)


def views_used(sql: str, board: Board) -> list[str]:
    """The views that the SQL names, by its words: good enough for finding circles and for whom to blame."""
    sql = _NOISE.sub(" ", sql)
    own = {"events", *(name.lower() for name in _CTE.findall(sql))}
    found_ = {(a or b).lower() for a, b in _SOURCE.findall(sql)} - own
    return [name for name in board.views if name.lower() in found_]


RULES: tuple[Callable[[Board], Findings], ...] = (
    board_id, timezone, admins, names, *field_rules.RULES, *source_rules.RULES, *panel_rules.RULES, cycles,
)
