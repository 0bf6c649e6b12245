"""What every operator is: a node of the circuit, run at most once a step, inputs before readers.

Delta: in a step a node reads what its inputs came out with and leaves its own change in `plus` (rows inserted) and
`minus` (rows retracted), each row as often as its weight. A row may stand in both, unless the node is `netted`.
State: what a node keeps between steps is its own; `state` shows where, `size` how much. It is nothing again when all
that came has gone. `rows` gives the output as it stands, for a reader that comes later; None where it is not kept.
Order: over all steps a node's output is a multiset. Whoever reads `plus` before `minus` never sees a count below zero.
The caller runs nodes by `rank`, retracts only rows that are there, and calls `clear` after the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dataflow.zset import Change, Row

Rows = Sequence[Row]
NONE: Rows = ()


class Node:
    """`rank` is above that of every input."""

    plus: Rows = NONE
    minus: Rows = NONE
    netted = False
    """Whether no row ever stands in both `plus` and `minus`."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        self.inputs = tuple(inputs)
        self.readers: list[Node] = []
        self.rank: int = 1 + max((node.rank for node in inputs), default=0)

    def listens(self) -> bool:
        """Whether it reads changes now; if not, it will ask for `rows` when it does."""
        return True

    def passes_on(self) -> bool:
        """Whether all that it does now is to hand its only input's changes on: the input may give them to `pass_on`."""
        return False

    def pass_on(self, changes: list[Change]) -> None:
        raise NotImplementedError

    def retracts(self) -> bool:
        """Whether it can take back a confirmed row of the log."""
        return True

    def step(self) -> None:
        raise NotImplementedError

    def rows(self) -> Iterable[Row] | None:
        return None

    def clear(self) -> None:
        self.plus = self.minus = NONE

    def size(self) -> int:
        """How many rows or groups it keeps."""
        return 0

    def state(self) -> Iterable[object]:
        """Where it keeps them."""
        return ()


class Source(Node):
    """Where rows come in. Over the log, `confirmed` and `held` part the inserted rows, `released` are pending rows
    that go.
    """

    def __init__(self) -> None:
        super().__init__(())
        self.confirmed: Rows = NONE
        self.held: Rows = NONE
        self.released: Rows = NONE
        self.undone: Rows = NONE

    def put(self, confirmed: Rows, held: Rows = NONE, released: Rows = NONE, undone: Rows = NONE) -> None:
        """The rows of one step."""
        self.confirmed, self.held, self.released, self.undone = confirmed, held, released, undone
        self.plus = [*confirmed, *held] if held else confirmed
        self.minus = [*undone, *released] if released else undone

    def step(self) -> None:
        pass

    def clear(self) -> None:
        self.plus = self.minus = self.confirmed = self.held = self.released = self.undone = NONE


class Constant(Node):
    """Rows that never change: VALUES."""

    def __init__(self, held: Rows) -> None:
        super().__init__(())
        self.held = held

    def step(self) -> None:
        pass

    def rows(self) -> Iterable[Row]:
        return self.held


RowsFunction = Callable[[Rows], list[Row]]


class Piped(Node):
    """Rows through one or more pipelines, without state of its own: filters, projections, unions."""

    def __init__(self, inputs: Sequence[Node], functions: Sequence[RowsFunction]) -> None:
        super().__init__(inputs)
        self.functions = tuple(functions)

    def step(self) -> None:
        self.plus = [
            row for node, run in zip(self.inputs, self.functions, strict=True) if node.plus for row in run(node.plus)
        ]
        self.minus = [
            row
            for node, run in zip(self.inputs, self.functions, strict=True)
            if node.minus
            for row in run(node.minus)
        ]
