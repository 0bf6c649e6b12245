"""What headless commands ask of a board's whole history: an engine that has been pushed all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gui.reporting.terminal import say

if TYPE_CHECKING:
    from dataflow.boards.file import LoadedBoard
    from dataflow.engine.engine import Engine
    from dataflow.views.log_reader import LogReader
    from storage.event import LoggedEvent


def push_store(engine: Engine, loaded: LoadedBoard, store: Path) -> None:
    """Push everything in a store but what is withdrawn. Events that do not fit the board's fields are left out, and
    counted on stderr, where it is also said of a shared log's store that it has never heard of that log.
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
        with _reader(loaded) as reader:
            for _, rows in reader.read(log, 0, until, withdrawals.gone, chunk=1000):
                engine.push("events", rows)


def push(engine: Engine, loaded: LoadedBoard, history: Iterable[Sequence[LoggedEvent]]) -> None:
    """Push batches of events, in order."""
    with _reader(loaded) as reader:
        for events in history:
            engine.push("events", reader.rows(events))


@contextmanager
def _reader(loaded: LoadedBoard) -> Iterator[LogReader]:
    """Read events by a board; then say what did not fit it."""
    from dataflow.views.log_reader import LogReader

    misfits: list[str] = []
    yield LogReader(
        loaded.schema, lambda event, reason: misfits.append(f"{event.type} at position {event.position}: {reason}")
    )
    if len(misfits) == 1:
        say(f"1 event does not fit the board and was left out: {misfits[0]}", err=True)
    elif misfits:
        say(f"{len(misfits)} events do not fit the board and were left out; first {misfits[0]}", err=True)
