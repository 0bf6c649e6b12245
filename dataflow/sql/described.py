"""A plan in words: what each operator does, with the names of columns where they are known. For people; nothing reads
it back. Times and durations are as the engine has them, in µs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dataflow.sql import plan
from dataflow.sql.plan import (
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

Relations = Mapping[str, Iterable[str]]
_COMPARED = {"{0} == {1}": "{0} = {1}", "{0} != {1}": "{0} <> {1}", "{0} in {1}": "{0} IN {1}"}


def expression(expr: Expr, names: Sequence[str]) -> str:
    """An expression over columns with these names."""

    def of(part: Expr) -> str:
        return expression(part, names)

    match expr:
        case Col(index=index):
            return names[index] if index < len(names) else f"#{index}"
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


def columns(rel: Rel, relations: Relations) -> list[str]:
    """What the columns of a relation's rows are called, or how they are computed."""
    match rel:
        case Scan(relation=relation):
            return list(relations.get(relation, ()))
        case Values(rows=rows):
            return [f"#{at}" for at in range(len(rows[0]) if rows else 0)]
        case plan.Map(input=source, columns=None) | plan.Timed(input=source) | plan.Top(input=source):
            return columns(source, relations)
        case plan.Map(input=source, columns=made):
            names = columns(source, relations)
            return [expression(each, names) for each in made or ()]
        case plan.Join(left=left, right=right, kind=kind):
            return columns(left, relations) + ([] if kind in ("semi", "anti") else columns(right, relations))
        case plan.AsOf(left=left, right=right):
            return columns(left, relations) + columns(right, relations)
        case plan.Aggregate():
            return [expression(each, _grouped(rel, relations)) for each in rel.columns]
        case Union(inputs=inputs):
            return columns(inputs[0], relations)
        case plan.Window(input=source, calls=calls):
            names = columns(source, relations)
            return names + [_call(call, names) for call in calls]


def told(rel: Rel, relations: Relations) -> tuple[str, str]:
    """An operator's name, and what it does."""
    match rel:
        case Scan(relation=relation, kinds=kinds):
            return "scan", f"{relation}{' of ' + ', '.join(kinds) if kinds else ''}"
        case Values(rows=rows):
            return "values", f"{len(rows)} rows"
        case plan.Map(input=source, where=where, columns=made):
            names = columns(source, relations)
            if where:
                return "filter", " AND ".join(expression(test, names) for test in where)
            return "project", ", ".join(expression(each, names) for each in made or ())
        case plan.Timed(input=source, value=value, op=op, bound=bound):
            return "temporal filter", f"{expression(value, columns(source, relations))} {op} {_clock(bound)}"
        case plan.Join():
            return f"{rel.kind} join", _joined(rel, relations)
        case plan.AsOf():
            return f"asof {rel.kind} join", _nearest(rel, relations)
        case plan.Aggregate():
            return ("aggregate" if rel.aggs else "distinct"), _aggregated(rel, relations)
        case Union(inputs=inputs):
            return "union all", f"{len(inputs)} inputs"
        case plan.Top(input=source, order=order, limit=limit, offset=offset):
            by = ", ".join(_sorts(order, columns(source, relations))[:3])
            return "top", f"{'all' if limit is None else limit} rows from {offset} by {by}"
        case plan.Window():
            return "window", _windowed(rel, relations)


def _grouped(rel: plan.Aggregate, relations: Relations) -> list[str]:
    """A group's keys and aggregates."""
    names = columns(rel.input, relations)
    return [expression(key, names) for key in rel.keys] + [_agg(agg, names) for agg in rel.aggs]


def _agg(agg: Agg, names: Sequence[str]) -> str:
    args = ", ".join(expression(arg, names) for arg in agg.args) or "*"
    where = f" FILTER ({expression(agg.where, names)})" if agg.where is not None else ""
    return f"{agg.kind.removesuffix('_float')}({'DISTINCT ' if agg.distinct else ''}{args}){where}"


def _aggregated(rel: plan.Aggregate, relations: Relations) -> str:
    found = _grouped(rel, relations)
    keys, values = found[: len(rel.keys)], found[len(rel.keys) :]
    having = f" HAVING {' AND '.join(expression(test, found) for test in rel.having)}" if rel.having else ""
    return f"{', '.join(values)}{' by ' if keys and values else ''}{', '.join(keys)}{having}"


def _joined(rel: plan.Join, relations: Relations) -> str:
    left, right = columns(rel.left, relations), columns(rel.right, relations)
    tests = [*_keys(rel, left, right), *(expression(test, left + right) for test in rel.on)]
    return " AND ".join(tests) or "every row with every row"


def _keys(rel: plan.Join | plan.AsOf, left: Sequence[str], right: Sequence[str]) -> list[str]:
    pairs = zip(rel.left_keys, rel.right_keys, strict=True)
    return [f"{expression(one, left)} = {expression(other, right)}" for one, other in pairs]


def _nearest(rel: plan.AsOf, relations: Relations) -> str:
    left, right = columns(rel.left, relations), columns(rel.right, relations)
    nearest = f"{left[rel.values[0]]} {rel.op} {right[rel.values[1]]}"
    return " AND ".join([*_keys(rel, left, right), nearest])


def _windowed(rel: plan.Window, relations: Relations) -> str:
    names = columns(rel.input, relations)
    calls = ", ".join(_call(call, names) for call in rel.calls)
    partition = f" partition by {', '.join(names[at] for at in rel.partition)}" if rel.partition else ""
    order = f" order by {', '.join(_sorts(rel.order, names))}" if rel.order else ""
    most = "" if rel.most is None else f", the first {rel.most} of each"
    return f"{calls} over{partition}{order}{most}"


def _call(call: WindowCall, names: Sequence[str]) -> str:
    return f"{call.kind}({names[call.column] if call.column >= 0 else ''})"


def _sorts(order: Sequence[plan.Order], names: Sequence[str]) -> list[str]:
    return [expression(Col(by.index), names) + (" DESC" if by.desc else "") for by in order]


def _clock(bound: Expr) -> str:
    return expression(bound, ["now()"])
