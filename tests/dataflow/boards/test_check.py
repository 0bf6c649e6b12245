"""SQL problems at the file's own lines, and the columns that panels need. The engine is a stand-in here."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from dataflow.boards.check import check, examine
from dataflow.boards.file import load
from dataflow.sql.errors import SqlError
from dataflow.zset import Column

HEAD = """\
id = "ops"
title = "Operations"
[events."job.held"]
entry = true
fields.job = {}
fields.minutes = { type = "int" }
"""


class Engine:
    """Knows `n.type AS name` columns; an unknown word `bogus` is an error at its place."""

    def __init__(self, loaded):
        self.asked: list[str] = []

    def check(self, sql):
        self.asked.append(sql)
        if "bogus" in sql:
            before = sql[: sql.index("bogus")]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            raise SqlError("no such column: bogus", line, column, "there is `job`")
        return [Column(name, type_) for type_, name in re.findall(r"(\w+) AS (\w+)", sql)]


def problems(folder, text):
    path = folder / "ops.toml"
    path.write_text(HEAD + dedent(text))
    return [str(problem).removeprefix(f"{folder}/") for problem in check(load(path), Engine)]


def panel(kind, rest):
    return f'[[panels]]\nkind = "{kind}"\ntitle = "P"\nat = [0, 0, 1, 1]\n{rest}\n'


def test_an_error_stands_at_its_line_and_column_in_the_file(tmp_path):
    text = panel("table", 'sql = """\nSELECT\n  text AS job,\n  bogus\nFROM events\n"""')
    assert problems(tmp_path, text) == [
        "ops.toml:14:3: panels[0].sql: no such column: bogus. There is `job`"
    ]
    assert problems(tmp_path, panel("table", "sql = 'SELECT bogus'"))[0].startswith("ops.toml:11:15: ")
    assert problems(tmp_path, panel("value", "sql = 'int AS value'\nspark = 'SELECT bogus'"))[0].startswith(
        "ops.toml:12:17: panels[0].spark: "
    )


def test_what_rests_on_a_broken_view_is_not_blamed(tmp_path):
    text = '[views.a]\nsql = "SELECT * FROM b"\n[views.b]\nsql = "SELECT bogus"\n' + panel("table", 'sql = "FROM a"')
    assert [line.split(": ")[1] for line in problems(tmp_path, text)] == ["views.b.sql"]


GOOD = {
    "value": "sql = 'int AS value, text AS caption, bool AS pending'\nspark = 'timestamp AS x, float AS y'",
    "table": "sql = 'text AS job, text AS t, bool AS pending'\ncolumns.job = { tone = 't', format = '>5' }\n"
             "actions = [{ label = 'Hold', event = 'job.held', fields = { job = 'job' } }]",
    "line": "sql = 'timestamp AS x, float AS y'",
    "bar": "sql = 'text AS name, int AS n'\nlabel = 'name'\nvalue = 'n'\nformat = ',d'",
    "log": "sql = 'timestamp AS time, text AS title, text AS tone, int AS position'",
    "form": "events = ['job.held']",
}


@pytest.mark.parametrize("kind", GOOD)
def test_panels_with_the_columns_they_need(tmp_path, kind):
    assert problems(tmp_path, panel(kind, GOOD[kind])) == []


@pytest.mark.parametrize(
    ("kind", "rest", "expected"),
    [
        ("value", "sql = 'int AS n'", "11: panels[0].sql: the query gives no column `value`. Name one so: … AS value"),
        ("value", "sql = 'int AS value, int AS caption'",
         "11: panels[0].sql: the column `caption` is int; it must be text"),
        ("value", "sql = 'text AS value'\nthresholds = [{ role = 'ok', at = 1 }]",
         "12: panels[0].thresholds: the column `value` is text, not a number"),
        ("value", "sql = 'int AS value'\nformat = '%H:%M'",
         '12: panels[0].format: "%H:%M" is no format for int. Try ","'),
        ("value", "sql = 'int AS value'\nspark = 'text AS x, int AS y'",
         "12: panels[0].spark: gives (text, int), not (x, y). "
         "SELECT … AS x, … AS y: x is a timestamp or a number, y a number"),
        ("table", "sql = 'text AS job'\ncolumns.jbo = {}",
         "12: panels[0].columns.jbo: the query gives no column `jbo`. Did you mean `job`?"),
        ("table", "sql = 'text AS job'\ncolumns.job = { tone = 't' }",
         "12: panels[0].columns.job.tone: the query gives no column `t`. There is `job`"),
        ("table", "sql = 'text AS job, int AS t'\ncolumns.job = { tone = 't' }",
         "12: panels[0].columns.job.tone: the column `t` is int; a tone is text that names a role"),
        ("table", "sql = 'timestamp AS t'\ncolumns.t = { format = '.1f' }",
         '12: panels[0].columns.t.format: ".1f" is no format for timestamp. Try "%H:%M"'),
        ("table", "sql = 'float AS f'\ncolumns.f = { format = '>999999999.3f' }",
         '12: panels[0].columns.f.format: ">999999999.3f" is no format for float: it is wider than 40 characters. '
         'Try ",.1f"'),
        ("table", "sql = 'int AS n'\ncolumns.n = { width = 1000000000000 }",
         "12: panels[0].columns.n.width: 1000000000000 is no width. It is in pixels, 1 to 4000"),
        ("table", "sql = 'text AS pending'", "11: panels[0].sql: the column `pending` is text; it must be bool"),
        ("table", "sql = 'text AS job'\nactions = [{ label = 'H', event = 'job.held', fields = { job = 'jbo' } }]",
         "12: panels[0].actions[0].fields.job: the query gives no column `jbo`. Did you mean `job`?"),
        ("line", "sql = 'timestamp AS x, text AS y'",
         "11: panels[0].sql: the column `y` is text; it must be int or float"),
        ("line", "sql = 'timestamp AS x, int AS y'\nseries = 's'",
         "12: panels[0].series: the query gives no column `s`. There is `x` or `y`"),
        ("bar", "sql = 'text AS label'",
         "11: panels[0].sql: the query gives no column `value`. Name one so: … AS value"),
        ("log", "sql = 'timestamp AS time'",
         "11: panels[0].sql: the query gives no column `title`. Name one so: … AS title"),
    ],
)
def test_panels_without_the_columns_they_need(tmp_path, kind, rest, expected):
    assert problems(tmp_path, panel(kind, rest)) == [f"ops.toml:{expected}"]


def test_a_panels_slip_leaves_the_sql_checked_but_a_damaged_event_type_does_not(tmp_path):
    path = tmp_path / "ops.toml"
    slip = panel("table", "sql = 'SELECT bogus'\ntilte = 1")
    path.write_text(HEAD + slip)
    assert [problem.key for problem in examine(path, Engine)[1]] == ["panels[0].sql", "panels[0].tilte"]
    path.write_text(HEAD.replace('"int"', '"itn"') + panel("table", "sql = 'SELECT bogus'"))
    assert len(examine(path, Engine)[1]) == 1


def test_a_panel_that_may_be_stale_needs_a_time_of_its_rows(tmp_path):
    def stale(kind, sql, rest):
        return problems(tmp_path, panel(kind, f"sql = '{sql}'\n{rest}"))

    assert stale("table", "text AS job, timestamp AS time", 'stale_after = "5m"') == []
    assert stale("line", "timestamp AS x, int AS y", "stale_after = 90") == []
    assert stale("log", "timestamp AS time, text AS title", 'stale_after = "1h"') == []
    assert stale("value", "int AS value, timestamp AS seen", 'stale_after = "5m"\nstale_by = "seen"') == []
    assert stale("value", "int AS value, timestamp AS seen", 'stale_after = "5m"') == [
        "ops.toml:12: panels[0].stale_after: the query gives no column `time` that says how new a row is. "
        'Name a timestamp column: stale_by = "seen"'
    ]
    assert stale("bar", "text AS label, int AS value", 'stale_after = "5m"') == [
        "ops.toml:12: panels[0].stale_after: the query gives no column `time` that says how new a row is. "
        "Select one: … max(time) AS time"
    ]
    assert stale("table", "text AS job, text AS seen", 'stale_after = "5m"\nstale_by = "seen"') == [
        "ops.toml:13: panels[0].stale_by: the column `seen` is text; how new a row is, a timestamp says. "
        "Select one: … max(time) AS time"
    ]
    assert stale("line", "int AS x, int AS y", 'stale_after = "5m"')[0].startswith(
        "ops.toml:12: panels[0].stale_after: the column `x` is int; "
    )
