"""`watchfloor open`: a board, live on its store."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from gui.commands.boards import load_board, store_option, store_path, theme_option
from gui.commands.display import need_display


@click.command("open", short_help="A board, live on its store.")
@click.argument("board")
@store_option
@theme_option
def command(board: str, store: Path | None, theme: str | None) -> int:
    """Open BOARD in a window, live on its store, which is made if there is none.

    Events that `watchfloor emit` or `import` bring to the same store appear at once, and the board file is
    read again whenever it is saved.
    """
    need_display()
    loaded = load_board(board)
    path = store_path(loaded, store)
    from gui.app import Options, run

    return run(Options(board=loaded, author=getpass.getuser(), store=path, theme=theme))
