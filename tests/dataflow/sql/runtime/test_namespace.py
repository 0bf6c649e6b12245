"""Generated code sees what runtime modules export, one thing a name, and all that the catalogue names."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import suppress
from types import ModuleType

import pytest

from dataflow.sql.codegen.assemble import NAMESPACE
from dataflow.sql.compile import Compiler
from dataflow.sql.errors import SqlError
from dataflow.sql.expressions.casts import PARTIAL, PLAIN
from dataflow.sql.expressions.functions import FUNCTIONS
from dataflow.sql.plan.codec import in_order
from dataflow.sql.plan.nodes import Call
from dataflow.sql.runtime import units
from dataflow.sql.runtime.exports import exports, merge
from tests.dataflow.sql.expressions.test_aggregates import COLUMNS, FORMS, OTHERS, calls
from tests.dataflow.sql.expressions.test_functions import SHEETS, expressions
from tests.dataflow.sql.test_meanings import COLUMNS as MEANT
from tests.dataflow.sql.test_meanings import EXPRESSIONS, queries

UNITS_IN_ROWS = [f"{name}(s, {times})" for name, times in (
    ("date_part", "u"), ("date_trunc", "u"), ("date_diff", "u, w"), ("date_sub", "u, w"),
)]  # fmt: skip


def module(**names: object) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(names, __all__=list(names))
    return made


def test_one_name_for_two_things_is_refused() -> None:
    with pytest.raises(ValueError, match="two things called upper"):
        exports(module(lower=1, upper=2), module(upper=3))
    with pytest.raises(ValueError, match="two things called a, b"):
        merge([{"a": 1, "b": 2}, {"c": 3}, {"b": 2, "a": 1}])


def test_only_what_is_exported_is_seen() -> None:
    made = module(upper=1)
    vars(made)["_helper"] = vars(made)["re"] = 2
    assert exports(made, module(lower=3)) == {"upper": 1, "lower": 3}
    assert not [name for name in NAMESPACE if name.startswith("_") or name in ("re", "Any", "lru_cache", "DIGITS")]


def named(code: str) -> set[str]:
    """The names that a piece of code reads and does not bind itself."""
    tree = ast.parse(code.format(*"abcdefgh"), mode="eval")
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return {node.id for node in names} - bound - set("abcdefgh") - set(vars(builtins))


def catalogued() -> Iterator[str]:
    """Code as the tables have it."""
    yield from (overload.code for overloads in FUNCTIONS.values() for overload in overloads)
    yield from (*PLAIN.values(), *PARTIAL.values(), *units.PARTS.values(), *units.ZONED_PARTS.values())
    for unit in units.NAMES.values():
        for zoned in (False, True):
            found = [meaning(unit, zoned=zoned) for meaning in (units.truncation, units.difference, units.elapsed)]
            yield from (code for code in found if code is not None)


def compiled() -> Iterator[str]:
    """Code as plans have it, of what the tests of meanings, functions and aggregates ask."""
    aggregates = [*calls(FORMS[:1]), *calls(FORMS[-1:]), *OTHERS]
    asked = [(MEANT, [*EXPRESSIONS, *UNITS_IN_ROWS]), (COLUMNS, aggregates)]
    asked += [(SHEETS[read][0], few) for read, few in expressions().items()]
    for columns, each in asked:
        compiler = Compiler({"m": columns}, {}, 0, {})
        for sql in (queries(expression)[0] for expression in each):
            with suppress(SqlError):
                yield from (node.code for node in in_order(compiler.query(sql)) if isinstance(node, Call))


def test_all_names_that_the_catalogue_uses_are_exported() -> None:
    used = {name for code in {*catalogued(), *compiled()} for name in named(code)}
    assert {"upper", "try_time", "quantile", "joined_once", "part_by_zoned", "order_key", "math"} <= used
    assert used <= NAMESPACE.keys()
