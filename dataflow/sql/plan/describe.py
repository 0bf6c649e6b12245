"""A plan in words: what each operator does, with the names of columns where they are known. For people; nothing reads
it back. Times and durations are as the engine has them, in µs. What stands in many places is described once, and long
texts are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dataflow.sql.plan import nodes
from dataflow.sql.plan.nodes import (
    Agg,
    And,
    Call,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNull,
    Not,
    Or,
    Pool,
    Rel,
    Scan,
    Union,
    Values,
    WindowCall,
)  # fmt: skip
from dataflow.sql.plan.rewrite import operands

Relations = Mapping[str, Iterable[str]]
_COMPARED = {"{0} == {1}": "{0} = {1}", "{0} != {1}": "{0} <> {1}", "{0} in {1}": "{0} IN {1}"}
LONG = 1000
"""The most characters of one text."""


def _cut(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


class Expressions:
    """The texts of expressions over columns with these names."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._known: dict[Expr, str] = {}

    def __call__(self, expr: Expr) -> str:
        stack = [expr]
        while stack:
            part = stack[-1]
            missing = [] if part in self._known else [each for each in operands(part) if each not in self._known]
            stack += missing
            if not missing:
                stack.pop()
                if part not in self._known:
                    self._known[part] = _cut(self._text(part))
        return self._known[expr]

    def _text(self, expr: Expr) -> str:
        of = self._known.__getitem__
        match expr:
            case Col(index=index):
                return self._names[index] if index < len(self._names) else f"#{index}"
            case Const(value=value):
                return "NULL" if value is None else repr(value) if not isinstance(value, bool) else str(value).upper()
            case Pool(values=values):
                return f"({', '.join(map(repr, values))})"
            case Call(code=code, args=args):
                return _COMPARED.get(code, code).format(*map(of, args))
            case And(args=args) | Or(args=args):
                return f"({(' AND ' if isinstance(expr, And) else ' OR ').join(map(of, args))})"
            case Not(arg=arg):
                return f"NOT {of(arg)}"
            case IsNull(arg=arg):
                return f"{of(arg)} IS NULL"
            case Coalesce(args=args):
                return f"coalesce({', '.join(map(of, args))})"
            case Case(whens=whens, default=default):
                branches = " ".join(f"WHEN {of(when)} THEN {of(value)}" for when, value in whens)
                return f"CASE {branches} ELSE {of(default)} END"


class Describer:
    """Describes operators over these relations, whose columns have names."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._columns: dict[Rel, list[str]] = {}

    def columns(self, rel: Rel) -> list[str]:
        """What the columns of a relation's rows are called, or how they are computed."""
        stack = [rel]
        while stack:
            part = stack[-1]
            missing = [each for each in inputs(part) if each not in self._columns]
            stack += missing
            if not missing:
                stack.pop()
                self._columns[part] = self._named(part)
        return self._columns[rel]

    def _named(self, rel: Rel) -> list[str]:
        match rel:
            case Scan(relation=relation):
                return list(self._relations.get(relation, ()))
            case Values(rows=rows):
                return [f"#{at}" for at in range(len(rows[0]) if rows else 0)]
            case nodes.Map(input=source, columns=None) | nodes.Timed(input=source) | nodes.Top(input=source):
                return self._columns[source]
            case nodes.Map(input=source, columns=made):
                return list(map(self._over(source), made or ()))
            case nodes.Join(left=left, right=right, kind=kind):
                return self._columns[left] + ([] if kind in ("semi", "anti") else self._columns[right])
            case nodes.AsOf(left=left, right=right):
                return self._columns[left] + self._columns[right]
            case nodes.Aggregate():
                return list(map(Expressions(self._grouped(rel)), rel.columns))
            case Union(inputs=inputs):
                return self._columns[inputs[0]]
            case nodes.Window(input=source, calls=calls):
                names = self._columns[source]
                return names + [_call(call, names) for call in calls]

    def _over(self, rel: Rel) -> Callable[[Expr], str]:
        """Texts of expressions over the rows of a relation."""
        return Expressions(self.columns(rel))

    def operator(self, rel: Rel) -> tuple[str, str]:
        """An operator's name, and what it does."""
        name, detail = self._told(rel)
        return name, _cut(detail)

    def _told(self, rel: Rel) -> tuple[str, str]:
        match rel:
            case Scan(relation=relation, kinds=kinds):
                return "scan", f"{relation}{' of ' + ', '.join(kinds) if kinds else ''}"
            case Values(rows=rows):
                return "values", f"{len(rows)} rows"
            case nodes.Map(input=source, where=where, columns=made):
                if where:
                    return "filter", " AND ".join(map(self._over(source), where))
                return "project", ", ".join(map(self._over(source), made or ()))
            case nodes.Timed(input=source, value=value, op=op, bound=bound):
                return "temporal filter", f"{self._over(source)(value)} {op} {Expressions(['now()'])(bound)}"
            case nodes.Join():
                return f"{rel.kind} join", self._joined(rel)
            case nodes.AsOf():
                return f"asof {rel.kind} join", self._nearest(rel)
            case nodes.Aggregate():
                return ("aggregate" if rel.aggs else "distinct"), self._aggregated(rel)
            case Union(inputs=inputs):
                return "union all", f"{len(inputs)} inputs"
            case nodes.Top(input=source, order=order, limit=limit, offset=offset):
                by = ", ".join(_sorts(order, self.columns(source))[:3])
                return "top", f"{'all' if limit is None else limit} rows from {offset} by {by}"
            case nodes.Window():
                return "window", self._windowed(rel)

    def _grouped(self, rel: nodes.Aggregate) -> list[str]:
        """A group's keys and aggregates."""
        text = self._over(rel.input)
        return [text(key) for key in rel.keys] + [_agg(agg, text) for agg in rel.aggs]

    def _aggregated(self, rel: nodes.Aggregate) -> str:
        found = self._grouped(rel)
        keys, values = found[: len(rel.keys)], found[len(rel.keys) :]
        having = f" HAVING {' AND '.join(map(Expressions(found), rel.having))}" if rel.having else ""
        return f"{', '.join(values)}{' by ' if keys and values else ''}{', '.join(keys)}{having}"

    def _keys(self, rel: nodes.Join | nodes.AsOf) -> list[str]:
        left, right = self._over(rel.left), self._over(rel.right)
        return [f"{left(one)} = {right(other)}" for one, other in zip(rel.left_keys, rel.right_keys, strict=True)]

    def _nearest(self, rel: nodes.AsOf) -> str:
        left, right = self.columns(rel.left)[rel.values[0]], self.columns(rel.right)[rel.values[1]]
        return " AND ".join([*self._keys(rel), f"{left} {rel.op} {right}"])

    def _joined(self, rel: nodes.Join) -> str:
        tests = self._keys(rel)
        tests += map(Expressions(self.columns(rel.left) + self.columns(rel.right)), rel.on)
        return " AND ".join(tests) or "every row with every row"

    def _windowed(self, rel: nodes.Window) -> str:
        names = self.columns(rel.input)
        calls = ", ".join(_call(call, names) for call in rel.calls)
        partition = f" partition by {', '.join(names[at] for at in rel.partition)}" if rel.partition else ""
        order = f" order by {', '.join(_sorts(rel.order, names))}" if rel.order else ""
        most = "" if rel.most is None else f", the first {rel.most} of each"
        return f"{calls} over{partition}{order}{most}"


def inputs(rel: Rel) -> tuple[Rel, ...]:
    """The relations that one is made of."""
    if isinstance(rel, nodes.Join | nodes.AsOf):
        return (rel.left, rel.right)
    if isinstance(rel, Union):
        return rel.inputs
    return () if isinstance(rel, Scan | Values) else (rel.input,)


def _agg(agg: Agg, text: Callable[[Expr], str]) -> str:
    args = ", ".join(map(text, agg.args)) or "*"
    where = f" FILTER ({text(agg.where)})" if agg.where is not None else ""
    return f"{agg.kind.removesuffix('_float')}({'DISTINCT ' if agg.distinct else ''}{args}){where}"


def _call(call: WindowCall, names: Sequence[str]) -> str:
    return f"{call.kind}({names[call.column] if call.column >= 0 else ''})"


def _sorts(order: Sequence[nodes.Order], names: Sequence[str]) -> list[str]:
    text = Expressions(names)
    return [text(Col(by.index)) + (" DESC" if by.desc else "") for by in order]
