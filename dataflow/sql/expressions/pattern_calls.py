"""Regular expressions in queries: regexp_matches and ~, regexp_full_match and SIMILAR TO, replace, extract; GLOB."""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.expressions.lower import Context, lower, rule
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan.nodes import Call, Const, Expr
from dataflow.sql.plan.types import BOOL, NULL, TEXT
from dataflow.sql.runtime.patterns import Unreadable, check_pattern, check_replacement, flagged_pattern
from dataflow.sql.runtime.wildcards import NotClosed, glob_tokens


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


class Pattern(NamedTuple):
    """A regular expression as the plan holds it, and how many groups it has."""

    const: Const
    groups: int


def _pattern(node: exp.Expr, context: Context, options: exp.Expr | None) -> Pattern:
    given = _literal(options, context, node, "options")
    try:
        text = flagged_pattern(_literal(node.expression, context, node, "pattern"), given)
        return Pattern(Const(text, TEXT), check_pattern(text))
    except Unreadable as problem:
        raise _not_supported(node, problem) from None


def _not_supported(node: exp.Expr, problem: Exception) -> Exception:
    return refused(node, f"the pattern is not supported: {problem}", "LIKE, or a plainer pattern")


@rule(exp.RegexpLike)
def matches(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "flag")
    pattern = _pattern(node, context, node.args.get("flag"))
    args = _text(node.this, context).expr, pattern.const
    return Typed(Call("regexp_matches({0}, {1})", args, nullable=True), BOOL)


@rule(exp.RegexpFullMatch, exp.SimilarTo)
def full_match(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "options")
    pattern = _pattern(node, context, node.args.get("options"))
    args = _text(node.this, context).expr, pattern.const
    return Typed(Call("regexp_full_match({0}, {1})", args, nullable=True), BOOL)


@rule(exp.Glob)
def glob(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    pattern = _literal(node.expression, context, node, "pattern")
    try:
        glob_tokens(pattern)
    except (NotClosed, re.error) as problem:
        raise _not_supported(node, problem) from None
    args = _text(node.this, context).expr, Const(pattern, TEXT)
    return Typed(Call("glob({0}, {1})", args, nullable=True), BOOL)


@rule(exp.RegexpReplace)
def replaced(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "replacement", "modifiers", "single_replace")
    options = _literal(node.args.get("modifiers"), context, node, "options")
    pattern = _pattern(node, context, node.args.get("modifiers"))
    new = _literal(node.args.get("replacement"), context, node, "replacement")
    try:
        _within(node, pattern, check_replacement(new))
    except Unreadable as problem:
        raise _not_supported(node, problem) from None
    args: tuple[Expr, ...] = (_text(node.this, context).expr, pattern.const, Const(new, TEXT))
    return Typed(Call(f"regexp_replace({{0}}, {{1}}, {{2}}, {'g' in options})", args, nullable=True), TEXT)


@rule(exp.RegexpExtract)
def extracted(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "group", "parameters", "null_if_pos_overflow")
    pattern, group = _pattern(node, context, node.args.get("parameters")), node.args.get("group")
    if group is not None and not (isinstance(group, exp.Literal) and group.name.isdigit()):
        raise refused(node, f"the group must be a whole number: {short(node)}", "regexp_extract(s, '(a)', 1)")
    number = int(group.name) if group is not None else 0
    _within(node, pattern, number)
    args = _text(node.this, context).expr, pattern.const
    return Typed(Call(f"regexp_extract({{0}}, {{1}}, {number})", args, nullable=True), TEXT)


def _within(node: exp.Expr, pattern: Pattern, group: int) -> None:
    if group > pattern.groups:
        raise error(node, f"the pattern has no group {group}: {short(node)}")
