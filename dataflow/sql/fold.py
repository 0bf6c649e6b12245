"""Aggregation as generated code: the loop over rows and the fold into groups in one function.

A group is a list: dirty flag, row last emitted (None: none), key, number of rows, then the accumulators' slots. Two
regimes. *Log*: rows come straight from the log, so confirmed rows only ever arrive; accumulators are folded, and
hold O(1) a group. What can be taken back exactly (counts, whole sums) is; the pending rows' share in the others
(float sums, min, max, arg_min, arg_max) is held aside, row by row, in the slot `held`, and folded on top when the
group is emitted. *Any*: every row can be retracted; float sums are exact (`exact.py`), extremes are sorted
multisets (`multiset.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dataflow.sql.pipeline import Loop, Pipe, tuple_code
from dataflow.sql.plan import Agg, Aggregate, Col, Const, Expr
from dataflow.sql.python import Code, Names, Writer

Slot = Callable[[int], str]
ROWS = 3
"""The slot that counts a group's rows."""


class Cell(NamedTuple):
    """One accumulator: `kind` over `args` where `where`. Cells are shared by all aggregates that need them."""

    kind: str
    args: tuple[Expr, ...]
    where: Expr | None


INITIAL = {"count": "0", "sum": "0", "values": "{}", "true": "0", "false": "0"}
SORTED = "Multiset()"
TAKEN_BACK = frozenset(INITIAL)
"""Cells from which a value can be taken back exactly in either regime."""


class Layout:
    """Which cells a query's aggregates need, and where in the group each stands."""

    def __init__(self, plan: Aggregate, log: bool) -> None:
        self.log = log
        self.cells: list[Cell] = []
        self.starts: list[int] = []
        self.size = ROWS + 1
        for agg in plan.aggs:
            for kind in needs(agg):
                self._place(Cell(kind, agg.args, agg.where))
        self.held = self.size if log and any(c.kind not in TAKEN_BACK for c in self.cells) else 0
        self.size += bool(self.held)

    def _place(self, cell: Cell) -> None:
        if cell in self.cells or self.counts_rows(cell):
            return
        self.cells.append(cell)
        self.starts.append(self.size)
        self.size += len(self.initials(cell))

    def counts_rows(self, cell: Cell) -> bool:
        """count(*): the group has that already."""
        return (
            cell.kind == "count"
            and cell.where is None
            and (not cell.args or (isinstance(cell.args[0], Const) and cell.args[0].value is not None))
        )

    def slot(self, kind: str, agg: Agg) -> int:
        cell = Cell(kind, agg.args, agg.where)
        return ROWS if self.counts_rows(cell) else self.starts[self.cells.index(cell)]

    def initials(self, cell: Cell) -> list[str]:
        """A cell's slots at the beginning."""
        if cell.kind in INITIAL:
            return [INITIAL[cell.kind]]
        if cell.kind == "sum_float":
            return ["0.0"] if self.log else ["0.0", "[]"]
        if not self.log:
            return [SORTED]
        return ["None", "None"] if cell.kind.startswith("arg") else ["None"]

    def initial(self) -> list[str]:
        """The initial accumulators, in order."""
        found = [text for cell in self.cells for text in self.initials(cell)]
        return found + (["None"] if self.held else [])


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


def fold_in(kind: str, log: bool, at: int, slot: Slot, args: list[str]) -> list[str]:
    """Lines that add one row's (non-NULL) arguments to the cell at `at`."""
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
        return _better_arg(kind, here, slot(at + 1), *args)
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


def _better_arg(kind: str, value: str, key: str, new: str, by: str) -> list[str]:
    """Among equal keys the greatest value for arg_max, the least for arg_min: the same whatever the rows' order."""
    sign = ">" if "max" in kind else "<"
    extreme = kind.removeprefix("arg_")
    tie = f"({by} == {key} and {new} {sign} {value})"
    return [f"if {key} is None or {_better(extreme, by, key)} or {tie}:", f"    {key} = {by}", f"    {value} = {new}"]


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
            total = f"exact_total({total}, {slot(layout.slot('sum_float', agg) + 1)})"
        return Code(f"({total} if {cell('count')} else None)", True)
    if agg.kind == "bool_and":
        return Code(f"(False if {cell('false')} else True if {cell('true')} else None)", True)
    if agg.kind == "bool_or":
        return Code(f"(True if {cell('true')} else False if {cell('false')} else None)", True)
    return Code(cell(agg.kind) if layout.log else _extreme(agg.kind, cell(agg.kind)), True)


def _extreme(kind: str, here: str) -> str:
    end = "last" if "max" in kind else "first"
    if kind in ("min", "max"):
        return f"{here}.{end}()"
    return f"({here}.{end}() or NOTHING)[-1]"


# the functions


def fold_functions(plan: Aggregate, found: list[Pipe], names: Names) -> tuple[list[str], Layout]:
    """Source of `insert0`, `retract0`, … (and `hold0`, `release0` over the log), one set a pipe, and of `emit`."""
    log = all(pipe.log for pipe in found)
    layout = Layout(plan, log)
    lines: list[str] = []
    for number, pipe in enumerate(found):
        lines += _function(plan, pipe, layout, names, f"insert{number}", "in")
        if not layout.held:
            lines += _function(plan, pipe, layout, names, f"retract{number}", "out")
        else:
            lines += _function(plan, pipe, layout, names, f"hold{number}", "hold")
            lines += _function(plan, pipe, layout, names, f"release{number}", "release")
    return lines + _emit(plan, layout, names), layout


def _function(plan: Aggregate, pipe: Pipe, layout: Layout, names: Names, name: str, way: str) -> list[str]:
    loop = Loop(pipe, names)
    head = [f"def {name}(rows):"]
    _find_group(plan, loop, layout)
    loop.add(f"g[{ROWS}] {'+=' if way in ('in', 'hold') else '-='} 1")
    held = _cells(loop, layout, way)
    if way == "hold":
        loop.add(f"if g[{layout.held}] is None:", f"    g[{layout.held}] = []", f"g[{layout.held}].append({held})")
    elif way == "release":
        loop.add(f"g[{layout.held}].remove({held})")
    return head + loop.lines


def _find_group(plan: Aggregate, loop: Loop, layout: Layout) -> None:
    if plan.grand:
        loop.add("g = grand")
    else:
        codes = [loop.value(key).text for key in plan.keys]
        key = codes[0] if len(codes) == 1 else tuple_code(codes)
        fresh = ", ".join(["True", "None", "k", "0", *layout.initial()])
        loop.add(
            f"k = {key}",
            "try:",
            "    g = groups[k]",
            "except KeyError:",
            f"    g = groups[k] = [{fresh}]",
            "    mark(g)",
        )
    loop.add("if not g[0]:", "    g[0] = True", "    mark(g)")


def _cells(loop: Loop, layout: Layout, way: str) -> str:
    """The lines for every cell, those under one condition together; and the tuple that is held aside."""
    blocks: dict[tuple[str, ...], list[str]] = {}
    held: list[str] = []
    bound: dict[Expr, Code] = {}
    for cell, at in zip(layout.cells, layout.starts, strict=True):
        args = [_bound(loop, arg, bound) for arg in cell.args]
        where = _bound(loop, cell.where, bound) if cell.where is not None else None
        aside = way in ("hold", "release") and cell.kind not in TAKEN_BACK
        texts = [arg.text for arg in args]
        if aside:
            held += [f"({t} if {where.text} else None)" for t in texts] if where else texts
            continue
        tests = ([where.text] if where else []) + [f"{a.text} is not None" for a in args if a.nullable]
        into = way in ("in", "hold")
        lines = (
            fold_in(cell.kind, layout.log, at, _in_group, texts)
            if into
            else fold_out(cell.kind, at, _in_group, texts)
        )
        blocks.setdefault(tuple(dict.fromkeys(tests)), []).extend(lines)
    for needed, lines in blocks.items():
        if needed:
            loop.add(f"if {' and '.join(needed)}:", *("    " + line for line in lines))
        else:
            loop.add(*lines)
    return tuple_code(held)


def _in_group(at: int) -> str:
    return f"g[{at}]"


def _bound(loop: Loop, expr: Expr, bound: dict[Expr, Code]) -> Code:
    """The value of an argument, computed once a row."""
    if expr not in bound:
        code = loop.value(expr)
        if not code.plain:
            name = loop.writer.temporary()
            loop.add(f"{name} = {code.text}")
            code = Code(name, code.nullable, True)
        bound[expr] = code
    return bound[expr]


def _emit(plan: Aggregate, layout: Layout, names: Names) -> list[str]:
    """`emit()` gives (rows that came, rows that went) of the groups touched since the last time."""
    lines = ["def emit():", "    plus = []", "    minus = []", "    come = plus.append", "    go = minus.append",
             "    for g in dirty:", "        g[0] = False", "        old = g[1]"]  # fmt: skip
    if not plan.grand:
        lines += [f"        if not g[{ROWS}]:", "            del groups[g[2]]", "            if old is not None:",
                  "                go(old)", "            continue"]  # fmt: skip
    slot: Slot = _in_group
    if layout.held:
        slot = _local
        lines += ["        " + line for line in _with_held(layout)]
    lines += ["        " + line for line in _row(plan, layout, slot, names)]
    lines += [
        "        if new != old:", "            if old is not None:", "                go(old)",
        "            if new is not None:", "                come(new)", "            g[1] = new",
        "    dirty.clear()", "    return plus, minus",
    ]  # fmt: skip
    return lines


def _local(at: int) -> str:
    return f"s{at}"


def _with_held(layout: Layout) -> list[str]:
    """The slots as locals, the held rows folded on top."""
    locals_ = ", ".join(_local(at) for at in range(layout.size))
    lines = [f"{locals_} = g", f"if s{layout.held}:"]
    folded = [(c, at) for c, at in zip(layout.cells, layout.starts, strict=True) if c.kind not in TAKEN_BACK]
    names = [[f"x{i}_{j}" for j in range(len(cell.args))] for i, (cell, _) in enumerate(folded)]
    lines.append(f"    for {tuple_code([name for group in names for name in group])} in s{layout.held}:")
    for (cell, at), args in zip(folded, names, strict=True):
        lines.append(f"        if {' and '.join(f'{a} is not None' for a in args)}:")
        lines += ["            " + line for line in fold_in(cell.kind, True, at, _local, args)]
    return lines


def _row(plan: Aggregate, layout: Layout, slot: Slot, names: Names) -> list[str]:
    """Lines that make `new`: the group's row, or None if HAVING leaves it out."""
    wanted: list[int] = []

    def column(index: int) -> str:
        if index not in wanted:
            wanted.append(index)
        return f"k{index}" if index < len(plan.keys) else f"v{index - len(plan.keys)}"

    writer = Writer(column, names)
    results = [result(agg, layout, slot) for agg in plan.aggs]
    writer.nonnull = {f"v{i}" for i, code in enumerate(results) if not code.nullable}
    tests = [writer.truth(test) for test in plan.having]
    row = _own_key(plan) or tuple_code([writer.value(part).text for part in plan.columns])
    lines = []
    keys = [f"k{i}" for i in range(len(plan.keys))]
    if len(keys) == 1 and 0 in wanted:
        lines.append("k0 = g[2]")
    elif any(i < len(keys) for i in wanted):
        lines.append(f"{tuple_code(keys)} = g[2]")
    lines += [f"v{i - len(keys)} = {results[i - len(keys)].text}" for i in wanted if i >= len(keys)]
    return [*lines, f"new = {row} if {' and '.join(tests)} else None" if tests else f"new = {row}"]


def tells_groups_apart(plan: Aggregate) -> bool:
    """Whether every key is among the columns, so that no two groups ever emit the same row."""
    return {Col(i) for i in range(len(plan.keys))} <= set(plan.columns)


def _own_key(plan: Aggregate) -> str | None:
    """DISTINCT's row is its key."""
    same = plan.columns == tuple(Col(i) for i in range(len(plan.keys)))
    return "g[2]" if same and len(plan.keys) > 1 else None
