"""What names mean: the columns that a FROM clause offers, and the contexts in which expressions are lowered."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan.nodes import Col, Expr, Order, Rel
from dataflow.sql.plan.types import TIMESTAMP


class Field(NamedTuple):
    """A column on offer: `at` is its place in the row. `joined`: USING made it one with another."""

    table: str
    name: str
    type: str
    at: int
    wild: bool = False
    joined: bool = False

    def typed(self) -> Typed:
        return Typed(Col(self.at), self.type, self.wild)


class Source(NamedTuple):
    """A relation in FROM. `merged` are the columns that USING made one, by folded name; `order` its rows' own
    order.
    """

    rel: Rel
    fields: tuple[Field, ...]
    width: int
    merged: dict[str, Typed] = {}  # noqa: RUF012  (never changed)
    order: tuple[Order, ...] = ()

    def named(self, table: str) -> Source:
        fields = tuple(field._replace(table=table) for field in self.fields)
        return Source(self.rel, fields, self.width, order=self.order)


def folded(name: str) -> str:
    """Names are compared without case, quoted or not, as in DuckDB."""
    return name.lower()


def _table(field: Field) -> str:
    return folded(field.table)


def resolve(node: exp.Column, source: Source) -> Typed | None:
    """The column that `node` names; None if there is no such; SqlError if there are several."""
    if isinstance(node.this, exp.Star):
        raise refused(node, "* stands alone in the select list or in count(*)")
    name = folded(node.name)
    table = folded(".".join(part.name for part in node.parts[:-1]))
    if not table and name in source.merged:
        return source.merged[name]
    found = [f for f in source.fields if folded(f.name) == name and (not table or folded(f.table) == table)]
    if len(found) > 1:
        tables = " or ".join(f"{f.table}.{f.name}" for f in found[:3])
        raise error(
            node, f"column '{node.name}' is ambiguous", f"write {tables}" if not table else "give it another name"
        )
    return found[0].typed() if found else None


def unknown(node: exp.Column, source: Source, others: Sequence[str] = ()) -> Exception:
    """The error for a name that means nothing, with the nearest that does."""
    tables = {folded(f.table) for f in source.fields}
    table = ".".join(part.name for part in node.parts[:-1])
    if table and folded(table) not in tables:
        near = difflib.get_close_matches(folded(table), tables, 1)
        return error(node, f"there is no table '{table}' here", f"did you mean '{near[0]}'?" if near else "")
    names = [f.name for f in source.fields if not table or folded(f.table) == folded(table)] + list(others)
    near = difflib.get_close_matches(node.name, names, 1, 0.5)
    return error(node, f"unknown column '{node.name}'", f"did you mean '{near[0]}'?" if near else "")


class RowContext:
    """Expressions over the rows of a FROM clause.

    `aliases` are tried for names that are no columns; in HAVING, also for columns that are none of the `keys`.
    """

    def __init__(
        self,
        source: Source,
        place: str,
        *,
        aliases: Mapping[str, Callable[[], Typed]] | None = None,
        keys: Sequence[Expr] | None = None,
        aggregate: Callable[[exp.Expr], Typed | None] | None = None,
        subquery: Callable[[exp.Expr], Typed] | None = None,
    ) -> None:
        self.source = source
        self.place = place
        self.aliases = aliases or {}
        self.keys = keys
        self._aggregate = aggregate
        self._subquery = subquery

    def column(self, node: exp.Column) -> Typed:
        alias = None if node.args.get("table") else self.aliases.get(folded(node.name))
        found = resolve(node, self.source)
        if alias and found is None and self.keys is None and folded(node.name) in map(_table, self.source.fields):
            raise refused(node, f"'{node.name}' is also a table here", "another name")
        if alias and (found is None or (self.keys is not None and found.expr not in self.keys)):
            return alias()
        if found is not None:
            return found
        raise unknown(node, self.source, list(self.aliases))

    def aggregate(self, node: exp.Expr) -> Typed | None:
        return self._aggregate(node) if self._aggregate else None

    def now(self, node: exp.Expr) -> Typed:
        raise refused(
            node, f"now() in {self.place} would change all rows with every tick",
            "compare a time with it in WHERE: time > now() - INTERVAL '5 minutes'",
        )  # fmt: skip

    def subquery(self, node: exp.Expr) -> Typed:
        if self._subquery:
            return self._subquery(node)
        raise refused(node, f"a subquery is not supported in {self.place}: {short(node)}", "join it in FROM")


class ClockContext:
    """Expressions over the clock alone: Col(0) is now."""

    def column(self, node: exp.Column) -> Typed:
        raise refused(
            node, f"now() and the column '{node.name}' stand on the same side", "time > now() - INTERVAL '5 minutes'"
        )

    def aggregate(self, node: exp.Expr) -> Typed | None:
        return None

    def now(self, node: exp.Expr) -> Typed:
        return Typed(Col(0), TIMESTAMP)

    def subquery(self, node: exp.Expr) -> Typed:
        raise refused(node, "now() cannot be compared with a subquery")
