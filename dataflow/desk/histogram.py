"""Histograms of durations: buckets whose bounds are a fixed ratio apart, so that every value is known as well.

40 buckets to a power of ten: a percentile is within 3 % (`ERROR`) of the exact one by nearest rank, from 10 µs to three
hours; the largest value is kept as it is. At most 361 numbers, however many values there were. After HdrHistogram.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

PER_DECADE = 40
ERROR = 10 ** (0.5 / PER_DECADE) - 1
LEAST_MS, MOST_MS = 1e-2, 1e7
_FIRST, _LAST = round(math.log10(LEAST_MS) * PER_DECADE), round(math.log10(MOST_MS) * PER_DECADE)


class Histogram(msgspec.Struct):
    """Counts by bucket; `count` values in all, of which `most` (in ms) is the largest."""

    counts: dict[int, int] = {}
    count: int = 0
    most: float = 0.0

    def add(self, ms: float) -> None:
        """Count a value; what is beyond the first or last bucket counts there."""
        at = math.floor(math.log10(ms) * PER_DECADE) if ms > LEAST_MS else _FIRST
        at = min(at, _LAST)
        self.counts[at] = self.counts.get(at, 0) + 1
        self.count += 1
        self.most = max(self.most, ms)

    def percentile(self, share: float) -> float:
        """The smallest value that `share` (0 to 1) of all do not exceed, in ms; 0 where there are none."""
        rank = max(1, math.ceil(share * self.count))
        if rank >= self.count:
            return self.most
        for at in sorted(self.counts):
            rank -= self.counts[at]
            if rank <= 0:
                return min(self.most, 10 ** ((at + 0.5) / PER_DECADE))
        return self.most

    def bars(self, per_decade: int) -> Iterator[tuple[int, int]]:
        """Coarser buckets for the eye: (n, count), from 10**(n / per_decade) ms to the next one.

        `per_decade` divides 40.
        """
        width = PER_DECADE // per_decade
        coarse: dict[int, int] = {}
        for at, count in self.counts.items():
            coarse[at // width] = coarse.get(at // width, 0) + count
        return iter(sorted(coarse.items()))
