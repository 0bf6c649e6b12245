"""What headless commands ask of a board's whole history: an engine that has been pushed all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gui.reporting.terminal import say

if TYPE_CHECKING:
    from dataflow.boards.file import LoadedBoard
    from dataflow.engine.engine import Engine
    from storage.event import Event


def push_store(engine: Engine, loaded: LoadedBoard, store: Path) -> None:
    """Everything in a store but what is withdrawn. Events that do not fit the board's fields are left out, and counted
    on stderr, where it is also said of a shared log's store that it has never heard of that log.
    """
    from dataflow.events.withdrawals import Withdrawals
    from storage.database import Database
    from storage.mirror import Mirror

    with Database.open_read_only(store) as database:
        mirror = Mirror(database)
        if mirror.shared_log and not mirror.heard:
            say(f"{store}: never synced with {mirror.shared_log}; nothing of that log is known here", err=True)
        log, until = database.log, database.log.last()
        withdrawals = Withdrawals(log, loaded.board.admins)
        withdrawals.judge(withdrawals.coming(until))
        push(engine, loaded, map(withdrawals.left, log.read(until=until)))


def push(engine: Engine, loaded: LoadedBoard, history: Iterable[Sequence[Event]]) -> None:
    """Batches of events, in order."""
    from dataflow.events.schema import Misfit

    misfits: list[str] = []
    for events in history:
        rows = []
        for event in events:
            try:
                rows.append(loaded.schema.row(event))
            except Misfit as misfit:
                misfits.append(f"{event.type} at position {event.position}: {misfit.reason}")
        engine.push("events", rows)
    if len(misfits) == 1:
        say(f"1 event does not fit the board and was left out: {misfits[0]}", err=True)
    elif misfits:
        say(f"{len(misfits)} events do not fit the board and were left out; first {misfits[0]}", err=True)
