"""`watchfloor shot`: a picture of a board, without a display."""

from __future__ import annotations

from pathlib import Path

import click

from gui.commands.boards import board_argument, existing_store, load_board, store_option, theme_option
from gui.commands.display import clock, recording
from gui.commands.display import size as pixels
from gui.paths import account_name

_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command("shot", short_help="A picture of a board, without a display.")
@board_argument
@click.argument("out", type=_OUT, metavar="OUT.png")
@store_option
@click.option("--size", metavar="WxH", callback=pixels, default="1600x1000", show_default=True,
              help="Pixels.")
@theme_option
@click.option("--at", metavar="HH:MM", callback=clock,
              help="With demo: the local time to show.  [default: 14:30]")
def command(
    board: str, out: Path, store: Path | None, size: tuple[int, int], theme: str | None, at: str | None
) -> int:
    """Draw BOARD into OUT.png as it is after the last event in its store; with demo, as it was at a time of
    that day.

    No display is needed, and the same input gives the same picture.
    """
    replay = board == "demo" and store is None
    if at is not None and not replay:
        raise click.UsageError("--at goes with the board `demo` and no --store")
    if out.suffix.lower() != ".png":
        raise click.UsageError(f"{out}: the picture is a PNG; give it a name that ends in .png")
    if not out.parent.is_dir():
        raise click.ClickException(f"{out}: there is no folder {out.parent}")
    loaded = load_board(board)
    from gui.app import DemoOptions, Options, Shot
    from gui.app import shot as draw

    options = Options(
        board=loaded, author=account_name(), theme=theme,
        store=None if replay else existing_store(loaded, store),
        demo=DemoOptions(recording(), at or "14:30") if replay else None,
    )  # fmt: skip
    return draw(options, Shot(out, size))
