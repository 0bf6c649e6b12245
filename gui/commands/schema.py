"""`watchfloor schema`: what a board file may hold, for editors."""

from __future__ import annotations

import click


@click.command("schema", short_help="A JSON Schema of board files, for editors.")
def command() -> None:
    """Print a JSON Schema of board files.

    Editors with a TOML language server (Taplo, Even Better TOML) complete and check keys by it.
    """
    import msgspec

    from dataflow.board import Board

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Board)}
    click.echo(msgspec.json.format(msgspec.json.encode(schema)).decode())
