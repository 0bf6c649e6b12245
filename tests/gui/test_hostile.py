"""Every command over hostile arguments, files and data: a clean line, nothing raw on a terminal, no bug, no wait."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sqlite3
import sys
import time
from pathlib import Path

import msgspec
import pytest

from gui import cli
from gui.paths import store_of
from storage.database import Database
from storage.event import Event
from storage.times import EARLIEST, LATEST

BOARD = """\
id = "ops"
title = "Operations"
timezone = "Europe/Berlin"
[events."job.held"]
subject = "job"
entry = true
fields.job = { required = true }
fields.title = {}
fields.minutes = { type = "int", min = 1, max = 60 }
fields.until = { type = "timestamp" }
fields.more = { type = "json" }
[views.held]
sql = "SELECT subject AS job, max(until) AS until FROM \\"job.held\\" GROUP BY subject"
[[panels]]
kind = "table"
title = "Held"
at = [0, 0, 4, 4]
sql = "SELECT job, until FROM held ORDER BY job"
"""
BIG = "x" * 1_000_000
BYTES = os.fsdecode(b"\xff\xfe")
HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b2J\x7f\u202e\u2066\u200b\u2028\r\b"
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
BAR = re.compile(r"\r|\x1b\[(\?25[lh]|K)")
"""What moves the cursor for a bar of progress, which is ours."""
MOST_S = 5.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the paths are POSIX's")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(account, monkeypatch):
    """An account with a board, whose store holds one event, and files of all kinds, in the present folder."""
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.chdir(account)
    Path("ops.toml").write_text(BOARD)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    Path("text").write_text("hello\n" * 50)
    Path("loop").symlink_to("loop")
    Path("zero").symlink_to("/dev/zero")
    with contextlib.closing(sqlite3.connect("other.db")) as other:
        other.execute("CREATE TABLE t (a)")
    assert run("emit", "ops.toml", "job.held", "job=J1")[0] == 0
    return account


def run(*arguments: str, terminal: bool = False) -> tuple[int, str, str]:
    """The exit code, and what was written, on a terminal or into pipes."""
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(arguments)
    return code, out.getvalue(), err.getvalue()


def check_refused(*arguments: str) -> None:
    """Exit code 1 or 2, and a single clean line that says why, soon."""
    began = time.perf_counter()
    code, out, err = run(*arguments)
    shown = tuple(argument[:60] for argument in arguments)
    assert time.perf_counter() - began < MOST_S, shown
    assert code in (1, 2), (shown, out[:200])
    assert re.fullmatch(r"[^\n]+\n", err), (shown, err[:500])
    assert "bug in" not in err, (shown, err[:500])
    assert "Errno" not in err, (shown, err[:500])
    assert not RAW.search(out + err), (shown, err[:500])
    assert len(err) < 15_000, shown


PATHS = ("pipe", "folder", "text", "other.db", "loop", "zero", "/proc/self/environ", "", ".", "/", "y" * 5000, BIG,
         BYTES + "/x", HOSTILE + "/x", "a\0b", "no/such", "text/x")  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path[:12]))
def test_no_path_ends_in_more_than_a_line(home, path):
    server = ("--server", "nats://127.0.0.1:1")
    for command in (
        ("check", path), ("query", path, "SELECT 1"), ("emit", path, "job.held"), ("explain", path, "held"),
        ("delays", path), ("export", path, "out.csv"), ("import", path, "in"), ("withdraw", path, "x"),
        ("shot", path, "out.png"), ("stream", path, *server), ("serve", path),
    ):  # fmt: skip
        check_refused(*command)
    for name, *rest in (
        ("query", "SELECT id FROM events"), ("emit", "job.held", "job=1"), ("explain", "held"), ("delays",),
        ("export", "out.csv"), ("withdraw", "x"), ("shot", "out.png"), ("import", "in.ndjson"),
    ):  # fmt: skip
        check_refused(name, "ops.toml", *rest, "--store", path)
    check_refused("export", "ops.toml", f"{path}/no/out.csv")
    check_refused("shot", "ops.toml", f"{path}/no/out.png")
    check_refused("shot", "ops.toml", "out.png", "--theme", path)
    for option in ("--identity", "--ca"):
        check_refused("stream", "ops.toml", *server, option, path)
        check_refused("open", "ops.toml", "--server", "nats://x", option, path)
    check_refused("serve", "ops.toml", "--tls-cert", path, "--tls-key", path)
    if path not in ("pipe", "text"):  # who imports from a pipe waits for its writer
        check_refused("import", "ops.toml", path)
        check_refused("import", "ops.toml", path, "--type", "job.held", "--time", "t")


TEXTS = (BIG, BYTES, "\ud800", HOSTILE, "a\0b", "9" * 5000, "nan", "'", "(" * 3000, "../../../etc/passwd")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:12]))
def test_no_text_ends_in_more_than_a_line(home, text):
    for command in (
        ("query", "ops.toml", f"SELECT {text} FROM nothing"), ("explain", "ops.toml", f"{text} x"),
        ("query", "ops.toml", f"SELECT now() AT TIME ZONE '{text}'"),
        ("query", "ops.toml", f"SELECT time_bucket(INTERVAL '1 day', time, '{text}') FROM events"),
        ("query", "ops.toml", "SELECT 1", "--now", text), ("query", "ops.toml", "SELECT 1", "--format", text),
        ("emit", "ops.toml", text), ("emit", "ops.toml", "job.held", text),
        ("emit", "ops.toml", "job.held", f"{text}=1"), ("emit", "ops.toml", "job.held", "job=1", f"minutes={text}"),
        ("emit", "ops.toml", "job.held", "job=1", f"until={text}"),
        ("emit", "ops.toml", "job.held", "job=1", f"more={{{text}"),
        ("withdraw", "ops.toml", text, "--as", text, "--reason", text),
        ("import", "ops.toml", "text", "--type", text, "--time", text),
        ("shot", "ops.toml", "out.png", "--size", text), ("shot", "demo", "out.png", "--at", text),
        ("demo", "--from", text), ("demo", "--speed", text), ("demo", "--desks", text),
        ("serve", "ops.toml", "--listen", text), ("serve", "ops.toml", "--mqtt", text),
        ("stream", "ops.toml", "--server", text),
        ("stream", "ops.toml", "--server", "nats://127.0.0.1:1", "--replicas", text),
        ("open", "ops.toml", "--server", text), ("user", "add", text), ("user", "remove", text),
        ("user", "add", "bob", "--role", text), (text,), (f"--{text}",), ("check", "ops.toml", text),
    ):  # fmt: skip
        check_refused(*command)


@pytest.mark.parametrize(
    "arguments",
    [
        *(["query", "ops.toml", "SELECT 1", "--now", now]
          for now in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "0000-00-00", "1e400")),
        *(["shot", "ops.toml", "x.png", "--size", size]
          for size in ("0x0", "1000000x1000000", "-1x5", "1x", "nanxnan", "１６００x１０００", "199x8000", "8001x200")),
        *(["demo", "--speed", speed] for speed in ("nan", "inf", "-inf", "0", "-1", "1e999", "")),
        *(["demo", "--from", start] for start in ("99:99", "24:00", "-1:00", "1:1:1", "")),
        *(["serve", "ops.toml", "--listen", listen]
          for listen in ("x", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", f"127.0.0.1:{'9' * 5000}", "::1:4222",
                         "[::1", "[::1]:", " :1", "127.0.0.1:٤٢", ":", "")),
        *(["stream", "ops.toml", "--server", server]
          for server in ("nats://[::", "http://x", "nats://x:99999", "nats://", "", ",", "nats://u:p@x")),
        ["stream", "ops.toml", "--server", "nats://127.0.0.1:1", "--replicas", str(10**9)],
        ["emit", "ops.toml", "job.held", "job=1", "until=0001-01-01T00:00:00"],
    ],
    ids=lambda arguments: ascii(" ".join(arguments)[-40:]),
)  # fmt: skip
def test_no_absurd_value_ends_in_more_than_a_line(home, arguments):
    check_refused(*arguments)


class TestHostileData:
    @pytest.fixture
    def store(self, home):
        """Every text of an event is hostile."""
        data = {"job": HOSTILE, "title": HOSTILE, "more": {HOSTILE: [HOSTILE]}, "minutes": 5}
        hostile = Event(
            id=f"id{HOSTILE}", source=f"/{HOSTILE}", type="job.held", subject=HOSTILE, time=1_360_281_600_000_000,
            data=msgspec.json.encode(data), authid=HOSTILE, causationid=HOSTILE,
        )  # fmt: skip
        misfit = msgspec.structs.replace(hostile, id="misfit", data=msgspec.json.encode({"minutes": HOSTILE}))
        with Database.open(store_of("ops")) as database:
            database.log.append([hostile, misfit]).result()
        return home

    def written(self, *arguments: str, code: int = 0) -> str:
        """All that a command writes on a terminal, in which nothing is raw."""
        found, out, err = run(*arguments, terminal=True)
        assert found == code, err
        assert not RAW.search(out + (BAR.sub("", err) if arguments[0] in ("import", "export") else err))
        assert "bug in" not in err
        return out

    ALL = "SELECT id, source, subject, authid, title, more FROM events ORDER BY position DESC LIMIT 2"

    @pytest.mark.parametrize("form", ["table", "json", "csv"])
    def test_query(self, store, form):
        out = self.written("query", "ops.toml", self.ALL, "--format", form)
        if form == "json":
            row = msgspec.json.decode(out.splitlines()[0])
            assert row["title"] == HOSTILE
            assert msgspec.json.decode(row["more"]) == {HOSTILE: [HOSTILE]}

    def test_csv_into_a_pipe_is_the_data_as_it_is(self, store):
        sql = "SELECT title FROM events WHERE title IS NOT NULL"
        assert HOSTILE.replace("\r", "") in run("query", "ops.toml", sql, "--format", "csv")[1].replace("\r", "")

    def test_columns_are_named_by_the_query(self, store):
        for form in ("table", "json", "csv"):
            self.written("query", "ops.toml", f'SELECT 1 AS "{HOSTILE}"', "--format", form)

    def test_what_commands_say_of_data(self, store):
        self.written("explain", "ops.toml", f"SELECT * FROM events WHERE subject = '{HOSTILE}'")
        self.written("explain", "ops.toml", f"SELECT * FROM events WHERE subject = '{HOSTILE}'", "--format", "json")
        self.written("query", "ops.toml", f"SELECT {HOSTILE} FROM events", code=1)
        self.written("query", "ops.toml", f"SELECT 1 FROM \"{HOSTILE}\"", code=1)
        self.written("withdraw", "ops.toml", f"id{HOSTILE}", "--as", "bob", code=1)
        self.written("withdraw", "ops.toml", HOSTILE, code=1)
        self.written("export", "ops.toml", f"{HOSTILE}.csv")
        self.written("export", "ops.toml", f"no{HOSTILE}/x.csv", code=1)

    def test_what_import_says(self, store):
        name = f"in{HOSTILE}.ndjson"
        lines = [HOSTILE, msgspec.json.encode({"specversion": HOSTILE}).decode(), '{"id": "' + HOSTILE]
        event = {
            "specversion": "1.0", "id": HOSTILE, "source": HOSTILE, "type": "job.held", "time": "2013-02-08T12:00:00Z",
            "data": {"minutes": HOSTILE},
        }  # fmt: skip
        text = "\n".join([*lines, msgspec.json.encode(event).decode()])
        Path(name).write_text(text, errors="surrogatepass")
        self.written("import", "ops.toml", name, code=1)
        self.written("import", "ops.toml", name, "--type", "job.held", "--time", HOSTILE, code=1)

    def test_what_is_said_of_a_board(self, home):
        folder = Path(f"board{HOSTILE}")
        folder.mkdir()
        path = folder / f"b{HOSTILE}.toml"
        quoted = msgspec.json.encode(HOSTILE).decode().replace("\x7f", "\\u007f").replace("\x9b", "\\u009b")
        for text in (
            f"id = {quoted}\ntitle = {quoted}\ntimezone = {quoted}\n[views.{quoted}]\nsql = {quoted}\n",
            f'id = "b"\ntitle = "b"\n{quoted} = 1\n[tables.t]\ncsv = {quoted}\n',
            f'id = "b"\ntitle = "b"\n[[panels]]\nkind = {quoted}\ntitle = {quoted}\nat = [0, 0, 1, 1]\n',
            f"id = {HOSTILE}",
        ):
            path.write_text(text)
            self.written("check", str(path), code=1)
        path.write_text('id = "b"\ntitle = "b"\n')
        self.written("check", str(path))
        (folder / "t.csv").write_text(f"{HOSTILE},b\n")
        path.write_text('id = "b"\ntitle = "b"\n[tables.t]\ncsv = "t.csv"\n')
        self.written("check", str(path), code=1)

    def test_what_a_bug_says(self, store, monkeypatch):
        def fail(*_):
            raise ZeroDivisionError(HOSTILE)

        monkeypatch.setattr("gui.commands.query.load_board", fail)
        code, _, err = run("query", "ops.toml", HOSTILE, terminal=True)
        assert code == 1
        assert "this is a bug" in err
        assert not RAW.search(err)


class TestOldTimes:
    """Times that an older Watchfloor took: each has a text, everywhere."""

    TIMES = (EARLIEST - 3_600_000_000, LATEST + 3_600_000_000, -(2**63), 2**63 - 1, EARLIEST, LATEST)

    @pytest.mark.parametrize("time", TIMES)
    def test_every_command_takes_them(self, home, time):
        event = Event(id="old", source="/t", type="job.held", subject="J", time=time, data=b'{"job":"J"}')
        with Database.open(store_of("ops")) as database:
            database.log.append([event]).result()
        for form in ("table", "json", "csv"):
            code, out, err = run("query", "ops.toml", "SELECT time FROM events WHERE id = 'old'", "--format", form)
            assert (code, err) == (0, "")
            assert re.search(r"\d{4,6}-\d\d-\d\d.\d\d:\d\d:\d\d", out)
        for name in ("out.csv", "out.ndjson"):
            assert run("export", "ops.toml", name)[0] == 0
            assert b"old" in Path(name).read_bytes()
        assert run("explain", "ops.toml", "held")[0] == 0
        assert run("shot", "ops.toml", "out.png", "--size", "400x300") == (0, "", "")
