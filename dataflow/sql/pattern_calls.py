"""Regular expressions in queries: regexp_matches and ~, regexp_full_match and SIMILAR TO, replace, extract; GLOB."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from dataflow.sql.casts import Typed, cast
from dataflow.sql.expressions import Context, lower, rule
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.patterns import Unreadable, globbed, replacement, translated
from dataflow.sql.plan import Call, Const, Expr
from dataflow.sql.types import BOOL, NULL, TEXT


def _text(node: exp.Expr, context: Context) -> Typed:
    value = lower(node, context)
    if value.type not in (TEXT, NULL):
        raise error(node, f"patterns match text: {short(node)}", "CAST(… AS TEXT)")
    return cast(value, TEXT, node)


def _literal(node: exp.Expr | None, context: Context, owner: exp.Expr, what: str) -> str:
    if node is None:
        return ""
    value = lower(node, context)
    if value.type != TEXT or value.constant is None:
        raise refused(owner, f"the {what} must be a literal text: {short(owner)}")
    return str(value.constant)


def _read(make: Callable[..., str], node: exp.Expr, *given: str) -> Const:
    """The pattern as Python's."""
    try:
        return Const(make(*given), TEXT)
    except Unreadable as problem:
        raise refused(node, f"the pattern is not supported: {problem}", "LIKE, or a plainer pattern") from None


def _pattern(node: exp.Expr, context: Context, options: exp.Expr | None) -> Const:
    said = _literal(options, context, node, "options")
    return _read(translated, node, _literal(node.expression, context, node, "pattern"), said)


@rule(exp.RegexpLike)
def matches(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "flag")
    pattern = _pattern(node, context, node.args.get("flag"))
    return Typed(Call("regexp_matches({0}, {1})", (_text(node.this, context).expr, pattern)), BOOL)


@rule(exp.RegexpFullMatch, exp.SimilarTo)
def full_match(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "options")
    pattern = _pattern(node, context, node.args.get("options"))
    return Typed(Call("regexp_full_match({0}, {1})", (_text(node.this, context).expr, pattern)), BOOL)


@rule(exp.Glob)
def glob(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    pattern = _read(globbed, node, _literal(node.expression, context, node, "pattern"))
    code = "regexp_full_match(bytewise({0}), {1})"
    return Typed(Call(code, (_text(node.this, context).expr, pattern)), BOOL)


@rule(exp.RegexpReplace)
def replaced(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "replacement", "modifiers", "single_replace")
    options = _literal(node.args.get("modifiers"), context, node, "options")
    pattern = _pattern(node, context, node.args.get("modifiers"))
    new = _read(replacement, node, _literal(node.args.get("replacement"), context, node, "replacement"))
    _within(node, pattern, max((int(n) for n in re.findall(r"\\([0-9])", str(new.value))), default=0))
    args: tuple[Expr, ...] = (_text(node.this, context).expr, pattern, new)
    return Typed(Call(f"regexp_replace({{0}}, {{1}}, {{2}}, {'g' in options})", args), TEXT)


@rule(exp.RegexpExtract)
def extracted(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "group", "parameters", "null_if_pos_overflow")
    pattern, group = _pattern(node, context, node.args.get("parameters")), node.args.get("group")
    if group is not None and not (isinstance(group, exp.Literal) and group.name.isdigit()):
        raise refused(node, f"the group must be a whole number: {short(node)}", "regexp_extract(s, '(a)', 1)")
    number = int(group.name) if group is not None else 0
    _within(node, pattern, number)
    return Typed(Call(f"regexp_extract({{0}}, {{1}}, {number})", (_text(node.this, context).expr, pattern)), TEXT)


def _within(node: exp.Expr, pattern: Const, group: int) -> None:
    if group > re.compile(str(pattern.value)).groups:
        raise error(node, f"the pattern has no group {group}: {short(node)}")
