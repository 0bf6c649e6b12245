"""`watchfloor demo`: the shipped board, live on a replay of a real day."""

from __future__ import annotations

import math
from typing import Any

import click

from gui.commands.boards import load_board, theme_option
from gui.commands.display import clock, need_display, recording
from gui.paths import account_name

MOST = 4


class _Factor(click.FloatRange):
    """No range leaves out what is no number: nan is neither below nor above."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        factor = super().convert(value, param, ctx)
        if not math.isfinite(factor):
            self.fail(f"{value} is no number", param, ctx)
        return factor


@click.command("demo", short_help="A real day of New York flights, live.")
@click.option("--speed", type=_Factor(0.1, 10_000), default=60, show_default=True, metavar="FACTOR",
              help="So many times as fast as it was.")
@click.option("--from", "start", metavar="HH:MM", callback=clock, default="06:00", show_default=True,
              help="The local time at which the replay begins; what came before is there at once.")
@click.option("--desks", type=click.IntRange(1, MOST), default=1, show_default=True, metavar="N",
              help="Two to four: so many desks side by side, on one log on a server of their own.")
@theme_option
def command(speed: float, start: str, desks: int, theme: str | None) -> int:
    """Replay a day of New York flights, 8 February 2013 (the blizzard Nemo), on a fresh store.

    The store is gone when the window is closed: nothing that you enter here is kept. With --desks 2 there are two
    operators, each at a desk of their own: enter on one, and see it on the other. Nobody can hold that replay.
    """
    need_display()
    if desks > 1:
        from gui.commands.demo_desks import run as run_desks

        return run_desks(desks, start, speed, theme)
    board = load_board("demo")
    from gui.app import DemoOptions, Options, run

    demo = DemoOptions(recording(), start, speed)
    return run(Options(board=board, author=account_name(), theme=theme, demo=demo))
