"""Columns that nobody reads are cut off before rows are kept: below joins and temporal filters.

It is done once for each SELECT, and does not look into the relations that its FROM names: so a view is the same plan,
and the same state, whatever columns its readers want.
"""

from __future__ import annotations

from collections.abc import Iterable

from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Agg, Aggregate, AsOf, Col, Expr, Join, Map, Rel, Timed, Union

Places = dict[int, int]
"""Where each column that is still there has gone."""


def prune_columns(rel: Map | Aggregate) -> Rel:
    """The plan of one SELECT, its joins and temporal filters keeping no more than it reads."""
    pruner = _Pruner()
    if isinstance(rel, Map):
        if rel.columns is None:
            return rel
        source, places = pruner.prune(rel.input, rewrite.columns(*rel.where, *rel.columns))
        return Map(source, _moved(rel.where, places), _moved(rel.columns, places))
    read = [
        *rel.keys,
        *(arg for agg in rel.aggs for arg in agg.args),
        *(a.where for a in rel.aggs if a.where is not None),
    ]
    source, places = pruner.prune(rel.input, rewrite.columns(*read))
    aggs = _moved_aggs(rel.aggs, places)
    return Aggregate(source, _moved(rel.keys, places), aggs, rel.having, rel.columns, rel.grand)


def _moved_aggs(aggs: Iterable[Agg], places: Places) -> tuple[Agg, ...]:
    done: rewrite.Done = {}
    found = []
    for agg in aggs:
        where = None if agg.where is None else _move(agg.where, places, done)
        found.append(Agg(agg.kind, tuple([_move(arg, places, done) for arg in agg.args]), where, agg.distinct))
    return tuple(found)


def _move(expr: Expr, places: Places, done: rewrite.Done) -> Expr:
    return rewrite.replace(expr, lambda e: Col(places[e.index]) if isinstance(e, Col) else None, done)


def _moved(exprs: Iterable[Expr], places: Places) -> tuple[Expr, ...]:
    done: rewrite.Done = {}
    return tuple([_move(expr, places, done) for expr in exprs])


class _Pruner:
    """Cuts relations, those that stand in several places of the plan once."""

    def __init__(self) -> None:
        self._done: dict[tuple[Rel, frozenset[int]], tuple[Rel, Places]] = {}

    def prune(self, rel: Rel, needed: set[int]) -> tuple[Rel, Places]:
        """The relation with at least the needed columns, and where they are."""
        key = rel, frozenset(needed)
        if key not in self._done:
            self._done[key] = self._prune(rel, needed)
        return self._done[key]

    def _prune(self, rel: Rel, needed: set[int]) -> tuple[Rel, Places]:
        if isinstance(rel, Map) and rel.columns is None:
            source, places = self.prune(rel.input, needed | rewrite.columns(*rel.where))
            return Map(source, _moved(rel.where, places), None), places
        if isinstance(rel, Timed):
            return self._timed(rel, needed)
        if isinstance(rel, Union):
            parts = [self._cut(part, needed) for part in rel.inputs]
            return Union(tuple([part for part, _ in parts])), parts[0][1]
        if isinstance(rel, Join):
            return self._join(rel, needed)
        if isinstance(rel, AsOf):
            return self._nearest(rel, needed)
        return rel, {column: column for column in needed}

    def _timed(self, rel: Timed, needed: set[int]) -> tuple[Rel, Places]:
        """A temporal filter finds the time in its rows: one that is computed becomes their last column."""
        source, places = self._cut(rel.input, needed | rewrite.columns(rel.value))
        value = _move(rel.value, places, {})
        if not isinstance(value, Col):
            columns = tuple([Col(at) for at in range(len(places))])
            source, value = Map(source, (), (*columns, value)), Col(len(places))
        return Timed(source, value, rel.op, rel.bound), places

    def _join(self, rel: Join, needed: set[int]) -> tuple[Rel, Places]:
        width = rel.widths[0]
        needed = needed | rewrite.columns(*rel.on)
        ours = {column for column in needed if column < width} | rewrite.columns(*rel.left_keys)
        theirs = {column - width for column in needed if column >= width} | rewrite.columns(*rel.right_keys)
        left, left_places = self._cut(rel.left, ours)
        right, right_places = self._cut(rel.right, theirs)
        places = _beside(left_places, right_places, width)
        keys = _moved(rel.left_keys, left_places), _moved(rel.right_keys, right_places)
        return Join(rel.kind, left, right, *keys, _moved(rel.on, places), (len(ours), len(theirs))), places

    def _nearest(self, rel: AsOf, needed: set[int]) -> tuple[Rel, Places]:
        width, (ours_by, theirs_by) = rel.widths[0], rel.values
        ours = {column for column in needed if column < width} | rewrite.columns(*rel.left_keys) | {ours_by}
        theirs = {column - width for column in needed if column >= width}
        theirs |= rewrite.columns(*rel.right_keys) | {theirs_by}
        left, left_places = self._cut(rel.left, ours)
        right, right_places = self._cut(rel.right, theirs)
        keys = _moved(rel.left_keys, left_places), _moved(rel.right_keys, right_places)
        values, widths = (left_places[ours_by], right_places[theirs_by]), (len(ours), len(theirs))
        found = AsOf(rel.kind, left, right, *keys, values, rel.op, rel.type, widths)
        return found, _beside(left_places, right_places, width)

    def _cut(self, rel: Rel, needed: set[int]) -> tuple[Rel, Places]:
        """The relation with the needed columns alone, in order."""
        source, places = self.prune(rel, needed)
        order = sorted(needed)
        return Map(source, (), tuple([Col(places[c]) for c in order])), {c: at for at, c in enumerate(order)}


def _beside(left: Places, right: Places, width: int) -> Places:
    """Where columns of two rows have gone; the left row had `width`, and has those of `left`."""
    return left | {at + width: len(left) + place for at, place in right.items()}
