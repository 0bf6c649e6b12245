"""`watchfloor check`: everything that is wrong with a board file, or that nothing is."""

from __future__ import annotations

import click

from gui.commands.boards import board_argument
from gui.reporting.terminal import say


@click.command("check", short_help="Everything that is wrong with a board file.")
@board_argument
def command(board: str) -> None:
    """Check BOARD: its keys, event types, tables, SQL, and the columns that panels need.

    Every problem is one line on stderr: file:line: key: what is wrong. Exit code 1 if there is any.
    """
    from dataflow.boards.check import engine_for, examine
    from dataflow.boards.file import BoardError, board_path
    from dataflow.engine.plan_cache import default_cache

    path = board_path(board)
    loaded, problems = examine(path, lambda loaded: engine_for(loaded, default_cache()))
    if problems:
        raise BoardError(problems)
    found = loaded.board
    parts = {"event type": len(found.events), "view": len(found.views), "panel": len(found.panels)}
    counts = ", ".join(_count(number, word) for word, number in parts.items())
    say(f"{path.name}: {counts}: no problems")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
