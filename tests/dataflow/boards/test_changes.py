"""Which saved boards need other views, and which differ in looks only."""

from __future__ import annotations

import pytest

from dataflow.boards.changes import needs_new_views
from dataflow.boards.file import load

BOARD = """
id = "notes"
title = "Notes"
timezone = "UTC"
admins = ["eve"]
[events."note.made"]
subject = "place"
entry = true
fields.place = {}
fields.weight = { type = "int" }
[sources.rooms]
topic = "tele/+/SENSOR"
type = "note.made"
[tables.places]
csv = "places.csv"
[views.all]
sql = "SELECT * FROM events"
[[panels]]
kind = "table"
title = "Notes"
at = [0, 0, 1, 1]
sql = "SELECT place, weight FROM \\"all\\" ORDER BY place"
columns.weight = { format = ",.0f" }
[[panels]]
kind = "value"
title = "Number"
at = [0, 1, 1, 1]
sql = "SELECT count(*) AS value FROM events"
spark = "SELECT time AS x, weight AS y FROM events"
"""
LAST = BOARD[BOARD.index('[[panels]]\nkind = "value"') :]
FIRST = '[[panels]]\nkind = "table"'
LOG = '[[panels]]\nkind = "log"\ntitle = "Log"\nat = [1, 0, 1, 1]\n'
FORM = '[[panels]]\nkind = "form"\ntitle = "New"\nat = [1, 0, 1, 1]\nevents = ["note.made"]\n'


def saved(folder, board, places="code\nJFK\n"):
    (folder / "places.csv").write_text(places)
    (folder / "board.toml").write_text(board)
    return load(folder / "board.toml")


@pytest.mark.parametrize(
    "board",
    [
        BOARD,
        BOARD + "\n# a remark",
        BOARD.replace('title = "Notes"', 'title = "All"', 1),
        BOARD.replace('kind = "table"\ntitle = "Notes"', 'kind = "table"\ntitle = "All"'),
        BOARD.replace("at = [0, 1, 1, 1]", "at = [3, 1, 1, 2]"),
        BOARD.replace(",.0f", ",.1f"),
        BOARD.replace('kind = "value"', 'kind = "value"\nrole = "critical"\nunit = "kg"'),
        BOARD.replace(LAST, ""),
        BOARD.replace('spark = "SELECT time AS x, weight AS y FROM events"', ""),
        BOARD.replace(FIRST, LAST.replace("Number", "Once more").replace("[0, 1", "[5, 1") + FIRST),
        BOARD + FORM,
    ],
)  # fmt: skip
def test_looks(tmp_path, board):
    assert not needs_new_views(saved(tmp_path, BOARD), saved(tmp_path, board))


@pytest.mark.parametrize(
    "board",
    [
        BOARD.replace('id = "notes"', 'id = "others"'),
        BOARD.replace("UTC", "Europe/Paris"),
        BOARD.replace('"eve"', '"amy"'),
        BOARD.replace('type = "int"', 'type = "float"'),
        BOARD.replace("entry = true", "entry = true\nguard = true"),
        BOARD.replace("entry = true", ""),
        BOARD.replace("tele/+/SENSOR", "tele/+/STATE"),
        BOARD.replace("SELECT * FROM events", "SELECT * FROM events WHERE weight > 1"),
        BOARD.replace("[views.all]", '[views.more]\nsql = "SELECT 1 AS one"\n[views.all]'),
        BOARD.replace("ORDER BY place", "ORDER BY weight"),
        BOARD.replace("time AS x", "position AS x"),
        BOARD + LOG,
    ],
)
def test_what_needs_other_views(tmp_path, board):
    before, after = saved(tmp_path, BOARD), saved(tmp_path, board)
    assert needs_new_views(before, after)


@pytest.mark.parametrize("places", ["code\nLGA\n", "code\nJFK\nLGA\n", "name\nJFK\n", "code\n7\n"])
def test_a_table_with_other_rows_or_columns_needs_other_views(tmp_path, places):
    before = saved(tmp_path, BOARD)
    assert needs_new_views(before, saved(tmp_path, BOARD, places))
    assert not needs_new_views(before, saved(tmp_path, BOARD))
