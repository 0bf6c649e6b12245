"""A sorted multiset: the least and the greatest of values that may go again. Distinct values sorted, and how often
each is there.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

__all__ = ["Multiset"]


class Multiset:
    """Values of one type, none of them None; tuples may hold NaN, which is found by identity."""

    __slots__ = ("counts", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.counts: dict[Any, int] = {}

    def add(self, value: Any) -> None:
        count = self.counts.get(value, 0)
        if not count:
            insort(self.values, value)
        self.counts[value] = count + 1

    def remove(self, value: Any) -> None:
        count = self.counts[value]
        if count > 1:
            self.counts[value] = count - 1
            return
        del self.counts[value]
        at = bisect_left(self.values, value)
        if at == len(self.values) or self.values[at] != value:
            at = self.values.index(value)
        del self.values[at]

    def first(self) -> Any:
        return self.values[0] if self.values else None

    def last(self) -> Any:
        return self.values[-1] if self.values else None
