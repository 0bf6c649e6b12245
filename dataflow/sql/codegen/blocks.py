"""Statements that compute named parts of expressions: a line each, or a block where some of it may be left out.

A block is a loop that is run once and left where it is decided; so any number of steps stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dataflow.sql.codegen.binding import Region, Regions
from dataflow.sql.codegen.demands import TRUE, VALUE, Demand, demand
from dataflow.sql.plan.nodes import Case, Coalesce, Or
from dataflow.sql.plan.rewrite import operands


class Code(NamedTuple):
    """Python text. `nullable`: it may be None. `plain`: a name or a literal, free to be written twice."""

    text: str
    nullable: bool
    plain: bool = False


class Blocks:
    """Writes the names of regions. `text` gives a demand's code, `bound` takes the names while they can be used."""

    def __init__(
        self,
        regions: Regions,
        bound: dict[Demand, Code],
        text: Callable[[Demand], Code],
        temporary: Callable[[], str],
    ) -> None:
        self._regions, self._bound, self._text, self._temporary = regions, bound, text, temporary

    def write(self, region: Region, lines: list[str], indent: str) -> None:
        """The names of one region, inputs first."""
        for asked in region.names:
            self._bound[asked] = self._block(asked, lines, indent) if asked in self._regions.blocks else (
                self._line(asked, lines, indent)
            )

    def _line(self, asked: Demand, lines: list[str], indent: str) -> Code:
        code = self._text(asked)
        name = self._temporary()
        lines.append(f"{indent}{name} = {code.text}")
        return Code(name, code.nullable, True)

    def _block(self, asked: Demand, lines: list[str], indent: str) -> Code:
        expr, form = asked
        name = self._temporary()
        lines.append(f"{indent}while True:")
        if isinstance(expr, Case):
            nullable = self._case(asked, name, lines, indent + "    ")
        elif isinstance(expr, Coalesce):
            nullable = self._coalesce(asked, name, lines, indent + "    ")
        elif form == VALUE and any(use.demand[1] == VALUE for use in self._regions.uses[asked]):
            nullable = self._logic(asked, name, lines, indent + "    ")
        else:
            nullable = self._test(asked, name, lines, indent + "    ")
        lines.append(f"{indent}    break")
        for own in (self._regions.steps, self._regions.branches):
            for region in own.get(asked, {}).values():
                for inner in region.names:
                    self._bound.pop(inner, None)
        return Code(name, nullable, True)

    def _enter(self, asked: Demand, step: int, lines: list[str], indent: str, *, branch: bool = False) -> None:
        """The names of a step, or of its branch."""
        found = (self._regions.branches if branch else self._regions.steps).get(asked, {}).get(step)
        if found is not None:
            self.write(found, lines, indent)

    def _case(self, asked: Demand, name: str, lines: list[str], indent: str) -> bool:
        expr, nullable = asked[0], False
        assert isinstance(expr, Case)
        for step, (when, value) in enumerate(expr.whens):
            self._enter(asked, step, lines, indent)
            lines.append(f"{indent}if {self._text(demand(when, TRUE)).text}:")
            self._enter(asked, step, lines, indent + "    ", branch=True)
            code = self._text((value, VALUE))
            lines += [f"{indent}    {name} = {code.text}", f"{indent}    break"]
            nullable |= code.nullable
        self._enter(asked, len(expr.whens), lines, indent)
        code = self._text((expr.default, VALUE))
        lines.append(f"{indent}{name} = {code.text}")
        return nullable or code.nullable

    def _coalesce(self, asked: Demand, name: str, lines: list[str], indent: str) -> bool:
        nullable = True
        for step, arg in enumerate(operands(asked[0])):
            self._enter(asked, step, lines, indent)
            code = self._text((arg, VALUE))
            lines += [f"{indent}{name} = {code.text}", f"{indent}if {name} is not None:", f"{indent}    break"]
            nullable = nullable and code.nullable
        return nullable

    def _test(self, asked: Demand, name: str, lines: list[str], indent: str) -> bool:
        """AND and OR as a condition: the first operand that decides ends it."""
        expr, form = asked
        inner = TRUE if form == VALUE else form
        decides = isinstance(expr, Or) == (inner == TRUE)
        lines.append(f"{indent}{name} = {decides}")
        for step, arg in enumerate(operands(expr)):
            self._enter(asked, step, lines, indent)
            test = self._text(demand(arg, inner)).text
            lines += [f"{indent}if {test if decides else f'not {test}'}:", f"{indent}    break"]
        lines.append(f"{indent}{name} = {not decides}")
        return False

    def _logic(self, asked: Demand, name: str, lines: list[str], indent: str) -> bool:
        """AND and OR as a value: the deciding operand decides, else NULL if any operand is NULL."""
        decides, part = isinstance(asked[0], Or), self._temporary()
        lines.append(f"{indent}{name} = {not decides}")
        for step, arg in enumerate(operands(asked[0])):
            self._enter(asked, step, lines, indent)
            lines += [
                f"{indent}{part} = {self._text((arg, VALUE)).text}",
                f"{indent}if {part} is {decides}:", f"{indent}    {name} = {decides}", f"{indent}    break",
                f"{indent}if {part} is None:", f"{indent}    {name} = None",
            ]  # fmt: skip
        return True
