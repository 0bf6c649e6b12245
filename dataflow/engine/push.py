"""The rows of one push, parted by what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dataflow.engine.operators.node import NONE, Rows
from dataflow.zset import Row


class Push(NamedTuple):
    """One push into a relation: confirmed rows inserted, pending rows added and removed, confirmed rows retracted.

    Only the log has pending rows.
    """

    relation: str
    confirmed: Rows = NONE
    pending_added: Rows = NONE
    pending_removed: Rows = NONE
    retracted: Rows = NONE


def expand_weights(rows: Rows, weights: Sequence[int]) -> tuple[list[Row], list[Row]]:
    """Return the rows inserted and the rows retracted, each as often as its weight."""
    plus: list[Row] = []
    minus: list[Row] = []
    for row, weight in zip(rows, weights, strict=True):
        (plus if weight > 0 else minus).extend([row] * abs(weight))
    return plus, minus
