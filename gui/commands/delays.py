"""`watchfloor delays`: how long the entries of a board's desk took, by stage, as its store has kept it."""

from __future__ import annotations

import time
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gui.commands.boards import board_argument, existing_store, load_board, store_option
from gui.commands.rows import CHOICES, write
from gui.reporting.terminal import say


@click.command("delays", short_help="How long entries took, by stage.")
@board_argument
@store_option
@click.option("--format", "form", type=click.Choice(CHOICES), default="table", show_default=True,
              help="table: for people; json: an object a line; csv.")
def command(board: str, store: Path | None, form: str) -> None:
    """Say how long the entries made on this desk of BOARD took to be confirmed: in all and today, in milliseconds.

    Percentiles are within 3 %; a desk that is open writes what it measured every ten seconds.
    """
    from dataflow.desk.delays import stored_report
    from dataflow.times import iso, local_day
    from dataflow.zset import Column
    from storage.database import Database

    loaded = load_board(board)
    zone = loaded.board.timezone
    today = local_day(time.time_ns() // 1000, ZoneInfo(zone))
    with Database.open_read_only(existing_store(loaded, store)) as database:
        report = stored_report(database.meta, today)
    if not report.since:
        say("nothing measured yet: entries that are made in a window are measured", err=True)
    names = (("when", "text"), ("stage", "text"), ("entries", "int"))
    columns = [Column(*each) for each in (*names, *((name, "float") for name in ("half_ms", "p99_ms", "slowest_ms")))]
    periods = (f"since {iso(report.since)[:16]}Z", report.all), ("today", report.today)
    rows = [
        (when, each.stage, each.count, *(round(ms, 3) for ms in (each.p50_ms, each.p99_ms, each.most_ms)))
        for when, stages in periods
        for each in stages
    ]
    write(form, columns, rows, zone)
