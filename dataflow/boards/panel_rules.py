"""Rules for panels: their ids, their places on the grid, thresholds, row actions and entry forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dataflow.board import Action, Board, DataPanel, FormPanel, Panel, TablePanel, ValuePanel
from dataflow.boards.durations import HINT, read_duration
from dataflow.boards.shape import Finding
from dataflow.boards.toml_lines import Path
from dataflow.text.hints import listing, suggest

Findings = Iterator[Finding]

_GRID = 100
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


def ids(board: Board) -> Findings:
    """Those that a board makes are right, so all that is found is about those that its file gives."""
    first: dict[str, Panel] = {}
    for index, panel in enumerate(board.panels):
        path = ("panels", index, "id")
        if not _ID.match(panel.id):
            hint = "use up to 64 small letters, digits, - and _; without this key one is made"
            yield Finding(path, f'"{panel.id}" cannot be a panel\'s id', hint)
        elif (other := first.setdefault(panel.id, panel)) is not panel:
            message = f'the id "{panel.id}" is taken: it is that of the panel "{other.title}"'
            yield Finding(path, message, "choose another, or leave this key out")


def places(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        row, column, height, width = panel.at
        path = ("panels", index, "at")
        if row < 0 or column < 0 or height < 1 or width < 1:
            hint = "it is [row, column, height, width]: rows and columns from 0, sizes from 1"
            yield Finding(path, f"{list(panel.at)} is no place on the grid", hint)
        elif row + height > _GRID or column + width > _GRID:
            hint = f"it has {_GRID} rows and columns at most"
            yield Finding(path, f"{list(panel.at)} is outside of the grid", hint)
        else:
            yield from _overlap(path, panel, board.panels[:index])


def _overlap(path: Path, panel: Panel, before: Sequence[Panel]) -> Findings:
    row, column, height, width = panel.at
    for other in before:
        y, x, h, w = other.at
        if row < y + h and y < row + height and column < x + w and x < column + width:
            yield Finding(path, f'lies over the panel "{other.title}" at {list(other.at)}')
            return


def thresholds(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        for i, threshold in enumerate(panel.thresholds if isinstance(panel, ValuePanel) else ()):
            if (threshold.at is None) == (threshold.below is None):
                yield Finding(("panels", index, "thresholds", i), "give either `at` or `below`")


def staleness(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        if not isinstance(panel, DataPanel):
            continue
        path = ("panels", index)
        if panel.stale_by is not None and panel.stale_after is None:
            yield Finding((*path, "stale_by"), "says nothing without `stale_after`", 'as: stale_after = "5m"')
        if panel.stale_after is not None:
            try:
                read_duration(panel.stale_after)
            except ValueError as error:
                yield Finding((*path, "stale_after"), str(error), f"it is {HINT}")


def actions(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        keys: set[str] = set()
        for i, action in enumerate(panel.actions if isinstance(panel, TablePanel) else ()):
            path = ("panels", index, "actions", i)
            yield from _entry_event(board, (*path, "event"), action.event)
            yield from _action_fields(board, path, action)
            if action.key and action.key.lower() in keys:
                yield Finding((*path, "key"), f'"{action.key}" is another action\'s key in this panel')
            keys.add((action.key or "").lower())


def _action_fields(board: Board, path: Path, action: Action) -> Findings:
    known = board.events[action.event].fields if action.event in board.events else action.fields
    for name in action.fields:
        if name not in known:
            hint = suggest(name, known)
            message = f"`{action.event}` has no field `{name}`"
            yield Finding((*path, "fields", name), message, hint, ("events", action.event, "fields"))


def forms(board: Board) -> Findings:
    for index, panel in enumerate(board.panels):
        if not isinstance(panel, FormPanel):
            continue
        if not panel.events:
            yield Finding(("panels", index, "events"), "names no event type", "give at least one")
        for i, type_ in enumerate(panel.events):
            yield from _entry_event(board, ("panels", index, "events", i), type_)


def _entry_event(board: Board, path: Path, type_: str) -> Findings:
    event = board.events.get(type_)
    if event is None:
        yield Finding(path, f"there is no event type `{type_}`", suggest(type_, board.events))
    elif not event.entry:
        enterable = [name for name, other in board.events.items() if other.entry]
        others = f", or use {listing(enterable)}" if enterable else ""
        hint = f'set `entry = true` in [events."{type_}"]{others}'
        yield Finding(path, f"operators may not enter `{type_}`", hint, ("events", type_))


RULES = (ids, places, thresholds, staleness, actions, forms)
