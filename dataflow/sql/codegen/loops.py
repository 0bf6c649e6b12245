"""Pipelines: what happens to one row between two places that keep state, as one generated loop.

Maps are substituted into each other, unions split into several pipelines, and a join with a table that is never
changed while the pipeline stands becomes a lookup inside the loop. Registers: the source row's columns are 0, 1, 2
…; the columns of a lookup's row are `LookupSlot`s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from dataflow.sql.codegen.blocks import Code
from dataflow.sql.codegen.expressions import Names, Writer
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Col, Expr, Join, LookupSlot, Map, Rel, Scan, Union, placed


class Lookup(NamedTuple):
    """A join with a constant relation: its rows are found by key in an index."""

    right: Rel
    right_keys: tuple[Expr, ...]
    keys: tuple[Expr, ...]
    outer: bool
    width: int


class Index(NamedTuple):
    """The rows of a constant relation by key, NULL keys left out."""

    rel: Rel
    keys: tuple[Expr, ...]


class Pipe(NamedTuple):
    """Rows of `source` for which all `where` are true, as `columns` (None: the source row itself)."""

    source: Rel
    where: tuple[Expr, ...]
    columns: tuple[Expr, ...] | None
    lookups: tuple[Lookup, ...] = ()

    @property
    def log(self) -> bool:
        """Whether rows come straight from the log, so that only pending ones are ever retracted."""
        return isinstance(self.source, Scan) and self.source.relation == "events"

    def over(self, expr: Expr) -> Expr:
        return expr if self.columns is None else rewrite.through(expr, self.columns)

    def all_over(self, exprs: Iterable[Expr]) -> tuple[Expr, ...]:
        return tuple(exprs) if self.columns is None else rewrite.all_through(exprs, self.columns)


MANY = 64
"""How many pipelines of nested unions lead into one reader before the inner unions become operators of their own."""

Constant = Callable[[Rel], bool]


def pipes(rel: Rel, constant: Constant) -> list[Pipe]:
    """The pipelines that lead into whatever reads `rel`."""
    found: dict[Rel, list[Pipe]] = {}
    stack = [rel]
    while stack:
        part = stack[-1]
        missing = [inner for inner in _fused(part, constant) if inner not in found]
        if missing:
            stack += missing
            continue
        stack.pop()
        if part not in found:
            found[part] = _joined(part, found, constant)
    return found[rel]


def _fused(rel: Rel, constant: Constant) -> tuple[Rel, ...]:
    """The relations whose pipelines go on through this one."""
    if isinstance(rel, Union):
        return rel.inputs
    if isinstance(rel, Map):
        return (rel.input,)
    looked_up = isinstance(rel, Join) and rel.kind in ("inner", "left") and not rel.on and rel.left_keys
    return (rel.left,) if isinstance(rel, Join) and looked_up and constant(rel.right) else ()


def _joined(rel: Rel, found: dict[Rel, list[Pipe]], constant: Constant) -> list[Pipe]:
    if isinstance(rel, Map):
        return [_mapped(pipe, rel) for pipe in found[rel.input]]
    if isinstance(rel, Union):
        many = sum(len(found[part]) for part in rel.inputs) > MANY
        own = ([Pipe(part, (), None)] if many and len(found[part]) > 1 else found[part] for part in rel.inputs)
        return [pipe for part in own for pipe in part]
    if isinstance(rel, Join) and _fused(rel, constant):
        return [_looked_up(pipe, rel) for pipe in found[rel.left]]
    return [Pipe(rel, (), None)]


def _mapped(pipe: Pipe, rel: Map) -> Pipe:
    where = (*pipe.where, *pipe.all_over(rel.where))
    if rel.columns is None:
        return pipe._replace(where=where)
    return pipe._replace(where=where, columns=pipe.all_over(rel.columns))


def _looked_up(pipe: Pipe, rel: Join) -> Pipe:
    number = len(pipe.lookups) + 1
    left = pipe.columns if pipe.columns is not None else tuple(Col(i) for i in range(rel.widths[0]))
    right = tuple(placed(LookupSlot(number, i)) for i in range(rel.widths[1]))
    keys = pipe.all_over(rel.left_keys)
    found = Lookup(rel.right, rel.right_keys, keys, rel.kind == "left", rel.widths[1])
    return pipe._replace(columns=left + right, lookups=(*pipe.lookups, found))


class Loop:
    """Writes one pipeline's loop: `for r in rows`, tests, lookups, and in the middle whatever the reader of the
    rows does.
    """

    def __init__(self, pipe: Pipe, names: Names, read: Iterable[Expr]) -> None:
        """`read` is all that will be read of the pipe's rows, over its source's."""
        self.pipe = pipe
        self.lines: list[str] = []
        self.depth = 1
        self.wanted: list[str] = []
        self.loaded: set[str] = set()
        nonnull = {names.position} if pipe.log else ()
        self.writer = Writer(lambda index: self._column(0, index), names, nonnull, self._column)
        keys = (key for lookup in pipe.lookups for key in lookup.keys)
        self.writer.share([*pipe.where, *keys, *read])
        self.level = 0
        self._open()

    def _column(self, level: int, index: int) -> str:
        """The name of a column of the source's row, which is level 0, or of a lookup's."""
        name = f"c{level}_{index}"
        if name not in self.loaded and name not in self.wanted:
            self.wanted.append(name)
        return name

    def add(self, *lines: str) -> None:
        """Lines at the present depth, after loading and computing what they newly name."""
        for name in self.wanted:
            level, index = name[1:].split("_")
            self.lines.append(f"{'    ' * self.depth}{name} = r{level}[{index}]")
            self.loaded.add(name)
        self.wanted.clear()
        self.lines += ["    " * self.depth + line for line in (*self.writer.taken(), *lines)]

    def _open(self) -> None:
        self.lines.append("    for r0 in rows:")
        self.depth = 2
        self._tests()
        for number, lookup in enumerate(self.pipe.lookups, 1):
            self._look_up(number, lookup)
            self.level = number
            self._tests()

    def _look_up(self, number: int, lookup: Lookup) -> None:
        """Go on with the row that the key finds, or once with each; an outer lookup without one goes on with NULLs."""
        key, names = key_code(self.writer, lookup.keys), self.writer.names
        wanted = Index(lookup.right, lookup.right_keys)
        index = names.lookup(wanted)
        blank = (None,) * lookup.width
        if names.unique(wanted):
            self.add(f"r{number} = {index}.get({key.text})", f"if r{number} is None:")
            self.add(f"    r{number} = {names.constant(blank)}" if lookup.outer else "    continue")
            return
        missing = names.constant((blank,) if lookup.outer else ())
        self.add(f"for r{number} in {index}.get({key.text}, {missing}):")
        self.depth += 1

    def _tests(self) -> None:
        """Those tests that can be made now and could not before."""
        for test in self.pipe.where:
            top = max((slot.n for slot in rewrite.slots(test)), default=0)
            if top != self.level:
                continue
            condition = self.writer.truth(test)
            self.add(f"if not {condition}:", "    continue")
            self.writer.nulls.learn((test,))

    def value(self, expr: Expr) -> Code:
        """An expression over the pipe's rows."""
        return self.writer.value(self.pipe.over(expr))

    def row(self) -> str:
        """The pipe's row."""
        if self.pipe.columns is None:
            return "r0"
        return tuple_code([self.writer.value(column).text for column in self.pipe.columns])


def tuple_code(parts: list[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def key_code(writer: Writer, keys: tuple[Expr, ...]) -> Code:
    """A join key: the value itself if there is one, else a tuple; None when any part is NULL."""
    codes = [writer.value(key) for key in keys]
    if len(codes) == 1:
        return codes[0]
    tests, parts = [], []
    for code in codes:
        if code.nullable and not code.plain:
            name = writer.temporary()
            tests.append(f"({name} := {code.text}) is None")
            parts.append(name)
        else:
            tests += [f"{code.text} is None"] if code.nullable else []
            parts.append(code.text)
    if not tests:
        return Code(tuple_code(parts), False)
    return Code(f"(None if {' or '.join(tests)} else {tuple_code(parts)})", True)


def rows_function(pipe: Pipe, name: str, names: Names) -> list[str]:
    """`def name(rows) -> list of rows`."""
    picked = _picked(pipe)
    if picked:
        return [f"{name}_pick = itemgetter({picked})", f"def {name}(rows):", f"    return list(map({name}_pick, rows))"]
    loop = Loop(pipe, names, pipe.columns or ())
    row = loop.row()
    loop.add(f"put({row})")
    return _listing(loop, name)


def _picked(pipe: Pipe) -> str:
    """The places of the columns, where that is all that happens to a row: CPython picks them without bytecode."""
    columns = pipe.columns or ()
    if pipe.where or pipe.lookups or len(columns) < 2 or not all(isinstance(column, Col) for column in columns):
        return ""
    return ", ".join(str(column.index) for column in columns if isinstance(column, Col))


def paired_function(pipe: Pipe, keys: tuple[Expr, ...], name: str, names: Names) -> list[str]:
    """`def name(rows) -> list of (key, row)`."""
    over = pipe.all_over(keys)
    loop = Loop(pipe, names, [*over, *(pipe.columns or ())])
    key = key_code(loop.writer, over) if keys else Code("()", False)
    row = loop.row()
    loop.add(f"put(({key.text}, {row}))")
    return _listing(loop, name)


def _listing(loop: Loop, name: str) -> list[str]:
    return [f"def {name}(rows):", "    found = []", "    put = found.append", *loop.lines, "    return found"]
