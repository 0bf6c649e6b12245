"""Any query's tree to a plan: WITH, then SELECT or a set operation."""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions.scope import folded
from dataflow.sql.parsing.parse import error, only, refused
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.queries.from_clause import Names
from dataflow.sql.queries.lowered_query import Selected
from dataflow.sql.queries.select import lower_select
from dataflow.sql.queries.set_operations import lower_union


def lower_query(node: exp.Expr, names: Names, pusher: FilterPusher) -> Selected:
    """Lower any query, with its CTEs; the same node under the same names once."""
    if id(node) not in names.lowered:
        names.lowered[id(node)] = node, _lower_query(node, names, pusher)
    return names.lowered[id(node)][1]


def _lower_query(node: exp.Expr, names: Names, pusher: FilterPusher) -> Selected:
    def lower(inner: exp.Expr, within: Names) -> Selected:
        return lower_query(inner, within, pusher)

    if isinstance(node, exp.Subquery):
        only(node, "this")
        return lower(node.this, names)
    names = _with_ctes(node, names, pusher)
    if isinstance(node, exp.Select):
        return lower_select(node, names, pusher, lower)
    if isinstance(node, exp.SetOperation):
        return lower_union(node, names, lower)
    raise refused(node, f"{type(node).__name__.upper()} is not supported")


def _with_ctes(node: exp.Expr, names: Names, pusher: FilterPusher) -> Names:
    """Return the names that the query sees: each part of WITH sees those before it."""
    clause = node.args.get("with_")
    if clause is None:
        return names
    if clause.args.get("recursive"):
        raise refused(clause, "WITH RECURSIVE is not supported")
    taken: set[str] = set()
    for cte in clause.expressions:
        if folded(cte.alias) in taken:
            raise error(cte, f"two parts of WITH are called '{cte.alias}'")
        taken.add(folded(cte.alias))
        only(cte, "this", "alias", "materialized")
        query = lower_query(cte.this, names, pusher)
        given = [column.name for column in cte.args["alias"].columns]
        renamed = tuple((given[i] if i < len(given) else c[0], *c[1:]) for i, c in enumerate(query.columns))
        names = names.within({folded(cte.alias): query._replace(columns=renamed)})
    return names
