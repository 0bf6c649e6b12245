"""`watchfloor import`: a file of events into a board's log. What cannot be taken is set aside; the rest goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gui.commands.boards import board_argument, load_board, store_option, store_path
from gui.commands.progress import bar
from gui.reporting.terminal import say

if TYPE_CHECKING:
    from dataflow.boards.file import LoadedBoard
    from dataflow.exchange.csv_events import Shape
    from dataflow.exchange.files import Imported

_FILE = click.Path(path_type=Path)


@click.command("import", short_help="Events from a file into a board's log.")
@board_argument
@click.argument("file", type=_FILE)
@store_option
@click.option("--type", "type_", metavar="TYPE", help="For CSV: the event type of every row.")
@click.option("--time", "time_column", metavar="COLUMN", help="For CSV: the column with the event's time.")
def command(board: str, file: Path, store: Path | None, type_: str | None, time_column: str | None) -> int:
    """Bring the events in FILE into BOARD's log: CloudEvents, one JSON object a line (.gz too), or CSV.

    Importing a file again adds nothing. Lines that are no event, or do not fit the board, go to quarantine with the
    reason and are counted. Exit code 1 if nothing could be taken or the file is damaged.
    """
    if (type_ is None) != (time_column is None):
        raise click.UsageError("--type and --time go together: they are for CSV")
    if type_ is None and file.suffix.lower() == ".csv":
        raise click.UsageError("a CSV file needs --type TYPE and --time COLUMN")
    loaded = load_board(board)
    shape = _shape(loaded, type_, time_column) if type_ and time_column else None
    imported = _bring(loaded, file, store_path(loaded, store, writes=True), shape)
    return _tell(imported, file)


def _bring(loaded: LoadedBoard, file: Path, store: Path, shape: Shape | None) -> Imported:
    from dataflow.exchange.files import import_csv, import_ndjson
    from storage.database import Database
    from storage.mirror import Mirror

    check = loaded.schema.check
    with Database.open(store) as database, bar(file.name) as progress:
        Mirror(database).refuse()
        if shape is None:
            return import_ndjson(file, database.log, database.quarantine, check, progress)
        return import_csv(file, database.log, database.quarantine, check, shape, progress=progress)


def _shape(loaded: LoadedBoard, type_: str, time_column: str) -> Shape:
    from zoneinfo import ZoneInfo

    from dataflow.exchange.csv_events import Shape
    from dataflow.text.hints import suggest

    event = loaded.board.events.get(type_)
    if event is None:
        hint = suggest(type_, loaded.board.events)
        raise click.ClickException(f"{loaded.path}: there is no event type `{type_}`; {hint}")
    fields = {name: field.type for name, field in event.fields.items()}
    zone = ZoneInfo(loaded.board.timezone)
    return Shape(type=type_, time=time_column, fields=fields, subject=event.subject, zone=zone)


def _tell(imported: Imported, file: Path) -> int:
    """The summary on stdout, why it failed on stderr; the exit code."""
    say(f"{imported.new:,} new, {imported.already:,} already there, {imported.quarantined:,} quarantined")
    for reason, seen in imported.reasons.items():
        say(f"  {seen.count:,} × {reason} (first: {seen.place})")
    taken = imported.new + imported.already
    if imported.damage is not None:
        say(imported.damage, err=True)
    elif imported.quarantined and not taken:
        say(f"{file}: nothing in it could be taken; is it CloudEvents, one a line, for this board?", err=True)
    return 1 if imported.damage is not None or (imported.quarantined and not taken) else 0
