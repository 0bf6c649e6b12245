"""The log as a relation: where its rows have type, position and whether they are pending; and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataflow.engine.operators.node import NONE, Rows
from dataflow.engine.push import Push, expand_weights


class Log:
    """The columns of `events`, and its last position.

    `pending_at`, `type_at` and `position_at` are places in a row; −1 stands for a column that there is not.
    `is_plain` says whether rows have all that the fast path needs, and nothing in them must be converted.
    `begun` says whether rows have been pushed. `position` is the highest one of them, 0 before there is any; `rise`
    raises it, and so does the fast path, in place, for the sake of speed.
    """

    __slots__ = ("begun", "is_plain", "pending_at", "position", "position_at", "type_at")

    def __init__(self, columns: Mapping[str, str]) -> None:
        names = list(columns)
        self.pending_at = names.index("pending") if "pending" in names else -1
        self.type_at = names.index("type") if "type" in names else 0
        self.position_at = names.index("position") if "position" in names else -1
        self.is_plain = self.pending_at >= 0 and self.position_at >= 0 and "json" not in columns.values()
        self.position = 0
        self.begun = False

    def rise(self, rows: Rows) -> None:
        """Take note of confirmed rows, at least one, in order of position."""
        self.begun = True
        if self.position_at >= 0 and (last := rows[-1][self.position_at]) > self.position:
            self.position = last

    def split(self, rows: Rows, weights: Sequence[int] | None) -> Push:
        """Part a push into the log. `weights` None stands for +1 each."""
        at = self.pending_at
        plus, minus = (rows, NONE) if weights is None else expand_weights(rows, weights)
        if at < 0:
            return Push("events", plus, retracted=minus)
        added, removed = [row for row in plus if row[at]], [row for row in minus if row[at]]
        confirmed = [row for row in plus if not row[at]] if added else plus
        return Push("events", confirmed, added, removed, [row for row in minus if not row[at]] if removed else minus)

    def cut(self, rows: Rows, position: int) -> Rows:
        """Return those rows of a chunk of history, in order of position, that are not beyond `position`."""
        at = self.position_at
        if at < 0 or not rows or rows[-1][at] <= position:
            return rows
        return [row for row in rows if row[at] <= position]
