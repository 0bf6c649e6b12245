"""`watchfloor export`: a board's whole log as a file."""

from __future__ import annotations

from pathlib import Path

import click

from gui.commands.boards import board_argument, existing_store, load_board, store_option
from gui.commands.progress import bar
from gui.reporting.terminal import say

_FILE = click.Path(path_type=Path)


@click.command("export", short_help="A board's whole log into a file.")
@board_argument
@click.argument("file", type=_FILE)
@store_option
@click.option("--spreadsheet-safe", "safe", is_flag=True,
              help="For CSV: an apostrophe before text that a spreadsheet would run as a formula.")
def command(board: str, file: Path, store: Path | None, safe: bool) -> None:
    """Write BOARD's log into FILE (replaced): .ndjson or .ndjson.gz (CloudEvents; import reads it back), or .csv.

    CSV has a column for each part of the envelope and for each field that the board declares.
    """
    name = file.name.lower()
    if safe and not name.endswith(".csv"):
        raise click.UsageError("--spreadsheet-safe goes with a .csv file")
    if not name.endswith((".ndjson", ".ndjson.gz", ".csv")):
        raise click.UsageError(f"{file}: give it a name that ends in .ndjson, .ndjson.gz or .csv")
    loaded = load_board(board)
    from dataflow.exchange.files import export_csv, export_ndjson
    from storage.database import Database

    fields = list(dict.fromkeys(name for names in loaded.schema.kinds.values() for name in names))
    with Database.open_read_only(existing_store(loaded, store)) as database, bar(file.name) as progress:
        if name.endswith(".csv"):
            written = export_csv(file, database.log, fields, progress, safe=safe)
        else:
            written = export_ndjson(file, database.log, progress)
    say(f"{written:,} events written to {file}")
