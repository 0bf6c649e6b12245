"""The verdict that every fault test ends with.

Every acknowledged entry is in the log exactly once; every desk's store holds the log, each event once, at the log's
position, and no entry waits; and each desk's live views are DuckDB's answers over the whole log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from storage.identity import identity
from tests.data.duck import plain
from tests.faults.desks import SharedDesk, Shown
from tests.faults.log import Log, LogDuck, facts


class Verdict:
    """`board` is its file; the log is read from the server at `url` once, when everything has come to rest."""

    def __init__(self, folder: Path, board: Path, id: str) -> None:
        self._board, self._id = board, id
        self._file = folder / "log.ndjson"
        self.log = Log(id, self._file)

    async def read(self, url: str) -> Verdict:
        await self.log.read(url)
        return self

    def acknowledged(self, ids: Iterable[str], *, doubled: Iterable[str] = ()) -> None:
        """Each of these is in the log exactly once. Only `doubled` ones, of another producer's, may be there twice."""
        counts = Counter(id for _, id in self.log.seen)
        missing = [id for id in ids if id not in counts]
        assert not missing, f"{len(missing)} acknowledged entries are not in the log, such as {missing[:3]}"
        twice = {id for id, count in counts.items() if count > 1} - set(doubled)
        assert not twice, f"{len(twice)} are in the log more than once, such as {sorted(twice)[:3]}"

    def confirmed(self, positions: Mapping[str, int]) -> None:
        """Each entry is where its desk was told."""
        places = {(id, at) for (id, _, _), (at, _) in self.log.facts.items()}
        wrong = {id: at for id, at in positions.items() if (id, at) not in places}
        assert not wrong, f"{len(wrong)} are elsewhere than their desks were told, such as {list(wrong.items())[:3]}"

    def store(self, path: Path) -> None:
        """The store of a desk (which may still have it open) holds the log, and nothing waits in it."""
        with Database.open(path, create=False) as database:
            held = [(identity(e), (e.position, facts(e))) for chunk in database.log.read(chunk=5000) for e in chunk]
            waiting, apart = database.outbox.count(), database.quarantine.list(3)
        wanted = self.log.facts
        assert len(held) == len(wanted), f"{path.name} holds {len(held)} events, and the log {len(wanted)}"
        wrong = [(id, at) for id, at in held if wanted.get(id) != at]
        assert not wrong, f"{path.name}: {len(wrong)} events differ, such as {wrong[:3]}"
        assert [at for _, (at, _) in held] == sorted(at for at, _ in wanted.values())
        assert (waiting, [item.reason for item in apart]) == (0, [])

    def views(self, *shown: Shown) -> None:
        """What desks show is DuckDB's answer at the same moment."""
        duck = LogDuck(self._board, self._file)
        try:
            for each in shown:
                assert each.rows, "a desk without a query proves nothing"
                for sql, rows in each.rows.items():
                    agree(sql, rows, duck.answer(sql, each.now))
        finally:
            duck.connection.close()

    async def desks(self, *desks: SharedDesk) -> None:
        """Stores and views of desks that are open here, once they hold the log."""
        for desk in desks:
            await desk.holds(self.log.last)
        self.views(*(desk.shown() for desk in desks))
        for desk in desks:
            self.store(desk.store)


def agree(sql: str, rows: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]) -> None:
    ours, theirs = [tuple(row) for row in rows], [tuple(map(plain, row)) for row in found]
    if "ORDER BY" not in sql:
        ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
    assert len(ours) == len(theirs), (sql, len(ours), len(theirs))
    for one, other in zip(ours, theirs, strict=True):
        assert one == other or one == pytest.approx(other), sql
