"""Statements that nobody would write, compiled and fed: only SqlError may leave the compiler, and nothing a push.

    uv run python -m tests.fuzz.sql [--statements 100000] [--seed 1] [--workers 1] [--json]

They are grown from the oracle's grammar, mutated from our own statements (`corpus.py`), calls of every function that
the parser knows with any values, and long or deep shapes. Each is tried in a process beside; one that dies, or takes
longer than 40 s, is a finding too. A finding is told with its number: `--only NUMBER` tries it again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, Queue
from threading import Thread

import msgspec

from tests.bench.report import Figure, report
from tests.fuzz.statements import Statements
from tests.fuzz.trial import Outcome, attempt, worlds

PATIENCE = 40.0
SLOW = 1.0
SOUND = ("ran", "refused")


class Process:
    """A worker, started anew when it dies."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.fuzz.worker", str(self._seed)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: Queue[str] = Queue()
        Thread(target=self._read, args=[self._process, self._answers], daemon=True).start()

    @staticmethod
    def _read(process: subprocess.Popen[str], answers: Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answers.put(line)
        answers.put("")

    def ask(self, number: int) -> Outcome:
        assert self._process.stdin is not None
        try:
            print(number, file=self._process.stdin, flush=True)
            line = self._answers.get(timeout=PATIENCE)
        except (Empty, BrokenPipeError):
            line = None
        if line:
            return msgspec.json.decode(line, type=Outcome)
        self.end()
        verdict = "hung" if line is None else f"died with {self._process.returncode}"
        self._start()
        return Outcome(number, verdict, PATIENCE if line is None else 0.0)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and pipe is not self._process.stdout:
                pipe.close()


def run(seed: int, numbers: Iterable[int], workers: int) -> Iterator[Outcome]:
    """The outcomes of the statements, as they come."""
    waiting: Queue[int] = Queue()
    done: Queue[Outcome | None] = Queue()
    for number in numbers:
        waiting.put(number)

    def work() -> None:
        process = Process(seed)
        try:
            while True:
                done.put(process.ask(waiting.get_nowait()))
        except Empty:
            process.end()
            done.put(None)

    for _ in range(workers):
        Thread(target=work, daemon=True).start()
    ended = 0
    while ended < workers:
        outcome = done.get()
        if outcome is None:
            ended += 1
        else:
            yield outcome


def figures(outcomes: Sequence[Outcome]) -> list[Figure]:
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    lost = sum(count for verdict, count in verdicts.items() if verdict.startswith(("died", "hung")))
    return [
        Figure("statements", len(outcomes), "statements"),
        Figure("that ran", verdicts["ran"], "statements"),
        Figure("that were refused", verdicts["refused"], "statements"),
        Figure("what left the compiler and is no SqlError", verdicts["left the compiler"], "statements", 0),
        Figure("what failed inside the compiler", verdicts["failed inside the compiler"], "statements", 0),
        Figure("errors of several lines", verdicts["told on several lines"], "statements", 0),
        Figure("what left a push", verdicts["left a push"], "statements", 0),
        Figure("processes that died or hung", lost, "statements", 0),
        Figure("compiled in more than 1 s", sum(each.seconds > SLOW for each in outcomes), "statements"),
        Figure("the longest compilation", max(each.seconds for each in outcomes), "s", 10),
        Figure("the most memory that one added", max(each.megabytes for each in outcomes), "MB", 2000),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz.sql")
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", type=int, help="try the statement of this number here, and show it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    statements = Statements(options.seed)
    if options.only is not None:
        sql = statements.statement(options.only)
        print(sql, attempt(worlds(), options.only, sql), sep="\n")
        return 0
    outcomes = []
    for outcome in run(options.seed, range(options.statements), options.workers):
        outcomes.append(outcome)
        if outcome.verdict not in SOUND or outcome.seconds > SLOW:
            sql = statements.statement(outcome.number)
            print(f"{outcome.number}: {outcome.verdict}, {outcome.seconds:.1f} s: {outcome.detail}\n    {sql[:400]!r}",
                  file=sys.stderr, flush=True)  # fmt: skip
    return report(figures(outcomes), options.json)


if __name__ == "__main__":
    sys.exit(main())
