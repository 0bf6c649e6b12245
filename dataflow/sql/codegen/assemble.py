"""Generated source to functions. Its names are those of `runtime/namespace.py`, constants, and what the caller
passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from dataflow.sql.codegen.expressions import Names, Writer
from dataflow.sql.codegen.sort_keys import order_key
from dataflow.sql.plan.nodes import Expr
from dataflow.sql.runtime.exports import merge
from dataflow.sql.runtime.namespace import RUNTIME
from dataflow.zset import Row

NAMESPACE = merge([RUNTIME, {"order_key": order_key, "itemgetter": itemgetter, "NOTHING": (None,)}])
"""All that generated code sees, beside its constants and indexes."""


def assemble(
    lines: list[str], names: Names, indexes: Mapping[Any, Any], **given: Any
) -> dict[str, Callable[..., Any]]:
    """The functions that `lines` define, by name, as closures over what is `given`."""
    body = "\n".join("    " + line for line in lines)
    source = f"def build({', '.join(given)}):\n{body}\n    return locals()"
    space = {**NAMESPACE, **names.constants}
    space.update((f"I{n}", indexes[wanted]) for n, wanted in enumerate(names.lookups))
    exec(compile(source, "<query>", "exec"), space)  # noqa: S102  (our own text)
    found: dict[str, Callable[..., Any]] = space["build"](**given)
    return found


def pair_test(on: tuple[Expr, ...], width: int) -> Callable[[Row, Row], bool] | None:
    """The test of a left and a right row beyond their key."""
    if not on:
        return None
    names = Names()
    writer = Writer(lambda i: f"a[{i}]" if i < width else f"b[{i - width}]", names)
    writer.share(on)
    lines = ["def test(a, b):"]
    for test in on:
        condition = writer.truth(test)
        lines += [f"    {line}" for line in (*writer.taken(), f"if not {condition}:", "    return False")]
    found: Callable[[Row, Row], bool] = assemble([*lines, "    return True"], names, {})["test"]
    return found


def clock_function(bound: Expr) -> Callable[[int], int]:
    """The bound of a temporal filter, of the clock."""
    names = Names()
    lines = [f"    {line}" for line in clock_lines(bound, names, "return ")]
    found: Callable[[int], int] = assemble(["def bound(now):", *lines], names, {})["bound"]
    return found


def clock_lines(bound: Expr, names: Names, before: str, after: str = "") -> list[str]:
    """Lines of which the last has the bound, over the clock `now`, between `before` and `after`."""
    writer = Writer(lambda _: "now", names, {0})
    writer.share([bound])
    text = writer.value(bound).text
    return [*writer.taken(), f"{before}{text}{after}"]
