"""Where parts of expressions are computed: those that are used more than once, or stand too deep, get a name.

A part is bound at the innermost place that all its uses pass through, so that what a CASE, COALESCE, AND or OR may
leave out is only computed where it is not left out. Names in a branch make its expression a block of statements; the
others stay one Python expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dataflow.sql.budget import spend
from dataflow.sql.codegen.demands import FALSE, VALUE, Demand, Use, is_test
from dataflow.sql.plan.nodes import Case, Coalesce, Expr, IsNull, Not
from dataflow.sql.plan.rewrite import LEAVES, operands

HEIGHT = 20
"""How many levels of expressions stand in one line: Python's parser takes 200 parentheses, and each is some."""
WIDTH = 16
"""How many branches stand in one line, each in the ELSE of the one before."""
_TURNED = (Not, IsNull)
_STEPPED = (Case, Coalesce)
BLOCKS = 8
"""How many blocks stand in each other, as Python takes 20 loops; what is deeper is computed in the last one."""


class Region:
    """Statements that are run together: the line's own (no `owner`), or those of a step or branch of a block. `blocks`
    is how many of these it stands in.
    """

    def __init__(
        self, parent: Region | None = None, owner: Demand | None = None, step: int = 0, *, branch: bool = False
    ) -> None:
        self.parent, self.owner, self.step, self.branch = parent, owner, step, branch
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.blocks: int = parent.blocks + (parent.owner != owner) if parent is not None else 0
        self.names: list[Demand] = []

    def _follows(self, other: Region) -> bool:
        """Whether both are steps of one block."""
        return self.owner == other.owner and self.parent is other.parent and not (self.branch or other.branch)

    def meet(self, other: Region) -> Region:
        """The innermost one that both are run after."""
        one, two = self, other
        while one is not two:
            if one.parent is not None and one._follows(two):
                return one if one.step <= two.step else two
            if one.depth >= two.depth and one.parent is not None:
                one = one.parent
            elif two.parent is not None:
                two = two.parent
        return one


class Regions:
    """The regions of the demands under `root`. `steps` and `branches` are those of each block, by number of step."""

    def __init__(self, root: Demand, inner: Callable[[Demand], list[Use]], known: Iterable[Demand]) -> None:
        self.top = Region()
        self.steps: dict[Demand, dict[int, Region]] = {}
        self.branches: dict[Demand, dict[int, Region]] = {}
        self.blocks: set[Demand] = set()
        self.uses: dict[Demand, list[Use]] = {}
        self.order = self._visit(root, inner, set(known))
        self.of: dict[Demand, Region] = {root: self.top}
        for asked in reversed(self.order):
            for use in self.uses[asked]:
                if use.demand in self.uses:
                    place = self._place(asked, use)
                    before = self.of.get(use.demand)
                    self.of[use.demand] = place if before is None else before.meet(place)

    def _visit(self, root: Demand, inner: Callable[[Demand], list[Use]], known: set[Demand]) -> list[Demand]:
        """All demands that are not `known`, operands first."""
        order: list[Demand] = []
        stack = [(root, False)]
        while stack:
            asked, opened = stack.pop()
            if opened:
                order.append(asked)
            elif asked not in self.uses and asked not in known:
                self.uses[asked] = inner(asked)
                stack.append((asked, True))
                stack += [(use.demand, False) for use in reversed(self.uses[asked])]
        spend(len(order))
        return order

    def _place(self, asked: Demand, use: Use) -> Region:
        here = self.of[asked]
        if here.blocks >= BLOCKS or not (use.step or use.branch):
            return here
        step = here if not use.step else self._inner(asked, use.step, here, branch=False)
        return self._inner(asked, use.step, step, branch=True) if use.branch else step

    def _inner(self, owner: Demand, step: int, parent: Region, *, branch: bool) -> Region:
        own = (self.branches if branch else self.steps).setdefault(owner, {})
        if step not in own:
            own[step] = Region(parent, owner, step, branch=branch)
        return own[step]

    def bind(self, shared: set[Expr]) -> None:
        """Choose what gets a name, in its region; what has names in its own steps becomes one of the `blocks`."""
        height: dict[Demand, int] = {}
        owners: set[Demand] = set()
        for asked in self.order:
            inner = self.uses[asked]
            nested = isinstance(asked[0], _STEPPED)
            levels = 1 + max((height.get(use.demand, 0) + (nested and use.step) for use in inner), default=0)
            if (nested and len(inner) > WIDTH) or asked in owners:
                self.blocks.add(asked)
            if asked in self.blocks or levels > HEIGHT or (asked[0] in shared and _is_worth(asked)):
                self._name(asked, owners)
                levels = 0
            height[asked] = levels

    def _name(self, asked: Demand, owners: set[Demand]) -> None:
        region: Region | None = self.of[asked]
        assert region is not None
        region.names.append(asked)
        while region is not None and region.owner is not None and region.owner not in owners:
            owners.add(region.owner)
            region = region.parent


def _is_worth(asked: Demand) -> bool:
    """Whether a name is cheaper than to compute it again."""
    expr, form = asked
    while isinstance(expr, _TURNED):
        expr, form = expr.arg, VALUE
    return not isinstance(expr, LEAVES) and (form != FALSE or is_test(expr) or not operands(expr))


def stands_in_line(expr: Expr, shared: set[Expr]) -> bool:
    """Whether it is so small that nothing in it needs a name."""
    stack, count = [expr], 0
    while stack and count < HEIGHT:
        part = stack.pop()
        count += 1
        if part in shared:
            return False
        stack += operands(part)
    return not stack


def shared_parts(roots: Iterable[Expr]) -> set[Expr]:
    """The parts that stand in more than one place of these expressions."""
    seen: set[Expr] = set()
    shared: set[Expr] = set()
    stack = list(roots)
    while stack:
        part = stack.pop()
        if isinstance(part, LEAVES):
            continue
        if part in seen:
            shared.add(part)
        else:
            seen.add(part)
            stack += operands(part)
    spend(len(seen))
    return shared
