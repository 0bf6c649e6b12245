"""SELECT and UNION: a query's tree to a plan.

The order is SQL's own: FROM, WHERE (with the temporal filters taken out), GROUP BY and aggregates, HAVING, window
functions, QUALIFY, the select list, DISTINCT, ORDER BY, LIMIT. In a grouped query every expression is first lowered
over the input rows, aggregates and window functions standing as slots; then what equals a
key becomes that key, and a column still left is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlglot import exp

from dataflow.sql.errors import SqlError
from dataflow.sql.expressions import aggregates
from dataflow.sql.expressions.aggregates import Aggregates
from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import condition, lower
from dataflow.sql.expressions.scope import RowContext, Source, folded, resolve
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import rewrite, types
from dataflow.sql.plan.distinct import distinct, distinct_on
from dataflow.sql.plan.nodes import Aggregate, AggregateSlot, Call, Col, Const, Expr, Map, Order, Rel, Slot, Values
from dataflow.sql.plan.prune_columns import narrowed
from dataflow.sql.plan.push_filters import Shaper
from dataflow.sql.plan.types import JSON
from dataflow.sql.queries.from_clause import Names, lower_from
from dataflow.sql.queries.group_subqueries import Late
from dataflow.sql.queries.grouping_sets import GROUPING, MANY, holds_sets, over_sets, sets_of
from dataflow.sql.queries.join_subqueries import ask_later
from dataflow.sql.queries.lowered_query import Selected, limits
from dataflow.sql.queries.ordering import Item, Ordering
from dataflow.sql.queries.select_list import column_name, starred
from dataflow.sql.queries.set_operations import lower_union
from dataflow.sql.queries.subqueries import Membership, Nested, membership, scalars
from dataflow.sql.queries.temporal import asks_time, temporal, where_parts
from dataflow.sql.queries.windows import Windows


def lower_query(node: exp.Expr, names: Names, shaper: Shaper) -> Selected:
    """Any query, with its CTEs; the same node under the same names once."""
    if id(node) not in names.lowered:
        names.lowered[id(node)] = node, _lower_query(node, names, shaper)
    return names.lowered[id(node)][1]


def _lower_query(node: exp.Expr, names: Names, shaper: Shaper) -> Selected:
    if isinstance(node, exp.Subquery):
        only(node, "this")
        return lower_query(node.this, names, shaper)
    names = _ctes(node, names, shaper)
    if isinstance(node, exp.Select):
        return _Select(node, names, shaper).lowered()
    if isinstance(node, exp.SetOperation):
        return lower_union(node, names, lambda inner, within: lower_query(inner, within, shaper))
    raise refused(node, f"{type(node).__name__.upper()} is not supported")


def _ctes(node: exp.Expr, names: Names, shaper: Shaper) -> Names:
    clause = node.args.get("with_")
    if clause is None:
        return names
    if clause.args.get("recursive"):
        raise refused(clause, "WITH RECURSIVE is not supported")
    said: set[str] = set()
    for cte in clause.expressions:
        if folded(cte.alias) in said:
            raise error(cte, f"two parts of WITH are called '{cte.alias}'")
        said.add(folded(cte.alias))
        only(cte, "this", "alias", "materialized")
        found = lower_query(cte.this, names, shaper)
        given = [column.name for column in cte.args["alias"].columns]
        renamed = tuple((given[i] if i < len(given) else c[0], *c[1:]) for i, c in enumerate(found.columns))
        names = names.within({folded(cte.alias): found._replace(columns=renamed)})
    return names


def _asking(part: exp.Expr) -> tuple[exp.Expr | None, ...]:
    """What of a condition may hold subqueries that are values: EXISTS and IN by themselves are joins."""
    found = membership(part)
    return (part,) if found is None else (found.value,)


class _Select:
    """One SELECT on its way down."""

    def __init__(self, node: exp.Select, names: Names, shaper: Shaper) -> None:
        only(node, "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct",
             "with_", "kind", "hint", "windows", "qualify")  # fmt: skip
        self.node = node
        self.shaper = shaper
        self.names = names
        ask_later(node)
        source = node.args.get("from_")
        if source is None:
            self.source = Source(Values(((),)), (), 0)
        else:
            self.source = lower_from(source, node.args.get("joins") or [], names, self._query, shaper)
        if not node.expressions:
            raise error(node, "nothing is selected", "SELECT *")
        self.entries = [entry for n in node.expressions for entry in starred(n, self.source)]
        self.nested = Nested(names, self._query, shaper)
        self.values: dict[int, Typed] = {}
        self.applied: set[int] = set()
        self.late = Late(self.nested, shaper, self._scalars())
        self.aggregates = Aggregates(
            RowContext(self.source, "an aggregate", aggregate=self._nested, subquery=self._scalar)
        )
        self.windows = Windows(node.args.get("windows") or [], shaper)
        self.keys: list[Typed] = []
        self.sets: list[tuple[int, ...]] | None = None
        self.said: dict[int, exp.Expr] = {}
        self.grand = node.args.get("group") is None
        self.lowering: set[str] = set()
        self.known: dict[int, Typed] = {}
        self.named: dict[str, dict[str, Callable[[], Typed]]] = {}
        self.at = len(self.entries)

    def _nested(self, node: exp.Expr) -> Typed | None:
        return self.aggregates.lower(node)

    def _query(self, node: exp.Expr, names: Names) -> Selected:
        return lower_query(node, names, self.shaper)

    def lowered(self) -> Selected:
        rel = self._where(self.source.rel)
        grouped = self._group()
        items = [self._item(at, n) for at, n in enumerate(self.entries)]
        self.at = len(items)
        having = self._having()
        ordering = Ordering(items, self.entries, lambda n: lower(n, self._context("ORDER BY")), self._ordinal)
        order, on, extra = ordering.keys(self.node.args.get("order")), ordering.on(self.node), ordering.extra
        grouped = grouped or bool(self.aggregates.found) or bool(having)
        if not (grouped or self.node.args.get("order") or self.node.args.get("distinct")):
            order = ordering.inherited(self.source.order)
        qualify = self._qualify()
        outputs = [item.value.expr for item in items] + [value.expr for value in extra]
        rel = self._selected(rel, outputs, having, qualify, grouped=grouped)
        columns = tuple((item.name, item.value.type, item.value.wild) for item in items)
        if self.node.args.get("distinct"):
            rel = self._distinct(rel, columns, order, extra, on)
        return Selected(rel, columns, order, *limits(self.node), tuple(value.type for value in extra))

    def _selected(
        self, rel: Rel, outputs: list[Expr], having: list[Expr], qualify: list[Expr], *, grouped: bool
    ) -> Rel:
        """The select list over the rows or groups, and over the window functions of these."""

        def rows(columns: Sequence[Expr]) -> Rel:
            return self._grouped(rel, columns, having) if grouped else narrowed(Map(rel, (), tuple(columns)))

        if not self.windows.found:
            return rows([self._over_groups(each) for each in outputs] if grouped else outputs)
        if self.late.found:
            raise refused(self.node, "window functions over groups beside a subquery are not supported")
        if grouped:
            self.windows.over(self._over_groups)
            outputs, qualify = ([self._over_groups(each) for each in part] for part in (outputs, qualify))
        return self.windows.apply(rows, outputs, qualify)

    def _scalars(self) -> list[exp.Expr]:
        """Join the values of scalar subqueries to every row. Those left are for the groups."""
        where = self.node.args.get("where")
        listed = [*self.node.expressions, *(self.node.args.get(name) for name in ("having", "order", "qualify"))]
        late = list(scalars(*listed))
        parts = where_parts(where.this) if where is not None else ()
        early = [node for part in parts for node in scalars(*_asking(part))]
        if early or late:
            self._plain_conditions(parts)
        grouped = self.node.args.get("group") or any(aggregates.holds(entry) for entry in self.entries)
        keyed = {id(node) for node in scalars(*self._keyed())}
        waiting = [n for n in late if grouped and id(n) not in keyed and not aggregates.inside_one(n, self.node)]
        later = {id(node) for node in waiting}
        for node in [*early, *late]:
            if id(node) not in later:
                self.source, self.values[id(node)] = self.nested.scalar(node, self.source)
        return waiting

    def _keyed(self) -> list[exp.Expr]:
        """The entries of the select list that GROUP BY names: they are asked for the rows."""
        clause = self.node.args.get("group")
        if clause is None or clause.args.get("all"):
            return [entry for entry in self.entries if clause is not None and not aggregates.holds(entry)]
        columns = clause.find_all(exp.Column)
        said = {folded(n.name) for n in columns if not n.table and not self._is_column(n)}
        said |= {n.name for n in clause.find_all(exp.Literal) if not n.is_string}
        return [n for at, n in enumerate(self.entries, 1) if said & {folded(n.alias), str(at)}]

    def _plain_conditions(self, parts: Sequence[exp.Expr]) -> None:
        """What WHERE asks of the rows alone, so that subqueries are asked for the rows that are left."""
        for part in parts:
            if part.find(exp.Query, exp.AggFunc) or asks_time(part):
                continue
            with suppress(SqlError):  # it names an alias, or is wrong, which is told in its place
                test = condition(part, RowContext(self.source, "WHERE"), "WHERE")
                self.source = self.source._replace(rel=self.shaper.filter(self.source.rel, test))
                self.applied.add(id(part))

    def _scalar(self, node: exp.Expr) -> Typed:
        found = self.values.get(id(node))
        if id(node) in self.late.waiting:
            return self.late.lower(node, self.source.rel, self.source, self.keys)
        if found is None:
            raise refused(node, f"a subquery is not supported here: {short(node)}", "join it in FROM")
        return found

    # WHERE

    def _where(self, rel: Rel) -> Rel:
        clause = self.node.args.get("where")
        if clause is None:
            return rel
        context = RowContext(self.source, "WHERE", aliases=self._aliases("WHERE"), subquery=self._scalar)
        timed: list[tuple[Typed, str, Typed]] = []
        asked: list[Membership] = []
        tests: list[Expr] = []
        for part in where_parts(clause.this):
            if id(part) in self.applied:
                continue
            if aggregates.holds(part):
                raise error(part, f"an aggregate in WHERE: {short(part)}", "HAVING filters groups")
            found = membership(part)
            if found is not None:
                asked.append(found)
            elif asks_time(part):
                timed += temporal(part, context)
            else:
                tests += rewrite.conjuncts(condition(part, context, "WHERE"))
        rel = self.shaper.filter_all(rel, tests)
        for each in asked:
            rel = self.nested.filtered(self.source._replace(rel=rel), each)
        for value, op, bound in timed:
            rel = self.shaper.timed(rel, value.expr, op, bound.expr)
        return rel

    def _aliases(self, whole_rows: str = "") -> dict[str, Callable[[], Typed]]:
        """The select list's aliases, lowered when asked for; without aggregates in the clause `whole_rows`."""
        if whole_rows not in self.named:
            self.named[whole_rows] = {
                folded(entry.alias): self._later(at, entry, whole_rows)
                for at, entry in enumerate(self.entries) if isinstance(entry, exp.Alias)
            }  # fmt: skip
        return self.named[whole_rows]

    def _later(self, at: int, entry: exp.Expr, whole_rows: str) -> Callable[[], Typed]:
        def lowered() -> Typed:
            name = folded(entry.alias)
            if name in self.lowering:
                raise error(entry, f"'{entry.alias}' is defined by itself")
            if at > self.at:
                raise error(entry, f"'{entry.alias}' is read before it is defined: {short(entry)}")
            if whole_rows and entry.find(exp.Window):
                raise error(entry, f"a window function in {whole_rows}: {short(entry)}", "QUALIFY filters by it")
            if whole_rows and aggregates.holds(entry):
                raise error(entry, f"an aggregate in {whole_rows}: {short(entry)}")
            return self._entry(at, entry)

        return lowered

    def _entry(self, at: int, entry: exp.Expr) -> Typed:
        """The value of an entry of the select list, lowered once."""
        if at not in self.known:
            name = folded(entry.alias)
            self.lowering.add(name)
            try:
                self.known[at] = lower(entry.this if isinstance(entry, exp.Alias) else entry, self._context())
            finally:
                self.lowering.discard(name)
        return self.known[at]

    def _context(self, place: str = "the select list", keys: list[Expr] | None = None) -> RowContext:
        known = self._aliases()
        return RowContext(self.source, place, aliases=known, keys=keys, aggregate=self._found, subquery=self._scalar)

    def _found(self, node: exp.Expr) -> Typed | None:
        """A window function or an aggregate, as a column to come."""
        if isinstance(node, exp.Grouping | exp.GroupingId):
            return self._grouping(node)
        if isinstance(node, exp.Window):
            return self.windows.lower(node, self._context("a window"))
        return self.aggregates.lower(node)

    # GROUP BY

    def _group(self) -> bool:
        clause = self.node.args.get("group")
        if clause is None:
            return any(aggregates.holds(entry) for entry in self.entries)
        only(clause, "expressions", "all")
        nodes = clause.expressions
        if clause.args.get("all") is False:
            raise refused(clause, f"GROUP BY DISTINCT is not supported: {short(clause)}", "GROUP BY a")
        if not nodes and not clause.args.get("all"):
            raise error(self.node, "GROUP BY needs a key", "GROUP BY a")
        if clause.args.get("all"):
            if nodes:
                raise error(nodes[0], "GROUP BY ALL stands alone", "GROUP BY ALL, or the keys")
            nodes = [entry for entry in self.entries if not aggregates.holds(entry) and entry.find(exp.Column)]
            if not nodes:
                self.grand = True
                return any(aggregates.holds(entry) for entry in self.entries)
        if holds_sets(nodes):
            found = sets_of(nodes)
            if len(found) > MANY:
                raise refused(nodes[0], f"{len(found)} grouping sets are too many", "GROUPING SETS ((a), (a, b))")
            self.sets = [self._set(each) for each in found]
            self.grand = False
            if not self.keys and len(self.sets) > 1:
                raise refused(nodes[0], "grouping sets without any key are not supported")
            if any(key.literal for key in self.keys):
                raise refused(nodes[0], f"a literal is no key of grouping sets: {short(nodes[0])}")
            return True
        for node in nodes:
            self._key_place(node)
        return True

    def _set(self, nodes: Sequence[exp.Expr]) -> tuple[int, ...]:
        """The keys of one grouping set. To DuckDB two names of one value are two keys, here they would be one."""
        places = {}
        for node in nodes:
            place = self._key_place(node)
            known = self.said.setdefault(place, node)
            if known != node and not all(isinstance(n, exp.Column) and self._is_column(n) for n in (known, node)):
                raise refused(node, f"{short(known)} and {short(node)} are one value in grouping sets", "GROUP BY 1, 2")
            places[place] = True
        return tuple(sorted(places))

    def _is_column(self, node: exp.Column) -> bool:
        return resolve(node, self.source) is not None

    def _key_place(self, node: exp.Expr) -> int:
        """Which of the keys the node is."""
        key = self._key(node)
        if key.type == JSON:
            raise refused(node, f"json values cannot be compared: {short(node)}", "data ->> 'field'")
        known = [each.expr for each in self.keys]
        if key.expr not in known:
            self.keys.append(key)
            return len(known)
        return known.index(key.expr)

    def _grouping(self, node: exp.Expr) -> Typed:
        """grouping(a, b): which of the keys the row's set leaves out; a call that `grouping.py` makes a number of."""
        context = RowContext(self.source, "grouping", aliases=self._aliases("grouping"))
        args = tuple(lower(arg, context).expr for arg in node.expressions)
        missing = next((arg for arg in args if arg not in [key.expr for key in self.keys]), None)
        if missing is not None:
            raise error(node, f"grouping takes keys of GROUP BY: {short(node)}")
        return Typed(Call(GROUPING, args, strict=False) if self.sets else Const(0, types.INT), types.INT)

    def _key(self, node: exp.Expr) -> Typed:
        entry = self._ordinal(node)
        inner = entry.this if isinstance(entry, exp.Alias) else entry
        if aggregates.holds(inner):
            raise error(node, f"an aggregate in GROUP BY: {short(inner)}")
        known = self._aliases("GROUP BY")
        return lower(inner, RowContext(self.source, "GROUP BY", aliases=known, subquery=self._scalar))

    def _ordinal(self, node: exp.Expr) -> exp.Expr:
        node = node.unnest()
        if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
            raise error(node, f"there is no column {short(node)} in the select list")
        if not isinstance(node, exp.Literal) or node.args.get("is_string"):
            return node
        at = int(node.name) if node.name.isdigit() else 0
        if not 1 <= at <= len(self.entries):
            raise error(node, f"there is no column {node.name} in the select list: it has {len(self.entries)}")
        return self.entries[at - 1]

    def _grouped(self, rel: Rel, columns: Sequence[Expr], having: list[Expr]) -> Rel:
        """`columns` over the keys and aggregates."""
        keys = tuple(key.expr for key in self.keys)
        tests = tuple(self._over_groups(test) for test in having)
        whole = Aggregate(rel, keys, tuple(self.aggregates.found), tests, tuple(columns), self.grand)
        if self.late.found and self.sets:
            raise refused(self.node, "grouping sets beside a subquery are not supported", "a subquery in FROM")
        if self.late.found:
            return self.late.over(whole, self.source, self.keys, columns)
        return over_sets(whole, self.keys, self.sets, columns) if self.sets else narrowed(whole)

    def _over_groups(self, expr: Expr) -> Expr:
        keys = [key.expr for key in self.keys]

        def swap(part: Expr) -> Expr | None:
            if isinstance(part, AggregateSlot):
                return Col(len(keys) + part.n)
            if isinstance(part, Slot):
                return part
            if part in keys and not isinstance(part, Const):
                return Col(keys.index(part))
            if isinstance(part, Col):
                raise self._ungrouped(part)
            return None

        return rewrite.replace(expr, swap)

    def _ungrouped(self, column: Col) -> SqlError:
        name = next((f.name for f in self.source.fields if f.at == column.index), "?")
        node = next((n for n in self.node.find_all(exp.Column) if folded(n.name) == folded(name)), self.node)
        return error(node, f"column '{name}' is neither in GROUP BY nor in an aggregate", f"latest({name})")

    def _having(self) -> list[Expr]:
        clause = self.node.args.get("having")
        if clause is None:
            return []
        context = self._context("HAVING", [key.expr for key in self.keys])
        if clause.find(exp.Window):
            raise error(clause, f"a window function in HAVING: {short(clause.this)}", "QUALIFY filters by it")
        return list(rewrite.conjuncts(condition(clause.this, context, "HAVING")))

    def _qualify(self) -> list[Expr]:
        clause = self.node.args.get("qualify")
        if clause is None:
            return []
        tests = list(rewrite.conjuncts(condition(clause.this, self._context("QUALIFY"), "QUALIFY")))
        if not self.windows.found:
            raise error(clause, "QUALIFY needs a window function", "WHERE, or HAVING")
        return tests

    # the select list

    def _item(self, at: int, entry: exp.Expr) -> Item:
        self.at = at
        node = entry.this if isinstance(entry, exp.Alias) else entry
        value = self._entry(at, entry)
        if value.type == types.MONTHS:
            raise refused(node, "an interval with months has no length", "INTERVAL '30 days'")
        return Item(entry.alias or column_name(node), value, node)

    def _distinct(
        self,
        rel: Rel,
        columns: tuple[tuple[str, str, bool], ...],
        order: tuple[Order, ...],
        extra: list[Typed],
        on: list[int],
    ) -> Rel:
        clause = self.node.args["distinct"]
        only(clause, "on")
        kinds = [type for _, type, _ in columns] + [value.type for value in extra]
        if any(kinds[at] == JSON for at in on or range(len(columns))):
            raise refused(self.node, "json values cannot be compared", "data ->> 'field'")
        if on:
            return distinct_on(rel, len(kinds), on, order)
        if extra:
            raise error(self.node.args["order"], "with DISTINCT, ORDER BY can only name selected columns")
        return distinct(rel, len(columns))
