"""An older file is brought up, and ends like a fresh one; a fresh one needs no Alembic."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from storage import migrations, schema
from storage.database import Database
from storage.errors import StoreFailed
from tests.storage.samples import event, ids


def shape(path) -> set[tuple[object, ...]]:
    """Every table's columns and indexes, as SQLite itself tells them."""
    with sqlite3.connect(path) as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {(t, *row) for t in tables for row in raw.execute(f"PRAGMA table_info({t})")}
        indexes = {(t, *row[2:5]) for t in tables for row in raw.execute(f"PRAGMA index_list({t})")}
        triggers = set(raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        application = raw.execute("PRAGMA application_id").fetchone()
    raw.close()
    return columns | indexes | triggers | {application}


def first_version(path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.upgrade(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO log (position, id, type, source, time, data)"
            " VALUES (1, 'id-1', 't', '/s', 5, '{}'), (2, 'id-2', 'entry.withdrawn', '/s', 5, '{}')"
        )
        connection.exec_driver_sql(
            "INSERT INTO quarantine (digest, time, origin, reason, text)"
            " VALUES (x'01', 1, 'outbox', 'too late', x'7b7d'), (x'02', 1, 'a.ndjson:1', 'not JSON', x'78')"
        )
    engine.dispose()


def test_a_first_version_is_brought_up_and_keeps_its_events(tmp_path):
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    first_version(old)
    with Database.open(old) as store:
        assert ids(store.log) == ["id-1", "id-2"]
        assert [event.id for chunk in store.log.withdrawals(0, 2) for event in chunk] == ["id-2"]
        assert store.log.append([event(3)]).result().positions == [3]
        twin = event(1, source="/another")
        assert store.log.append([twin]).result().new == [True]
        assert [each.source for each in store.log.find(["id-1"])] == ["/s", "/another"]
        assert [(item.kind, item.reason) for item in store.quarantine.list()] == [
            ("entry", "too late"), ("message", "not JSON"),
        ]  # fmt: skip
    Database.open(fresh).close()
    assert shape(old) == shape(fresh)
    with sqlite3.connect(old) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.HEAD,)]
    raw.close()


def test_the_schema_and_the_migrations_have_the_same_head(tmp_path):
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_migration_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    old = tmp_path / "old.db"
    first_version(old)
    with sqlite3.connect(old) as raw:
        raw.execute("CREATE TABLE checkpoints (in_the_way)")
    raw.close()
    before = shape(old)
    with pytest.raises(StoreFailed, match="checkpoints"):
        Database.open(old)
    assert shape(old) == before


def test_a_fresh_store_imports_no_alembic(tmp_path):
    code = (
        "import sys; from pathlib import Path; from storage.database import Database;"
        "Database.open(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "b.db")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_the_light_modules_import_no_sqlalchemy():
    light = "event cloudevents ids errors log outbox quarantine meta rows damage"
    imports = "; ".join(f"import storage.{name}" for name in light.split())
    code = f"import sys; {imports}; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
