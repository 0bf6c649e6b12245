"""`watchfloor withdraw`: takes one event back. A desk on the same store shows it no more at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gui.commands.boards import board_argument, load_board, store_option, store_path
from gui.commands.emit import SOURCE
from gui.paths import account_name
from gui.reporting.terminal import say

if TYPE_CHECKING:
    from storage.event import Event
    from storage.log import EventLog


@click.command("withdraw", short_help="Take an event of a board's log back.")
@board_argument
@click.argument("id_", metavar="ID")
@store_option
@click.option("--as", "author", metavar="NAME", help="Who withdraws it; by default the name of this account.")
@click.option("--reason", metavar="TEXT", default="", help="Why, for those who read the log.")
def command(board: str, id_: str, store: Path | None, author: str | None, reason: str) -> None:
    """Withdraw the event with this ID from BOARD's views; the log keeps it. `emit` says the ids of events, and so does
    `query` (SELECT id FROM events).

    Who entered an event may withdraw it, and whoever is among the board's `admins`.
    """
    from dataflow.events.withdrawals import withdrawal_data
    from storage.database import Database
    from storage.event import WITHDRAWN, Event
    from storage.ids import uuid7
    from storage.mirror import Mirror

    loaded = load_board(board)
    now, who = time.time_ns() // 1000, author or account_name()
    with Database.open(store_path(loaded, store, writes=True), create=False) as database:
        Mirror(database).refuse()
        target = _target(database.log, id_, who, loaded.board.admins)
        several = len(database.log.find([id_])) > 1
        event = Event(
            id=uuid7(now), source=SOURCE, type=WITHDRAWN, time=now, subject=target.subject,
            data=withdrawal_data(id_, reason, target if several else None), authid=who, causationid=id_,
        )  # fmt: skip
        appended = database.log.append([event]).result()
    say(f"position {appended.positions[0]}, id {event.id}")


def _target(log: EventLog, id: str, author: str, admins: list[str]) -> Event:
    """The event. Raises ClickException where the author's withdrawal would have no effect."""
    from dataflow.events.withdrawals import Reference, Withdrawals, objection
    from storage.identity import identity

    found = Reference(id).choose(author, log.find([id]))
    if found is None:
        raise click.ClickException(f"{id}: there is no such event in this store; `query` finds the ids of events")
    withdrawals = Withdrawals(log, admins)
    withdrawals.judge(withdrawals.coming(log.last()))
    why = "it is withdrawn already" if identity(found) in withdrawals.gone else objection(author, found, admins)
    if why is not None:
        raise click.ClickException(f"{id}: {why}")
    return found
