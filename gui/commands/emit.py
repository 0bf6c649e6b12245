"""`watchfloor emit`: one event from the command line into a board's log. A desk on the same store shows it at
once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from gui.commands.boards import board_argument, load_board, store_option, store_path
from gui.paths import account_name
from gui.reporting.terminal import say

SOURCE = "/watchfloor/cli"


@click.command("emit", short_help="One event into a board's log.")
@board_argument
@click.argument("type_", metavar="TYPE")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@store_option
@click.option("--as", "author", metavar="NAME", help="Who enters it; by default the name of this account.")
def command(board: str, type_: str, fields: tuple[str, ...], store: Path | None, author: str | None) -> None:
    """Append an event of TYPE to BOARD's log, with its fields checked as on an entry form.

    A timestamp is ISO 8601 (without an offset: local time on the board), 14:30 or now. Fields left out take
    their default. Says the position that the log gave, and the event's id.
    """
    from storage.database import Database
    from storage.event import Event
    from storage.ids import uuid7
    from storage.mirror import Mirror

    loaded = load_board(board)
    now = time.time_ns() // 1000
    data, subject = loaded.schema.entry(type_, _pairs(fields), now=now, operator=False)
    event = Event(
        id=uuid7(now), source=SOURCE, type=type_, time=now, subject=subject, data=data,
        authid=author or account_name(),
    )  # fmt: skip
    with Database.open(store_path(loaded, store, writes=True)) as database:
        Mirror(database).refuse()
        appended = database.log.append([event]).result()
    say(f"position {appended.positions[0]}, id {event.id}")


def _pairs(fields: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in fields:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"`{pair}` is not field=value")
        if name in pairs:
            raise click.UsageError(f"`{name}` is given twice")
        pairs[name] = value
    return pairs
