"""The select list: stars written out, unnamed columns named."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dataflow.sql.expressions.scope import Field, Source, folded
from dataflow.sql.parsing.parse import error, only, refused, short, written


def expand_star(node: exp.Expr, source: Source) -> list[exp.Expr]:
    """`*` and `t.*` written out; what REPLACE names stands in its column's place."""
    star = node if isinstance(node, exp.Star) else node.this if isinstance(node, exp.Column) else None
    if not isinstance(star, exp.Star):
        return [node]
    only(star, "except_", "replace")
    table = node.table if isinstance(node, exp.Column) else ""
    fields = [f for f in source.fields if not table or folded(f.table) == folded(table)]
    if not fields:
        raise error(node, f"there is no table '{table}' here" if table else "SELECT * needs a FROM")
    left_out = _left_out(star, fields, table)
    replaced = {folded(item.alias): item for item in star.args.get("replace") or ()}
    found: list[exp.Expr] = []
    seen: set[str] = set()
    met: set[str] = set()
    for field in fields:
        name = folded(field.name)
        one = field.joined and not table
        if field.at in left_out or (one and name in met):
            continue
        seen.add(name)
        met |= {name} if one else set()
        if name in replaced:
            found.append(exp.alias_(replaced[name].this, field.name, quoted=True, copy=False))
            continue
        owner = None if one else exp.to_identifier(field.table, quoted=True)
        found.append(exp.Column(this=exp.to_identifier(field.name, quoted=True), table=owner))
    missing = next((item for name, item in replaced.items() if name not in seen), None)
    if missing is not None:
        raise error(missing, f"REPLACE: there is no column '{missing.alias}'")
    if not found:
        raise error(node, "EXCLUDE leaves no column")
    return found


def _left_out(star: exp.Expr, fields: Sequence[Field], table: str) -> set[int]:
    """The places of the columns that EXCLUDE names."""
    places: set[int] = set()
    for name in star.args.get("except_") or ():
        if not isinstance(name, exp.Identifier | exp.Column):
            raise refused(name, f"EXCLUDE takes names: {short(name)}")
        owner = folded(name.text("table"))
        named = [f for f in fields if folded(f.name) == folded(name.name) and owner in ("", folded(f.table))]
        if not named:
            raise error(name, f"EXCLUDE: there is no column '{name.name}'")
        if owner and any(field.joined and not table for field in named):
            raise refused(name, f"EXCLUDE of one side of USING is not supported: {short(name)}", name.name)
        places |= {field.at for field in named}
    return places


def numbered_entry(node: exp.Expr, entries: Sequence[exp.Expr]) -> exp.Expr:
    """Return the entry of the select list that a number names; any other node as it is."""
    node = node.unnest()
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        raise error(node, f"there is no column {short(node)} in the select list")
    if not isinstance(node, exp.Literal) or node.args.get("is_string"):
        return node
    at = int(node.name) if node.name.isdigit() else 0
    if not 1 <= at <= len(entries):
        raise error(node, f"there is no column {node.name} in the select list: it has {len(entries)}")
    return entries[at - 1]


def column_name(node: exp.Expr) -> str:
    """DuckDB's name for an unnamed column, as near as matters."""
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, exp.Count) and (node.this is None or isinstance(node.this, exp.Star)):
        return "count_star()"
    if isinstance(node, exp.Paren):
        return column_name(node.this)
    text = written(node, normalize_functions="lower")
    return text if isinstance(node, exp.Func | exp.Literal) else f"({text})"
