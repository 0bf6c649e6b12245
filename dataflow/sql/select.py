"""SELECT and UNION: a query's tree to a plan.

The order is SQL's own: FROM, WHERE (with the temporal filters taken out), GROUP BY and aggregates, HAVING, the select list,
DISTINCT, ORDER BY, LIMIT. In a grouped query every expression is first lowered over the input rows, aggregates standing as
Col(FIRST + n); then what equals a key becomes that key, and a column still left is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql import aggregates, shape, types
from dataflow.sql.aggregates import FIRST, Aggregates
from dataflow.sql.casts import Typed, to_type
from dataflow.sql.errors import SqlError
from dataflow.sql.expressions import condition, lower
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.plan import Aggregate, Col, Const, Expr, Map, Order, Rel, Top, Union, Values
from dataflow.sql.relations import Names, lower_from
from dataflow.sql.scope import ClockContext, Field, RowContext, Source, folded
from dataflow.sql.types import JSON, TIMES


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
        fields = tuple(Field(table, name, type, i, wild) for i, (name, type, wild) in enumerate(self.columns))
        return Source(self.top(), fields, len(self.columns) + len(self.hidden), order=self.order)


class Item(NamedTuple):
    """An entry of the select list: its name and what it is."""

    name: str
    value: Typed
    node: exp.Expression


def lower_query(node: exp.Expression, names: Names, shaper: shape.Shaper) -> Selected:
    """Any query, with its CTEs."""
    if isinstance(node, exp.Subquery):
        only(node, "this")
        return lower_query(node.this, names, shaper)
    names = _ctes(node, names, shaper)
    if isinstance(node, exp.Select):
        return _Select(node, names, shaper).lowered()
    if isinstance(node, exp.Union):
        return _union(node, names, shaper)
    raise refused(node, f"{type(node).__name__.upper()} is not supported")


def _ctes(node: exp.Expression, names: Names, shaper: shape.Shaper) -> Names:
    clause = node.args.get("with_")
    if clause is None:
        return names
    if clause.args.get("recursive"):
        raise refused(clause, "WITH RECURSIVE is not supported")
    for cte in clause.expressions:
        only(cte, "this", "alias")
        found = lower_query(cte.this, names, shaper)
        given = [column.name for column in cte.args["alias"].columns]
        renamed = tuple((given[i] if i < len(given) else c[0], *c[1:]) for i, c in enumerate(found.columns))
        names = names.within({folded(cte.alias): found._replace(columns=renamed)})
    return names


class _Select:
    """One SELECT on its way down."""

    def __init__(self, node: exp.Select, names: Names, shaper: shape.Shaper) -> None:
        only(node, "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct",
             "with_", "kind", "hint")  # fmt: skip
        self.node = node
        self.shaper = shaper
        self.names = names
        source = node.args.get("from_")
        if source is None:
            self.source = Source(Values(((),)), (), 0)
        else:
            self.source = lower_from(source, node.args.get("joins") or [], names, self._query, shaper)
        self.aggregates = Aggregates(RowContext(self.source, "an aggregate"))
        self.entries = [entry for n in node.expressions for entry in _starred(n, self.source)]
        self.keys: list[Typed] = []
        self.grand = node.args.get("group") is None
        self.lowering: set[str] = set()

    def _query(self, node: exp.Query, names: Names) -> Selected:
        return lower_query(node, names, self.shaper)

    def lowered(self) -> Selected:
        rel = self._where(self.source.rel)
        grouped = self._group()
        items = [self._item(n) for n in self.entries]
        having = self._having()
        order, extra = self._order(items)
        grouped = grouped or bool(self.aggregates.found) or bool(having)
        if not (grouped or self.node.args.get("order") or self.node.args.get("distinct")):
            order = self._inherited(items, extra)
        outputs = [item.value for item in items] + extra
        if grouped:
            rel = self._grouped(rel, outputs, having)
        else:
            rel = Map(rel, (), tuple(value.expr for value in outputs))
        columns = tuple((item.name, item.value.type, item.value.wild) for item in items)
        if self.node.args.get("distinct"):
            rel = self._distinct(rel, columns, extra)
        return Selected(rel, columns, order, *_limit(self.node), tuple(value.type for value in extra))

    # WHERE

    def _where(self, rel: Rel) -> Rel:
        clause = self.node.args.get("where")
        if clause is None:
            return rel
        context = RowContext(self.source, "WHERE", aliases=self._aliases("WHERE"))
        timed: list[tuple[Typed, str, Typed]] = []
        for part in _parts(clause.this):
            if aggregates.holds(part):
                raise error(part, f"an aggregate in WHERE: {short(part)}", "HAVING filters groups")
            if _asks_time(part):
                timed += _temporal(part, context)
            else:
                rel = self.shaper.filter(rel, condition(part, context, "WHERE"))
        for value, op, bound in timed:
            rel = self.shaper.timed(rel, value.expr, op, bound.expr)
        return rel

    def _aliases(self, whole_rows: str = "") -> dict[str, Callable[[], Typed]]:
        """The select list's aliases, lowered when asked for; without aggregates in the clause `whole_rows`."""
        found = {}
        for entry in self.entries:
            if isinstance(entry, exp.Alias):
                found[folded(entry.alias)] = self._later(entry, whole_rows)
        return found

    def _later(self, entry: exp.Expression, whole_rows: str) -> Callable[[], Typed]:
        def lowered() -> Typed:
            name = folded(entry.alias)
            if name in self.lowering:
                raise error(entry, f"'{entry.alias}' is defined by itself")
            if whole_rows and aggregates.holds(entry):
                raise error(entry, f"an aggregate in {whole_rows}: {short(entry)}")
            self.lowering.add(name)
            try:
                return lower(entry.this, self._context())
            finally:
                self.lowering.discard(name)

        return lowered

    def _context(self, place: str = "the select list", keys: list[Expr] | None = None) -> RowContext:
        return RowContext(self.source, place, aliases=self._aliases(), keys=keys, aggregate=self.aggregates.lower)

    # GROUP BY

    def _group(self) -> bool:
        clause = self.node.args.get("group")
        if clause is None:
            return any(aggregates.holds(entry) for entry in self.entries)
        only(clause, "expressions", "all")
        nodes = clause.expressions
        if clause.args.get("all"):
            nodes = [entry for entry in self.entries if not aggregates.holds(entry) and entry.find(exp.Column)]
            if not nodes:
                self.grand = True
                return any(aggregates.holds(entry) for entry in self.entries)
        for node in nodes:
            key = self._key(node)
            if key.type == JSON:
                raise refused(node, f"json values cannot be compared: {short(node)}", "data ->> 'field'")
            if key.expr not in [k.expr for k in self.keys]:
                self.keys.append(key)
        return True

    def _key(self, node: exp.Expression) -> Typed:
        entry = self._ordinal(node)
        inner = entry.this if isinstance(entry, exp.Alias) else entry
        if aggregates.holds(inner):
            raise error(node, f"an aggregate in GROUP BY: {short(inner)}")
        return lower(inner, RowContext(self.source, "GROUP BY", aliases=self._aliases("GROUP BY")))

    def _ordinal(self, node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Literal) or node.args.get("is_string"):
            return node
        at = int(node.name) if node.name.isdigit() else 0
        if not 1 <= at <= len(self.entries):
            raise error(node, f"there is no column {node.name} in the select list: it has {len(self.entries)}")
        return self.entries[at - 1]

    def _grouped(self, rel: Rel, outputs: list[Typed], having: list[Expr]) -> Rel:
        keys = tuple(key.expr for key in self.keys)
        columns = tuple(self._over_groups(value.expr) for value in outputs)
        tests = tuple(self._over_groups(test) for test in having)
        return Aggregate(rel, keys, tuple(self.aggregates.found), tests, columns, self.grand)

    def _over_groups(self, expr: Expr) -> Expr:
        keys = [key.expr for key in self.keys]

        def swap(part: Expr) -> Expr | None:
            if isinstance(part, Col) and part.index >= FIRST:
                return Col(len(keys) + part.index - FIRST)
            if part in keys and not isinstance(part, Const):
                return Col(keys.index(part))
            if isinstance(part, Col):
                raise self._ungrouped(part)
            return None

        return shape.replace(expr, swap)

    def _ungrouped(self, column: Col) -> SqlError:
        name = next((f.name for f in self.source.fields if f.index == column.index), "?")
        node = next((n for n in self.node.find_all(exp.Column) if folded(n.name) == folded(name)), self.node)
        return error(node, f"column '{name}' is neither in GROUP BY nor in an aggregate", f"latest({name})")

    def _having(self) -> list[Expr]:
        clause = self.node.args.get("having")
        if clause is None:
            return []
        context = self._context("HAVING", [key.expr for key in self.keys])
        return list(shape.conjuncts(condition(clause.this, context, "HAVING")))

    # the select list

    def _item(self, entry: exp.Expression) -> Item:
        node = entry.this if isinstance(entry, exp.Alias) else entry
        self.lowering.add(folded(entry.alias))
        try:
            value = lower(node, self._context())
        finally:
            self.lowering.discard(folded(entry.alias))
        if value.type == types.MONTHS:
            raise refused(node, "an interval with months has no length", "INTERVAL '30 days'")
        return Item(entry.alias or _column_name(node), value, node)

    def _distinct(self, rel: Rel, columns: tuple[tuple[str, str, bool], ...], extra: list[Typed]) -> Rel:
        clause = self.node.args["distinct"]
        only(clause)
        if extra:
            raise error(self.node.args["order"], "with DISTINCT, ORDER BY can only name selected columns")
        if any(type == JSON for _, type, _ in columns):
            raise refused(self.node, "json values cannot be compared", "data ->> 'field'")
        keys = tuple(Col(i) for i in range(len(columns)))
        return Aggregate(rel, keys, (), (), keys)

    # ORDER BY

    def _order(self, items: list[Item]) -> tuple[tuple[Order, ...], list[Typed]]:
        clause = self.node.args.get("order")
        extra: list[Typed] = []
        if clause is None:
            return (), extra
        only(clause, "expressions")
        orders = [self._order_key(node, items, extra) for node in _ordered(clause, len(items))]
        return tuple(order for order in orders if order is not None), extra

    def _inherited(self, items: list[Item], extra: list[Typed]) -> tuple[Order, ...]:
        """The order of the one relation in FROM."""
        places = [(self._place_of(Typed(Col(o.index), o.type), items, extra), o) for o in self.source.order]
        return tuple(Order(at, o.type, o.desc, o.nulls_first) for at, o in places)

    def _order_key(self, node: exp.Expression, items: list[Item], extra: list[Typed]) -> Order | None:
        only(node, "this", "desc", "nulls_first")
        desc, nulls_first = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
        at = self._among(node.this, items)
        if at is None:
            value = lower(node.this, self._context("ORDER BY"))
            at = self._place_of(value, items, extra)
        type = items[at].value.type if at < len(items) else extra[at - len(items)].type
        if type in (JSON, types.MONTHS):
            raise refused(node, f"{types.spoken(type)} values have no order: {short(node)}", "data ->> 'field'")
        return Order(at, type, desc, nulls_first)

    def _among(self, node: exp.Expression, items: list[Item]) -> int | None:
        """The index of the item that an ordinal or an alias names."""
        if isinstance(node, exp.Literal) and not node.args.get("is_string"):
            self._ordinal(node)
            return int(node.name) - 1
        if isinstance(node, exp.Column) and not node.args.get("table"):
            names = [folded(item.name) for item in items]
            if folded(node.name) in names:
                return names.index(folded(node.name))
        return None

    def _place_of(self, value: Typed, items: list[Item], extra: list[Typed]) -> int:
        values = [item.value for item in items] + extra
        for i, known in enumerate(values):
            if known.expr == value.expr:
                return i
        extra.append(value)
        return len(values)


def _ordered(clause: exp.Expression, width: int) -> list[exp.Expression]:
    """ORDER BY's entries; ORDER BY ALL means every column."""
    nodes = clause.expressions
    first = nodes[0].this if len(nodes) == 1 else None
    if isinstance(first, exp.Column) and first.name.lower() == "all" and not first.this.args.get("quoted"):
        desc, nulls = nodes[0].args.get("desc"), nodes[0].args.get("nulls_first")
        return [exp.Ordered(this=exp.Literal.number(i + 1), desc=desc, nulls_first=nulls) for i in range(width)]
    return list(nodes)


def _starred(node: exp.Expression, source: Source) -> list[exp.Expression]:
    """`*` and `t.*` written out."""
    star = node if isinstance(node, exp.Star) else node.this if isinstance(node, exp.Column) else None
    if not isinstance(star, exp.Star):
        return [node]
    only(star, "except_")
    table = node.table if isinstance(node, exp.Column) else ""
    left_out = {folded(n.name) for n in star.args.get("except_") or ()}
    fields = [f for f in source.fields if not table or folded(f.table) == folded(table)]
    if not fields:
        raise error(node, f"there is no table '{table}' here" if table else "SELECT * needs a FROM")
    found: list[exp.Expression] = []
    seen: set[str] = set()
    for field in fields:
        name = folded(field.name)
        if name in left_out or (not table and name in source.merged and name in seen):
            continue
        seen.add(name)
        owner = None if not table and name in source.merged else exp.to_identifier(field.table, quoted=True)
        found.append(exp.Column(this=exp.to_identifier(field.name, quoted=True), table=owner))
    return found


def _column_name(node: exp.Expression) -> str:
    """DuckDB's name for an unnamed column, as near as matters."""
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, exp.Count) and (node.this is None or isinstance(node.this, exp.Star)):
        return "count_star()"
    if isinstance(node, exp.Paren):
        return _column_name(node.this)
    text = node.sql("duckdb", comments=False, normalize_functions="lower")
    return text if isinstance(node, exp.Func | exp.Literal) else f"({text})"


def _limit(node: exp.Expression) -> tuple[int | None, int]:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is not None and not isinstance(limit, exp.Limit):
        raise refused(limit, f"{short(limit)} is not supported", "LIMIT 10")
    if limit is not None:
        only(limit, "expression")
    count = _whole(limit.expression, "LIMIT") if limit is not None else None
    return count, _whole(offset.expression, "OFFSET") if offset is not None else 0


def _whole(node: exp.Expression, clause: str) -> int:
    if not isinstance(node, exp.Literal) or node.args.get("is_string") or not node.name.isdigit():
        raise refused(node, f"{clause} takes a whole number, not {short(node)}", f"{clause} 10")
    return int(node.name)


# temporal filters


def _parts(node: exp.Expression) -> list[exp.Expression]:
    """The conditions that AND joins; BETWEEN counts as two where the clock is asked."""
    if isinstance(node, exp.Paren):
        return _parts(node.this)
    if isinstance(node, exp.And):
        return _parts(node.this) + _parts(node.expression)
    if isinstance(node, exp.Between) and _asks_time(node):
        value, low, high = node.this, node.args["low"], node.args["high"]
        return [exp.GTE(this=value, expression=low), exp.LTE(this=value.copy(), expression=high)]
    return [node]


def _asks_time(node: exp.Expression) -> bool:
    clocks = ("now", "current_timestamp", "get_current_timestamp")
    return any(
        isinstance(n, exp.CurrentTimestamp | exp.CurrentDate) or (isinstance(n, exp.Anonymous) and n.name.lower() in clocks)
        for n in node.walk()
    )


TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
OPS = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
MONOTONE = (
    exp.Add, exp.Sub, exp.Paren, exp.Interval, exp.Anonymous, exp.CurrentTimestamp, exp.CurrentDate, exp.Cast, exp.TimestampTrunc,
    exp.DateTrunc, exp.DateBin, exp.Literal, exp.Var, exp.DataType,
)  # fmt: skip
"""What the clock's side may be made of: each never falls while the clock rises."""


def _temporal(node: exp.Expression, context: RowContext) -> list[tuple[Typed, str, Typed]]:
    """Row value, comparison, bound over the clock."""
    form = "time > now() - INTERVAL '5 minutes'"
    if type(node) not in OPS:
        raise refused(node, f"now() can only bound a time with > >= < <= or BETWEEN: {short(node)}", form)
    left, right, op = node.this, node.expression, OPS[type(node)]
    if _asks_time(left) and _asks_time(right):
        raise refused(node, f"now() stands on both sides: {short(node)}", form)
    if _asks_time(left):
        left, right, op = right, left, TURNED[op]
    for part in right.walk():
        if not isinstance(part, MONOTONE):
            raise refused(part, f"this is not supported beside now(): {short(right)}", form)
    if isinstance(right, exp.Sub) and _asks_time(right.expression):
        raise refused(right, f"the clock is subtracted: {short(right)}", form)
    value, bound = lower(left, context), lower(right, ClockContext())
    if value.type not in TIMES or bound.type not in TIMES:
        raise error(node, f"comparison of {types.spoken(value.type)} with the clock: {short(node)}", form)
    return [(value, op, bound)]


# unions


def _union(node: exp.Union, names: Names, shaper: shape.Shaper) -> Selected:
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    left, right = lower_query(node.this, names, shaper), lower_query(node.expression, names, shaper)
    if len(left.columns) != len(right.columns):
        raise error(node.expression, f"UNION of {len(left.columns)} and {len(right.columns)} columns")
    one, two = left.source("l"), right.source("r")
    pairs = [_union_column(a, b, node) for a, b in zip(one.fields, two.fields, strict=True)]
    rels = tuple(Map(s.rel, (), tuple(p[i].expr for p in pairs)) for i, s in enumerate((one, two)))
    columns = tuple((c[0], p[0].type, p[0].wild or p[1].wild) for c, p in zip(left.columns, pairs, strict=True))
    rel: Rel = Union(rels)
    if node.args.get("distinct"):
        if any(type == JSON for _, type, _ in columns):
            raise refused(node, "json values cannot be compared", "data ->> 'field'")
        keys = tuple(Col(i) for i in range(len(columns)))
        rel = Aggregate(rel, keys, (), (), keys)
    return Selected(rel, columns, _union_order(node, columns), *_limit(node))


def _union_column(left: Field, right: Field, node: exp.Expression) -> tuple[Typed, Typed]:
    both = types.common(left.type, right.type)
    if both is None:
        (left_type, right_type) = types.spoken(left.type), types.spoken(right.type)
        raise error(node, f"UNION of {left_type} and {right_type} in column '{left.name}'", "cast one of them")
    return to_type(left.typed(), both, node), to_type(right.typed(), both, node)


def _union_order(node: exp.Expression, columns: tuple[tuple[str, str, bool], ...]) -> tuple[Order, ...]:
    clause = node.args.get("order")
    if clause is None:
        return ()
    names = [folded(name) for name, _, _ in columns]
    found = []
    for entry in _ordered(clause, len(columns)):
        only(entry, "this", "desc", "nulls_first")
        inner = entry.this
        if isinstance(inner, exp.Literal) and inner.name.isdigit() and 1 <= int(inner.name) <= len(names):
            at = int(inner.name) - 1
        elif isinstance(inner, exp.Column) and folded(inner.name) in names:
            at = names.index(folded(inner.name))
        else:
            raise refused(entry, f"after UNION, ORDER BY can only name columns: {short(inner)}")
        if columns[at][1] == JSON:
            raise refused(entry, "json values have no order")
        found.append(Order(at, columns[at][1], bool(entry.args.get("desc")), bool(entry.args.get("nulls_first"))))
    return tuple(found)

