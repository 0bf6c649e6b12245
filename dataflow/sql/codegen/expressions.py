"""Plan expressions to Python expressions, with SQL's NULLs and three-valued logic inlined.

Operands that are not names are bound once by `:=`; those that several places use, or that stand too deep, by lines
before (`binding.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dataflow.sql.codegen.binding import Regions, shared_parts, stands_in_line
from dataflow.sql.codegen.blocks import Blocks, Code
from dataflow.sql.codegen.demands import TRUE, VALUE, Demand, demand, is_test, uses
from dataflow.sql.plan.interned import exact
from dataflow.sql.plan.nodes import (
    And,
    Call,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNull,
    LookupSlot,
    Not,
    Or,
    Pool,
)
from dataflow.sql.plan.nulls import Nulls
from dataflow.sql.plan.rewrite import operands
from dataflow.sql.runtime.numbers import NAN


class Names:
    """What generated code refers to by name: constants, and the indexes of lookups, which the engine fills in.

    `unique` says of an index whether it has one row a key; it then maps keys to rows, else to lists of rows. `position`
    is the log's column of that name, which is never NULL (−1: it has none).
    """

    def __init__(self, unique: Callable[[Any], bool] | None = None, position: int = -1) -> None:
        self.constants: dict[str, Any] = {}
        self._constant_names: dict[Any, str] = {}
        self.lookups: list[Any] = []
        self.position = position
        self.unique = unique or (lambda _: False)

    def constant(self, value: Any) -> str:
        name = self._constant_names.setdefault(exact(value), f"K{len(self.constants)}")
        self.constants.setdefault(name, value)
        return name

    def lookup(self, wanted: Any) -> str:
        if wanted not in self.lookups:
            self.lookups.append(wanted)
        return f"I{self.lookups.index(wanted)}"


class Writer:
    """Writes expressions over columns named by `column`, of which those in `nonnull` are never NULL. `looked_up` names
    the column of a lookup's row, by the lookup's number and its own.

    What a text refers to by name must be computed before it: `taken` gives those lines.
    """

    def __init__(
        self,
        column: Callable[[int], str],
        names: Names,
        nonnull: Iterable[int] = (),
        looked_up: Callable[[int, int], str] | None = None,
    ) -> None:
        self.column = column
        self.looked_up = looked_up
        self.names = names
        self.nulls = Nulls(nonnull)
        self.count = 0
        self._shared: set[Expr] = set()
        self._bound: dict[Demand, Code] = {}
        self._lines: list[str] = []

    def share(self, exprs: Iterable[Expr]) -> None:
        """What these have in common is computed once. They are all that will be written."""
        self._shared = shared_parts(exprs)

    def taken(self) -> list[str]:
        """The lines that must stand before what has been written since the last time."""
        lines, self._lines = self._lines, []
        return lines

    def temporary(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def value(self, expr: Expr) -> Code:
        """The expression's value, or None."""
        self._prepare((expr, VALUE))
        return self._value(expr)

    def truth(self, expr: Expr) -> str:
        """A condition that holds where the expression is true."""
        self._prepare(demand(expr, TRUE))
        return self._condition(demand(expr, TRUE))

    # names

    def _prepare(self, root: Demand) -> None:
        """Bind what the root needs by name."""
        if root in self._bound or stands_in_line(root[0], self._shared):
            return
        regions = Regions(root, lambda asked: uses(asked, self.nulls), self._bound)
        regions.bind(self._shared)
        Blocks(regions, self._bound, self._text, self.temporary).write(regions.top, self._lines, "")

    def _text(self, asked: Demand) -> Code:
        """A demand's code: a text that is only used as a condition is never None."""
        expr, form = asked
        return self._value(expr) if form == VALUE else Code(self._condition(asked), False)

    # values

    def _value(self, expr: Expr) -> Code:
        known = self._bound.get((expr, VALUE)) if self._bound else None
        if known is not None:
            return known
        if isinstance(expr, Col):
            return Code(self.column(expr.index), self.nulls.nullable(expr), True)
        if isinstance(expr, LookupSlot) and self.looked_up is not None:
            return Code(self.looked_up(expr.n, expr.column), self.nulls.nullable(expr), True)
        if isinstance(expr, Const):
            return self._literal(expr.value)
        if isinstance(expr, Pool):
            return Code(self.names.constant(frozenset(v if v == v else NAN for v in expr.values)), False, True)  # noqa: PLR0124  (NaN)
        if isinstance(expr, Call):
            return self._call(expr)
        if isinstance(expr, IsNull):
            inner = self._value(expr.arg)
            if isinstance(expr.arg, Const) or not inner.nullable:
                return Code(str(inner.nullable), False, True)
            return Code(f"({inner.text} is None)", False)
        if isinstance(expr, Not):
            return self._not(expr)
        if isinstance(expr, Coalesce):
            return self._coalesce(expr)
        if isinstance(expr, Case):
            return self._case(expr)
        return self._logic(expr)

    def _literal(self, value: Any) -> Code:
        text = repr(value)
        if isinstance(value, float) and text.lstrip("-") in ("inf", "nan"):
            text = {"inf": "INF", "-inf": "(-INF)"}.get(text, "NAN")
        elif isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
            text = f"({text})"
        return Code(text, value is None, True)

    def _named(self, expr: Expr) -> tuple[str, str, bool]:
        """How to bind the operand, how to name it afterwards, and whether it may be None."""
        code = self._value(expr)
        if code.plain:
            return code.text, code.text, code.nullable
        name = self.temporary()
        return f"({name} := {code.text})", name, code.nullable

    def _call(self, expr: Call) -> Code:
        if not expr.strict:
            return Code(self._raw(expr), expr.nullable)
        if self.nulls.void(expr):
            return Code("None", True, True)
        tests, names = self._guards(expr)
        body = expr.code.format(*names)
        if not tests:
            return Code(f"({body})", expr.nullable)
        return Code(f"(None if {' or '.join(f'{t} is None' for t in tests)} else {body})", True)

    def _raw(self, expr: Call) -> str:
        """A call that takes NULLs; its code may name an operand twice, so all are bound first."""
        bound = [self._named(arg) for arg in expr.args]
        binds = [bind for bind, name, _ in bound if bind != name]
        body = expr.code.format(*(name for _, name, _ in bound))
        return f"(({', '.join(binds)},) and ({body}))" if binds else f"({body})"

    def _guards(self, expr: Call) -> tuple[list[str], list[str]]:
        """Operands of a strict call: what must be tested for None, in order, and their names in its code.

        An operand that cannot be None is written in place when it is used once, else bound in a test that never
        fails.
        """
        tests, names = [], []
        for at, arg in enumerate(expr.args):
            code = self._value(arg)
            if code.plain:
                tests += [code.text] if code.nullable else []
                names.append(code.text)
            elif not code.nullable and expr.code.count(f"{{{at}}}") == 1:
                names.append(code.text)
            else:
                name = self.temporary()
                tests.append(f"({name} := {code.text})")
                names.append(name)
        return list(dict.fromkeys(tests)), names

    def _not(self, expr: Not) -> Code:
        bind, name, nullable = self._named(expr.arg)
        if not nullable:
            return Code(f"(not {bind})", False)
        return Code(f"(None if {bind} is None else not {name})", True)

    def _coalesce(self, expr: Coalesce) -> Code:
        text, nullable = "", True
        for arg in expr.args[:-1]:
            bind, name, nullable = self._named(arg)
            if not nullable:
                return Code(f"({text}{bind})", False)
            text += f"{name} if {bind} is not None else "
        last = self._value(expr.args[-1])
        return Code(f"({text}{last.text})", last.nullable)

    def _case(self, expr: Case) -> Code:
        text, nullable = "", False
        for when, value in expr.whens:
            test, code = self._condition(demand(when, TRUE)), self._value(value)
            text += f"{code.text} if {test} else "
            nullable = nullable or code.nullable
        default = self._value(expr.default)
        return Code(f"({text}{default.text})", nullable or default.nullable)

    def _logic(self, expr: And | Or) -> Code:
        """AND, OR as a value: the deciding operand decides, else NULL if any operand is NULL."""
        decides = isinstance(expr, Or)
        if not any(map(self.nulls.nullable, expr.args)):
            return Code(self._joined((expr, TRUE)), False)
        tests, nulls = [], []
        for arg in expr.args:
            bind, name, nullable = self._named(arg)
            tests.append(f"{bind} is {decides}")
            nulls += [f"{name} is None"] if nullable else []
        return Code(f"({decides} if {' or '.join(tests)} else None if {' or '.join(nulls)} else {not decides})", True)

    # conditions

    def _condition(self, asked: Demand) -> str:
        """A demand of form TRUE or FALSE, or a value as it is."""
        known = self._bound.get(asked) if self._bound else None
        if known is not None:
            return known.text
        expr, form = asked
        if form == VALUE:
            return self._value(expr).text
        if isinstance(expr, And | Or):
            return self._joined(asked)
        if isinstance(expr, Call) and is_test(expr):
            return self._strict(expr, "({})" if form == TRUE else "(not ({}))")
        code = self._value(expr)
        return f"({code.text} is False)" if code.nullable else f"(not {code.text})"

    def _joined(self, asked: Demand) -> str:
        """AND, or OR: where it is false, the other of its falsities."""
        expr, form = asked
        word = " and " if isinstance(expr, And) == (form == TRUE) else " or "
        return "(" + word.join(self._condition(demand(arg, form)) for arg in operands(expr)) + ")"

    def _strict(self, expr: Call, form: str) -> str:
        if self.nulls.void(expr):
            return "False"
        tests, names = self._guards(expr)
        body = form.format(expr.code.format(*names))
        return "(" + " and ".join([*(f"{test} is not None" for test in tests), body]) + ")"
