"""How a table's width is shared among its columns: pure arithmetic, no Qt."""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 44
EVEN = 60           # how much of a column's share of spare room does not depend on its width


def share(natural: Sequence[int], fixed: Sequence[bool], room: int) -> list[int]:
    """Column widths that fill `room`: whole pixels.

    Room to spare goes to all columns, more of it to the wider ones; where it lacks, the widest give way first,
    down to `LEAST`. Fixed columns keep their width. Where even that does not fit, the sum is more than `room`:
    the table scrolls.
    """
    loose = [at for at, held in enumerate(fixed) if not held]
    spare = room - sum(natural)
    if not loose:
        return list(natural)
    return _stretch(natural, loose, spare) if spare >= 0 else _squeeze(natural, loose, -spare)


def _stretch(natural: Sequence[int], loose: Sequence[int], spare: int) -> list[int]:
    widths, total = list(natural), sum(natural[at] + EVEN for at in loose)
    given = 0
    for at in loose:
        part = spare * (natural[at] + EVEN) // total
        widths[at] += part
        given += part
    widths[loose[-1]] += spare - given
    return widths


def _squeeze(natural: Sequence[int], loose: Sequence[int], lacking: int) -> list[int]:
    """Lower one level over the loose columns until those above it have given what lacks."""
    widths = list(natural)
    low, high = LEAST, max(natural[at] for at in loose)
    while low < high:
        level = (low + high + 1) // 2
        low, high = (level, high) if _above(natural, loose, level) >= lacking else (low, level - 1)
    over = _above(natural, loose, low) - lacking
    for at in loose:
        widths[at] = min(natural[at], low)
    for at in loose:
        if over > 0 and natural[at] > low:
            widths[at] += 1
            over -= 1
    return widths


def _above(natural: Sequence[int], loose: Sequence[int], level: int) -> int:
    return sum(max(0, natural[at] - level) for at in loose)
