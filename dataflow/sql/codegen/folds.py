"""Aggregation as generated code: the loop over rows and the fold into groups in one function a pipeline.

What a group holds, `accumulators.py` says; how it is told, `emit.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from dataflow.sql.codegen.accumulators import (
    TAKEN_BACK,
    Cell,
    Layout,
    fold_in,
    fold_newest,
    fold_out,
)
from dataflow.sql.codegen.blocks import Code
from dataflow.sql.codegen.emit import emitting, in_group, indented, single_row_changes
from dataflow.sql.codegen.expressions import Names
from dataflow.sql.codegen.loops import Loop, Pipe, tuple_code
from dataflow.sql.plan.nodes import Aggregate, Col, Expr


def fold_functions(plan: Aggregate, found: list[Pipe], names: Names) -> tuple[list[str], Layout]:
    """Source of `insert0`, `retract0`, … (and `hold0`, `release0` over the log), one set a pipe, and of `emit` and
    `changes`.
    """
    log = all(pipe.log for pipe in found)
    layout = Layout(plan, log, lambda expr: all(pipe.over(expr) == Col(names.position) for pipe in found))
    lines: list[str] = []
    for number, pipe in enumerate(found):
        lines += _function(plan, pipe, layout, names, f"insert{number}", "in")
        if not layout.holds:
            lines += _function(plan, pipe, layout, names, f"retract{number}", "out")
        else:
            lines += _function(plan, pipe, layout, names, f"hold{number}", "hold")
            lines += _function(plan, pipe, layout, names, f"release{number}", "release")
    return lines + emitting(plan, layout, names), layout


def _function(plan: Aggregate, pipe: Pipe, layout: Layout, names: Names, name: str, way: str) -> list[str]:
    loop = Loop(pipe, names, _read(plan, pipe, layout))
    key = _find_group(plan, loop, layout, marks=True)
    loop.add(f"g.rows {'+=' if way in ('in', 'hold') else '-='} 1")
    held, ordered = _cells(loop, layout, way, "last")
    if way == "hold":
        loop.add(f"aside.setdefault({key}, []).append({held})")
    elif way == "release":
        loop.add(f"held = aside[{key}]", f"held.remove({held})", "if not held:", f"    del aside[{key}]")
    if not ordered:
        return [f"def {name}(rows):", *loop.lines]
    return [f"def {name}(rows):", "    last = newest.position", *loop.lines, "    newest.position = last"]


def _read(plan: Aggregate, pipe: Pipe, layout: Layout) -> tuple[Expr, ...]:
    """What is read of each row: the keys, and the cells' arguments and conditions."""
    parts = [part for cell in layout.cells for part in (*cell.args, cell.where) if part is not None]
    return pipe.all_over((*plan.keys, *dict.fromkeys(parts)))


def single_lines(plan: Aggregate, pipe: Pipe, layout: Layout, names: Names, way: str) -> list[str]:
    """The body of a loop that folds one row `r0` of the pipe in or out and returns the changes, while nothing is dirty
    or held aside; no lines where there may be several rows by it.
    """
    loop = Loop(pipe, names, _read(plan, pipe, layout))
    if loop.depth > 2:
        return []
    _find_group(plan, loop, layout, marks=False)
    loop.add(f"g.rows {'+=' if way == 'in' else '-='} 1")
    _cells(loop, layout, way, "newest.position")
    loop.add(*single_row_changes(plan, layout, names, way))
    return loop.lines[1:]


def _find_group(plan: Aggregate, loop: Loop, layout: Layout, *, marks: bool) -> str:
    """Its key. `marks`: note it among those that must be told."""
    if plan.grand:
        key = "()"
        loop.add("g = grand")
    else:
        key = _key(plan, loop)
        loop.add(
            "try:",
            f"    g = groups[{key}]",
            "except KeyError:",
            f"    g = groups[{key}] = Group()",
            *indented(fresh_group(key, layout, dirty=marks)),
            *(["    dirty.append(g)"] if marks else []),
        )
    if marks:
        loop.add("if not g.dirty:", "    g.dirty = True", "    dirty.append(g)")
    return key


def _key(plan: Aggregate, loop: Loop) -> str:
    """The name of the group's key."""
    codes = [loop.value(key) for key in plan.keys]
    if len(codes) == 1 and codes[0].plain:
        return codes[0].text
    if not codes:
        return "()"
    loop.add(f"k = {tuple_code([code.text for code in codes]) if len(codes) > 1 else codes[0].text}")
    return "k"


def fresh_group(key: str, layout: Layout, *, dirty: bool) -> list[str]:
    """Lines that fill the slots of a new group `g`."""
    values = [str(dirty), "None", key, "0", *layout.initial()]
    return [f"g.{name} = {value}" for name, value in zip(layout.slots, values, strict=True)]


def _cells(loop: Loop, layout: Layout, way: str, last: str) -> tuple[str, bool]:
    """The lines for every cell, those under one condition together. The tuple that is held aside, and whether a row is
    told by its position from those that come late.

    The log comes in order of position: the row of the highest position yet takes the place of whatever an arg_max
    over positions has. `last` names that position, so that the groups' own are not looked at.
    """
    cells, held = _folded(loop, layout, way)
    ordered = [each for each in cells if way == "in" and layout.by_position(each.cell)]
    loop.add(*_blocks([(each.tests, _fold(each, layout, way)) for each in cells if each not in ordered]))
    if ordered:
        position = ordered[0].args[1]
        first = [(each.tests, fold_newest(each.cell.kind, each.at, in_group, each.args)) for each in ordered]
        loop.add(f"if {position} > {last}:", f"    {last} = {position}", *indented(_blocks(first)))
        loop.add("else:", *indented(_blocks([(each.tests, _fold(each, layout, way)) for each in ordered])))
    return tuple_code(held), bool(ordered)


class Folded(NamedTuple):
    """A cell with the code of its arguments, and what must hold for a row to count."""

    cell: Cell
    at: int
    args: list[str]
    tests: tuple[str, ...]


def _folded(loop: Loop, layout: Layout, way: str) -> tuple[list[Folded], list[str]]:
    """The cells that a row is folded into at once, and what of it is held aside for the others."""
    cells: list[Folded] = []
    held: list[str] = []
    bound: dict[Expr, Code] = {}
    for cell, at in zip(layout.cells, layout.starts, strict=True):
        args = [_bound(loop, arg, bound) for arg in cell.args]
        where = _bound(loop, cell.where, bound) if cell.where is not None else None
        texts = [arg.text for arg in args]
        if way in ("hold", "release") and cell.kind not in TAKEN_BACK:
            held += [f"({t} if {where.text} else None)" for t in texts] if where else texts
            continue
        tests = ([where.text] if where else []) + [f"{a.text} is not None" for a in args if a.nullable]
        cells.append(Folded(cell, at, texts, tuple(dict.fromkeys(tests))))
    return cells, held


def _fold(each: Folded, layout: Layout, way: str) -> list[str]:
    cell, at = each.cell, each.at
    if way in ("in", "hold"):
        return fold_in(cell.kind, layout.log, at, in_group, each.args, keyed=layout.by_position(cell))
    return fold_out(cell.kind, at, in_group, each.args)


Guarded = tuple[tuple[str, ...], list[str]]
"""Tests, and the lines that are run where they hold."""


def _blocks(guarded: list[Guarded]) -> list[str]:
    """Lines under the same tests together."""
    blocks: dict[tuple[str, ...], list[str]] = {}
    for tests, lines in guarded:
        blocks.setdefault(tests, []).extend(lines)
    found: list[str] = []
    for tests, lines in blocks.items():
        found += [f"if {' and '.join(tests)}:", *indented(lines)] if tests else lines
    return found


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


def tells_groups_apart(plan: Aggregate) -> bool:
    """Whether every key is among the columns, so that no two groups ever emit the same row."""
    return {Col(i) for i in range(len(plan.keys))} <= set(plan.columns)
