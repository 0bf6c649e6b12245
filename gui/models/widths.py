"""How a table's width is shared among its columns: pure arithmetic, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LEAST = 52
SHORT = 92          # times, codes and numbers take no more than this, and tell nothing when they are cut off
WIDEST = 4_000
EVEN = 60           # how much of a column's share of spare room does not depend on its width


class Need(NamedTuple):
    """What a column takes: for all of it, and for its values alone, where its name may be cut off."""

    whole: int
    values: int


def share(needs: Sequence[Need], wanted: Sequence[int | None], held: Sequence[bool], room: int) -> list[int]:
    """Column widths that fill `room`: whole pixels.

    `wanted` is what the board would like, `held` the columns that the operator has dragged. Room to spare goes to the
    columns that the board leaves free, more of it to the wider ones. Where room lacks, no column gets more than it
    needs; then names give way if that lets all values be seen, else those columns too whose values are longer than
    `SHORT`, the widest first, down to `LEAST`. Held columns stay as they are. Where even that does not fit, the sum is
    more than `room`: the table scrolls. No column is wider than `WIDEST`, whatever is wanted, but to fill the room.
    """
    loose = [at for at, stays in enumerate(held) if not stays]
    widths = [
        min(WIDEST, max(0, need.whole if want is None else want)) for need, want in zip(needs, wanted, strict=True)
    ]
    if sum(widths) <= room:
        return _stretch(widths, [at for at in loose if wanted[at] is None], room - sum(widths))
    for at in loose:
        widths[at] = min(widths[at], needs[at].whole)
    if sum(widths) <= room:
        return _stretch(widths, loose, room - sum(widths))
    least = [max(need.values, min(need.whole, LEAST)) for need in needs]
    if sum(_lowered(widths, loose, least, 0)) > room:
        least = [LEAST if need.values > SHORT else whole for need, whole in zip(needs, least, strict=True)]
    return _squeeze(widths, loose, least, room)


def _stretch(natural: Sequence[int], loose: Sequence[int], spare: int) -> list[int]:
    widths, given = list(natural), 0
    total = sum(natural[at] + EVEN for at in loose)
    for at in loose:
        part = spare * (natural[at] + EVEN) // total
        widths[at] += part
        given += part
    if loose:
        widths[loose[-1]] += spare - given
    return widths


def _squeeze(natural: Sequence[int], loose: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Lower one level over the loose columns, none below its least, until all of them fit."""
    low, high = 0, max(natural)
    while low < high:
        level = (low + high + 1) // 2
        low, high = (level, high) if sum(_lowered(natural, loose, least, level)) <= room else (low, level - 1)
    widths = _lowered(natural, loose, least, low)
    over = room - sum(widths)
    for at in loose:
        if over > 0 and widths[at] < natural[at]:
            widths[at] += 1
            over -= 1
    return widths


def _lowered(natural: Sequence[int], loose: Sequence[int], least: Sequence[int], level: int) -> list[int]:
    widths = list(natural)
    for at in loose:
        widths[at] = min(natural[at], max(level, least[at]))
    return widths
