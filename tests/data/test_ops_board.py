"""The board to start from: an incident is opened, then closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataflow.boards import file as board_file
from tests.data.duck import Duck

BOARD = Path(__file__).parents[2] / "assets" / "boards" / "ops.toml"


def test_an_incident_from_start_to_end(tmp_path: Path) -> None:
    assert board_file.load(BOARD).board.id == "ops"
    (tmp_path / "none.ndjson").write_text("")
    duck = Duck(BOARD, tmp_path / "none.ndjson").at("2026-01-01T12:00:00")
    panels: list[Any] = duck.board.panels[:3]
    facts = {"incident": "7K2", "title": "Checkout fails", "service": "shop", "severity": "high"}
    duck.enter(1, "2026-01-01T11:00:00", "incident.opened", "7K2", **facts)
    number, bars, table = [duck.rows(panel.sql) for panel in panels]
    assert number == [{"value": 1, "pending": True}]
    assert bars == [{"label": "shop", "value": 1}]
    assert [(row["title"], row["severity"]) for row in table] == [("Checkout fails", "high")]
    duck.enter(2, "2026-01-01T11:30:00", "incident.closed", "7K2", incident="7K2")
    assert [duck.rows(panel.sql) for panel in panels] == [[{"value": 0, "pending": None}], [], []]
    duck.connection.close()
