"""SQL text to a plan: parse, then lower. The one module of the compile path that the engine asks, and only when no
plan is cached.

The dialect means what DuckDB means, but for what a live query must not do, which is to stop on a row, and for what
DuckDB leaves open:
- where DuckDB would stop with an error (a cast to what does not hold the value, a division of whole numbers by
  zero, a unit of time that a column misspells), the value is NULL, but + - * and abs of whole numbers and decimals stay
  exact beyond 64 bits and 38 digits; a CAST of text, which may fail on any row, is refused for TRY_CAST
- text that reads as an infinite time is NULL, and NaN is written 'nan' whatever its sign
- sums of floats are exact, rounded once, whatever the rows' order; only over the log, whose rows do not go, values
  are added one by one in its order; of 0.0 and -0.0, which are equal, a group shows one
- among equal keys arg_max takes the greatest value and arg_min the least, any_value gives the least of all, and mode
  the least of the most frequent; LIMIT, DISTINCT ON and windows, over what their order leaves tied, go by all
  columns; of several rows that are as near, ASOF takes the last by all columns
- a scalar subquery of several rows is NULL
- a decimal is exact inside a query and leaves it as a float
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot.errors import SqlglotError

from dataflow.sql.budget import budgeted
from dataflow.sql.deep import work_deep
from dataflow.sql.errors import Refused, SqlError, only_sql_errors
from dataflow.sql.expressions import (
    arithmetic,
    bits,
    calls,
    conditionals,
    logic,
    ordered_aggregates,
    pattern_calls,
    statistics,
    time_calls,
)
from dataflow.sql.expressions.casts import Typed, rescale
from dataflow.sql.parsing.parse import parse
from dataflow.sql.plan import types
from dataflow.sql.plan.codec import is_finished
from dataflow.sql.plan.nodes import Col, Const, Expr, Map, Order, Query, Rel
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.queries.from_clause import Catalogue, Names
from dataflow.sql.queries.lowered_query import Selected
from dataflow.sql.queries.query import lower_query

RULES = (logic, arithmetic, bits, conditionals, calls, time_calls, pattern_calls, statistics, ordered_aggregates)
"""The modules whose rules `expressions/lower.py` and `expressions/aggregates.py` then know."""


class Compiler:
    """The catalogue of one engine, ready to compile queries against."""

    def __init__(
        self,
        relations: Mapping[str, Mapping[str, str]],
        kinds: Mapping[str, Sequence[str]],
        envelope: int,
        views: Mapping[str, str],
    ) -> None:
        held = {name: dict(columns) for name, columns in relations.items()}
        self.catalogue = Catalogue(held, {kind: tuple(own) for kind, own in kinds.items()}, envelope)
        events = list(held.get("events", ()))
        self.pusher = FilterPusher(events.index("type") if "type" in events else None)
        for name, sql in views.items():
            self.catalogue.views[name] = self._view(name, sql)

    def _view(self, name: str, sql: str) -> Callable[[], Selected]:
        """Lowers the view when it is first used."""
        held: list[Selected] = []
        busy: list[str] = []

        def lowered() -> Selected:
            if busy:
                raise SqlError(f"the view '{name}' is defined by itself")
            if not held:
                busy.append(name)
                try:
                    held.append(self._lower(sql))
                except SqlError as error:
                    raise SqlError(f"in the view '{name}': {error.message}", 0, 0, error.hint) from error.__cause__
                finally:
                    busy.clear()
            return held[0]

        return lowered

    def _lower(self, sql: str) -> Selected:
        try:
            return lower_query(parse(sql), Names(self.catalogue, {}), self.pusher)
        except SqlError as error:
            if error.line or error.message.startswith("in the view"):
                raise
            raise type(error)(error.message, 1, 1, error.hint) from error.__cause__
        except SqlglotError as error:
            raise SqlError("the query cannot be read: " + str(error).split("\n")[0], 1, 1) from error

    def query(self, sql: str) -> Query:
        """The plan of one live query. Raises SqlError, and nothing else."""
        with budgeted(), only_sql_errors():
            try:
                return self._query(sql)
            except RecursionError:
                return work_deep(lambda: self._query(sql))
            finally:
                self.pusher.begin()

    def _query(self, sql: str) -> Query:
        found = self._lower(sql)
        query = Query(
            tuple(name for name, _, _ in found.columns),
            tuple(types.shown(type) for _, type, _ in found.columns),
            *shown(found),
        )
        if not is_finished(query):
            raise Refused("an aggregate or a subquery stands where its value is not known yet", 0, 0, "a CTE for it")
        return query


def shown(found: Selected) -> tuple[Rel, tuple[Order, ...]]:
    """The root relation, its decimals made floats, and its order."""
    kinds = [type for _, type, _ in found.columns] + list(found.hidden)
    order = found.total()
    if not any(types.is_decimal(kind) or kind == types.NULL for kind in kinds):
        return found.top(), order
    columns = tuple(_out(Typed(Col(i), kind)) for i, kind in enumerate(kinds))
    turned = tuple(Order(o.index, types.shown(o.type), o.desc, o.nulls_first) for o in order)
    return Map(found.top(), (), columns), turned


def _out(value: Typed) -> Expr:
    if types.is_decimal(value.type):
        return rescale(value, types.FLOAT).expr
    return Const(None, types.TEXT) if value.type == types.NULL else value.expr
