"""Plan expressions to Python expressions, with SQL's NULLs and three-valued logic inlined.

Three forms, because most expressions are only asked whether they are true: `value` gives the value or None, `truth`
a condition that holds where SQL says TRUE, `falsity` where it says FALSE. Operands that are not names are bound
once by `:=`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dataflow.sql.plan import And, Call, Case, Coalesce, Col, Const, Expr, IsNull, Not, Or, Pool
from dataflow.sql.runtime import NAN


class Code(NamedTuple):
    """Python text. `nullable`: it may be None. `plain`: a name or a literal, free to be written twice."""

    text: str
    nullable: bool
    plain: bool = False


class Names:
    """What generated code refers to by name: constants, and the indexes of lookups, which the engine fills in.

    `unique` says of an index whether it has one row a key; it then maps keys to rows, else to lists of rows. `position`
    is the log's column of that name, which is never NULL (−1: it has none).
    """

    def __init__(self, unique: Callable[[Any], bool] | None = None, position: int = -1) -> None:
        self.constants: dict[str, Any] = {}
        self.lookups: list[Any] = []
        self.position = position
        self.unique = unique or (lambda _: False)

    def constant(self, value: Any) -> str:
        for name, known in self.constants.items():
            if type(known) is type(value) and known == value:
                return name
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    def lookup(self, wanted: Any) -> str:
        if wanted not in self.lookups:
            self.lookups.append(wanted)
        return f"I{self.lookups.index(wanted)}"


class Writer:
    """Writes expressions over columns named by `column`."""

    def __init__(self, column: Callable[[int], str], names: Names, nonnull: set[str] | None = None) -> None:
        self.column = column
        self.names = names
        self.nonnull = nonnull if nonnull is not None else set()
        self.count = 0

    def temporary(self) -> str:
        self.count += 1
        return f"t{self.count}"

    # value

    def value(self, expr: Expr) -> Code:
        if isinstance(expr, Col):
            name = self.column(expr.index)
            return Code(name, name not in self.nonnull, True)
        if isinstance(expr, Const):
            return self._literal(expr.value)
        if isinstance(expr, Pool):
            return Code(self.names.constant(frozenset(v if v == v else NAN for v in expr.values)), False, True)  # noqa: PLR0124  (NaN)
        if isinstance(expr, Call):
            return self._call(expr)
        if isinstance(expr, IsNull):
            inner = self.value(expr.arg)
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
        code = self.value(expr)
        if code.plain:
            return code.text, code.text, code.nullable
        name = self.temporary()
        return f"({name} := {code.text})", name, code.nullable

    def _call(self, expr: Call) -> Code:
        if not expr.strict:
            return Code(self._raw(expr), expr.nullable)
        if void(expr):
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
            code = self.value(arg)
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
        last = self.value(expr.args[-1])
        return Code(f"({text}{last.text})", last.nullable)

    def _case(self, expr: Case) -> Code:
        text, nullable = "", False
        for when, value in expr.whens:
            test, code = self.truth(when), self.value(value)
            text += f"{code.text} if {test} else "
            nullable = nullable or code.nullable
        default = self.value(expr.default)
        return Code(f"({text}{default.text})", nullable or default.nullable)

    def _logic(self, expr: And | Or) -> Code:
        """AND, OR as a value: the deciding operand decides, else NULL if any operand is NULL."""
        decides = isinstance(expr, Or)
        if not any(self.value(arg).nullable for arg in expr.args):
            return Code(self.truth(expr), False)
        tests, nulls = [], []
        for arg in expr.args:
            bind, name, nullable = self._named(arg)
            tests.append(f"{bind} is {decides}")
            nulls += [f"{name} is None"] if nullable else []
        return Code(f"({decides} if {' or '.join(tests)} else None if {' or '.join(nulls)} else {not decides})", True)

    # conditions

    def truth(self, expr: Expr) -> str:
        if isinstance(expr, And):
            return "(" + " and ".join(self.truth(arg) for arg in expr.args) + ")"
        if isinstance(expr, Or):
            return "(" + " or ".join(self.truth(arg) for arg in expr.args) + ")"
        if isinstance(expr, Not):
            return self.falsity(expr.arg)
        if isinstance(expr, Call) and expr.strict and not expr.nullable:
            return self._strict(expr, "({})")
        return self.value(expr).text

    def falsity(self, expr: Expr) -> str:
        if isinstance(expr, And):
            return "(" + " or ".join(self.falsity(arg) for arg in expr.args) + ")"
        if isinstance(expr, Or):
            return "(" + " and ".join(self.falsity(arg) for arg in expr.args) + ")"
        if isinstance(expr, Not):
            return self.truth(expr.arg)
        if isinstance(expr, Call) and expr.strict and not expr.nullable:
            return self._strict(expr, "(not ({}))")
        code = self.value(expr)
        return f"({code.text} is False)" if code.nullable else f"(not {code.text})"

    def _strict(self, expr: Call, form: str) -> str:
        if void(expr):
            return "False"
        tests, names = self._guards(expr)
        body = form.format(expr.code.format(*names))
        return "(" + " and ".join([*(f"{test} is not None" for test in tests), body]) + ")"


def void(expr: Expr) -> bool:
    """Whether it is NULL whatever the row."""
    if isinstance(expr, Const):
        return expr.value is None
    return isinstance(expr, Call) and expr.strict and any(void(arg) for arg in expr.args)


def proven(tests: tuple[Expr, ...]) -> set[int]:
    """Columns that cannot be NULL where all tests are true."""
    found: set[int] = set()
    for test in tests:
        found |= _proven_true(test)
    return found


def _proven_true(test: Expr) -> set[int]:
    if isinstance(test, Call) and test.strict:
        return {arg.index for arg in test.args if isinstance(arg, Col)}
    if isinstance(test, And):
        return set().union(*(_proven_true(arg) for arg in test.args))
    if isinstance(test, Not) and isinstance(test.arg, IsNull) and isinstance(test.arg.arg, Col):
        return {test.arg.arg.index}
    if isinstance(test, Not) and isinstance(test.arg, Call) and test.arg.strict:
        return _proven_true(test.arg)
    return set()
