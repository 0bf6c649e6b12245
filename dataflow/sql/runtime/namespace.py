"""The names that a plan's code is written in (`plan.Call.code`), and what they mean.

A module of this room exports to generated code what its `__all__` lists, and nothing else.
"""

from __future__ import annotations

import math
from typing import Any

from dataflow.sql.runtime import (
    calendar,
    casting,
    exact_sums,
    graphemes,
    json_values,
    multiset,
    number_texts,
    numbers,
    regression,
    scalars,
    searches,
    statistics,
    texts,
    units,
    wildcards,
)
from dataflow.sql.runtime.exports import exports, merge

SCALARS: dict[str, Any] = merge([
    {"math": math},
    exports(
        calendar, casting, graphemes, json_values, number_texts, numbers, scalars, searches, texts, units, wildcards
    ),
])  # fmt: skip
"""What code over one row's values may name; literals are folded with it when a query is compiled."""

RUNTIME: dict[str, Any] = merge([SCALARS, exports(exact_sums, multiset, regression, statistics)])
"""What all generated code may name, beside what `codegen/assemble.py` adds."""
