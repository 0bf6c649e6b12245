"""The names that a plan's code is written in (`plan.Call.code`): what generated code calls, value by value."""

from __future__ import annotations

from typing import Any

from dataflow.sql import (
    calendar,
    graphemes,
    json_values,
    number_texts,
    reading,
    runtime,
    scalars,
    searches,
    texts,
    units,
    wildcards,
)

MODULES = (
    calendar, runtime, number_texts, reading, scalars, graphemes, texts, searches, wildcards, json_values, units,
)  # fmt: skip
WORDS: dict[str, Any] = {name: value for module in MODULES for name, value in vars(module).items()}
