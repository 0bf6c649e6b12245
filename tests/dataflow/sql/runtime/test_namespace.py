"""The names that generated code is written in mean one thing each."""

from __future__ import annotations

from itertools import groupby

from dataflow.sql.codegen.assemble import NAMESPACE
from dataflow.sql.runtime.namespace import MODULES, WORDS


def test_no_function_hides_another() -> None:
    named = sorted(
        ((name, id(value)) for module in MODULES for name, value in vars(module).items() if callable(value)),
    )
    several = {name: {found for _, found in each} for name, each in groupby(named, lambda pair: pair[0])}
    assert not [name for name, found in several.items() if len(found) > 1 and not name.startswith("_")]
    assert not [name for name, value in WORDS.items() if NAMESPACE[name] is not value]
