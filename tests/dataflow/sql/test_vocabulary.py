"""A name in generated code means one thing, whatever its modules import."""

from __future__ import annotations

from types import FunctionType

from dataflow.sql.assemble import NAMESPACE
from dataflow.sql.vocabulary import MODULES, WORDS


def test_no_module_hides_a_function_of_another() -> None:
    owners: dict[str, FunctionType] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, FunctionType) and not name.startswith("_"):
                assert owners.setdefault(name, value) is value, name


def test_generated_code_finds_the_words_of_the_dialect() -> None:
    hidden = [name for name, value in WORDS.items() if not name.startswith("__") and NAMESPACE[name] is not value]
    assert hidden == []
