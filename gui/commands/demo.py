"""`watchfloor demo`: the shipped board, live on a replay of a real day."""

from __future__ import annotations

import getpass

import click

from gui.commands.boards import load_board, theme_option
from gui.commands.display import clock, need_display, recording


@click.command("demo", short_help="A real day of New York flights, live.")
@click.option("--speed", type=click.FloatRange(0.1, 10_000), default=60, show_default=True, metavar="FACTOR",
              help="So many times as fast as it was.")
@click.option("--from", "start", metavar="HH:MM", callback=clock, default="06:00", show_default=True,
              help="The local time at which the replay begins; what came before is there at once.")
@theme_option
def command(speed: float, start: str, theme: str | None) -> int:
    """Replay a day of New York flights, 8 February 2013 (the blizzard Nemo), on a fresh store.

    The store is gone when the window is closed: nothing that you enter here is kept.
    """
    need_display()
    board = load_board("demo")
    from gui.app import DemoOptions, Options, run

    demo = DemoOptions(recording(), start, speed)
    return run(Options(board=board, author=getpass.getuser(), theme=theme, demo=demo))
