"""In which form an expression's code asks for its operands, and whether it evaluates them on every row.

Three forms, because most expressions are only asked whether they are true: VALUE gives the value or None, TRUE a
condition that holds where SQL says TRUE, FALSE one that holds where it says FALSE.
"""

from __future__ import annotations

from typing import NamedTuple

from dataflow.sql.plan.nodes import And, Call, Case, Coalesce, Expr, IsNull, Not, Or
from dataflow.sql.plan.nulls import Nulls
from dataflow.sql.plan.rewrite import LEAVES

VALUE, TRUE, FALSE = "value", "true", "false"
TURNED = {TRUE: FALSE, FALSE: TRUE}
Demand = tuple[Expr, str]
_JOINED = (And, Or)
_TURNED = (Not, IsNull)


class Use(NamedTuple):
    """An operand as it is asked for. `step`: the code comes there only where the steps before have not decided; step 0
    is always taken. `branch`: and only where the step's own condition is true.
    """

    demand: Demand
    step: int = 0
    branch: bool = False


def demand(expr: Expr, form: str) -> Demand:
    """What is asked for in truth: NOT turns the form round, and what is no condition is asked for its value."""
    while form != VALUE:
        if isinstance(expr, Not):
            expr, form = expr.arg, TURNED[form]
        elif isinstance(expr, _JOINED) or is_test(expr) or form == FALSE:
            break
        else:
            form = VALUE
    return expr, form


def is_test(expr: Expr) -> bool:
    """A call whose code is a condition by itself once its operands are not NULL."""
    return isinstance(expr, Call) and expr.strict and not expr.nullable


def uses(asked: Demand, nulls: Nulls) -> list[Use]:
    """The operands of an expression in the form in which its own code asks for them."""
    expr, form = asked
    if isinstance(expr, LEAVES) or nulls.void(expr):
        return []
    if isinstance(expr, _JOINED):
        inner = form if form != VALUE or any(map(nulls.nullable, expr.args)) else TRUE
        return [Use(demand(arg, inner), step) for step, arg in enumerate(expr.args)]
    if form == FALSE and not is_test(expr):
        return [Use((expr, VALUE))]
    if isinstance(expr, Call):
        return [Use((arg, VALUE)) for arg in expr.args]
    if isinstance(expr, _TURNED):
        return [Use((expr.arg, VALUE))]
    if isinstance(expr, Coalesce):
        return [Use((arg, VALUE), step) for step, arg in enumerate(expr.args)]
    return _branches(expr)


def _branches(expr: Case) -> list[Use]:
    found = []
    for step, (when, value) in enumerate(expr.whens):
        found += [Use(demand(when, TRUE), step), Use((value, VALUE), step, True)]
    return [*found, Use((expr.default, VALUE), len(expr.whens))]
