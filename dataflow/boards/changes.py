"""What a saved board changes: only how it looks, or what its views hold."""

from __future__ import annotations

import msgspec

from dataflow.board import Board, queries
from dataflow.boards.file import LoadedBoard


def needs_new_views(before: LoadedBoard, after: LoadedBoard) -> bool:
    """Return whether a saved board needs other views than the one before it: it has another query, or something else
    than titles, places and formats is another one. A query that is gone needs none.
    """
    return (
        _basis(before.board) != _basis(after.board)
        or before.tables != after.tables
        or not _queries(after.board) <= _queries(before.board)
    )


def _basis(board: Board) -> Board:
    """Return all of a board that entries, events, devices and queries depend on."""
    return msgspec.structs.replace(board, title="", panels=[])


def _queries(board: Board) -> set[str]:
    return {sql for panel in board.panels for sql in queries(panel).values()}
