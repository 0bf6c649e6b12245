"""What goes wrong in a step: nodes that failed, and nodes that took longer than the budget has."""

from __future__ import annotations

from typing import NamedTuple

from dataflow.engine.operators.node import Node
from dataflow.engine.step_budget import Budget


class Trouble(NamedTuple):
    """A node that failed in a step, or took `seconds`, which is too long."""

    node: Node
    error: Exception | None
    seconds: float = 0.0


class Troubles:
    """`noted` are the troubles that are not yet taken; it is always the same list. `budget` is that of each step."""

    def __init__(self) -> None:
        self.noted: list[Trouble] = []
        self.budget: Budget | None = None

    def keep_to(self, budget: Budget) -> None:
        """Note, from now on, the nodes that take longer."""
        self.budget = budget

    def note_failure(self, node: Node, error: Exception) -> None:
        self.noted.append(Trouble(node, error))

    def note_time(self, node: Node, seconds: float) -> None:
        """Note a node that took so many seconds by the wall, where that is over the budget."""
        if self.budget is not None and (own := self.budget.over(seconds)):
            self.noted.append(Trouble(node, None, own))

    def take(self) -> Trouble:
        """Take out the earliest one."""
        return self.noted.pop(0)
