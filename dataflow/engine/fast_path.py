"""The shortest way through a circuit, for the commonest steps: rows of the log that only come, and a move of the clock.

A lane stands while every query is one aggregate over the log, or over a temporal filter of the log, told as changes.
It says no, and does nothing, where a step is not of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.node import Node, Rows, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.zset import Change

if TYPE_CHECKING:
    from dataflow.engine.circuit import Circuit
    from dataflow.engine.step_budget import Budget


T = TypeVar("T")
Single = Callable[[Rows], list[Change] | None]


@dataclass(frozen=True, slots=True)
class Lane:
    """`push` takes rows of the log, at least one; `advance` moves the clock. Each says whether it did."""

    push: Callable[[Rows], bool]
    advance: Callable[[int], bool]


class Unsettled(Exception):
    """A step was done, and something went wrong in it: the circuit's `troubles` and results' `failed` say what."""


class _Way:
    """An aggregate and the result that it is told to; before it perhaps a temporal filter."""

    def __init__(self, aggregate: Aggregate, result: Result, timed: TemporalFilter | None, circuit: Circuit) -> None:
        self.aggregate, self.result, self.timed = aggregate, result, timed
        self.insert, self.retract = aggregate.pairs[0][1].insert, aggregate.pairs[0][1].retract
        self.changes = aggregate.changes
        express = aggregate.express()
        self.came: Single = express.get("came" if timed is None else "arrive", _refuse)
        self.leave: Callable[[int], list[Change] | None] = express.get("leave", _refuse)
        self.take: Callable[[Rows], list[Change]] = self.push_all
        self.pass_by: Callable[[int], list[Change]] = self.retract_passed
        if circuit.budget is not None:
            self._keep_to(circuit.budget, partial(circuit.overran, aggregate))

    def _keep_to(self, budget: Budget, over: Callable[[float], None]) -> None:
        self.came, self.leave = budget.timed(self.came, over), budget.timed(self.leave, over)
        self.take, self.pass_by = budget.timed(self.take, over), budget.timed(self.pass_by, over)

    def open(self) -> bool:
        """Whether the result passes changes on and keeps nothing, and nothing is left to tell."""
        result = self.result
        return bool(result.changed) and result.sorted is None and not result.changes

    def push(self, rows: Rows) -> list[Change]:
        """The changes by rows that came."""
        if len(rows) == 1 and self.aggregate.plain and (told := self.came(rows)) is not None:
            return told
        return self.take(rows)

    def push_all(self, rows: Rows) -> list[Change]:
        if self.timed is not None:
            rows = self.timed.take(rows)
            if not rows:
                return []
        self.insert(rows)
        return self.changes(self.aggregate.plain)

    def advance(self, now: int) -> list[Change]:
        """The changes by the rows that the clock passes."""
        told = self.leave(now) if self.aggregate.plain else None
        return self.pass_by(now) if told is None else told

    def retract_passed(self, now: int) -> list[Change]:
        if self.timed is None or self.retract is None or not self.timed.due(now):
            return []
        rows = self.timed.passed()
        if not rows:
            return []
        self.retract(rows)
        return self.changes(False)


def _refuse(_: object) -> None:
    """There is no shorter way."""


def lane_for(
    circuit: Circuit, nodes: Sequence[Node], results: Sequence[Result], sources: Sequence[Source], pending_at: int
) -> Lane | None:
    """`nodes` and `results` are those that rows of the log reach, `sources` where they come in."""
    found = [_way(result, sources, circuit) for result in results]
    ways = [way for way in found if way is not None]
    timed = [way for way in ways if way.timed is not None]
    if len(ways) < len(results) or len(nodes) != 2 * len(ways) + len(timed):
        return None
    if {way.timed for way in timed} != set(circuit.timed):
        return None
    if len(ways) == 1:
        return _alone(circuit, ways[0], pending_at)
    return _together(circuit, ways, timed, pending_at)


def _way(result: Result, sources: Sequence[Source], circuit: Circuit) -> _Way | None:
    (node,) = result.inputs
    if not (isinstance(node, Aggregate) and result.passes_on() and node.readers == [result] and len(node.pairs) == 1):
        return None
    below = node.pairs[0][0]
    if isinstance(below, TemporalFilter):
        simple = below.leaving and len(below.inputs) == 1 and below.inputs[0] in sources and below.readers == [node]
        return _Way(node, result, below, circuit) if simple and node.retracts() else None
    return _Way(node, result, None, circuit) if below in sources else None


def _alone(circuit: Circuit, way: _Way, pending_at: int) -> Lane:
    """For one query: a call for each thing that must be done, and no more."""
    return _watched(circuit, Lane(_push_alone(circuit, way, pending_at), _advance_alone(circuit, way)))


def _push_alone(circuit: Circuit, way: _Way, pending_at: int) -> Callable[[Rows], bool]:
    result, aggregate, position_at, came, take = way.result, way.aggregate, circuit.position_at, way.came, way.take

    def push(rows: Rows) -> bool:
        changed, told = result.changed, None
        if result.sorted is not None or result.changes or not changed:
            return False
        try:
            if len(rows) == 1:
                row = rows[0]
                if row[pending_at]:
                    return False
                if aggregate.plain:
                    told = came(rows)
            else:
                for row in rows:
                    if row[pending_at]:
                        return False
            if (last := row[position_at]) > circuit.position:
                circuit.position = last
            if told is None:
                told = take(rows)
        except Exception as error:
            circuit.position = max(circuit.position, rows[-1][position_at])
            circuit.failed(aggregate, error)
            raise Unsettled from error
        if told:
            try:
                for tell in changed:
                    tell(told)
            except Exception as error:
                result.tell_others(changed[changed.index(tell) + 1 :], told, tell, error)
                raise Unsettled from error
        return True

    return push


def _advance_alone(circuit: Circuit, way: _Way) -> Callable[[int], bool]:
    result, aggregate, leave, pass_by = way.result, way.aggregate, way.leave, way.pass_by
    still = way.timed is None

    def advance(now: int) -> bool:
        changed = result.changed
        if result.sorted is not None or result.changes or not changed:
            return False
        if still:
            return True
        try:
            told = leave(now) if aggregate.plain else None
            if told is None:
                told = pass_by(now)
        except Exception as error:
            circuit.failed(aggregate, error)
            raise Unsettled from error
        if told:
            try:
                for tell in changed:
                    tell(told)
            except Exception as error:
                result.tell_others(changed[changed.index(tell) + 1 :], told, tell, error)
                raise Unsettled from error
        return True

    return advance


def _together(circuit: Circuit, ways: Sequence[_Way], timed: Sequence[_Way], pending_at: int) -> Lane:
    def push(rows: Rows) -> bool:
        if not all(way.open() for way in ways) or any(row[pending_at] for row in rows):
            return False
        circuit.position = max(circuit.position, rows[-1][circuit.position_at])
        for way in ways:
            try:
                way.result.changes = way.push(rows)
            except Exception as error:  # noqa: BLE001  (whatever a value does to one query, others go on)
                circuit.failed(way.aggregate, error)
        return deliver(ways)

    def advance(now: int) -> bool:
        if not all(way.open() for way in timed):
            return False
        for way in timed:
            try:
                way.result.changes = way.advance(now)
            except Exception as error:  # noqa: BLE001
                circuit.failed(way.aggregate, error)
        return deliver(timed)

    def deliver(moved: Sequence[_Way]) -> bool:
        failed = bool(circuit.troubles)
        for way in moved:
            result = way.result
            if result.changes:
                result.deliver()
                if result.failed:
                    failed = True
        if failed:
            raise Unsettled
        return True

    return _watched(circuit, Lane(push, advance))


def _watched(circuit: Circuit, lane: Lane) -> Lane:
    """The lane; where there is a budget, a step that went over it says so after it."""
    if circuit.budget is None:
        return lane

    def watched(call: Callable[[T], bool]) -> Callable[[T], bool]:
        def checked(given: T) -> bool:
            done = call(given)
            if circuit.troubles:
                raise Unsettled
            return done

        return checked

    return Lane(watched(lane.push), watched(lane.advance))
