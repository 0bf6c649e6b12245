"""Schema versions by Alembic (https://alembic.sqlalchemy.org). Imported only when an older file must be
brought up.

One file a step in `versions/`, numbered "0001", "0002", …: a number above `schema.HEAD` is a newer
Watchfloor's.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to `revision`. The caller holds the transaction, so it comes whole or not at all."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
