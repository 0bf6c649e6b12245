"""Queries that are set aside: an operator of theirs failed on a value, or took too long again and again.

Algorithm: a step notes what went wrong, by node, and goes on with all nodes that do not read a failed one
(`Circuit.run`). Then, before anybody is told of changes, `settle` takes out of the circuit exactly those queries that
read such a node: whatever is half done in it goes with it. A query that shares only sound nodes with them goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from dataflow.engine.circuit import Circuit, Trouble
from dataflow.engine.operators.node import Node
from dataflow.engine.result import Result
from dataflow.engine.step_budget import LIMIT_S, TIMES
from dataflow.notice import Notice
from dataflow.sql.plan.describe import Describer, Relations

if TYPE_CHECKING:
    from dataflow.engine.live_query import LiveQuery

_LONGEST = 120
_AGAIN = "Save the board, or press F5, to try it again"


class Waiting(Protocol):
    """The queries that wait for history."""

    def lives_of(self, results: Iterable[Node]) -> list[LiveQuery]: ...

    def remove(self, live: LiveQuery) -> None: ...


class Asides:
    """`lives` are those that have a result; `leave` parts one from it. `tell` takes each notice."""

    def __init__(
        self, circuit: Circuit, lives: Mapping[Result, list[LiveQuery]], waiting: Waiting,
        leave: Callable[[LiveQuery], None], relations: Relations,
    ) -> None:  # fmt: skip
        self.tell: Callable[[Notice], object] = lambda _: None
        self._circuit, self._lives, self._waiting = circuit, lives, waiting
        self._leave, self._relations = leave, relations

    def settle(self) -> None:
        """Deal with what went wrong in the step that has just been run."""
        troubles = self._circuit.troubles
        while troubles:
            trouble = troubles.pop(0)
            if trouble.node not in self._circuit.keys:
                continue  # it went with an earlier one
            if trouble.error is not None:
                self._fail(trouble.node, trouble.error)
            else:
                self._overran(trouble)

    def fail(self, lives: Iterable[LiveQuery], error: Exception) -> None:
        """These queries cannot go on: what builds or tells them failed."""
        self._part(lives, f"Set aside: {_described(error)}. {_AGAIN}", error)

    def _fail(self, node: Node, error: Exception) -> None:
        operator = self._operator(node)
        self._part(self._readers(node), f"Set aside: {operator} failed ({_described(error)}). {_AGAIN}", error)

    def _overran(self, trouble: Trouble) -> None:
        budget, key = self._circuit.budget, self._circuit.keys[trouble.node]
        times = budget.count(key) if budget is not None else 0
        took = f"{self._operator(trouble.node)} took {trouble.seconds * 1000:.0f} ms in one step"
        if budget is None or times < TIMES:
            lives = self._readers(trouble.node)
            self._say(Notice(f"{took}: more than {LIMIT_S * 1000:.0f} ms hold up the window", _queries(lives)))
            return
        budget.forget(key)
        reason = f"Set aside: {took}, {times} times within a minute. Make the query lighter. {_AGAIN}"
        self._part(self._readers(trouble.node), reason, None)

    def _say(self, notice: Notice) -> None:
        with suppress(Exception):  # a notice that nobody can take stops nothing
            self.tell(notice)

    def _operator(self, node: Node) -> str:
        if isinstance(node, Result):
            return "its result"
        name, detail = Describer(self._relations).operator(self._circuit.keys[node])
        return f"its {name} ({_short(detail)})"

    def _readers(self, node: Node) -> list[LiveQuery]:
        results = [each for each in self._circuit.behind([node]) if isinstance(each, Result)]
        lives = [live for result in results for live in self._lives.get(result, ())]
        return list(dict.fromkeys([*lives, *self._waiting.lives_of(results)]))

    def _part(self, lives: Iterable[LiveQuery], reason: str, error: Exception | None) -> None:
        """Out of the circuit first, all of them; then they are told."""
        gone = list(lives)
        for live in gone:
            self._waiting.remove(live)
            self._leave(live)
            live.result = None
        self._say(Notice(reason, _queries(gone), error, aside=True))
        for live in gone:
            with suppress(Exception):  # who cannot take the reason has been told it
                live.set_aside(reason, error)


def _queries(lives: Iterable[LiveQuery]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(live.sql for live in lives))


def _described(error: Exception) -> str:
    words = _short(" ".join(str(error).split()))
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
