"""Subqueries in the ON of an inner join: asked in WHERE, which means the same as long as no join after it keeps rows of
its right side that match nothing.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.queries.temporal import where_parts


def move_subqueries_to_where(node: exp.Expr) -> None:
    """Moves those conditions, in the tree."""
    moved: list[exp.Expr] = []
    joins = node.args.get("joins") or []
    for at, join in enumerate(joins):
        on = join.args.get("on")
        inner = not join.args.get("side") and join.args.get("kind") in (None, "", "INNER")
        if on is None or not inner or on.find(exp.Query) is None:
            continue
        if any(after.args.get("side") in ("RIGHT", "FULL") for after in joins[at + 1 :]):
            continue
        parts = where_parts(on)
        moved += [part for part in parts if part.find(exp.Query) is not None]
        rest = [part for part in parts if part.find(exp.Query) is None]
        join.set("on", exp.and_(*rest, copy=False) if rest else exp.true())
    if moved:
        where = node.args.get("where")
        parts = [*([where.this] if where is not None else []), *moved]
        node.set("where", exp.Where(this=exp.and_(*parts, copy=False)))
