"""A statement's operators, run step by step without an engine; histories of changes; an operator's state as a value."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from sortedcontainers import SortedDict, SortedKeyList

from dataflow.engine.builder import Builder
from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.node import Constant, Node, Piped, Rows, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.relations import Relations
from dataflow.sql.compile import Compiler
from dataflow.sql.plan.nodes import Query, Rel, Scan
from dataflow.zset import Change, Row
from tests.dataflow.engine.operators.statements import RELATIONS


class Lot(NamedTuple):
    """What one step brings to one relation, as `Source.put` takes it."""

    confirmed: Sequence[Row] = ()
    held: Sequence[Row] = ()
    released: Sequence[Row] = ()
    undone: Sequence[Row] = ()


Step = Mapping[str, Lot]


class Total(Node):
    """All that a node has told, added up; fails when a row is retracted that is not there. `passed` are changes that
    the node handed on, where `passes` lets it.
    """

    def __init__(self, node: Node, *, passes: bool, deaf: bool) -> None:
        super().__init__([node])
        self.passes, self.deaf = passes, deaf
        self.counts: dict[Row, int] = {}

    def listens(self) -> bool:
        return not self.deaf

    def passes_on(self) -> bool:
        return self.passes and self.inputs[0].netted

    def pass_on(self, changes: list[Change]) -> None:
        rows = [row for row, _ in changes]
        assert len({*rows}) == len(rows) or {weight for _, weight in changes} == {1, -1}
        for row, weight in sorted(changes, key=lambda change: -change[1]):
            self._count(row, weight)

    def step(self) -> None:
        node = self.inputs[0]
        assert not node.netted or not {*node.plus} & {*node.minus}, "a row on both sides"
        for row in node.plus:
            self._count(row, 1)
        for row in node.minus:
            self._count(row, -1)

    def _count(self, row: Row, weight: int) -> None:
        count = self.counts.get(row, 0) + weight
        assert count >= 0, f"retracted, and not there: {row}"
        self.counts[row] = count
        if not count:
            del self.counts[row]


@cache
def plan_of(sql: str) -> Query:
    return Compiler(RELATIONS, {}, 4, {}).query(sql)


class Operators:
    """The operators of a statement. `output` is what they have told so far, `given` the rows that they were given.
    `passes`: the last one may hand its changes on; `deaf`: nobody listens to it.
    """

    def __init__(self, sql: str, now: int = 0, *, passes: bool = False, deaf: bool = False) -> None:
        self.now = now
        self.deferred = False
        self.given: dict[str, Counter[Row]] = {}
        self.nodes: dict[Rel, Node] = {}
        self._builder = Builder(Relations(RELATIONS, {}), self.nodes)
        self.root = self._node(plan_of(sql).rel)
        self.total = Total(self.root, passes=passes, deaf=deaf)
        self.root.readers.append(self.total)
        constants = [node for node in self.nodes.values() if isinstance(node, Constant)]
        for node in constants:
            node.plus = node.rows()
        self._run()

    def _node(self, rel: Rel) -> Node:
        if rel not in self.nodes:
            for part in self._builder.inputs(rel):
                self._node(part)
            node = self._builder.build(rel, self.now)[0]
            for child in node.inputs:
                child.readers.append(node)
            self.nodes[rel] = node
        return self.nodes[rel]

    @property
    def output(self) -> dict[Row, int]:
        return dict(self.total.counts)

    def step(self, lots: Step) -> None:
        for name, lot in lots.items():
            rows = self.given.setdefault(name, Counter())
            rows.update([*lot.confirmed, *lot.held])
            rows.subtract([*lot.released, *lot.undone])
        for rel, node in self.nodes.items():
            if isinstance(rel, Scan) and isinstance(node, Source) and rel.relation in lots:
                node.put(*lots[rel.relation])
        self._run()

    def empty(self) -> None:
        """Take out all rows that are there."""
        self.step({name: Lot(undone=[*rows.elements()]) for name, rows in self.given.items()})
        self.given.clear()

    def play(self, steps: Iterable[Step]) -> Operators:
        for step in steps:
            self.step(step)
        return self

    def defer(self, deferred: bool) -> None:
        """Whether aggregates put off what they tell, history being fed."""
        self.deferred = deferred
        for node in self.nodes.values():
            if isinstance(node, Aggregate):
                node.deferred = deferred

    def advance(self, now: int) -> None:
        self.now = now
        for node in self.nodes.values():
            if isinstance(node, TemporalFilter):
                node.due(now)
        self._run()

    def _run(self) -> None:
        for node in sorted([*self.nodes.values(), self.total], key=lambda node: node.rank):
            node.step()
        for node in self.nodes.values():
            node.clear()
        self._agree()

    def _agree(self) -> None:
        """What the last operator says that it holds is what it has told."""
        rows = None if self.total.deaf or self.deferred else self.root.rows()
        assert rows is not None or self.total.deaf or self.deferred or isinstance(self.root, Piped | TemporalFilter)
        if rows is not None:
            assert counted(rows) == self.output

    def states(self) -> list[Any]:
        """All that is kept, nobody's news being left."""
        self.root.rows()
        return [value_of(node) for node in self.nodes.values()]

    def size(self) -> int:
        return sum(node.size() for node in self.nodes.values())


def counted(rows: Iterable[Row]) -> dict[Row, int]:
    counts: dict[Row, int] = {}
    for row in rows:
        counts[row] = counts.get(row, 0) + 1
    return counts


# histories


class Stay(NamedTuple):
    """Rows of a relation: when they come, and, unless they stay, when they go. `weight`: how often the row is there."""

    relation: str
    row: Row
    weight: int
    come: int
    go: int | None


History = Sequence[Stay]


def in_steps(history: History, *, order: Sequence[int] = (), at: int | None = None) -> Iterator[Step]:
    """Each change at its own time; only those of one time where that is given."""
    times = {stay.come for stay in history} | {stay.go for stay in history if stay.go is not None}
    times = times if at is None else times & {at}
    ordered = [history[at] for at in order] or history
    for time in sorted(times):
        yield _step([stay for stay in ordered if stay.come == time], [stay for stay in ordered if stay.go == time])


def at_once(history: History) -> Iterator[Step]:
    """All in one step."""
    yield _step(history, [stay for stay in history if stay.go is not None])


def one_by_one(history: History) -> Iterator[Step]:
    """Each row in a step of its own, as often as its weight."""
    for stay in history:
        yield from [_step([stay._replace(weight=1)], [])] * stay.weight
    for stay in reversed(history):
        if stay.go is not None:
            yield from [_step([], [stay._replace(weight=1)])] * stay.weight


def staying(history: History) -> Iterator[Step]:
    """Only what stays, as if the rest had never been."""
    yield _step([stay for stay in history if stay.go is None], [])


def _step(come: History, gone: History) -> Step:
    names = {stay.relation for stay in (*come, *gone)}
    return {name: Lot(_rows(come, name), undone=_rows(gone, name)) for name in names}


def _rows(history: History, relation: str) -> Rows:
    return [*chain.from_iterable([stay.row] * stay.weight for stay in history if stay.relation == relation)]


# state


def value_of(thing: Any) -> Any:
    """All that an object holds, to be compared: containers by what is in them, code by nothing, nodes by themselves."""
    return _value(thing, top=True)


def _value(thing: Any, *, top: bool = False) -> Any:
    if isinstance(thing, dict | SortedDict):
        return {"{}": sorted(([repr(_value(key)), _value(value)] for key, value in thing.items()), key=repr)}
    if isinstance(thing, list | tuple | deque | SortedKeyList):
        return [_value(each) for each in thing]
    if isinstance(thing, Node) and not top:
        return type(thing).__name__
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing + 0 if isinstance(thing, float) and not thing else thing
    if callable(thing):
        return "code"
    return {type(thing).__name__: {name: _value(value) for name, value in attributes(thing)}}


def attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    names = chain(*(getattr(kind, "__slots__", ()) for kind in type(thing).__mro__), getattr(thing, "__dict__", ()))
    for name in names:
        if name not in ("inputs", "readers") and hasattr(thing, name):
            yield name, getattr(thing, name)


def kinds_in(thing: Any) -> set[type]:
    """The classes of an operator and of all that it keeps."""
    parts: Iterable[Any] = ()
    if isinstance(thing, dict | SortedDict):
        parts = thing.values()
    elif isinstance(thing, list | tuple | deque | SortedKeyList):
        parts = thing
    elif type(thing).__module__.startswith("dataflow."):
        parts = [value for _, value in attributes(thing)]
    return {type(thing)}.union(*map(kinds_in, parts))
