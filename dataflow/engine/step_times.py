"""How long each operator has taken, where the engine was told to measure."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from dataflow.engine.operators.node import Node


class StepTimes:
    """`measuring` says whether times are noted. An operator's times go with it."""

    def __init__(self) -> None:
        self.measuring = False
        self._spent: WeakKeyDictionary[Node, float] = WeakKeyDictionary()
        self._slowest: WeakKeyDictionary[Node, float] = WeakKeyDictionary()

    def start(self) -> None:
        """Note times from now on."""
        self.measuring = True

    def note(self, node: Node, seconds: float) -> None:
        """Take up the time of one step."""
        self._spent[node] = self._spent.get(node, 0.0) + seconds
        self._slowest[node] = max(self._slowest.get(node, 0.0), seconds)

    def total_ms(self, node: Node) -> float:
        return self._spent.get(node, 0.0) * 1000

    def slowest_ms(self, node: Node) -> float:
        """Return the time of the slowest step."""
        return self._slowest.get(node, 0.0) * 1000
