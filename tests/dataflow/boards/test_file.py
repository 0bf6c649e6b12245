"""Board files: what is wrong is said with its line, all of it at once; saves are noticed."""

from __future__ import annotations

import json
import os
import sys
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.boards.durations import read_duration
from dataflow.boards.file import LARGEST, BoardError, BoardFile, LoadedBoard, board_path, load, read
from gui import cli

GOOD = """\
id = "ops"
title = "Operations"
timezone = "Europe/Berlin"

[events."job.held"]
label = "Hold"
subject = "job"
entry = true
submit = "Hold {job}"
[events."job.held".fields]
job = { required = true }
minutes = { type = "int", min = 1, max = 60, default = 5 }
why = { choices = ["a", "b"], default = "a" }

[events."job.done"]
subject = "job"
[events."job.done".fields]
job = {}

[tables.people]
csv = "people.csv"

[views.jobs]
sql = "SELECT subject AS job FROM events"

[[panels]]
kind = "table"
title = "Jobs"
at = [0, 0, 4, 4]
sql = "SELECT job FROM jobs"
actions = [{ label = "Hold", event = "job.held", fields = { job = "job" } }]

[[panels]]
kind = "form"
title = "Enter"
at = [0, 4, 4, 4]
events = ["job.held"]
"""


def board(folder, *changes: tuple[str, str], more: str = "", people: str = "name,age\nAnn,3\n"):
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "people.csv").write_text(people)
    path = folder / "ops.toml"
    path.write_text(text + dedent(more))
    return path


def told(path):
    """The problems, as lines without the folder."""
    with pytest.raises(BoardError) as caught:
        load(path)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "").splitlines()


def test_a_good_board_loads_with_its_tables(tmp_path):
    loaded = load(board(tmp_path))
    assert loaded.board.title == "Operations"
    assert loaded.tables["people"].columns == {"name": "text", "age": "int"}
    assert loaded.tables["people"].rows == [("Ann", 3)]
    assert loaded.schema.kinds["job.held"] == ["job", "minutes", "why"]


def test_the_shipped_board_has_no_problem():
    assert load(board_path("demo")).board.id == "nyc"


SQL = 'sql = "SELECT job FROM jobs"'
PANEL = '\n[[panels]]\ntitle = "More"\n'

CASES = {
    "a mistyped key": ([('title = "Operations"', 'title = "Operations"\ntilte = 3')], "",
        "ops.toml:3: tilte: unknown key. Did you mean `title`?"),
    "an administrator without a name": ([('title = "Operations"', 'title = "Operations"\nadmins = ["bob", ""]')], "",
        'ops.toml:3: admins[1]: "" cannot be who enters events. Write it as after `--as`: bob'),
    "an administrator twice": ([('title = "Operations"', 'title = "Operations"\nadmins = ["bob", "bob"]')], "",
        'ops.toml:3: admins[1]: "bob" is named twice'),
    "administrators that are no list": ([('title = "Operations"', 'title = "Operations"\nadmins = "bob"')], "",
        'ops.toml:3: admins: expected an array, found text "bob"'),
    "the built-in event type": ([('[events."job.done"]', '[events."entry.withdrawn"]'),
                                 ('[events."job.done".fields]', '[events."entry.withdrawn".fields]')], "",
        'ops.toml:15: events."entry.withdrawn": the name `entry.withdrawn` is taken: it is the built-in type by which '
        "an event is withdrawn. Choose another; SQL does not tell Aa from aa"),
    "a span of time that is none": ([(SQL, SQL + '\nstale_after = "5 x"')],
        "", 'ops.toml:31: panels[0].stale_after: "5 x" is no span of time. It is seconds, or a number with a unit: '
        '"90s", "5m", "2h", "1d"'),
    "no span of time at all": ([(SQL, SQL + '\nstale_after = 0')], "",
        "ops.toml:31: panels[0].stale_after: 0.0 is no span of time above zero. It is seconds, or a number with a "
        'unit: "90s", "5m", "2h", "1d"'),
    "a span of time of another kind": ([(SQL, SQL + '\nstale_after = [5]')],
        "", "ops.toml:31: panels[0].stale_after: expected text or a number, found an array of 1"),
    "a time of rows of which nothing is said": (
        [(SQL, SQL + '\nstale_by = "time"')], "",
        'ops.toml:31: panels[0].stale_by: says nothing without `stale_after`. As: stale_after = "5m"'),
    "a form that is to be stale": ([('events = ["job.held"]', 'events = ["job.held"]\nstale_after = 5')], "",
        "ops.toml:38: panels[1].stale_after: unknown key. There is `id`, `title`, `at`, `note` or `events`"),
    "a mistyped key in an inline table": ([("min = 1", "mni = 1")], "",
        'ops.toml:12: events."job.held".fields.minutes.mni: unknown key. Did you mean `min`?'),
    "a key below the wrong header": ([], """
        [[panels]]
        kind = "table"
        title = "More"
        at = [9, 0, 1, 1]
        sql = ""
        [panels.columns]
        empty = "Nothing."
        """,
        'ops.toml:45: panels[2].columns.empty: expected a table, found text "Nothing.". '
        "If it is panels[2]'s, write it above the header of this section"),
    "the board's key below a header": ([], 'timezone = "UTC"\n',
        "ops.toml:38: panels[1].timezone: unknown key. "
        "If it is the board's, write it above the header of this section"),
    "a missing key": ([('title = "Operations"\n', "")], "",
        "ops.toml:1: missing key `title`"),
    "a panel without a kind": ([], PANEL,
        "ops.toml:39: panels[2]: missing key `kind`. There is `value`, `table`, `line`, `bar`, `log` or `form`"),
    "an unknown kind": ([('kind = "table"', 'kind = "tabel"')], "",
        'ops.toml:27: panels[0].kind: unknown kind text "tabel". Did you mean `table`?'),
    "text where a number belongs": ([("min = 1", 'min = "1"')], "",
        'ops.toml:12: events."job.held".fields.minutes.min: expected a number, found text "1"'),
    "a number where text belongs": ([('label = "Hold"\nsubject', "label = 3\nsubject")], "",
        'ops.toml:6: events."job.held".label: expected text, found the number 3. Write it in quotes'),
    "text where true or false belongs": ([("entry = true", 'entry = "true"')], "",
        'ops.toml:8: events."job.held".entry: expected true or false, found text "true". '
        "Write true without quotes"),
    "an unknown type": ([('type = "int"', 'type = "integer"')], "",
        'ops.toml:12: events."job.held".fields.minutes.type: text "integer" is not known here. '
        "Did you mean `int`?"),
    "a section that is no table": ([('timezone = "Europe/Berlin"', "tables = 3"),
                                    ('[tables.people]\ncsv = "people.csv"', "")], "",
        "ops.toml:3: tables: expected a table, found the number 3"),
    "panels that are no array": ([('[[panels]]\nkind = "table"', '[panels]\nkind = "table"'),
                                  ('[[panels]]\nkind = "form"', '[panels.more]\nkind = "form"')], "",
        "ops.toml:26: panels: expected an array, found a table. Each begins with `[[panels]]`"),
    "at with three numbers": ([("at = [0, 4, 4, 4]", "at = [0, 4, 4]")], "",
        "ops.toml:36: panels[1].at: expected an array of 4 values, found 3 values. "
        "It is [row, column, height, width]"),
    "at with text": ([("at = [0, 4, 4, 4]", 'at = [0, "4", 4, 4]')], "",
        'ops.toml:36: panels[1].at[1]: expected a whole number, found text "4"'),
    "at without a size": ([("at = [0, 4, 4, 4]", "at = [0, 4, 0, 4]")], "",
        "ops.toml:36: panels[1].at: [0, 4, 0, 4] is no place on the grid. "
        "It is [row, column, height, width]: rows and columns from 0, sizes from 1"),
    "at far outside": ([("at = [0, 4, 4, 4]", "at = [0, 400, 4, 4]")], "",
        "ops.toml:36: panels[1].at: [0, 400, 4, 4] is outside of the grid. "
        "It has 100 rows and columns at most"),
    "panels that overlap": ([("at = [0, 4, 4, 4]", "at = [3, 3, 4, 4]")], "",
        'ops.toml:36: panels[1].at: lies over the panel "Jobs" at [0, 0, 4, 4]'),
    "a subject that is no field": ([('subject = "job"\nentry', 'subject = "jbo"\nentry')], "",
        'ops.toml:7: events."job.held".subject: names no field: `jbo`. Did you mean `job`?'),
    "a default of the wrong type": ([("default = 5", 'default = "5"')], "",
        'ops.toml:12: events."job.held".fields.minutes.default: text "5" is not of the field\'s type, int'),
    "a default beyond max": ([("default = 5", "default = 61")], "",
        'ops.toml:12: events."job.held".fields.minutes.default: 61 is not between min and max'),
    "a default that is no choice": ([('default = "a"', 'default = "c"')], "",
        'ops.toml:13: events."job.held".fields.why.default: text "c" is not among the choices. '
        "There is `a` or `b`"),
    "a choice of the wrong type": ([('["a", "b"]', '["a", 2]')], "",
        'ops.toml:13: events."job.held".fields.why.choices[1]: the number 2 is not of the field\'s type, '
        "text"),
    "min above max": ([("min = 1", "min = 99")], "",
        'ops.toml:12: events."job.held".fields.minutes.min: min 99 is above max 60'),
    "bounds on text": ([("job = { required = true }", "job = { required = true, max = 9 }")], "",
        'ops.toml:11: events."job.held".fields.job.max: a field of type text has no max. '
        "Only int and float have one"),
    "a name with two types": ([("job = {}", 'job = { type = "int" }')], "",
        'ops.toml:18: events."job.done".fields.job.type: `job` is int here and text in "job.held". '
        "A field's name has one type on a board"),
    "a name in two spellings": ([("job = {}", "job = {}\nMinutes = {}")], "",
        'ops.toml:19: events."job.done".fields.Minutes: `Minutes` is `minutes` in "job.held". '
        "SQL does not tell Aa from aa: write both alike"),
    "a field named as an envelope column": ([("job = {}", "job = {}\ntime = {}")], "",
        'ops.toml:19: events."job.done".fields.time: every event has a column `time` already. '
        "Choose another name"),
    "a field that SQL cannot name": ([("job = {}", 'job = {}\n"a b" = {}')], "",
        'ops.toml:19: events."job.done".fields."a b": "a b" cannot be a name in SQL. '
        "Use letters, digits and _"),
    "a view that SQL cannot name": ([("[views.jobs]", "[views.jobs-1]")], "",
        'ops.toml:23: views.jobs-1: "jobs-1" cannot be a name in SQL. Use letters, digits and _'),
    "a view named as a table": ([("[views.jobs]", "[views.People]")], "",
        "ops.toml:23: views.People: the name `People` is taken: it is a table. "
        "Choose another; SQL does not tell Aa from aa"),
    "a view named events": ([("[views.jobs]", "[views.events]")], "",
        "ops.toml:23: views.events: the name `events` is taken: it is the relation of all events. "
        "Choose another; SQL does not tell Aa from aa"),
    "an event type that is none": ([('[events."job.done"]', '[events."job done"]'),
                                    ('[events."job.done".fields]', '[events."job done".fields]')], "",
        'ops.toml:15: events."job done": "job done" cannot be an event type. '
        "Use words joined by dots: flight.held"),
    "a form for what may not be entered": ([('events = ["job.held"]', 'events = ["job.done"]')], "",
        "ops.toml:37: panels[1].events[0]: operators may not enter `job.done`. "
        'Set `entry = true` in [events."job.done"], or use `job.held`'),
    "a form for an unknown event": ([('events = ["job.held"]', 'events = ["job.hold"]')], "",
        "ops.toml:37: panels[1].events[0]: there is no event type `job.hold`. Did you mean `job.held`?"),
    "an action with an unknown event": ([('event = "job.held"', 'event = "job.hled"')], "",
        "ops.toml:31: panels[0].actions[0].event: there is no event type `job.hled`. "
        "Did you mean `job.held`?"),
    "an action with an unknown field": ([('{ job = "job" }', '{ jobs = "job" }')], "",
        "ops.toml:31: panels[0].actions[0].fields.jobs: `job.held` has no field `jobs`. "
        "Did you mean `job`?"),
    "words that name no field": ([("Hold {job}", "Hold {jbo}")], "",
        'ops.toml:9: events."job.held".submit: `{jbo}` names no field. Did you mean `job`?'),
    "words with a loose brace": ([("Hold {job}", "Hold {job")], "",
        "ops.toml:9: events.\"job.held\".submit: cannot be read: expected '}' before end of string. "
        "A brace is written {{ or }}"),
    "a threshold without an edge": ([], PANEL + 'kind = "value"\nat = [9, 0, 1, 1]\nsql = "SELECT 1 AS value"\n'
                                    'thresholds = [{ role = "ok" }]\n',
        "ops.toml:44: panels[2].thresholds[0]: give either `at` or `below`"),
    "an unknown time zone": ([("Europe/Berlin", "Europe/Belrin")], "",
        'ops.toml:3: timezone: unknown time zone "Europe/Belrin". Did you mean `Europe/Berlin`?'),
    "an id that names no store": ([('id = "ops"', 'id = "Ops/1"')], "",
        'ops.toml:1: id: "Ops/1" cannot be a board\'s id. '
        "Use up to 64 small letters, digits, - and _: it names the board's store"),
    "views that rest on each other": ([("FROM events", "FROM more")],
                                      '[views.more]\nsql = "SELECT * FROM jobs"\n',
        "ops.toml:24: views.jobs.sql: a view cannot rest on itself: jobs → more → jobs"),
    "a table that is not there": ([('"people.csv"', '"poeple.csv"')], "",
        "ops.toml:21: tables.people.csv: poeple.csv: cannot be read: No such file or directory"),
}


@pytest.mark.parametrize("name", CASES)
def test_says_what_is_wrong_where_and_what_to_do(tmp_path, name):
    changes, more, expected = CASES[name]
    assert told(board(tmp_path, *changes, more=more)) == [expected]


def test_says_all_of_it_at_once_in_the_files_order(tmp_path):
    path = board(
        tmp_path,
        ('title = "Operations"', "titel = 3"),
        ('kind = "table"', 'kind = "tabel"'),
        ("at = [0, 4, 4, 4]", "at = [0, 4, 4]"),
        ('subject = "job"\nentry', 'subject = "jbo"\nentry'),
        people="name,age\nAnn\n",
    )
    assert [line.split(": ")[0] for line in told(path)] == [
        "ops.toml:1", "ops.toml:2", "ops.toml:7", "ops.toml:27", "ops.toml:36", "people.csv:2",
    ]


def test_does_not_blame_what_only_follows_from_a_damaged_piece(tmp_path):
    path = board(tmp_path, ('type = "int"', 'type = "itn"'))
    assert len(told(path)) == 1
    path = board(tmp_path, ("[events.\"job.done\".fields]\njob = {}", 'fields = "job"'))
    assert len(told(path)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id = \n", "ops.toml:1:6: not TOML: invalid value"),
        ('id = "ops\n', "ops.toml:1:10: not TOML: illegal character '\\n'"),
        ('id = """ops\n', "ops.toml:2: not TOML: unterminated string. Something is not closed"),
        ("a = 1\na = 2\n", "ops.toml:2:6: not TOML: cannot overwrite a value"),
        ("x = " + "[" * 5000, "ops.toml: nested too deeply"),
    ],
)
def test_damaged_toml(tmp_path, text, expected):
    path = tmp_path / "ops.toml"
    path.write_text(text)
    assert told(path) == [expected]


def test_files_that_cannot_be_read(tmp_path):
    missing = tmp_path / "no.toml"
    assert told(missing) == ["no.toml: no such file. Give the path of a board file, or `demo`"]
    assert told(tmp_path)[0].endswith("is a folder. Give the path of a board file in it")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'id = "a"\ntitle = "Z\xfcrich"\n')
    assert told(latin) == ["latin.toml:2: not UTF-8: byte 0xfc. Save it as UTF-8"]


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    path = board(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).board.id == "ops"
    path.write_bytes(path.read_bytes().replace(b"Berlin", b"Belrin"))
    assert told(path)[0].startswith("ops.toml:3: timezone: ")


def test_a_damaged_panel_keeps_the_others_indices(tmp_path):
    path = board(tmp_path, ('kind = "table"', 'kind = "tabel"'), ('events = ["job.held"]', 'events = ["x"]'))
    loaded, problems = read(path)
    assert loaded.panels == [1]
    assert [problem.key for problem in problems] == ["panels[0].kind", "panels[1].events[0]"]


VALUES = ("3", '"x"', "true", "[]", "{}", "1.5", "[1, 2, 3, 4]", "{ a = 1 }", "1979-05-27", "nan", '"{"', '"%"')


@given(st.data())
def test_no_damage_goes_untold(tmp_path_factory, data):
    """Whatever is done to a board, it loads, or its problems stand within the file."""
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    (path.parent / "people.csv").write_text("name,age\n")
    lines = GOOD.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    key, equals, value = lines[at].partition(" = ")
    cut = data.draw(st.integers(0, len(value)))
    worse = st.sampled_from([*VALUES, value[cut:], value[:cut], value[:cut] + "x" + value[cut:]])
    lines[at] = key + equals + data.draw(worse)
    path.write_text("\n".join(lines))
    try:
        problems = read(path)[1]
    except BoardError as error:
        problems = error.problems
    assert all(0 < problem.line <= len(lines) for problem in problems if problem.path == path)


class TestWatching:
    def save(self, path, text):
        """As careful editors do: aside, then renamed over it."""
        aside = path.with_suffix(".new")
        aside.write_text(text)
        aside.replace(path)

    def test_the_first_poll_loads_and_the_next_is_quiet(self, tmp_path):
        file = BoardFile(board(tmp_path))
        assert isinstance(file.poll(), LoadedBoard)
        assert file.poll() is None

    def test_the_first_poll_tells_an_error_at_once(self, tmp_path):
        assert isinstance(BoardFile(tmp_path / "no.toml").poll(), BoardError)

    def test_a_save_is_noticed_also_by_renaming_and_of_the_same_length(self, tmp_path):
        path = board(tmp_path)
        file = BoardFile(path)
        file.poll()
        self.save(path, GOOD.replace("Operations", "Operations".upper()))
        changed = file.poll()
        assert isinstance(changed, LoadedBoard)
        assert changed.board.title == "OPERATIONS"
        assert file.poll() is None

    def test_an_error_is_told_once_and_only_when_the_file_has_settled(self, tmp_path):
        path = board(tmp_path)
        file = BoardFile(path)
        file.poll()
        path.write_text(GOOD[:100])
        assert file.poll() is None
        path.write_text(GOOD[:200])
        assert file.poll() is None
        assert isinstance(file.poll(), BoardError)
        assert file.poll() is None
        path.write_text(GOOD)
        assert isinstance(file.poll(), LoadedBoard)

    def test_a_file_that_is_gone_for_a_moment_is_no_error(self, tmp_path):
        path = board(tmp_path)
        file = BoardFile(path)
        file.poll()
        path.rename(tmp_path / "away")
        assert file.poll() is None
        (tmp_path / "away").rename(path)
        assert isinstance(file.poll(), LoadedBoard)

    def test_a_saved_table_counts_too(self, tmp_path):
        file = BoardFile(board(tmp_path))
        file.poll()
        (tmp_path / "people.csv").write_text("name,age\nAnn,3\nBob,4\n")
        changed = file.poll()
        assert isinstance(changed, LoadedBoard)
        assert len(changed.tables["people"].rows) == 2

    def test_what_the_check_finds_is_told(self, tmp_path):
        path = board(tmp_path)
        problems = read(board(tmp_path, ("Berlin", "Belrin")))[1]
        path.write_text(GOOD)
        assert isinstance(BoardFile(path, lambda _: problems).poll(), BoardError)


def test_the_schema_for_editors_knows_administrators(capsys):
    assert cli.run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$defs"]["Board"]["properties"]["admins"]["items"] == {"type": "string"}


def test_the_schema_for_editors_says_what_a_span_of_time_is(capsys):
    assert cli.run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    for kind in ("ValuePanel", "TablePanel", "LinePanel", "BarPanel", "LogPanel"):
        properties = schema["$defs"][kind]["properties"]
        assert "90s" in properties["stale_after"]["anyOf"][0]["description"]
        assert "timestamp" in properties["stale_by"]["anyOf"][0]["description"]
    assert "stale_after" not in schema["$defs"]["FormPanel"]["properties"]


@pytest.mark.parametrize(
    ("value", "us"), [("5m", 300_000_000), ("1.5 h", 5_400_000_000), (90, 90_000_000), ("2d", 172_800_000_000)]
)
def test_spans_of_time(value, us):
    assert read_duration(value) == us


NO_SPANS = ["", "m", "-5m", "5", "1e9d", 0, -1, float("nan"), float("inf"), "5 mm", "9" * 400 + "d"]


@pytest.mark.parametrize("value", NO_SPANS)
def test_what_is_no_span_of_time(value):
    with pytest.raises(ValueError, match="span of time"):
        read_duration(value)


@pytest.mark.skipif(sys.platform == "win32", reason="its devices are others")
def test_a_board_is_a_regular_file_of_some_size(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST + 1)
    said = {}
    for name in ("pipe", "large", "x" * 5000, "a\0b"):
        with pytest.raises(BoardError) as caught:
            load(tmp_path / name)
        said[name[:5]] = caught.value.problems[0].message
    assert said == {
        "pipe": "cannot be read: not a regular file", "large": "cannot be read: larger than 4 MB",
        "xxxxx": "cannot be read: File name too long", "a\0b": "cannot be read: not a name of a file",
    }  # fmt: skip


def test_a_number_of_thousands_of_digits_is_a_problem(tmp_path):
    (tmp_path / "b.toml").write_text(f"id = {'9' * 5000}")
    with pytest.raises(BoardError, match="a number is too long"):
        load(tmp_path / "b.toml")


def test_a_table_that_is_saved_as_a_device_is_a_problem_of_the_board(tmp_path):
    path = tmp_path / "b.toml"
    path.write_text('id = "b"\ntitle = "B"\n[tables.t]\ncsv = "t.csv"\n')
    (tmp_path / "t.csv").write_text("a\n1\n")
    file = BoardFile(path, known=load(path))
    (tmp_path / "t.csv").unlink()
    (tmp_path / "t.csv").symlink_to("/dev/zero")
    assert file.poll() is None
    problems = file.poll()
    assert isinstance(problems, BoardError)
    assert problems.problems[0].message.endswith("t.csv: cannot be read: not a regular file")
