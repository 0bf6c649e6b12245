"""The plan: what a query is once names, types and NULLs are settled. Serialisable; knows nothing of any parser.

Expressions are over the columns of one input row, by index:

- of a join, through the left row, then the right row;
- of an aggregate's `having` and `columns`, through its keys, then its aggregates;
- what has no column yet is a `Slot`, which no finished plan holds.

`Call.code` is a Python expression with `{0}`, `{1}` … for its arguments, over the names that `runtime/namespace.py`
exports: so a plan from the cache becomes code without the function catalogue. A strict call is NULL when an argument
is NULL, and its code is run only when none is. `nullable` says that the code itself may give None.

Equal parts are one object (`interned.py`). So a plan is a graph in which each part stands once; it is compared by
identity, and queries share state. Passes over it visit each part once, in a loop.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast

from dataflow.sql.plan.interned import Interned

T = TypeVar("T", bound="Node")


class Node(Interned, frozen=True):
    """Any part of a plan."""


class Col(Node, frozen=True):
    index: int


class Const(Node, frozen=True):
    """A literal. `type` keeps 1, 1.0 and TRUE apart, which Python takes for equal."""

    holds_constants: ClassVar[bool] = True
    value: bool | int | float | str | None
    type: str


class Pool(Node, frozen=True):
    """A set of literals of one type: the right side of IN."""

    holds_constants: ClassVar[bool] = True
    values: tuple[bool | int | float | str, ...]


class Call(Node, frozen=True):
    code: str
    args: tuple[Expr, ...]
    strict: bool = True
    nullable: bool = False


class And(Node, frozen=True):
    args: tuple[Expr, ...]


class Or(Node, frozen=True):
    args: tuple[Expr, ...]


class Not(Node, frozen=True):
    arg: Expr


class IsNull(Node, frozen=True):
    arg: Expr


class Coalesce(Node, frozen=True):
    args: tuple[Expr, ...]


class Case(Node, frozen=True):
    """The value of the first condition that is true, else `default`."""

    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr


Expr = Col | Const | Pool | Call | And | Or | Not | IsNull | Coalesce | Case
"""An expression of a finished plan: its type has no `Slot` at any depth."""


class Slot(Node, frozen=True):
    """The nth value of a kind that has no column yet."""

    n: int


class AggregateSlot(Slot, frozen=True):
    """The nth aggregate of a SELECT, while that is lowered."""


class WindowSlot(Slot, frozen=True):
    """The nth window function of a SELECT, while that is lowered."""


class SubquerySlot(Slot, frozen=True):
    """The nth subquery over the groups of a SELECT, while that is lowered."""


class LookupSlot(Slot, frozen=True):
    """A column of the row that the nth lookup of a generated loop finds."""

    column: int


def placed(slot: Slot) -> Expr:
    """The slot in an expression that is not finished: the one place where a slot passes for an expression."""
    return cast(Expr, slot)


class Scan(Node, frozen=True):
    """A relation's rows; of `events` only those of the event types in `kinds`, unless that is empty."""

    relation: str
    kinds: tuple[str, ...] = ()


class Values(Node, frozen=True):
    """Rows written in the query."""

    holds_constants: ClassVar[bool] = True
    rows: tuple[tuple[bool | int | float | str | None, ...], ...]


class Map(Node, frozen=True):
    """The rows for which every expression of `where` is true, as `columns`; as they are if `columns` is None."""

    input: Rel
    where: tuple[Expr, ...]
    columns: tuple[Expr, ...] | None


class Join(Node, frozen=True):
    """Kinds: inner, left, semi, anti. `on` is over both rows; keys are compared by equality, NULL matches nothing."""

    kind: str
    left: Rel
    right: Rel
    left_keys: tuple[Expr, ...]
    right_keys: tuple[Expr, ...]
    on: tuple[Expr, ...]
    widths: tuple[int, int]


class AsOf(Node, frozen=True):
    """Each left row with the right row of its keys that is nearest by `values`, a column of each side: `op` (>= > <= <)
    compares the left one with the right one. Kinds: inner, left. `type` is that of the values.
    """

    kind: str
    left: Rel
    right: Rel
    left_keys: tuple[Expr, ...]
    right_keys: tuple[Expr, ...]
    values: tuple[int, int]
    op: str
    type: str
    widths: tuple[int, int]


class Timed(Node, frozen=True):
    """Rows for which `value` compared (by `op`: > >= < <=) with `bound` is true; `bound` is over the clock, Col(0)."""

    input: Rel
    value: Expr
    op: str
    bound: Expr


class Agg(Node, frozen=True):
    """One aggregate. `kind` names the accumulator in `codegen/accumulators.py`."""

    kind: str
    args: tuple[Expr, ...] = ()
    where: Expr | None = None
    distinct: bool = False


class Aggregate(Node, frozen=True):
    """`grand`: no GROUP BY, so there is always exactly one group. Without aggregates it is DISTINCT."""

    input: Rel
    keys: tuple[Expr, ...]
    aggs: tuple[Agg, ...]
    having: tuple[Expr, ...]
    columns: tuple[Expr, ...]
    grand: bool = False


class Union(Node, frozen=True):
    inputs: tuple[Rel, ...]


class Order(Node, frozen=True):
    """A sort key: a column of the row, and its type."""

    index: int
    type: str
    desc: bool = False
    nulls_first: bool = False


class Top(Node, frozen=True):
    """The rows from `offset`, at most `limit` (None: all), in order. `order` ends with all columns, so that ties
    are broken.
    """

    input: Rel
    order: tuple[Order, ...]
    limit: int | None
    offset: int


Bound = int | float | None
"""An end of a frame, as a distance from the row, in rows or (`range`) in what is ordered by; None has no bound."""


class WindowCall(Node, frozen=True):
    """One window function over a column of the row (−1: none).

    Kinds, and what they take:

        row_number rank dense_rank percent_rank cume_dist   nothing
        ntile                                               `offset`, the number of parts
        lag lead                                            `offset` rows, `default`, `known`
        first_value last_value nth_value                    `frame`, `known`; nth_value its n as `default`
        count sum avg min max distinct                      `frame`, `where`
        quantile variance deviation                         `frame`, `where`, their parameter as `default`

    Frames, for each row of a partition:

        whole     all rows
        peers     from the first row up to the row's last peer
        tied      its peers
        onward    from its first peer to the last row
        rows      from the first row up to the row
        sliding   the row and `offset` rows before it
        between   from row `bounds[0]` to row `bounds[1]`, counted from the row
        range     the rows whose column `by`, which they are ordered by, is within `bounds` of the row's

    `known`: NULLs are passed over. `where`: a column that must be true.
    """

    holds_constants: ClassVar[bool] = True
    kind: str
    column: int = -1
    where: int = -1
    frame: str = ""
    offset: int = 0
    default: bool | int | float | str | None = None
    bounds: tuple[Bound, Bound] = (None, None)
    by: int = -1
    known: bool = False


class Window(Node, frozen=True):
    """The rows of `input`, `width` columns each, with the values of `calls` after them. `most`: only the first so many
    of each partition, and the peers of the last, are wanted.
    """

    input: Rel
    width: int
    partition: tuple[int, ...]
    order: tuple[Order, ...]
    calls: tuple[WindowCall, ...]
    most: int | None = None


Rel = Scan | Values | Map | Join | AsOf | Timed | Aggregate | Union | Top | Window


class Query(Node, frozen=True):
    """The root. Rows of `rel` have the named columns first, then those that only `order` needs; `order` ends with
    all columns.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rel: Rel
    order: tuple[Order, ...]


def replace(node: T, **changes: Any) -> T:
    """The node with other values in some fields."""
    return type(node)(**{name: getattr(node, name) for name in node.__struct_fields__} | changes)
