"""The names that a plan's code is written in (`plan.Call.code`): what generated code calls, value by value."""

from __future__ import annotations

from typing import Any

from dataflow.sql.runtime import (
    calendar,
    casting,
    graphemes,
    json_values,
    number_texts,
    numbers,
    scalars,
    searches,
    texts,
    units,
    wildcards,
)

MODULES = (
    calendar, numbers, number_texts, casting, scalars, graphemes, texts, searches, wildcards, json_values, units,
)  # fmt: skip
WORDS: dict[str, Any] = {name: value for module in MODULES for name, value in vars(module).items()}
