"""FROM: tables, views, CTEs, subqueries and their joins, to a plan and the columns on offer."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, meet
from dataflow.sql.expressions.logic import compare
from dataflow.sql.expressions.lower import condition, lower
from dataflow.sql.expressions.scope import Field, RowContext, Source, folded, resolve
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Coalesce, Col, Const, Expr, Join, Map, Scan, Union, Values
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.plan.types import FLOAT, NULL
from dataflow.sql.queries import asof_joins

if TYPE_CHECKING:
    from dataflow.sql.expressions.subquery_aggregates import SubqueryAggregate
    from dataflow.sql.queries.lowered_query import Selected

Lower = Callable[[exp.Expr, "Names"], "Selected"]


class Names:
    """What table names mean: the catalogue, and the CTEs in sight. Subqueries are asked for several times, so what has
    been made of each under these names is kept: `lowered` and `subquery_aggregates`, by the node's id, with the node.
    """

    def __init__(self, catalogue: Catalogue, ctes: dict[str, Selected]) -> None:
        self.catalogue = catalogue
        self.ctes = ctes
        self.lowered: dict[int, tuple[exp.Expr, Selected]] = {}
        self.subquery_aggregates: dict[int, tuple[exp.Expr, SubqueryAggregate]] = {}

    def within(self, ctes: dict[str, Selected]) -> Names:
        return Names(self.catalogue, {**self.ctes, **ctes})


class Catalogue:
    """Relations with their columns, event types with their fields, and views (lowered once, when first used)."""

    def __init__(
        self, relations: dict[str, dict[str, str]], kinds: dict[str, tuple[str, ...]], envelope: int
    ) -> None:
        self.relations = relations
        self.kinds = kinds
        self.envelope = envelope
        self.views: dict[str, Callable[[], Selected]] = {}
        self._columns = {name: tuple(columns) for name, columns in relations.items()}

    def names(self) -> list[str]:
        return [*self.relations, *self.kinds, *self.views]

    def scan(self, name: str) -> Source | None:
        """The relation or event type of that name, or None."""
        for known in self.relations:
            if folded(known) == folded(name):
                return self._source(known, (), self._columns[known])
        for known, own in self.kinds.items():
            if folded(known) == folded(name):
                envelope = self._columns["events"][: self.envelope]
                return self._source("events", (known,), (*envelope, *own), known)
        return None

    def _source(self, relation: str, kinds: tuple[str, ...], names: tuple[str, ...], table: str = "") -> Source:
        held, columns = self.relations[relation], self._columns[relation]
        wild = relation != "events"  # JSON has no NaN, a table may
        fields = tuple(
            Field(table or relation, n, held[n], columns.index(n), wild and held[n] == FLOAT) for n in names
        )
        return Source(Scan(relation, kinds), fields, len(columns))


def lower_from(node: exp.Expr, joins: list[exp.Expr], names: Names, lower_query: Lower, pusher: FilterPusher) -> Source:
    """FROM with its joins. What stands between two commas is joined first, wherever that makes a difference."""
    commas = [at for at, join in enumerate(joins) if _is_comma(join)]
    if not any(_closed(join) for join in joins[commas[0] if commas else len(joins) :]):
        commas = []
    source = _table(node.this, names, lower_query, pusher)
    for join in joins[: commas[0] if commas else None]:
        source = _join(source, join, names, lower_query, pusher)
    for begin, end in pairwise([*commas, len(joins)] if commas else ()):
        source = _join(source, joins[begin], names, lower_query, pusher, joins[begin + 1 : end])
    return source


def _is_comma(join: exp.Expr) -> bool:
    return not any(join.args.get(said) for said in ("side", "kind", "on", "using", "method"))


def _table(node: exp.Expr, names: Names, lower_query: Lower, pusher: FilterPusher) -> Source:
    if isinstance(node, exp.Table):
        only(node, "this", "db", "catalog", "alias", "joins")
        source = _named(node, names)
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery):
        only(node, "this", "alias", "joins")
        source = _table(node.this, names, lower_query, pusher)
    elif isinstance(node, exp.Subquery):
        only(node, "this", "alias", "joins")
        source = lower_query(node.this, names).source(folded(node.alias) or UNNAMED)
    elif isinstance(node, exp.Values):
        source = _values(node)
    else:
        raise refused(node, f"this is not supported in FROM: {short(node)}")
    source = _aliased(source, node)
    for join in node.args.get("joins") or ():
        source = _join(source, join, names, lower_query, pusher)
    return source


def _aliased(source: Source, node: exp.Expr) -> Source:
    alias = node.args.get("alias")
    if alias is None:
        return source
    only(alias, "this", "columns")
    given = [column.name for column in alias.columns]
    if len(given) > len(source.fields):
        raise error(node, f"{alias.name} has {len(source.fields)} columns, not {len(given)}")
    renamed = (f._replace(name=given[i]) if i < len(given) else f for i, f in enumerate(source.fields))
    return source._replace(fields=tuple(renamed)).named(alias.name)


def _named(node: exp.Table, names: Names) -> Source:
    if not isinstance(node.this, exp.Identifier):
        raise refused(node, f"table functions are not supported: {short(node)}")
    name = ".".join(part.name for part in node.parts)
    if folded(name) in names.ctes:
        return names.ctes[folded(name)].source(name)
    for known, view in names.catalogue.views.items():
        if folded(known) == folded(name):
            return view().source(known)
    source = names.catalogue.scan(name)
    if source is None:
        near = difflib.get_close_matches(name, [*names.catalogue.names(), *names.ctes], 1)
        raise error(
            node, f"there is no table, view or event type '{name}'", f"did you mean '{near[0]}'?" if near else ""
        )
    return source


def _values(node: exp.Values) -> Source:
    only(node, "expressions", "alias")
    rows = [
        [lower(cell, RowContext(Source(Values(()), (), 0), "VALUES")) for cell in row.expressions]
        for row in node.expressions
    ]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise error(node, "all rows of VALUES need the same number of columns")
    merged = [meet([row[i] for row in rows], node, "column") for i in range(len(rows[0]))]
    wild = [any(value.wild for value in column) for column, _ in merged]
    fields = tuple(Field("values", f"col{i}", type, i, wild[i]) for i, (_, type) in enumerate(merged))
    if not all(value.literal for column, _ in merged for value in column):
        made = [Map(Values(((),)), (), tuple(column[r].expr for column, _ in merged)) for r in range(len(rows))]
        return Source(Union(tuple(made)), fields, len(fields))
    cells = tuple(tuple(column[r].constant for column, _ in merged) for r in range(len(rows)))
    return Source(Values(cells), fields, len(fields))


# joins

UNNAMED = "subquery"
SIDES = {"": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full"}


def _closed(join: exp.Expr) -> bool:
    """Whether it matters what stands to its left."""
    return join.args.get("side") in ("RIGHT", "FULL") or any(join.args.get(said) for said in ("using", "method"))


def _join(
    left: Source,
    node: exp.Expr,
    names: Names,
    lower_query: Lower,
    pusher: FilterPusher,
    first: Sequence[exp.Expr] = (),
) -> Source:
    """`first` are the joins of what is joined."""
    only(node, "this", "side", "kind", "on", "using", "method")
    side, word = node.args.get("side") or "", node.args.get("kind") or ""
    right = _unnamed(left, _table(node.this, names, lower_query, pusher), node.this)
    for join in first:
        right = _join(right, join, names, lower_query, pusher)
    _distinct_names(left, right, node)
    if str(node.args.get("method") or "").upper() == "ASOF":
        return _join_nearest(left, right, node, pusher)
    kind = _kind(node, side, word)
    if node.args.get("using") or node.args.get("method"):
        only(node, "this", "side", "kind", "using", "method")
        tests, merged = _using(left, right, node, kind)
    else:
        tests, merged = _on(left, right, node, word), {}
    known = {**left.merged, **_moved(right, left.width), **merged}
    return join_sources(_marked(left, merged), _marked(right, merged), kind, tests, known, pusher)


def _join_nearest(left: Source, right: Source, node: exp.Expr, pusher: FilterPusher) -> Source:
    kind = asof_joins.kind_of(node)
    merged: dict[str, Typed] = {}
    if node.args.get("using"):
        tests, merged = _using(left, right, node, kind)
        del tests[-1]
        last = exp.Column(this=node.args["using"][-1])
        ours, theirs = resolve(last, left), resolve(last, right)
        assert ours is not None, "_using has resolved it"
        assert theirs is not None, "_using has resolved it"
        theirs = theirs._replace(expr=rewrite.shifted(theirs.expr, left.width))
        by = asof_joins.nearest(ours, ">=", theirs, last.this)
    else:
        tests, by = asof_joins.split_on(node, _beside(left, right), left.width)
    rel, ours_side, theirs_side = asof_joins.join_nearest(
        _marked(left, merged), _marked(right, merged), kind, tests, by, pusher
    )
    known = {**left.merged, **_moved(right, ours_side.width), **merged}
    both = _beside(ours_side, theirs_side)
    return Source(rel, both.fields, both.width, known)


def _unnamed(left: Source, right: Source, node: exp.Expr) -> Source:
    """A subquery without a name, called otherwise than those before it."""
    taken = {field.table for field in left.fields}
    if node.args.get("alias") is not None or {field.table for field in right.fields} != {UNNAMED}:
        return right
    return right.named(next(name for n in range(len(taken) + 1) if (name := f"{UNNAMED}{n or ''}") not in taken))


def _marked(source: Source, merged: dict[str, Typed]) -> Source:
    """The columns that USING makes one, known as such: the one of that name, or those that it is made of already."""
    names = merged.keys() - source.merged.keys()
    fields = (f._replace(joined=True) if folded(f.name) in names else f for f in source.fields)
    return source._replace(fields=tuple(fields)) if names else source


def _moved(right: Source, by: int) -> dict[str, Typed]:
    """What USING made one on the right side, as it is beside the left one."""
    return {name: value._replace(expr=rewrite.shifted(value.expr, by)) for name, value in right.merged.items()}


def _kind(node: exp.Expr, side: str, word: str) -> str:
    if word in ("SEMI", "ANTI") and not side:
        return word.lower()
    if word not in ("", "INNER", "OUTER", "CROSS") or side not in SIDES or (side and word == "CROSS"):
        raise refused(node, f"{side} {word} JOIN is not supported".replace("  ", " "), "JOIN or LEFT JOIN")
    return SIDES[side]


def _distinct_names(left: Source, right: Source, node: exp.Expr) -> None:
    both = {folded(f.table) for f in left.fields} & {folded(f.table) for f in right.fields}
    if both:
        raise error(node, f"two tables are called '{both.pop()}'", "give one an alias: JOIN … AS b")


def _beside(left: Source, right: Source) -> Source:
    fields = left.fields + tuple(f._replace(at=f.at + left.width) for f in right.fields)
    return Source(left.rel, fields, left.width + right.width, left.merged)


def _on(left: Source, right: Source, node: exp.Expr, word: str) -> list[Expr]:
    on = node.args.get("on")
    if on is not None and word == "CROSS":
        raise error(on, "a cross join has no ON", "JOIN t ON a.x = t.x")
    if on is None:
        if word == "CROSS" or "pivots" not in node.args:  # the parser leaves these out after a comma
            return []
        raise error(node, "the join has no ON", "JOIN t ON a.x = t.x")
    return list(rewrite.conjuncts(condition(on, RowContext(_beside(left, right), "ON"), "ON")))


def _using(left: Source, right: Source, node: exp.Expr, kind: str) -> tuple[list[Expr], dict[str, Typed]]:
    tests: list[Expr] = []
    merged: dict[str, Typed] = {}
    for name in node.args.get("using") or _shared(left, right, node):
        column = exp.Column(this=name)
        ours, theirs = resolve(column, left), resolve(column, right)
        if ours is None or theirs is None:
            raise error(name, f"USING: column '{name.name}' is not on both sides")
        theirs = Typed(rewrite.shifted(theirs.expr, left.width), theirs.type, theirs.wild)
        tests.append(compare("eq", ours, theirs, name))
        merged[folded(name.name)] = _one(ours, theirs, kind, name)
    return tests, merged


def _shared(left: Source, right: Source, node: exp.Expr) -> list[exp.Identifier]:
    """The columns by which NATURAL joins: those that both sides have."""
    if str(node.args["method"]).upper() != "NATURAL":
        raise refused(node, f"{node.args['method']} JOIN is not supported: {short(node)}", "JOIN … ON")
    theirs = {folded(field.name) for field in right.fields}
    ours = dict.fromkeys(folded(field.name) for field in left.fields if folded(field.name) in theirs)
    if not ours:
        raise error(node, f"NATURAL JOIN: the sides have no column of the same name: {short(node)}", "JOIN … ON")
    made = [exp.to_identifier(name, quoted=True) for name in ours]
    for each in made:
        each.parent = node
    return made


def _one(ours: Typed, theirs: Typed, kind: str, node: exp.Expr) -> Typed:
    if kind in ("right", "full"):
        (ours, theirs), type = meet([ours, theirs], node, "USING")
        return Typed(Coalesce((ours.expr, theirs.expr)), type, ours.wild or theirs.wild)
    return ours


def join_sources(
    left: Source, right: Source, kind: str, tests: list[Expr], merged: dict[str, Typed], pusher: FilterPusher
) -> Source:
    both = _beside(left, right)
    if kind in ("right", "full"):
        return (_swapped if kind == "right" else _full)(left, right, tests, merged, pusher)
    ours, theirs, rest = left.rel, right.rel, []
    keys: list[tuple[Expr, Expr]] = []
    for test in tests:
        used = rewrite.columns(test)
        pair = rewrite.equality(test, left.width)
        if pair is not None:
            keys.append(pair)
        elif used and min(used) >= left.width:
            theirs = pusher.filter(theirs, rewrite.shifted(test, -left.width))
        elif used and max(used) < left.width and kind in ("inner", "semi"):
            ours = pusher.filter(ours, test)
        else:
            rest.append(test)
    left_keys, right_keys = tuple(k[0] for k in keys), tuple(k[1] for k in keys)
    rel = Join(kind, ours, theirs, left_keys, right_keys, tuple(rest), (left.width, right.width))
    if kind in ("semi", "anti"):
        return Source(rel, left.fields, left.width, left.merged)
    return Source(rel, both.fields, both.width, merged)


def _swapped(left: Source, right: Source, tests: list[Expr], merged: dict[str, Typed], pusher: FilterPusher) -> Source:
    """A right join as a left join, its columns put back in order."""
    turned = join_sources(right, left, "left", _turned(left, right, tests), {}, pusher)
    order = (*range(right.width, right.width + left.width), *range(right.width))
    rel = Map(turned.rel, (), tuple(Col(i) for i in order))
    return Source(rel, _beside(left, right).fields, turned.width, merged)


def _full(left: Source, right: Source, tests: list[Expr], merged: dict[str, Typed], pusher: FilterPusher) -> Source:
    """A full join as a left join, and the right rows that match nothing."""
    outer = join_sources(left, right, "left", tests, {}, pusher)
    alone = join_sources(right, left, "anti", _turned(left, right, tests), {}, pusher)
    blanks = tuple(Const(None, NULL) for _ in range(left.width))
    rest = Map(alone.rel, (), blanks + tuple(Col(i) for i in range(right.width)))
    return Source(Union((outer.rel, rest)), outer.fields, outer.width, merged)


def _turned(left: Source, right: Source, tests: list[Expr]) -> list[Expr]:
    """Tests over a left and a right row, as tests over a right and a left row."""

    def swap(e: Expr) -> Expr | None:
        if not isinstance(e, Col):
            return None
        return Col(e.index + right.width if e.index < left.width else e.index - left.width)

    return [rewrite.replace(test, swap) for test in tests]
