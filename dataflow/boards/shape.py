"""Whether a decoded TOML document has the shape of a `Board`: all that is wrong with it, not only the first.

`msgspec.convert` stops at the first error and tells no section apart, so this runs only after it has refused.
`fit` gives the findings and what is left when every damaged piece is taken away: that much is a board, so its
rules and its SQL can be checked in the same run. Panels are the only list that loses single elements;
`Fit.panels` keeps their indices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from dataflow.board import Board
from dataflow.boards.toml_lines import Path, written
from dataflow.text.hints import listing, suggest

_LONG = 10**40
_DAMAGED: Any = object()
_STAND_IN = {"id": "board", "title": "Board"}


class Finding(NamedTuple):
    """What is wrong, and at which key. `rests_on` is another place of the file that could be to blame
    instead.
    """

    path: Path
    message: str
    hint: str = ""
    rests_on: Path = ()


class Fit(NamedTuple):
    """The board without its damaged pieces. `panels[i]` is the index that its panel i has in the file."""

    board: Board
    panels: list[int]
    findings: list[Finding]


def fit(document: dict[str, Any]) -> Fit:
    """Convert, and say everything that is wrong with the document's shape."""
    count = len(document.get("panels", ())) if isinstance(document.get("panels"), list) else 0
    try:
        return Fit(msgspec.convert(document, Board), list(range(count)), [])
    except msgspec.ValidationError as error:
        walk = _Walk()
        left = walk.fit(document, inspect.type_info(Board), ())
        if not walk.findings:
            walk.say((), str(error))
        return Fit(msgspec.convert(_STAND_IN | left, Board), walk.panels, walk.findings)


class _Walk:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.panels: list[int] = []
        self._around: list[tuple[Path, Collection[str]]] = []

    def say(self, path: Path, message: str, hint: str = "") -> Any:
        self.findings.append(Finding(path, message, hint))
        return _DAMAGED

    def fit(self, value: Any, type_: inspect.Type, path: Path) -> Any:
        """The value without its damaged pieces, or _DAMAGED."""
        match type_:
            case inspect.AnyType():
                return value
            case inspect.Metadata():
                return self.fit(value, type_.type, path)
            case inspect.StructType():
                return self._struct(value, type_, path)
            case inspect.UnionType():
                return self._union(value, type_, path)
            case inspect.DictType():
                return self._dict(value, type_, path)
            case inspect.ListType():
                return self._list(value, type_, path)
            case inspect.TupleType():
                return self._tuple(value, type_, path)
            case inspect.LiteralType():
                return self._literal(value, type_, path)
        return self._scalar(value, type_, path)

    def _struct(self, value: Any, type_: inspect.StructType, path: Path) -> Any:
        if not isinstance(value, dict):
            self.say(path, f"expected a table, found {describe(value)}", self._belongs(path))
            return {} if not any(f.required for f in type_.fields) else _DAMAGED
        known = {field.encode_name: field for field in type_.fields}
        left = {type_.tag_field: type_.tag} if type_.tag_field else {}
        for key in value.keys() - known.keys() - left.keys():
            self.say((*path, key), "unknown key", self._belongs((*path, key)) or suggest(key, known))
        self._around.append((path, known))
        for name, field in known.items():
            piece = self.fit(value[name], field.type, (*path, name)) if name in value else _DAMAGED
            if piece is not _DAMAGED:
                left[name] = piece
            elif name not in value and field.required:
                self.say(path, f"missing key `{name}`")
        self._around.pop()
        complete = all(name in left for name, field in known.items() if field.required)
        return left if complete or not path else _DAMAGED

    def _belongs(self, path: Path) -> str:
        """TOML's trap: what stands below the header of an inner section is in that section."""
        for outer, known in reversed(self._around):
            if path[-1] in known and len(path) > len(outer) + 1:
                whose = written(outer) or "the board"
                return f"if it is {whose}'s, write it above the header of this section"
        return ""

    def _union(self, value: Any, type_: inspect.UnionType, path: Path) -> Any:
        kinds = {t.tag: t for t in type_.types if isinstance(t, inspect.StructType)}
        if kinds:
            return self._tagged(value, kinds, path)
        wanted = [t for t in type_.types if not isinstance(t, inspect.NoneType)]
        if len(wanted) == 1:
            return self.fit(value, wanted[0], path)
        python, words = zip(*(_SCALARS[type(t)] for t in wanted), strict=True)
        return self._one_of(value, tuple(chain.from_iterable(python)), " or ".join(words), path)

    def _tagged(self, value: Any, kinds: dict[Any, inspect.StructType], path: Path) -> Any:
        if not isinstance(value, dict):
            return self.say(path, f"expected a table, found {describe(value)}")
        kind = value.get("kind")
        if kind is None:
            return self.say(path, "missing key `kind`", f"there is {listing(kinds)}")
        if kind not in kinds if isinstance(kind, str) else True:
            return self.say((*path, "kind"), f"unknown kind {describe(kind)}", suggest(str(kind), kinds))
        return self._struct(value, kinds[kind], path)

    def _dict(self, value: Any, type_: inspect.DictType, path: Path) -> Any:
        if not isinstance(value, dict):
            return self.say(path, f"expected a table, found {describe(value)}")
        pieces = {key: self.fit(each, type_.value_type, (*path, key)) for key, each in value.items()}
        return {key: piece for key, piece in pieces.items() if piece is not _DAMAGED}

    def _list(self, value: Any, type_: inspect.ListType, path: Path) -> Any:
        if not isinstance(value, list):
            hint = "each begins with `[[panels]]`" if path == ("panels",) else ""
            return self.say(path, f"expected an array, found {describe(value)}", hint)
        pieces = list(self._elements(value, type_.item_type, path))
        if path != ("panels",):
            return _DAMAGED if _DAMAGED in pieces else pieces
        self.panels = [i for i, piece in enumerate(pieces) if piece is not _DAMAGED]
        return [pieces[i] for i in self.panels]

    def _elements(self, values: list[Any], type_: inspect.Type, path: Path) -> Iterator[Any]:
        for index, value in enumerate(values):
            yield self.fit(value, type_, (*path, index))

    def _tuple(self, value: Any, type_: inspect.TupleType, path: Path) -> Any:
        wanted = len(type_.item_types)
        if not isinstance(value, list) or len(value) != wanted:
            n = f"{len(value)} values" if isinstance(value, list) else describe(value)
            hint = "it is [row, column, height, width]" if path[-1] == "at" else ""
            return self.say(path, f"expected an array of {wanted} values, found {n}", hint)
        typed = enumerate(zip(value, type_.item_types, strict=True))
        pieces = [self.fit(v, t, (*path, i)) for i, (v, t) in typed]
        return _DAMAGED if _DAMAGED in pieces else pieces

    def _literal(self, value: Any, type_: inspect.LiteralType, path: Path) -> Any:
        if isinstance(value, str) and value in type_.values:
            return value
        hint = suggest(str(value), map(str, type_.values))
        return self.say(path, f"{describe(value)} is not known here", hint)

    def _scalar(self, value: Any, type_: inspect.Type, path: Path) -> Any:
        return self._one_of(value, *_SCALARS[type(type_)], path)

    def _one_of(self, value: Any, python: tuple[type, ...], words: str, path: Path) -> Any:
        if isinstance(value, python) and not (isinstance(value, bool) and bool not in python):
            return value
        return self.say(path, f"expected {words}, found {describe(value)}", _quote_hint(value, python))


_SCALARS: dict[type, tuple[tuple[type, ...], str]] = {
    inspect.StrType: ((str,), "text"),
    inspect.IntType: ((int,), "a whole number"),
    inspect.FloatType: ((int, float), "a number"),
    inspect.BoolType: ((bool,), "true or false"),
}


def _quote_hint(value: Any, python: tuple[type, ...]) -> str:
    if isinstance(value, str) and str not in python and value in ("true", "false"):
        return f"write {value} without quotes"
    return "write it in quotes" if python == (str,) and isinstance(value, int | float | date | time) else ""


def describe(value: Any) -> str:
    """Return a TOML value in words, short: `text "abc"`."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'text "{value if len(value) <= 40 else value[:39] + "…"}"'
        case int() if abs(value) >= _LONG:
            return "a number of many digits"
        case int() | float():
            return f"the number {value}"
        case datetime() | date() | time():
            return f"the time {value}"
        case list():
            return f"an array of {len(value)}"
        case dict():
            return "a table"
    return repr(value)
