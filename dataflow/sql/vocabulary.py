"""The names that a plan's code is written in (`plan.Call.code`): what generated code calls, value by value."""

from __future__ import annotations

from typing import Any

from dataflow.sql import calendar, graphemes, reading, runtime, scalars

WORDS: dict[str, Any] = {**vars(calendar), **vars(runtime), **vars(reading), **vars(scalars), **vars(graphemes)}
