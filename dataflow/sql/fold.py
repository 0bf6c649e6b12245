"""Aggregation as generated code: the loop over rows and the fold into groups in one function a pipeline.

What a group holds, `accumulators.py` says; how it is told, `emission.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from dataflow.sql.accumulators import (
    BEFORE_ALL,
    TAKEN_BACK,
    Cell,
    Layout,
    fold_in,
    fold_newest,
    fold_out,
)
from dataflow.sql.emission import emitting, in_group, indented, told_at_once
from dataflow.sql.pipeline import Loop, Pipe, tuple_code
from dataflow.sql.plan import Aggregate, Col, Expr
from dataflow.sql.python import Code, Names


def fold_functions(plan: Aggregate, found: list[Pipe], names: Names) -> tuple[list[str], Layout]:
    """Source of `insert0`, `retract0`, … (and `hold0`, `release0` over the log), one set a pipe, and of `emit` and
    `changes`. Where there is one pipe, also of `came` and `went`: what `insert0` or `retract0` and then `changes` do,
    for a list of one row while nothing is dirty or held aside.
    """
    log = all(pipe.log for pipe in found)
    layout = Layout(plan, log, lambda expr: all(pipe.over(expr) == Col(names.position) for pipe in found))
    lines: list[str] = [f"newest = {BEFORE_ALL}"] if any(map(layout.by_position, layout.cells)) else []
    for number, pipe in enumerate(found):
        lines += _function(plan, pipe, layout, names, f"insert{number}", "in")
        if not layout.held:
            lines += _function(plan, pipe, layout, names, f"retract{number}", "out")
        else:
            lines += _function(plan, pipe, layout, names, f"hold{number}", "hold")
            lines += _function(plan, pipe, layout, names, f"release{number}", "release")
    if len(found) == 1:
        lines += _function(plan, found[0], layout, names, "came", "in", alone=True)
        lines += [] if layout.held else _function(plan, found[0], layout, names, "went", "out", alone=True)
    return lines + emitting(plan, layout, names), layout


def _function(
    plan: Aggregate, pipe: Pipe, layout: Layout, names: Names, name: str, way: str, *, alone: bool = False
) -> list[str]:
    """`alone`: of one row, that is told at once."""
    loop = Loop(pipe, names)
    if alone and loop.depth > 2:
        return []  # a lookup may find several rows
    _find_group(plan, loop, layout, marks=not alone)
    loop.add(f"g.rows {'+=' if way in ('in', 'hold') else '-='} 1")
    held, ordered = _cells(loop, layout, way, "newest" if alone else "last")
    aside = in_group(layout.held)
    if way == "hold":
        loop.add(f"if {aside} is None:", f"    {aside} = []", f"{aside}.append({held})")
    elif way == "release":
        loop.add(f"{aside}.remove({held})")
    elif alone:
        loop.add(*told_at_once(plan, layout, names, way))
    head = ["    nonlocal newest"] if ordered else []
    if alone:
        return [f"def {name}(rows):", *head, *loop.lines, "    return []"]
    end = ["    newest = last"] if ordered else []
    return [f"def {name}(rows):", *head, *(["    last = newest"] if ordered else []), *loop.lines, *end]


def _find_group(plan: Aggregate, loop: Loop, layout: Layout, *, marks: bool) -> None:
    """`marks`: note it among those that must be told."""
    if plan.grand:
        loop.add("g = grand")
    else:
        codes = [loop.value(key).text for key in plan.keys]
        key = codes[0] if len(codes) == 1 else tuple_code(codes)
        loop.add(
            f"k = {key}",
            "try:",
            "    g = groups[k]",
            "except KeyError:",
            "    g = groups[k] = Group()",
            *indented(fresh_group("k", layout)),
            "    mark(g)" if marks else "    g.dirty = False",
        )
    if marks:
        loop.add("if not g.dirty:", "    g.dirty = True", "    mark(g)")


def fresh_group(key: str, layout: Layout) -> list[str]:
    """Lines that fill the slots of a new group `g`, which is dirty."""
    values = ["True", "None", key, "0", *layout.initial()]
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
        newest = [(each.tests, fold_newest(each.cell.kind, each.at, in_group, each.args)) for each in ordered]
        loop.add(f"if {position} > {last}:", f"    {last} = {position}", *indented(_blocks(newest)))
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
