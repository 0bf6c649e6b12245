"""Which widgets stay when a board is saved: those of panels that say the same, whatever their place and title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from dataflow.board import Board, FormPanel
from dataflow.board import Panel as Spec
from gui.panels.base import Panel
from gui.panels.shut import Shut


def kept_panels(panels: Iterable[Panel], before: Board, specs: Sequence[Spec], board: Board) -> dict[str, Panel]:
    """Return the widgets to keep by the ids that their panels have on the saved board.

    A panel is the same if its id is; or, where neither id is on both boards, if all else is (its title was edited).
    None is where events have lost types or fields, for then the same words ask for something else.
    """
    if not _has_all_fields(board, before):
        return {}
    old, new = {panel.spec.id: panel for panel in panels if _can_stay(panel)}, {spec.id: spec for spec in specs}
    kept: dict[str, Panel] = {}
    for spec in specs:
        before_ids = [spec.id] if spec.id in old else [id for id in old if id not in new]
        for id in before_ids:
            if _content(old[id].spec, before) == _content(spec, board):
                kept[spec.id] = old.pop(id)
                break
    return kept


def same_form(spec: FormPanel, before: Board, now: FormPanel, board: Board) -> bool:
    """Return whether a form of the one board is the same on the other."""
    return _content(spec, before) == _content(now, board)


def successor(gone: Panel, panels: Iterable[Panel]) -> Panel | None:
    """Return the panel that came for one that is gone: by its id, else by its title."""
    matches = [panel for panel in panels if gone.spec.id == panel.spec.id or gone.spec.title == panel.spec.title]
    return next((panel for panel in matches if gone.spec.id == panel.spec.id), next(iter(matches), None))


def _can_stay(panel: Panel) -> bool:
    """Whether it is drawn; what is shut or failed is tried again."""
    return not isinstance(panel, Shut) and panel.trouble() is None


def _has_all_fields(board: Board, before: Board) -> bool:
    """Whether each field of each event type is there as it was before."""
    now = {(type, name, field.type) for type, event in board.events.items() for name, field in event.fields.items()}
    was = {(type, name, field.type) for type, event in before.events.items() for name, field in event.fields.items()}
    return was <= now and before.events.keys() <= board.events.keys()


def _content(spec: Spec, board: Board) -> tuple[Any, ...]:
    """All that a widget is made from, but for its name, place and title."""
    types = [board.events.get(type) for type in spec.events] if isinstance(spec, FormPanel) else []
    return structs.replace(spec, id="", title="", at=(0, 0, 1, 1)), board.timezone, types
