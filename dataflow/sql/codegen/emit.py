"""What an aggregation tells, as generated code: the rows of the groups that were touched, as they were and as they are.

Pending rows held aside are folded on top of the accumulators when the group is emitted.
"""

from __future__ import annotations

from dataflow.sql.codegen.accumulators import ROWS, TAKEN_BACK, Layout, Slot, counts_rows, fold_in, result, slot_name
from dataflow.sql.codegen.expressions import Names, Writer
from dataflow.sql.codegen.loops import tuple_code
from dataflow.sql.plan.nodes import Aggregate, Col


def emitting(plan: Aggregate, layout: Layout, names: Names) -> list[str]:
    """Of the groups touched since the last time: `emit(plain)` gives (rows that came, rows that went), and
    `changes(plain)` the same as one list of changes, for a reader that passes them on. `plain`: rows only came into
    groups since then, and none is held aside.
    """
    row = _row(plan, layout, in_group, names)
    whole = _with_held(plan, layout, row, names)

    def telling(go: str, come: str) -> list[str]:
        grown = _each_group(row, _grown(plan, go, come))
        careful = _each_group(_gone(plan, go), _emptied(plan, layout), whole, _differing(plan, go, come))
        return ["    if plain:", *indented(grown), "    else:", *indented(careful), "    dirty.clear()"]

    return [
        "def emit(plain):", "    plus = []", "    minus = []",
        *telling("minus.append(old)", "plus.append(new)"), "    return plus, minus",
        "def changes(plain):", "    changes = []",
        *telling("changes.append((old, -1))", "changes.append((new, 1))"), "    return changes",
    ]  # fmt: skip


def single_row_changes(plan: Aggregate, layout: Layout, names: Names, way: str) -> list[str]:
    """Lines that return the changes by the one row that came into the group `g` (or went), no row being held aside."""
    lines = ["old = g.row"]
    if way == "out" and not plan.grand:
        lines += ["if not g.rows:", "    del groups[g.key]", "    return [] if old is None else [(old, -1)]"]
    lines += _emptied(plan, layout) if way == "out" else []
    lines += _row(plan, layout, in_group, names)
    if way == "out" or not _tells_rows(plan):
        lines += ["if new == old:", "    return []"]
    lines += ["g.row = new"]
    if plan.having:
        lines += ["if new is None:", "    return [(old, -1)]"]
    return [*lines, "return [(new, 1)] if old is None else [(old, -1), (new, 1)]"]


def _each_group(*lines: list[str]) -> list[str]:
    head = ["    for g in dirty:", "        g.dirty = False", "        old = g.row"]
    return head + indented(indented([line for part in lines for line in part]))


def _gone(plan: Aggregate, go: str) -> list[str]:
    """A group without rows goes."""
    if plan.grand:
        return []
    lines = ["del groups[g.key]", "if old is not None:", f"    {go}", "continue"]
    return ["if not g.rows:", *indented(lines)]


def _emptied(plan: Aggregate, layout: Layout) -> list[str]:
    """The one group that is always there keeps nothing of sums, which may be in parts, when its last row has gone."""
    sums = [at for cell, at in zip(layout.cells, layout.starts, strict=True) if cell.kind == "sum_float"]
    if not plan.grand or layout.log or not sums:
        return []
    return ["if not g.rows:", *(f"    {in_group(at)}, {in_group(at + 1)} = 0.0, []" for at in sums)]


def _grown(plan: Aggregate, go: str, come: str) -> list[str]:
    """A group that rows came into: if their number is a column, its row is another one."""
    if not _tells_rows(plan):
        return _differing(plan, go, come)
    return ["g.row = new", "if old is not None:", f"    {go}", come]


def _differing(plan: Aggregate, go: str, come: str) -> list[str]:
    come_lines = ["    if new is not None:", f"        {come}"] if plan.having else [f"    {come}"]
    return ["if new != old:", "    if old is not None:", f"        {go}", *come_lines, "    g.row = new"]


def _tells_rows(plan: Aggregate) -> bool:
    """Whether the number of a group's rows is a column: then a group that only grew has another row than before."""
    counted = {len(plan.keys) + at for at, agg in enumerate(plan.aggs) if counts_rows(agg)}
    return not plan.having and any(isinstance(part, Col) and part.index in counted for part in plan.columns)


def _local(at: int) -> str:
    return f"l{at}"


def _with_held(plan: Aggregate, layout: Layout, row: list[str], names: Names) -> list[str]:
    """Lines that make `new`, with the held rows folded on top where there are any."""
    if not layout.holds:
        return row
    aside = [*_on_top(layout), *_row(plan, layout, _local, names)]
    return ["held = aside.get(g.key)", "if held:", *indented(aside), "else:", *indented(row)]


def _on_top(layout: Layout) -> list[str]:
    """The slots as locals, the held rows folded on top."""
    lines = [f"{_local(at)} = {in_group(at)}" for at in range(ROWS, layout.size)]
    folded = [(c, at) for c, at in zip(layout.cells, layout.starts, strict=True) if c.kind not in TAKEN_BACK]
    names = [[f"x{i}_{j}" for j in range(len(cell.args))] for i, (cell, _) in enumerate(folded)]
    lines.append(f"for {tuple_code([name for group in names for name in group])} in held:")
    for (cell, at), args in zip(folded, names, strict=True):
        lines.append(f"    if {' and '.join(f'{a} is not None' for a in args)}:")
        folding = fold_in(cell.kind, True, at, _local, args, keyed=layout.by_position(cell))
        lines += ["        " + line for line in folding]
    return lines


def _row(plan: Aggregate, layout: Layout, slot: Slot, names: Names) -> list[str]:
    """Lines that make `new`: the group's row, or None if HAVING leaves it out."""
    wanted: list[int] = []
    results = [result(agg, layout, slot) for agg in plan.aggs]
    single = len(plan.keys) == 1

    def column(index: int) -> str:
        at = index - len(plan.keys)
        if single and index == 0:
            return "g.key"
        if at >= 0 and results[at].plain:
            return results[at].text
        if index not in wanted:
            wanted.append(index)
        return f"k{index}" if at < 0 else f"v{at}"

    writer = Writer(column, names, {len(plan.keys) + i for i, code in enumerate(results) if not code.nullable})
    writer.share((*plan.having, *plan.columns))
    tests = [writer.truth(test) for test in plan.having]
    row = _own_key(plan) or tuple_code([writer.value(part).text for part in plan.columns])
    lines = []
    keys = [f"k{i}" for i in range(len(plan.keys))]
    if any(i < len(keys) for i in wanted):
        lines.append(f"{tuple_code(keys)} = g.key")
    lines += [f"v{i - len(keys)} = {results[i - len(keys)].text}" for i in wanted if i >= len(keys)]
    lines += writer.taken()
    return [*lines, f"new = {row} if {' and '.join(tests)} else None" if tests else f"new = {row}"]


def _own_key(plan: Aggregate) -> str | None:
    """DISTINCT's row is its key."""
    same = plan.columns == tuple(Col(i) for i in range(len(plan.keys)))
    return "g.key" if same and len(plan.keys) > 1 else None


def in_group(at: int) -> str:
    """A slot of the group `g`."""
    return f"g.{slot_name(at)}"


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]
