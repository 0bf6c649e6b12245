"""The command line: what it prints, where, and with which exit code. One line for each problem, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

from dataflow.boards.problems import BoardError
from dataflow.desk.delays import Delays
from gui import cli
from gui.commands import boards, display
from gui.paths import store_of
from gui.reporting import failures
from storage.database import Database

ROOT = Path(__file__).parents[2]

BOARD = """\
id = "ops"
title = "Operations"
timezone = "America/New_York"
[events."job.held"]
label = "Hold"
subject = "job"
entry = true
fields.job = { required = true }
fields.minutes = { type = "int", min = 1, max = 60 }
fields.until = { type = "timestamp" }
[events."job.done"]
subject = "job"
fields.job = {}
[views.held]
sql = '''
SELECT subject AS job, latest(minutes) AS minutes, max(until) AS until
FROM "job.held"
GROUP BY subject
'''
[[panels]]
kind = "table"
title = "Held"
at = [0, 0, 4, 4]
sql = "SELECT job, minutes, until FROM held ORDER BY job"
"""


@pytest.fixture
def home(account, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    return account


@pytest.fixture
def board(home):
    path = home / "ops.toml"
    path.write_text(BOARD)
    return str(path)


@pytest.fixture
def run(home, capsys):
    """Run a command: exit code, stdout, stderr."""

    def run(*arguments) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err.replace(f"{home}{os.sep}", "")

    return run


class TestUsage:
    def test_help_names_every_command_and_every_command_has_help(self, run):
        code, out, _ = run("--help")
        assert code == 0
        for name in cli._COMMANDS:
            assert f"\n  {name} " in out
            assert run(name, "--help")[0] == 0
        assert run()[1] == out

    def test_version(self, run):
        code, out, _ = run("--version")
        assert code == 0
        assert out.startswith("watchfloor ")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["chek"], "watchfloor: there is no command `chek`; did you mean `check`? See `watchfloor --help`"),
            (["check"], "watchfloor check: missing argument 'BOARD'. See `watchfloor check --help`"),
            (["emit", "demo", "job.held", "minutes"],
             "watchfloor emit: `minutes` is not field=value. See `watchfloor emit --help`"),
            (["emit", "demo", "job.held", "a=1", "a=2"],
             "watchfloor emit: `a` is given twice. See `watchfloor emit --help`"),
            (["import", "demo", "x.csv"],
             "watchfloor import: a CSV file needs --type TYPE and --time COLUMN. See `watchfloor import --help`"),
            (["import", "demo", "x.ndjson", "--type", "job.held"],
             "watchfloor import: --type and --time go together: they are for CSV. See `watchfloor import --help`"),
            (["export", "demo", "x.xls"],
             "watchfloor export: x.xls: give it a name that ends in .ndjson, .ndjson.gz or .csv. "
             "See `watchfloor export --help`"),
            (["query", "demo", "SELECT 1", "--now", "noon"],
             "watchfloor query: invalid value for '--now': 'noon' is no time; write it as 2013-02-08T14:30:00Z. "
             "See `watchfloor query --help`"),
            (["demo", "--from", "25:00"],
             "watchfloor demo: invalid value for '--from': '25:00' is no time of day; write it as 06:00. "
             "See `watchfloor demo --help`"),
            (["demo", "--speed", "0"],
             "watchfloor demo: invalid value for '--speed': 0.0 is not in the range 0.1<=x<=10000. "
             "See `watchfloor demo --help`"),
            (["demo", "--theme", "drak"],
             "watchfloor demo: invalid value for '--theme': there is no theme 'drak'; did you mean `dark`? "
             "See `watchfloor demo --help`"),
            (["shot", "demo", "x.jpg"],
             "watchfloor shot: x.jpg: the picture is a PNG; give it a name that ends in .png. "
             "See `watchfloor shot --help`"),
            (["shot", "demo", "x.png", "--size", "10x"],
             "watchfloor shot: invalid value for '--size': '10x' is no size; write it as 1600x1000. "
             "See `watchfloor shot --help`"),
            (["shot", "ops.toml", "x.png", "--at", "14:30"],
             "watchfloor shot: --at goes with the board `demo` and no --store. See `watchfloor shot --help`"),
        ],
    )  # fmt: skip
    def test_wrong_usage_is_one_line_and_2(self, run, arguments, said):
        assert run(*arguments) == (2, "", said + "\n")

    def test_every_command_and_option_is_in_the_readme(self):
        readme = (ROOT / "README.md").read_text("utf-8")
        context = click.Context(cli.watchfloor)
        for name in cli._COMMANDS:
            command = cli.watchfloor.get_command(context, name)
            assert f"`watchfloor {name}" in readme
            for parameter in (p for p in command.params if isinstance(p, click.Option)):
                assert f"`{parameter.opts[0]}" in readme, f"watchfloor {name} {parameter.opts[0]}"


class TestCheck:
    def test_a_good_board(self, run, board):
        assert run("check", board) == (0, "ops.toml: 2 event types, 1 view, 1 panel: no problems\n", "")

    def test_the_demo(self, run):
        code, out, err = run("check", "demo")
        assert (code, err) == (0, "")
        assert out.startswith("nyc.toml: ")
        assert out.endswith("no problems\n")

    def test_every_problem_is_a_line_on_stderr(self, run, board):
        text = BOARD.replace("title = \"Held\"", "titel = \"Held\"").replace("max(until)", "max(untl)")
        Path(board).write_text(text)
        code, out, err = run("check", board)
        assert (code, out) == (1, "")
        lines = err.splitlines()
        assert [line.split(": ")[:2] for line in lines] == [
            ["ops.toml:16:56", "views.held.sql"],
            ["ops.toml:20", "panels[0]"],
            ["ops.toml:22", "panels[0].titel"],
        ]
        assert "untl" in lines[0]

    def test_a_missing_file(self, run):
        assert run("check", "no.toml") == (1, "", "no.toml: no such file. Give the path of a board file, or `demo`\n")


class TestEmit:
    def test_appends_an_event_with_its_author(self, run, board):
        code, out, err = run("emit", board, "job.held", "job=J1", "minutes=5", "until=2013-02-08 12:00")
        assert (code, err) == (0, "")
        assert out.startswith("position 1, id ")
        assert run("emit", board, "job.done", "job=J1", "--as", "bea")[1].startswith("position 2, id ")
        code, out, _ = run("query", board, "SELECT type, subject, authid, minutes, until FROM events ORDER BY position",
                           "--format", "json")
        assert [msgspec.json.decode(line) for line in out.splitlines()] == [
            {"type": "job.held", "subject": "J1", "authid": "ann", "minutes": 5, "until": "2013-02-08T17:00:00Z"},
            {"type": "job.done", "subject": "J1", "authid": "bea", "minutes": None, "until": None},
        ]

    def test_says_everything_that_is_wrong_with_the_fields_and_writes_nothing(self, run, board, home):
        assert run("emit", board, "job.held", "minutes=99", "jbo=J1") == (
            1, "",
            "jbo: `job.held` has no such field; did you mean `job`?; job: is required; minutes: 99 is above 60\n",
        )  # fmt: skip
        assert not (home / "XDG_DATA_HOME").exists()

    def test_an_unknown_type(self, run, board):
        assert run("emit", board, "job.hled", "job=J1") == (
            1, "", "`job.hled` is not an event type of this board; did you mean `job.held`?\n",
        )


class TestWithdraw:
    @pytest.fixture
    def ids(self, run, board):
        """Of two events: ann's and bea's."""
        said = [run("emit", board, "job.held", f"job=J{n}", "--as", who)[1] for n, who in ((1, "ann"), (2, "bea"))]
        return [line.split("id ")[1].strip() for line in said]

    def subjects(self, run, board):
        sql = "SELECT type, subject FROM events ORDER BY position"
        return run("query", board, sql, "--format", "csv")[1].split()[1:]

    def test_the_views_hold_it_no_more_and_the_log_keeps_it(self, run, board, home, ids):
        code, out, err = run("withdraw", board, ids[0], "--reason", "a mistake")
        assert (code, err) == (0, "")
        assert out.startswith("position 3, id ")
        assert self.subjects(run, board) == ["job.held,J2", "entry.withdrawn,J1"]
        assert run("query", board, "SELECT job FROM held", "--format", "csv")[1] == "job\nJ2\n"
        _, told, _ = run("explain", board, "SELECT subject FROM events", "--format", "json")
        assert msgspec.json.decode(told)["size"] == 2 * 2  # the rows, and their order
        run("export", board, home / "all.ndjson")
        lines = [msgspec.json.decode(line) for line in (home / "all.ndjson").read_text().splitlines()]
        assert [line["id"] for line in lines[:2]] == ids
        last = {name: lines[2][name] for name in ("type", "subject", "authid", "causationid", "data")}
        assert last == {
            "type": "entry.withdrawn", "subject": "J1", "authid": "ann", "causationid": ids[0],
            "data": {"id": ids[0], "reason": "a mistake"},
        }  # fmt: skip

    def test_what_is_imported_with_its_withdrawal_is_withdrawn(self, run, board, home, ids):
        run("withdraw", board, ids[0])
        run("export", board, home / "all.ndjson")
        other = home / "other.db"
        assert run("import", board, home / "all.ndjson", "--store", other)[1].startswith("3 new")
        sql = "SELECT job FROM held"
        assert run("query", board, sql, "--format", "csv", "--store", other)[1] == "job\nJ2\n"

    def test_what_cannot_be_withdrawn_is_one_line_and_writes_nothing(self, run, board, ids):
        undone = run("withdraw", board, ids[0])[1].split("id ")[1].strip()
        for id, why in (
            ("none", "there is no such event in this store; `query` finds the ids of events"),
            (ids[1], "only bea, who entered it, or an administrator of the board may withdraw it"),
            (ids[0], "it is withdrawn already"),
            (undone, "a withdrawal cannot be withdrawn: enter again what it withdrew"),
        ):
            assert run("withdraw", board, id) == (1, "", f"{id}: {why}\n")
        assert len(self.subjects(run, board)) == 2

    def test_an_administrator_may(self, run, board, ids):
        Path(board).write_text(BOARD.replace('title = "Operations"', 'title = "Operations"\nadmins = ["cy"]'))
        assert run("withdraw", board, ids[1], "--as", "cy")[0] == 0
        assert self.subjects(run, board) == ["job.held,J1", "entry.withdrawn,J2"]

    def test_without_a_store_there_is_nothing_to_withdraw(self, run, board, home):
        code, out, err = run("withdraw", board, "x", "--store", home / "no.db")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert not (home / "no.db").exists()


@pytest.fixture
def events(home):
    def write(*lines: str) -> Path:
        path = home / "in.ndjson"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def held(number: int, **data) -> str:
    event = {
        "specversion": "1.0", "id": str(number), "source": "/t", "type": "job.held", "subject": f"J{number}",
        "time": "2013-02-08T12:00:00Z", "data": {"job": f"J{number}", **data},
    }  # fmt: skip
    return msgspec.json.encode(event).decode()


class TestFiles:
    def test_imports_what_can_be_taken_and_says_what_became_of_the_rest(self, run, board, events):
        path = events(held(1), "{broken", held(2), held(1), held(3, minutes="x"), held(4, minutes="y"))
        code, out, err = run("import", board, path)
        assert (code, err) == (0, "")
        assert out.splitlines()[0] == "2 new, 1 already there, 3 quarantined"
        assert "  2 × field `minutes`: expected a whole number (64 bits) (first: in.ndjson:5)" in out.splitlines()
        assert run("import", board, path)[1].startswith("0 new, 3 already there, 3 quarantined")

    def test_where_nothing_can_be_taken_it_has_failed(self, run, board, events):
        code, out, err = run("import", board, events("a", "b"))
        assert code == 1
        assert out.startswith("0 new, 0 already there, 2 quarantined")
        assert err == "in.ndjson: nothing in it could be taken; is it CloudEvents, one a line, for this board?\n"

    def test_imports_csv(self, run, board, home):
        path = home / "in.csv"
        path.write_text("when,job,minutes\n2013-02-08 07:00,J1,5\nlater,J2,5\n2013-02-08 08:00,J3,\n")
        code, out, _ = run("import", board, path, "--type", "job.held", "--time", "when")
        assert code == 0
        assert out.startswith("2 new, 0 already there, 1 quarantined\n")
        assert run("query", board, "SELECT subject, time, minutes FROM events ORDER BY subject", "--format", "csv") == (
            0, "subject,time,minutes\nJ1,2013-02-08T12:00:00Z,5\nJ3,2013-02-08T13:00:00Z,\n", "",
        )

    def test_csv_of_an_unknown_type(self, run, board, home):
        (home / "in.csv").write_text("when\n")
        said = "ops.toml: there is no event type `job.hled`; did you mean `job.held`?\n"
        assert run("import", board, home / "in.csv", "--type", "job.hled", "--time", "when") == (1, "", said)

    @pytest.mark.parametrize("name", ["out.ndjson", "out.ndjson.gz"])
    def test_what_was_exported_can_be_imported(self, run, board, events, home, name):
        run("import", board, events(held(1), held(2)))
        assert run("export", board, home / name)[:2] == (0, f"2 events written to {home / name}\n")
        assert run("import", board, home / name, "--store", home / "other.db")[1].startswith("2 new, ")

    def test_exports_csv(self, run, board, events, home):
        run("import", board, events(held(1, minutes=3)))
        assert run("export", board, home / "out.csv")[0] == 0
        header, row = (home / "out.csv").read_text().splitlines()
        named = dict(zip(header.split(","), row.split(","), strict=True))
        assert named["subject"] == "J1"
        assert named["minutes"] == "3"

    def test_files_that_cannot_be_read_or_written(self, run, board, home, events):
        assert run("import", board, home / "no.ndjson")[0] == 1
        run("import", board, events(held(1)))
        code, _, err = run("export", board, home / "no" / "x.csv")
        assert code == 1
        assert err.startswith(f"no{os.sep}x.csv: ")


class TestStores:
    def test_a_missing_store_is_said(self, run, board, home):
        code, out, err = run("query", board, "SELECT 1 AS one FROM events", "--store", home / "no.db")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("no.db: ")
        assert not (home / "no.db").exists()

    @pytest.mark.parametrize("command", [["emit", "job.held", "job=J1"], ["query", "SELECT id FROM events"]])
    def test_a_file_that_is_no_store_is_left_alone(self, run, board, home, command):
        (home / "notes.db").write_text("my notes, not a store at all\n" * 40)
        code, out, err = run(command[0], board, *command[1:], "--store", home / "notes.db")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("notes.db: ")
        assert (home / "notes.db").read_text().startswith("my notes")

    def test_a_folder_where_the_store_belongs(self, run, board, home):
        assert run("emit", board, "job.held", "job=J1", "--store", home)[0] == 2


class TestQuery:
    @pytest.fixture(autouse=True)
    def some(self, run, board, events):
        run("import", board, events(held(2, minutes=5), held(1, until="2013-02-08T12:00:00.5Z"), held(10)))

    def test_a_table_for_people_has_local_times(self, run, board):
        code, out, _ = run("query", board, "SELECT * FROM held ORDER BY minutes NULLS LAST, job")
        assert code == 0
        assert out == (
            "job  minutes  until\n"
            "───  ───────  ───────────────────\n"
            "J2         5\n"
            "J1            2013-02-08 07:00:00\n"
            "J10\n"
            "(3 rows)\n"
        )

    def test_json_has_an_object_a_line_with_iso_times(self, run, board):
        _, out, _ = run("query", board, "SELECT job, until FROM held WHERE job = 'J1'", "--format", "json")
        assert out == '{"job":"J1","until":"2013-02-08T12:00:00.500000Z"}\n'

    def test_now_is_an_input(self, run, board):
        sql = "SELECT count(*) AS n FROM events WHERE time > now() - INTERVAL '1 hour'"
        for now, n in (("2013-02-08T12:30:00Z", 3), ("2013-02-08T14:00:00Z", 0)):
            assert run("query", board, sql, "--format", "json", "--now", now)[1] == f'{{"n":{n}}}\n'

    def test_text_cannot_command_the_terminal(self, run, board, events):
        run("import", board, events(held(5).replace("J5", "a\\u001b[2Jb\\nc")))
        _, out, _ = run("query", board, "SELECT subject FROM events ORDER BY subject DESC LIMIT 1")
        assert r"a\u001b[2Jb\nc" in out

    @pytest.mark.parametrize(
        "sql", ["SELECT bogus FROM events", "SELEC 1", "", "DROP TABLE events", "SELECT * FROM no"]
    )
    def test_sql_that_cannot_be_answered_is_one_line(self, run, board, sql):
        code, out, err = run("query", board, sql)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "bug" not in err

    def test_events_that_no_longer_fit_are_counted(self, run, board):
        Path(board).write_text(BOARD.replace('type = "int", min = 1, max = 60', 'type = "bool"'))
        code, out, err = run("query", board, "SELECT count(*) AS n FROM events", "--format", "json")
        assert (code, out) == (0, '{"n":2}\n')
        assert err == (
            "1 event does not fit the board and was left out: job.held at position 1: "
            "field `minutes`: expected true or false, found 5\n"
        )


class TestExplain:
    def test_a_view_s_operators_with_what_they_keep(self, run, board, events):
        run("import", board, events(held(2), held(1), held(2)))
        code, out, err = run("explain", board, "held")
        assert (code, err) == (0, "")
        head, result, *others = out.splitlines()
        assert head.split() == ["memory", "time", "keeps", "operator"]
        assert result.endswith("result: job, minutes, until in order of job, minutes, until")
        aggregate = next(line for line in others if "aggregate:" in line)
        assert " 2 groups " in aggregate
        assert aggregate.endswith("by subject")
        assert out.endswith("scan: events of job.held\n")

    def test_json_holds_the_tree(self, run, board):
        run("emit", board, "job.held", "job=J1", "minutes=5")
        sql = "SELECT minutes FROM events WHERE minutes > 3"
        code, out, _ = run("explain", board, sql, "--format", "json")
        found = msgspec.json.decode(out)
        assert (code, found["name"], found["size"], found["keeps"]) == (0, "result", 2, "rows of the result")
        (mapped,) = found["inputs"]
        assert mapped["ms"] > 0
        assert found["bytes"] > 100

    def test_without_a_store_the_operators_are_told(self, run, board):
        code, out, err = run("explain", board, "SELECT count(*) FROM events")
        assert (code, err) == (0, "ops.toml has no store yet: nothing is counted\n")
        assert "aggregate: count(*)" in out

    def test_sql_that_cannot_run_is_one_line(self, run, board):
        code, out, err = run("explain", board, "SELECT bogus FROM events")
        assert (code, out, err.count("\n")) == (1, "", 1)


class TestDisplay:
    def test_without_a_display_there_is_one_clear_line(self):
        with pytest.raises(click.ClickException, match="no display"):
            display.need_display({})
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            display.need_display({name: "x"})

    def test_a_picture_needs_a_folder(self, run, home):
        assert run("shot", "demo", home / "no" / "x.png") == (
            1, "", f"no{os.sep}x.png: there is no folder {home / 'no'}\n".replace(f"{home}{os.sep}", ""),
        )


class TestGuard:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (OSError(28, "No space left on device", "/x/y"), "/x/y: no space left on device\n"),
            (OSError("x.png: the picture cannot be written"), "x.png: the picture cannot be written\n"),
            (KeyboardInterrupt(), "interrupted\n"),
        ],
    )
    def test_the_worlds_errors_are_one_line(self, run, monkeypatch, error, said):
        monkeypatch.setattr(boards, "load_board", raising(error))
        monkeypatch.setattr("gui.commands.emit.load_board", raising(error))
        code, out, err = run("emit", "demo", "job.held")
        assert (code, out, err.lstrip()) == (1, "", said)

    def test_a_bug_is_one_line_and_a_report(self, run, monkeypatch, home):
        monkeypatch.setattr("gui.commands.emit.load_board", raising(ZeroDivisionError("a\nb")))
        code, out, err = run("emit", "demo", "job.held")
        assert (code, out) == (1, "")
        assert err.startswith("this is a bug in Watchfloor: ZeroDivisionError: a b. The full report is in ")
        report = (home / err.removesuffix("\n").split(" is in ")[1]).read_text()
        assert "watchfloor emit demo job.held" in report
        assert "Traceback" in report

    def test_all_layers_errors_are_known(self):
        for module, _ in failures._EXPECTED:
            __import__(module)
        assert BoardError in failures._expected()
        assert len(failures._expected()) == len(failures._EXPECTED)


def raising(error: BaseException):
    def fail(*_):
        raise error

    return fail


def process(*arguments, **more) -> subprocess.CompletedProcess:
    """A real one, as a user starts it."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **more)


class TestProcesses:
    def test_headless_commands_import_no_qt(self, board, home):
        path = home / "in.ndjson"
        path.write_text(held(1) + "\n")
        script = (
            "import sys; from gui.cli import run\n"
            f"codes = [run(a) for a in (['check', {board!r}], ['import', {board!r}, {str(path)!r}],"
            f" ['emit', {board!r}, 'job.held', 'job=J1'], ['export', {board!r}, {str(home / 'x.csv')!r}],"
            f" ['query', {board!r}, 'SELECT id FROM events'])]\n"
            "assert codes == [0] * 5, codes\n"
            "assert not [name for name in sys.modules if name.split('.')[0] in ('PySide6', 'pyqtgraph', 'qasync')]\n"
        )
        done = process("-c", script)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize("count", [1, 5000])
    def test_a_closed_pipe_ends_it_quietly(self, board, home, run, count):
        path = home / "in.ndjson"
        path.write_text("".join(held(i) + "\n" for i in range(count)))
        run("import", board, path)
        done = process("-c", (
            "import os, sys\n"
            "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)\n"
            f"sys.argv = ['watchfloor', 'query', {board!r}, 'SELECT id FROM events']\n"
            "from gui.cli import main; main()\n"
        ))  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")

    def test_without_a_display_qt_does_not_get_to_abort(self, home):
        bare = {name: value for name, value in os.environ.items()
                if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
        if not sys.platform.startswith("linux"):
            pytest.skip("displays are named so on Linux only")
        done = process("-m", "gui.cli", "demo", env=bare)
        assert done.returncode == 1
        assert done.stderr.startswith("there is no display to open a window on: ")
        assert done.stderr.count("\n") == 1


class TestDelays:
    def test_nothing_measured_is_said_and_no_error(self, run, board):
        run("emit", board, "job.held", "job=J1")
        assert run("delays", board) == (
            0, "when  stage  entries  half_ms  p99_ms  slowest_ms\n"
            "────  ─────  ───────  ───────  ──────  ──────────\n(0 rows)\n",
            "nothing measured yet: entries that are made in a window are measured\n",
        )  # fmt: skip

    def test_what_a_desk_measured_is_told_by_stage(self, run, board):
        run("emit", board, "job.held", "job=J1")
        times = {"total": 12.5, "outbox commit": 2.5, "publish and log": 10}
        with Database.open(store_of("ops")) as database:
            delays = Delays(database.meta, lambda: 1_360_351_920_000_000, lambda: 1)
            delays.connected(True, lost=False)
            for number in range(3):
                delays.submitted(str(number), 0.0)
                delays.durable(str(number), 0.0025)
                delays.stored(number, 0.0125)
                delays.confirmed(str(number), number, 0.0125)
            delays.close()
        code, out, err = run("delays", board, "--format", "json")
        assert (code, err) == (0, "")
        rows = [msgspec.json.decode(line) for line in out.splitlines()]
        told = {row["stage"]: row["slowest_ms"] for row in rows if row["when"] == "since 2013-02-08T19:32Z"}
        assert told == {**times, "views": 0}
        assert all(row["entries"] == 3 for row in rows)
        assert len(rows) == 4
