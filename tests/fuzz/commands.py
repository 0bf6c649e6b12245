"""The commands, over mutated board files, tables, imports, arguments and events: `python -m tests.fuzz.commands`.

Each run is one command in this process, in an account of its own. What ends in a bug's line or an exception, takes more
than five seconds, writes something raw for a terminal or fails without a word is a finding: it is told with its input,
and its files are kept with `--keep FOLDER`. The same seed gives the same runs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.report import Figure, report
from tests.fuzz.mutate import TOKENS, mutated, with_odd_values

MOST_S = 5
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")

BOARD = b"""\
id = "fuzz"
title = "Fuzz"
timezone = "Europe/Berlin"
admins = ["ann"]
[events."job.held"]
label = "Hold"
subject = "job"
entry = true
submit = "Hold {job}"
[events."job.held".fields]
job = { required = true }
minutes = { type = "int", min = 1, max = 60, default = 5, unit = "min" }
ratio = { type = "float" }
until = { type = "timestamp", default = "now" }
ok = { type = "bool" }
note = { multiline = true, choices = ["a", "b"] }
more = { type = "json" }
[tables.people]
csv = "people.csv"
[views.held]
sql = '''
SELECT subject AS job, max(minutes) AS minutes, max(until) AS until
FROM "job.held" GROUP BY subject
'''
[[panels]]
kind = "table"
title = "Held"
at = [0, 0, 4, 4]
sql = "SELECT job, minutes, until FROM held ORDER BY job"
columns.until = { label = "Until", format = "%H:%M" }
[[panels]]
kind = "value"
title = "Count"
at = [0, 4, 4, 4]
sql = "SELECT count(*) AS n FROM events WHERE time > now() - INTERVAL '1 hour'"
"""
TABLE = b'name,age,since,ok\nAnn,3,2013-02-08,true\n"Bob, B.",4,2013-02-08T10:00:00Z,false\n'
ROWS = (
    b"when,job,minutes,ratio,ok,note,more,id\n2013-02-08 07:00,J1,5,1.5,true,a,\"{\"\"a\"\": [1]}\",x1\n"
    b"2013-02-08T08:00:00.25Z,J2,,,false,b,,\n"
)
EVENTS = (
    b'{"specversion":"1.0","id":"1","source":"/t","type":"job.held","subject":"J1","time":"2013-02-08T12:00:00Z",'
    b'"data":{"job":"J1","minutes":5,"ratio":0.5,"until":"2013-02-08T12:00:00Z","more":{"a":[1,null]}}}\n'
    b'{"specversion":"1.0","id":"2","source":"/t","type":"entry.withdrawn","time":"2013-02-08T12:00:00+01:00",'
    b'"causationid":"1","authid":"ann","seen":1,"expects":0,"x":1,"data":{"id":"1","reason":"r"}}\n'
)
WORDS = tuple(
    text.encode()
    for text in (
        "job.held", "job=J1", "minutes=5", "until=14:30", "more={}", "SELECT * FROM held", "SELECT now()", "held",
        "2013-02-08T14:30:00Z", "1600x1000", "127.0.0.1:4222", "nats://127.0.0.1:1", "viewer", "dark", "x1", "out.csv",
        "SELECT time AT TIME ZONE 'UTC', strftime(time, '%c') FROM events", "in.ndjson", "--store", "store.db", "json",
    )
)  # fmt: skip
SEEDS = (BOARD, TABLE, ROWS, EVENTS)


class Finding(NamedTuple):
    """What is wrong with a run; `kind` is the same for the same fault."""

    way: str
    kind: str
    detail: str


class TooLong(BaseException):
    """A run took longer than it may."""


class Account:
    """A folder with a board and its files, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("DATA", "CACHE", "STATE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = str(folder / "own" / name)
        os.environ |= {"LOGNAME": "ann", "QT_QPA_PLATFORM": "offscreen"}
        os.chdir(folder)

    def reset(self) -> None:
        """The files as they are meant to be, and no store."""
        shutil.rmtree(self.folder / "own" / "DATA", ignore_errors=True)
        for name, content in (("b.toml", BOARD), ("people.csv", TABLE), ("in.csv", ROWS), ("in.ndjson", EVENTS)):
            Path(name).write_bytes(content)


Way = Callable[[random.Random], Iterator[Sequence[str]]]


def fuzz_board(random: random.Random) -> Iterator[Sequence[str]]:
    yield "import", "b.toml", "in.ndjson"
    Path("b.toml").write_bytes(_odd(random, BOARD, "toml"))
    yield "check", "b.toml"
    yield random.choice((
        ("query", "b.toml", "SELECT * FROM held"), ("emit", "b.toml", "job.held", "job=J1"),
        ("explain", "b.toml", "held"), ("query", "b.toml", "SELECT * FROM people"),
        ("import", "b.toml", "in.csv", "--type", "job.held", "--time", "when"), ("import", "b.toml", "in.ndjson"),
        ("shot", "b.toml", "out.png", "--size", "400x300"),
    ))  # fmt: skip


def fuzz_table(random: random.Random) -> Iterator[Sequence[str]]:
    Path("people.csv").write_bytes(_odd(random, TABLE, "csv"))
    yield "check", "b.toml"
    Path("in.ndjson").write_bytes(EVENTS)
    yield "import", "b.toml", "in.ndjson"
    yield "query", "b.toml", "SELECT * FROM people", "--format", random.choice(("table", "json", "csv"))


def fuzz_csv(random: random.Random) -> Iterator[Sequence[str]]:
    Path("in.csv").write_bytes(_odd(random, ROWS, "csv"))
    yield "import", "b.toml", "in.csv", "--type", "job.held", "--time", "when"
    yield from _read(random)


def fuzz_ndjson(random: random.Random) -> Iterator[Sequence[str]]:
    Path("in.ndjson").write_bytes(_odd(random, EVENTS, "json"))
    yield "import", "b.toml", "in.ndjson"
    yield from _read(random)


def fuzz_arguments(random: random.Random) -> Iterator[Sequence[str]]:
    command = random.choice((
        "check", "emit", "withdraw", "import", "export", "query", "explain", "delays", "user", "schema", "shot",
    ))  # fmt: skip
    board = [random.choice(("b.toml", "b.toml", "b.toml", "demo"))] if command not in ("user", "schema") else []
    some = [_word(random) for _ in range(random.randrange(4))]
    options = [random.choice((
        "--store", "--as", "--reason", "--type", "--time", "--format", "--now", "--size", "--theme", "--at", "--role",
        "--spreadsheet-safe", "--help", "--",
    )) for _ in range(random.randrange(3))]  # fmt: skip
    arguments = some + options
    random.shuffle(arguments)
    yield command, *board, *arguments


def fuzz_store(random: random.Random) -> Iterator[Sequence[str]]:
    """A store whose bytes were changed."""
    yield "import", "b.toml", "in.ndjson", "--store", "store.db"
    path = Path("store.db")
    if path.is_file():
        path.write_bytes(mutated(random, path.read_bytes(), SEEDS))
    for command in (("query", "b.toml", "SELECT * FROM events"), ("export", "b.toml", "out.csv"), ("delays", "b.toml")):
        yield *command, "--store", "store.db"
    yield "emit", "b.toml", "job.held", "job=J1", "--store", "store.db"
    for left in Path().glob("store.db*"):
        left.unlink()


def _odd(random: random.Random, content: bytes, form: str) -> bytes:
    """Half of them well formed, half of them not."""
    return with_odd_values(random, content, form) if random.random() < 0.6 else mutated(random, content, SEEDS)


def _read(random: random.Random) -> Iterator[Sequence[str]]:
    """What was taken is read in each way."""
    form = random.choice(("table", "json", "csv"))
    yield "query", "b.toml", "SELECT * FROM events", "--format", form, "--now", "2013-02-08T14:30:00Z"
    yield "export", "b.toml", random.choice(("out.csv", "out.ndjson", "out.ndjson.gz"))
    yield "explain", "b.toml", "held"
    if random.random() < 0.1:
        yield "shot", "b.toml", "out.png", "--size", "400x300"


def _word(random: random.Random) -> str:
    made = mutated(random, random.choice(WORDS + TOKENS), WORDS)
    return os.fsdecode(made.replace(b"/", b"_")) if random.random() < 0.9 else made.decode(errors="replace")


WAYS: dict[str, Way] = {
    "board": fuzz_board, "table": fuzz_table, "csv": fuzz_csv, "ndjson": fuzz_ndjson, "arguments": fuzz_arguments,
    "store": fuzz_store,
}  # fmt: skip


def run(arguments: Sequence[str]) -> str | None:
    """Run one command; what is wrong with how it ended, in words that are the same for the same fault."""
    from gui import cli

    out, err, bugs = io.StringIO(), io.StringIO(), []

    def told(error: BaseException, _: Sequence[str]) -> str:
        last = traceback.extract_tb(error.__traceback__)[-1]
        bugs.append(f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} in {last.name}")
        return "bug"

    def too_long(*_: object) -> None:
        raise TooLong

    cli.told = told
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(MOST_S)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(arguments)
    except TooLong:
        frames = [frame for frame in traceback.extract_tb(sys.exc_info()[2]) if "site-packages" not in frame.filename]
        return f"more than {MOST_S} s in {Path(frames[-1].filename).name}:{frames[-1].name}"
    except BaseException as error:  # noqa: BLE001
        return f"{type(error).__name__} came out"
    finally:
        signal.alarm(0)
    if bugs:
        return bugs[0]
    if found := RAW.search(err.getvalue()) or (RAW.search(out.getvalue()) if "csv" not in arguments else None):
        return f"raw {found[0]!a} on a terminal"
    if code not in (0, 1, 2) or (code and not err.getvalue().strip()):
        return f"exit code {code} without a word"
    return None


def fuzz(account: Account, seconds: float, seed: int, only: Sequence[str]) -> tuple[Counter[str], list[Finding]]:
    """Run all ways in turn for so long: how often each ran, and what was found, each fault once."""
    account.reset()
    random_ = random.Random(seed)
    runs: Counter[str] = Counter()
    findings: dict[tuple[str, str], Finding] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        way = random_.choice(only)
        account.reset()
        for arguments in WAYS[way](random.Random(random_.getrandbits(64))):
            runs[way] += 1
            kind = run(arguments)
            if kind is not None and (way, kind) not in findings:
                findings[way, kind] = Finding(way, kind, " ".join(map(ascii, arguments))[:400])
                _keep(account, way, len(findings))
    return runs, list(findings.values())


def _keep(account: Account, way: str, number: int) -> None:
    kept = account.folder / "kept" / f"{number}-{way}"
    kept.mkdir(parents=True)
    for name in ("b.toml", "people.csv", "in.csv", "in.ndjson", "store.db"):
        if Path(name).is_file():
            shutil.copy(name, kept / name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", action="append", choices=[*WAYS])
    parser.add_argument("--keep", type=Path, help="a folder for the files of each finding")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="watchfloor-fuzz-") as name:
        account = Account(Path(name))
        try:
            runs, findings = fuzz(account, options.seconds, options.seed, options.way or [*WAYS])
        finally:
            os.chdir(before)
        if options.keep and (account.folder / "kept").exists():
            shutil.copytree(account.folder / "kept", options.keep, dirs_exist_ok=True)
    for finding in findings:
        print(f"{finding.way}: {finding.kind}: {finding.detail}", file=sys.stderr)
    figures = [Figure(f"fuzz.commands.{way}", count, "runs") for way, count in sorted(runs.items())]
    return report([*figures, Figure("fuzz.commands.findings", len(findings), "faults", goal=0)], options.json)


if __name__ == "__main__":
    sys.exit(main())
