"""What a lowered query is, and the clauses at its end: ORDER BY and LIMIT."""

from __future__ import annotations

from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.scope import Field, Source, folded
from dataflow.sql.parsing.parse import only, refused, short
from dataflow.sql.plan.nodes import Order, Rel, Top


class Selected(NamedTuple):
    """A lowered query. `rel`'s rows have the `columns` first, then what only `order` needs: its types are `hidden`."""

    rel: Rel
    columns: tuple[tuple[str, str, bool], ...]
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    hidden: tuple[str, ...] = ()

    def total(self) -> tuple[Order, ...]:
        """The order with every column after it, so that equal rows alone are tied."""
        kinds = [type for _, type, _ in self.columns] + list(self.hidden)
        known = {order.index for order in self.order}
        return self.order + tuple(Order(i, kind) for i, kind in enumerate(kinds) if i not in known)

    def top(self) -> Rel:
        """The rows that LIMIT and OFFSET leave."""
        if self.limit is None and not self.offset:
            return self.rel
        return Top(self.rel, self.total(), self.limit, self.offset)

    def source(self, table: str) -> Source:
        """As a relation in FROM. What is selected from it alone, without an order of its own, keeps this order."""
        names = unique_names([name for name, _, _ in self.columns])
        fields = tuple(Field(table, names[i], type, i, wild) for i, (_, type, wild) in enumerate(self.columns))
        return Source(self.top(), fields, len(self.columns) + len(self.hidden), order=self.order)


def unique_names(names: list[str]) -> list[str]:
    """Columns of one name as DuckDB calls them in a subquery: a, a_1, a_2."""
    taken: dict[str, None] = {}
    for name in names:
        known = (f"{name}_{n}" if n else name for n in range(len(names) + 1))
        taken[next(each for each in known if folded(each) not in map(folded, taken))] = None
    return list(taken)


def ordered(clause: exp.Expr, width: int) -> list[exp.Expr]:
    """ORDER BY's entries; ORDER BY ALL means every column."""
    nodes = clause.expressions
    first = nodes[0].this if len(nodes) == 1 else None
    bare = isinstance(first, exp.Var) or (isinstance(first, exp.Column) and not first.this.args.get("quoted"))
    if first is not None and bare and first.name.lower() == "all":
        desc, nulls = nodes[0].args.get("desc"), nodes[0].args.get("nulls_first")
        numbers = (exp.Literal.number(i + 1) for i in range(width))
        made: list[exp.Expr] = [exp.Ordered(this=n, desc=desc, nulls_first=nulls) for n in numbers]
        for each in made:
            each.parent = clause
        return made
    for each in nodes:
        if isinstance(each.this, exp.Paren) and isinstance(each.this.unnest(), exp.Literal):
            each.set("this", each.this.unnest())
        inner = each.this.this if isinstance(each.this, exp.Neg) else each.this
        if isinstance(inner, exp.Null | exp.Boolean) or (
            isinstance(inner, exp.Literal) and (inner is not each.this or inner.is_string)
        ):
            raise refused(each, f"a literal orders nothing: {short(each.this)}")
    return list(nodes)


def limits(node: exp.Expr) -> tuple[int | None, int]:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    start = _whole(offset.expression, "OFFSET") or 0 if offset is not None else 0
    if limit is None:
        return None, start
    if isinstance(limit, exp.Fetch):
        said = limit.args.get("limit_options")
        if said is not None and (said.args.get("percent") or said.args.get("with_ties")):
            raise refused(limit, f"{short(limit)} is not supported", "LIMIT 10")
        return _whole(limit.args["count"], "FETCH"), start
    if not isinstance(limit, exp.Limit):
        raise refused(limit, f"{short(limit)} is not supported", "LIMIT 10")
    only(limit, "expression")
    return _whole(limit.expression, "LIMIT"), start


def _whole(node: exp.Expr, clause: str) -> int | None:
    """A number of rows; None is all of them."""
    if isinstance(node, exp.Null) or (isinstance(node, exp.Var | exp.Column) and node.name.upper() == "ALL"):
        return None
    if not isinstance(node, exp.Literal) or node.args.get("is_string") or not node.name.isdigit():
        raise refused(node, f"{clause} takes a whole number, not {short(node)}", f"{clause} 10")
    return int(node.name)
