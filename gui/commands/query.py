"""`watchfloor query`: one answer to a query over a board's whole store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gui.commands.boards import board_argument, existing_store, load_board, store_option
from gui.commands.history import push_store
from gui.commands.rows import CHOICES, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataflow.boards.file import LoadedBoard
    from dataflow.zset import Column, Row


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> int:
    """ISO 8601, without an offset in UTC; None is this machine's clock."""
    from dataflow.times import parse

    try:
        return time.time_ns() // 1000 if value is None else parse(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time; write it as 2013-02-08T14:30:00Z") from None


@click.command("query", short_help="One answer from a board's store.")
@board_argument
@click.argument("sql")
@store_option
@click.option("--format", "form", type=click.Choice(CHOICES), default="table", show_default=True,
              help="table: for people, in the board's time zone; json: an object a line; csv.")
@click.option("--spreadsheet-safe", "safe", is_flag=True,
              help="For csv: an apostrophe before text that a spreadsheet would run as a formula.")
@click.option("--now", callback=_moment, metavar="ISO",
              help="What now() is; by default this machine's clock.")
def command(board: str, sql: str, store: Path | None, form: str, safe: bool, now: int) -> None:
    """Answer SQL over everything in BOARD's store: its events, tables and views, in the board's own dialect.

    json and csv give times as ISO 8601 in UTC.
    """
    if safe and form != "csv":
        raise click.UsageError("--spreadsheet-safe goes with --format csv")
    loaded = load_board(board)
    path = existing_store(loaded, store)
    columns, rows = answer(loaded, path, sql, now)
    write("safe csv" if safe else form, columns, rows, loaded.board.timezone)


def answer(
    loaded: LoadedBoard, path: Path, sql: str, now: int
) -> tuple[Sequence[Column], Sequence[Row]]:
    """The result, in order. Events that do not fit the board's fields are left out, and counted on stderr."""
    from dataflow.boards.check import engine_for
    from dataflow.engine.plan_cache import default_cache

    engine = engine_for(loaded, default_cache())
    engine.advance(now)
    live = engine.live(sql)
    push_store(engine, loaded, path)
    rows = live.rows()
    if live.error is not None:
        raise live.error
    return live.columns, rows
