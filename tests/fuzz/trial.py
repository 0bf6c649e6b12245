"""One statement tried: compiled, fed with hostile rows, which go again, and explained."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import msgspec

from dataflow.boards.check import engine_for
from dataflow.boards.file import load
from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from dataflow.zset import Row
from tests.dataflow.sql.test_meanings import COLUMNS
from tests.fuzz.corpus import BOARDS
from tests.oracle.world import EVENTS, KINDS, PLACE_ROWS, PLACES, START, STOCK, VIEWS

OURS = {**EVENTS, "carrier": "text", "delay": "float", "data": "json"}
DEEP: Any = 1
for _ in range(60):
    DEEP = [DEEP]
BY_TYPE: Mapping[str, tuple[Any, ...]] = {
    "int": (None, 0, 1, -1, 3, 2**63 - 1, -(2**63), 2**64, 10**30),
    "float": (None, 0.0, -0.0, 0.5, -1.5, 1e308, -1e308, 5e-324),
    "text": (
        None, "", "a", "b", "%", "\\", "_", "\x00", "é🦆", "a" * 3000, "1e999", "NaN", "2020-01-01", "-0", "(", "1.5",
        "{0}", "0x1F",
    ),
    "bool": (None, True, False),
    "timestamp": (None, 0, START, -62_135_596_800_000_000, 253_402_300_799_999_999, -1),
    "date": (None, 0, 18_262 * 86_400_000_000),
    "json": (None, {"a": 1}, {"a": {"a": [1, "x", None]}}, [1, 2], "text", 1.5, True, DEEP, {}, {"": 2**70}),
}  # fmt: skip
WILD = (float("nan"), float("inf"), float("-inf"))
"""Floats that a table may hold; JSON, and so the log, can't."""
ROWS = 6
ASIDE = "set aside"
"""An operator failed on a value: the step's guard took the query out, and the others went on."""


class Outcome(msgspec.Struct):
    """What came of a statement. `verdict`: ran, refused, or what should not have happened."""

    number: int
    verdict: str
    seconds: float = 0.0
    megabytes: float = 0.0
    detail: str = ""


def _ours() -> Engine:
    tables = {"airlines": ({"carrier": "text", "name": "text"}, [("AA", "American")])}
    relations = {"events": OURS, "stock": STOCK, "m": COLUMNS}
    return Engine(relations, {"places": (PLACES, PLACE_ROWS), **tables}, VIEWS, KINDS, now=START)


def _board(path: Path) -> Callable[[], Engine]:
    loaded = load(path)
    return lambda: engine_for(loaded, None)


def worlds() -> list[Callable[[], Engine]]:
    """Makers of the engines that statements are tried on, in turn until one knows the names."""
    return [_ours, *(_board(path) for path in sorted(BOARDS.glob("*.toml")))]


def attempt(makers: list[Callable[[], Engine]], number: int, sql: str) -> Outcome:
    """Try the statement where it compiles."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = process_time()
    found = Outcome(number, "refused")
    for make in makers:
        engine = make()
        began = process_time()
        found = _compiled(engine, number, sql)
        if found.verdict != "refused" or " there is no table" not in found.detail:
            break
    found.megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found.seconds = found.seconds or process_time() - began
    return found


def _compiled(engine: Engine, number: int, sql: str) -> Outcome:
    history: list[Row] = []
    began = process_time()
    try:
        live = engine.live(sql, lambda: [history])
    except SqlError as error:
        cause = error.__cause__
        bug = "report" in error.hint
        detail = f"{error} | {_told(cause)}" if cause is not None else str(error)
        if "\n" in str(error):
            return Outcome(number, "told on several lines", process_time() - began, 0, detail)
        return Outcome(number, "failed inside the compiler" if bug else "refused", process_time() - began, 0, detail)
    except BaseException as error:  # noqa: BLE001  (that is what is looked for)
        return Outcome(number, "left the compiler", process_time() - began, 0, _told(error))
    found = Outcome(number, "ran", process_time() - began)
    try:
        _fed(engine, live, Random(number), history)
    except Exception as error:  # noqa: BLE001
        found.verdict, found.detail = "left a push", _told(error)
    if live.aside and found.verdict == "ran":
        found.verdict, found.detail = ASIDE, f"{live.aside} | {_told(live.error)}"
    return found


def _told(error: BaseException | None) -> str:
    """The error, and where it came from."""
    at = error.__traceback__ if error is not None else None
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]} ({where})"


def _fed(engine: Engine, live: Any, random: Random, history: list[Row]) -> None:
    changes: list[Any] = []
    live.changes.subscribe(changes.append)
    position = 0
    kept: dict[str, list[Row]] = {name: [] for name in engine.relations if name != "events"}
    for step in range(3):
        rows = [_event(engine, random, position + at + 1, pending=False) for at in range(ROWS)]
        position += ROWS
        history += rows
        engine.push("events", rows)
        waiting = _event(engine, random, 2**40 + step, pending=True)
        engine.push("events", [waiting])
        for name, held in kept.items():
            held.append(_row(engine.relations[name], random, wild=True))
            engine.push(name, held[-1:])
        engine.advance(START + step * 60_000_000)
        engine.push("events", [waiting], [-1])
    live.rows()
    for name, held in kept.items():
        engine.push(name, held, [-1] * len(held))
    engine.advance(START + 10**12)
    live.rows()
    if not live.aside:
        engine.explain(live)
    live.close()


def _event(engine: Engine, random: Random, position: int, *, pending: bool) -> Row:
    columns = engine.relations["events"]
    row = dict(zip(columns, _row(columns, random, wild=False), strict=True))
    kind = random.choice([*engine.kinds, "other"])
    row |= {"position": position, "type": kind, "pending": pending, "id": f"e{position}"}
    return tuple(row[name] for name in columns)


def _row(columns: Mapping[str, str], random: Random, *, wild: bool) -> Row:
    return tuple(random.choice(BY_TYPE[type] + (WILD if wild and type == "float" else ())) for type in columns.values())
