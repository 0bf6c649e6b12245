"""The fuzzer of the compiler, shortly: its statements are the same at every run, its verdicts are sound."""

from __future__ import annotations

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from tests.fuzz.sql import SOUND, main
from tests.fuzz.statements import Statements, function_names
from tests.fuzz.trial import attempt, worlds

SEED = 20
COUNT = 80
ARGUMENTS = ("i", "f", "s", "b", "ts", "j", "NULL", "1", "1.5", "'x'", "INTERVAL '1 day'")


def test_statements_are_made_of_seed_and_number() -> None:
    one, other = Statements(SEED), Statements(SEED)
    made = [one.statement(number) for number in range(50)]
    assert made == [other.statement(number) for number in range(50)]
    assert len(set(made)) > 45


def test_only_sql_errors_leave_the_compiler_and_nothing_a_push() -> None:
    makers, statements = worlds(), Statements(SEED)
    found = [attempt(makers, number, statements.statement(number)) for number in range(COUNT)]
    assert [each for each in found if each.verdict not in SOUND] == []
    assert sum(each.verdict == "ran" for each in found) > COUNT // 10


def test_every_function_takes_or_refuses_any_number_of_values() -> None:
    engine = Engine({"t": {"i": "int", "f": "float", "s": "text", "b": "bool", "ts": "timestamp", "j": "json"}})
    failed = []
    for at, name in enumerate(function_names()):
        for count in (0, 1, 2, 4):
            args = ", ".join(ARGUMENTS[(at + count * n) % len(ARGUMENTS)] for n in range(count))
            try:
                engine.check(f"SELECT {name}({args}) FROM t")
            except SqlError as error:
                if "report" in error.hint:
                    failed.append(f"{name}({args}): {error}")
    assert failed == []


@pytest.mark.parametrize(
    "call", ["argmin()", "arg_max(i)", "max_by()", "min_by(i)", "arg_min(i)", "latest()", "count_if()"]
)
def test_aggregates_without_their_values_are_refused(call: str) -> None:
    with pytest.raises(SqlError) as caught:
        Engine({"t": {"i": "int"}}).check(f"SELECT {call} FROM t")
    assert "report" not in caught.value.hint


def test_the_command_reports_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--statements", "5", "--seed", "20", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert '{"figure":"what left a push","value":0,"unit":"statements","goal":0,"holds":true}' in lines
