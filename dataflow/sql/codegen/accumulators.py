"""The accumulators behind the aggregates: their cells in a group, and the lines that fold a value in or take it out.

A group is an object with slots (`Layout.slots`): whether it is dirty, the row last emitted (None: none), its key, how
many rows it has, then the cells' slots. CPython reads and writes these faster than places in a list. Two regimes.
*Log*: rows come straight from the log, so confirmed rows only ever arrive; a cell holds O(1). What can be taken back
exactly (counts, whole sums, sets of values) is; the pending rows' share in the others (float sums, min, max, arg_min,
arg_max) is held `aside`, row by row, by the group's key. *Any*: every row can be retracted; float sums are exact
(`runtime/exact_sums.py`), extremes are sorted multisets (`runtime/multiset.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dataflow.sql.codegen.blocks import Code
from dataflow.sql.plan.nodes import Agg, Aggregate, Const, Expr

Slot = Callable[[int], str]
HEAD = ("dirty", "row", "key", "rows")
ROWS = HEAD.index("rows")
"""The slot that counts a group's rows."""


class Cell(NamedTuple):
    """One accumulator: `kind` over `args` where `where`. Cells are shared by all aggregates that need them."""

    kind: str
    args: tuple[Expr, ...]
    where: Expr | None


INITIAL = {"count": "0", "sum": "0", "values": "{}", "true": "0", "false": "0"}
SORTED = "Multiset()"
BEFORE_ALL, AFTER_ALL = str(-(1 << 62)), str(1 << 62)
"""What no position is below or above, nor equal to."""
TAKEN_BACK = frozenset(INITIAL)
"""Cells from which a value can be taken back exactly in either regime."""


class Layout:
    """Which cells a query's aggregates need, and where in the group each stands."""

    def __init__(self, plan: Aggregate, log: bool, is_position: Callable[[Expr], bool]) -> None:
        self.log = log
        self._is_position = is_position
        self.cells: list[Cell] = []
        self.starts: list[int] = []
        self.size = ROWS + 1
        for agg in plan.aggs:
            for kind in needs(agg):
                self._place(Cell(kind, agg.args, agg.where))
        self.holds = log and any(cell.kind not in TAKEN_BACK for cell in self.cells)

    def _place(self, cell: Cell) -> None:
        if cell in self.cells or _all_rows(cell):
            return
        self.cells.append(cell)
        self.starts.append(self.size)
        self.size += len(self.initials(cell))

    def slot(self, kind: str, agg: Agg) -> int:
        cell = Cell(kind, agg.args, agg.where)
        return ROWS if _all_rows(cell) else self.starts[self.cells.index(cell)]

    def initials(self, cell: Cell) -> list[str]:
        """A cell's slots at the beginning."""
        if cell.kind in INITIAL:
            return [INITIAL[cell.kind]]
        if cell.kind == "sum_float":
            return ["0.0"] if self.log else ["0.0", "[]"]
        if not self.log:
            return [SORTED]
        if not cell.kind.startswith("arg"):
            return ["None"]
        if self.by_position(cell):
            return ["None", BEFORE_ALL if cell.kind == "arg_max" else AFTER_ALL]
        return ["None", "None"]

    def by_position(self, cell: Cell) -> bool:
        """An arg_max or arg_min over the log's positions: they are never NULL."""
        return self.log and cell.kind in ("arg_max", "arg_min") and self._is_position(cell.args[1])

    def initial(self) -> list[str]:
        """The initial accumulators, in order."""
        return [text for cell in self.cells for text in self.initials(cell)]

    @property
    def slots(self) -> list[str]:
        """The names of a group's slots."""
        return [slot_name(at) for at in range(self.size)]


def _all_rows(cell: Cell) -> bool:
    """count(*): the group has that already."""
    counted = cell.args[0] if cell.args else Const(1, "int")
    return cell.kind == "count" and cell.where is None and isinstance(counted, Const) and counted.value is not None


def counts_rows(agg: Agg) -> bool:
    """Whether an aggregate is the number of a group's rows."""
    return not agg.distinct and _all_rows(Cell(agg.kind, agg.args, agg.where))


def slot_name(at: int) -> str:
    return HEAD[at] if at <= ROWS else f"s{at}"


def needs(agg: Agg) -> tuple[str, ...]:
    """The cells behind one aggregate."""
    if agg.kind == "values" or (agg.distinct and agg.kind in ("count", "sum", "sum_float")):
        return ("values",)
    if agg.kind in ("sum", "sum_float"):
        return (agg.kind, "count")
    if agg.kind in ("bool_and", "bool_or"):
        return ("true", "false")
    return (agg.kind,)


# folding one value in, and out


def fold_in(kind: str, log: bool, at: int, slot: Slot, args: list[str], *, keyed: bool = False) -> list[str]:
    """Lines that add one row's (non-NULL) arguments to the cell at `at`. `keyed`: there is a key from the start."""
    here, x = slot(at), args[0] if args else ""
    if kind == "count":
        return [f"{here} += 1"]
    if kind == "sum" or (kind == "sum_float" and log):
        return [f"{here} += {x}"]
    if kind == "values":
        return [f"{here}[{x}] = {here}.get({x}, 0) + 1"]
    if kind in ("true", "false"):
        return [f"if {'' if kind == 'true' else 'not '}{x}:", f"    {here} += 1"]
    if kind == "sum_float":
        return _exact(at, slot, x, "+", "exact_add")
    if not log:
        return [f"{here}.add({_element(kind, args)})"]
    if kind.startswith("arg"):
        return _better_arg(kind, here, slot(at + 1), *args, keyed=keyed)
    return [f"if {here} is None or {_better(kind, x, here)}:", f"    {here} = {x}"]


def _exact(at: int, slot: Slot, x: str, sign: str, otherwise: str) -> list[str]:
    """high ± x where that is exact."""
    back = "h - s" if sign == "-" else "s - h"
    other = f"s + {x}" if sign == "-" else f"s - {x}"
    return [
        f"h = {slot(at)}",
        f"s = h {sign} {x}",
        f"if {back} == {x} and {other} == h:",
        f"    {slot(at)} = s",
        "else:",
        f"    {slot(at)} = {otherwise}({slot(at + 1)}, h, {x})",
    ]


def _better(kind: str, new: str, old: str) -> str:
    if kind == "max_float":
        return f"{new} > {old} or {new} != {new}"
    if kind == "min_float":
        return f"{new} < {old} or {old} != {old}"
    return f"{new} > {old}" if kind == "max" else f"{new} < {old}"


def _better_arg(kind: str, value: str, key: str, new: str, by: str, *, keyed: bool) -> list[str]:
    """Among equal keys the greatest value for arg_max, the least for arg_min: the same whatever the rows' order."""
    sign = ">" if "max" in kind else "<"
    extreme = kind.removeprefix("arg_")
    tie = f"({by} == {key} and {new} {sign} {value})"
    empty = "" if keyed else f"{key} is None or "
    return [f"if {empty}{_better(extreme, by, key)} or {tie}:", f"    {key} = {by}", f"    {value} = {new}"]


def fold_newest(kind: str, at: int, slot: Slot, args: list[str]) -> list[str]:
    """Lines that add the row of the highest position so far to an arg_max or arg_min over positions."""
    lines = [f"{slot(at + 1)} = {args[1]}", f"{slot(at)} = {args[0]}"]
    return lines if kind == "arg_max" else [f"if {slot(at)} is None:", *("    " + line for line in lines)]


def fold_out(kind: str, at: int, slot: Slot, args: list[str]) -> list[str]:
    """Lines that take one row's arguments out again."""
    here, x = slot(at), args[0] if args else ""
    if kind == "count":
        return [f"{here} -= 1"]
    if kind == "sum":
        return [f"{here} -= {x}"]
    if kind == "values":
        return [f"if {here}[{x}] == 1:", f"    del {here}[{x}]", "else:", f"    {here}[{x}] -= 1"]
    if kind in ("true", "false"):
        return [f"if {'' if kind == 'true' else 'not '}{x}:", f"    {here} -= 1"]
    if kind == "sum_float":
        return _exact(at, slot, x, "-", "exact_take")
    return [f"{here}.remove({_element(kind, args)})"]


def _element(kind: str, args: list[str]) -> str:
    """What a multiset sorts: NaN above all; an arg_min's key first."""
    if kind in ("min_float", "max_float"):
        return f"({args[0]} != {args[0]}, {args[0]})"
    if kind in ("arg_min_float", "arg_max_float"):
        return f"({args[1]} != {args[1]}, {args[1]}, {args[0]})"
    return f"({args[1]}, {args[0]})" if kind.startswith("arg") else args[0]


def result(agg: Agg, layout: Layout, slot: Slot) -> Code:
    """An aggregate's value, from its cells."""

    def cell(kind: str) -> str:
        return slot(layout.slot(kind, agg))

    if agg.kind == "values":
        return Code(cell("values"), False, True)
    if agg.distinct and agg.kind == "count":
        return Code(f"len({cell('values')})", False)
    if agg.distinct and agg.kind in ("sum", "sum_float"):
        add = "sum" if agg.kind == "sum" else "exact_sum"
        return Code(f"({add}({cell('values')}) if {cell('values')} else None)", True)
    if agg.kind == "count":
        return Code(cell("count"), False, True)
    if agg.kind in ("sum", "sum_float"):
        total = cell(agg.kind)
        if agg.kind == "sum_float" and not layout.log:
            parts = slot(layout.slot("sum_float", agg) + 1)
            total = f"(exact_total({total}, {parts}) if {parts} else {total})"
        return Code(f"({total} if {cell('count')} else None)", True)
    if agg.kind == "bool_and":
        return Code(f"(False if {cell('false')} else True if {cell('true')} else None)", True)
    if agg.kind == "bool_or":
        return Code(f"(True if {cell('true')} else False if {cell('false')} else None)", True)
    return Code(cell(agg.kind), True, True) if layout.log else Code(_extreme(agg.kind, cell(agg.kind)), True)


def _extreme(kind: str, here: str) -> str:
    end = "last" if "max" in kind else "first"
    if kind in ("min", "max"):
        return f"{here}.{end}()"
    return f"({here}.{end}() or NOTHING)[-1]"
