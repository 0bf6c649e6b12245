"""Aggregation as generated code: the loop over rows and the fold into groups in one function a pipeline.

What a group holds, `accumulators.py` says. Pending rows held aside are folded on top of the accumulators when the group
is emitted.
"""

from __future__ import annotations

from dataflow.sql.accumulators import ROWS, TAKEN_BACK, Layout, Slot, fold_in, fold_out, result
from dataflow.sql.pipeline import Loop, Pipe, tuple_code
from dataflow.sql.plan import Aggregate, Col, Expr
from dataflow.sql.python import Code, Names, Writer


def fold_functions(plan: Aggregate, found: list[Pipe], names: Names) -> tuple[list[str], Layout]:
    """Source of `insert0`, `retract0`, … (and `hold0`, `release0` over the log), one set a pipe, and of `emit` and
    `changes`.
    """
    log = all(pipe.log for pipe in found)
    layout = Layout(plan, log, lambda expr: all(pipe.over(expr) == Col(names.position) for pipe in found))
    lines: list[str] = []
    for number, pipe in enumerate(found):
        lines += _function(plan, pipe, layout, names, f"insert{number}", "in")
        if not layout.held:
            lines += _function(plan, pipe, layout, names, f"retract{number}", "out")
        else:
            lines += _function(plan, pipe, layout, names, f"hold{number}", "hold")
            lines += _function(plan, pipe, layout, names, f"release{number}", "release")
    return lines + _emitting(plan, layout, names), layout


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
            fold_in(cell.kind, layout.log, at, _in_group, texts, keyed=layout.by_position(cell))
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


EMIT = ("plus = []", "minus = []", "come = plus.append", "go = minus.append"), "go(old)", "come(new)", "plus, minus"
CHANGES = ("changes = []", "put = changes.append"), "put((old, -1))", "put((new, 1))", "changes"


def _emitting(plan: Aggregate, layout: Layout, names: Names) -> list[str]:
    """Of the groups touched since the last time: `emit()` gives (rows that came, rows that went), and `changes()` the
    same as one list of changes, for a reader that passes them on.
    """
    row = _new_row(plan, layout, names)
    return [*_emit("emit", plan, row, *EMIT), *_emit("changes", plan, row, *CHANGES)]


def _emit(name: str, plan: Aggregate, row: list[str], head: tuple[str, ...], go: str, come: str, out: str) -> list[str]:
    lines = [f"def {name}():", *("    " + line for line in head),
             "    for g in dirty:", "        g[0] = False", "        old = g[1]"]  # fmt: skip
    if not plan.grand:
        lines += [f"        if not g[{ROWS}]:", "            del groups[g[2]]", "            if old is not None:",
                  f"                {go}", "            continue"]  # fmt: skip
    lines += ["        " + line for line in row]
    lines += [
        "        if new != old:", "            if old is not None:", f"                {go}",
        *(["            if new is not None:", f"                {come}"] if plan.having else [f"            {come}"]),
        "            g[1] = new",
        "    dirty.clear()", f"    return {out}",
    ]  # fmt: skip
    return lines


def _new_row(plan: Aggregate, layout: Layout, names: Names) -> list[str]:
    """Lines that make `new`, with the held rows folded on top where there are any."""
    plain = _row(plan, layout, _in_group, names)
    if not layout.held:
        return plain
    aside = [*_with_held(layout), *_row(plan, layout, _local, names)]
    return [
        f"if g[{layout.held}]:", *("    " + line for line in aside), "else:", *("    " + line for line in plain),
    ]  # fmt: skip


def _local(at: int) -> str:
    return f"s{at}"


def _with_held(layout: Layout) -> list[str]:
    """The slots as locals, the held rows folded on top."""
    locals_ = ", ".join(_local(at) for at in range(layout.size))
    lines = [f"{locals_} = g"]
    folded = [(c, at) for c, at in zip(layout.cells, layout.starts, strict=True) if c.kind not in TAKEN_BACK]
    names = [[f"x{i}_{j}" for j in range(len(cell.args))] for i, (cell, _) in enumerate(folded)]
    lines.append(f"for {tuple_code([name for group in names for name in group])} in s{layout.held}:")
    for (cell, at), args in zip(folded, names, strict=True):
        lines.append(f"    if {' and '.join(f'{a} is not None' for a in args)}:")
        folding = fold_in(cell.kind, True, at, _local, args, keyed=layout.by_position(cell))
        lines += ["        " + line for line in folding]
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
