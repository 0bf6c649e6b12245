"""`watchfloor explain`: what a live query is made of, what each operator keeps, and the time it took."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click
import msgspec

from dataflow.engine.step_budget import LIMIT_S
from gui.commands.boards import board_argument, load_board, store_option, store_path
from gui.commands.history import push, push_store
from gui.reporting.terminal import printable, say
from storage.event import at_position

if TYPE_CHECKING:
    from dataflow.boards.file import LoadedBoard
    from dataflow.engine.engine import Engine
    from dataflow.engine.explain import Operator


@click.command("explain", short_help="What a live query keeps, and what it costs.")
@board_argument
@click.argument("query", metavar="VIEW-OR-SQL")
@store_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="table: for people; json: one object, with the operators' inputs in it.")
def command(board: str, query: str, store: Path | None, form: str) -> None:
    """Show the operators of one of BOARD's views, or of SQL in its dialect, after everything in its store.

    Each operator is above what it reads. Filters and projections run in the loop of the operator above them. A board
    without a store is explained without numbers; the demo with those of its recording.
    """
    from dataflow.boards.check import engine_for

    loaded = load_board(board)
    sql = f'SELECT * FROM "{query}"' if query in loaded.board.views else query
    engine = engine_for(loaded, None)
    engine.measure()
    live = engine.live(sql)
    counted = _fill(engine, loaded, board, store)
    live.rows()
    if live.error is not None:
        raise live.error
    found = engine.explain(live)
    if form == "json":
        say(msgspec.json.encode(found).decode())
        return
    if not counted:
        say(f"{loaded.path.name} has no store yet: nothing is counted", err=True)
    for line in lines(found):
        say(line)


def _fill(engine: Engine, loaded: LoadedBoard, board: str, store: Path | None) -> bool:
    """Push the history that there is; whether there is any."""
    path = store_path(loaded, store)
    if store is None and board == "demo":
        from dataflow.feeds.recording import read_recording
        from gui.commands.display import recording

        events = read_recording(recording())
        numbered = [at_position(event, at) for at, event in enumerate(events, 1)]
        push(engine, loaded, (numbered[at : at + 500] for at in range(0, len(numbered), 500)))
        engine.advance(events[-1].time)
        return True
    if store is None and not path.exists():
        return False
    from storage.database import Database

    push_store(engine, loaded, path)
    with Database.open_read_only(path) as database:
        engine.advance(database.log.last_time())
    return True


def lines(found: Operator) -> Iterator[str]:
    """A table, the operators indented by how deep they are; on a terminal cut to its width."""
    rows = [("memory", "time", "keeps", "operator"), *_rows(found, 0)]
    kept = max(len(row[2]) for row in rows)
    width = get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for memory, took, keeps, text in rows:
        line = f"{memory:>9}  {took:>10}  {keeps:<{kept}}  {printable(text)}"
        yield line if len(line) <= width else line[: width - 1] + "…"


def _rows(found: Operator, depth: int) -> Iterator[tuple[str, str, str, str]]:
    shared = f" (read by {found.readers})" if found.readers > 1 else ""
    kept = f"{found.size:,} {found.keeps}" if found.keeps else ""
    memory = _bytes(found.bytes) if found.keeps else ""
    took = "" if found.fused or found.name in ("scan", "values") else f"{found.ms:,.1f} ms"
    slow = f" (slowest step {found.slowest_ms:,.0f} ms)" if found.slowest_ms > LIMIT_S * 1000 else ""
    yield memory, took, kept, f"{'  ' * depth}{found.name}{shared}{slow}: {found.detail}"
    for each in found.inputs:
        yield from _rows(each, depth + 1)


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"
