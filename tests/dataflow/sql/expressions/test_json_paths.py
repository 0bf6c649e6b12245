"""Every way to read JSON over every kind of value, as DuckDB has it: arrows, functions, keys, indices, pointers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec
import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from dataflow.sql.runtime.json_values import json_field
from tests.oracle.world import Duck

VALUES = [
    '{"a":1,"b":"t","PM2.5":5,"switch:0":7,"":9,"a b":3,"c":{"d":[1,2,{"e":null}]},"n":null,"0":"zero","$":4}',
    '{"a\\"b":1,"a\\\\b":2,"x.y":3,"~":10,"a/b":11,"q\\"/":{"z":12},"-1":13,"01":14,"A":15,"é":16,"\\"a\\"":17}',
    '{"a]b":21,"a[0]":22,"a*":23,"*":24,"#":25,"a ":19,"big":12345678901234567890123,"neg":-9223372036854775809}',
    '[10,"x",null,[1,2],{"a":1},true,-0.0]', '"text"', '""', '"é\\nA"', "5", "5.0", "true", "false", "[]", "{}",
    "12345678901234567890123", "-0.0", "1e300", "[[]]", '{"a":{"a":{"a":[0,[1,[2]]]}}}',
]  # fmt: skip
PATHS = [
    "0", "-1", "1", "6", "-7", "-8", "99", "'a'", "'$'", "'$[0]'", "'$.a'", "'/0'", "'/a'", "'\"a\"'", "'$.\"a\"'",
    "'a.b'", "'PM2.5'", "'$.\"PM2.5\"'", "'switch:0'", "'$.switch:0'", "''", "'a b'", "'$.\"a b\"'", "'$.c.d'",
    "'$.c.d[0]'", "'$.c.d[#-1].e'", "'$.c.d[-1]'", "'/c/d/2'", "'/c/d/2/e'", "'$.n'", "'n'", "'0'", "'$.0'", "'[0]'",
    "'a[0]'", "'$.a[0]'", "'c.d'", "'/'", "'$[#-1]'", "'$[00]'", "'$.a '", "'$.$'", "'$.c.\"d\"'", "'A'", "'-1'",
    "'/-1'", "'$.\"a\\\"b\"'", "'$.\"x.y\"'", "'/a~1b'", "'/~0'", "'a~1b'", "'~'", "'a/b'", "'q\"/'", "'/q\"~1/z'",
    "'/01'", "'$[-0]'", "'$.a*'", "'a*'", "'a\"b'", "'$.a]b'", "'$.é'", "'é'", "'big'", "'neg'", "'$.a.a.a[1][1][0]'",
    "'/a/a/a/1/1/0'", "'$[3][1]'", "'$[4].a'", "'#'", "'$.#'", "NULL",
]  # fmt: skip
FORMS = [
    "(j -> {})::VARCHAR", "j ->> {}", "json_extract(j, {})::VARCHAR", "json_extract_string(j, {})",
    "json_extract_path(j, {})::VARCHAR", "json_extract_path_text(j, {})",
]  # fmt: skip


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    rows = ", ".join(f"({at}, '{value}'::JSON)" for at, value in enumerate(VALUES))
    duck.run(f"CREATE TABLE t AS SELECT * FROM (VALUES {rows}) v(row, j)")
    yield duck
    duck.close()


def live_rows(sql: str) -> list[tuple[object, ...]]:
    engine = Engine({"t": {"row": "int", "j": "json"}})
    live = engine.live(sql)
    rows = [(at, msgspec.json.decode(value)) for at, value in enumerate(VALUES)]
    engine.push("t", rows)
    engine.push("t", rows[::2], [-1] * len(rows[::2]))
    engine.push("t", rows[::2])
    return list(live.rows())


@pytest.mark.parametrize("form", FORMS)
def test_every_path_over_every_kind(duck: Duck, form: str) -> None:
    items = ", ".join(f"{form.format(path)} AS c{at}" for at, path in enumerate(PATHS))
    sql = f"SELECT row, {items} FROM t ORDER BY row"
    ours, wanted = live_rows(sql), duck.run(sql)
    told = [
        (path, value, one[at + 1], two[at + 1])
        for one, two, value in zip(ours, wanted, VALUES, strict=True)
        for at, path in enumerate(PATHS)
        if one[at + 1] != two[at + 1]
    ]
    assert not told


def test_one_path_after_another(duck: Duck) -> None:
    steps = ["'c'", "'d'", "0", "-1", "'a'", "'/a/a'", "'$[1]'"]
    items = ", ".join(f"j -> {one} ->> {two} AS c{at}" for at, (one, two) in enumerate(product(steps, repeat=2)))
    sql = f"SELECT row, {items} FROM t ORDER BY row"
    assert live_rows(sql) == duck.run(sql)


OTHERS = [
    "'$[*]'", "'*'", "'$.*'", "'$..a'", "'$a'", "'$.'", "'$[0'", "'$.\"\"'", "1.5", "TRUE", "row", "('$.a' || '')",
]  # fmt: skip


@pytest.mark.parametrize("path", OTHERS)
def test_other_paths_are_refused(path: str) -> None:
    engine = Engine({"t": {"row": "int", "j": "json"}})
    for form in FORMS:
        with pytest.raises(SqlError):
            engine.check(f"SELECT {form.format(path)} FROM t")


def test_a_value_nested_beyond_all_depth_is_null() -> None:
    assert json_field("[" * 100_000 + "]" * 100_000, "[0]") is None
