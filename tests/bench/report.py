"""How every benchmark says what it measured: a table for people, or one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One measured number. `goal` is what it is held against (None: for the record, always holds)."""

    figure: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"

    @property
    def holds(self) -> bool:
        if self.goal is None:
            return True
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal


def report(figures: Iterable[Figure], json: bool = False) -> int:
    """Print the figures; 0 when every one holds, else 1, which suits as the process's exit code."""
    figures = list(figures)
    print("\n".join(as_json(f) for f in figures) if json else as_table(figures))
    return 0 if all(f.holds for f in figures) else 1


def as_json(f: Figure) -> str:
    fields = {"figure": f.figure, "value": f.value, "unit": f.unit, "goal": f.goal, "holds": f.holds}
    return msgspec.json.encode(fields).decode()


def as_table(figures: Iterable[Figure]) -> str:
    rows = [("figure", "value", "goal", ""), *map(_cells, figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join("  ".join(_align(row, widths)).rstrip() for row in rows)


def _cells(f: Figure) -> tuple[str, str, str, str]:
    sign = "≤" if f.better == "lower" else "≥"
    goal = "" if f.goal is None else f"{sign} {_number(f.goal)} {f.unit}"
    verdict = "" if f.goal is None else ("holds" if f.holds else "MISSED")
    return f.figure, f"{_number(f.value)} {f.unit}", goal, verdict


def _align(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3]]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
