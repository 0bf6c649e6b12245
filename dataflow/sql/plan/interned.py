"""Nodes that exist once: two of equal class and fields are one object, so they are compared and hashed by identity.

Constants count as equal if they are of one type, and floats if they have the same sign too: 1, 1.0 and TRUE are three
values, 0.0 and -0.0 are two, and NaN is one.
"""

from __future__ import annotations

from decimal import Decimal
from threading import Lock
from typing import Any, ClassVar, TypeVar
from weakref import KeyedRef

import msgspec
from msgspec.structs import astuple

from dataflow.sql.budget import make

_Key = tuple[Any, ...]
_KNOWN: dict[_Key, KeyedRef[_Key, Any]] = {}
_LOCK = Lock()
_Made = TypeVar("_Made")


def exact(value: Any) -> Any:
    """A key that only values of the same type, value and sign share; tuples and sets by what is in them."""
    kind = type(value)
    if kind is float:
        return kind, value.hex()
    if kind is tuple:
        return tuple(map(exact, value))
    if kind is frozenset:
        return kind, frozenset(map(exact, value))
    return kind, str(value) if kind is Decimal else value


class Interning(msgspec.StructMeta):
    """Gives the node that is there already, if an equal one is alive."""

    def __call__(cls: type[_Made], *args: Any, **fields: Any) -> _Made:  # noqa: N805  (of a metaclass)
        made: Any = super().__call__(*args, **fields)  # type: ignore[misc]
        values = astuple(made)
        key = (cls, exact(values) if made.holds_constants else values)
        reference = _KNOWN.get(key)
        known = reference() if reference is not None else None
        if known is None:
            make()
            known = _kept(key, made)
        return known  # type: ignore[no-any-return]


def _kept(key: _Key, made: Any) -> Any:
    """The node under this key: another thread may have made it meanwhile."""
    with _LOCK:
        reference = _KNOWN.get(key)
        known = reference() if reference is not None else None
        if known is None:
            known = made
            _KNOWN[key] = KeyedRef(made, _forget, key)
    return known


def _forget(reference: KeyedRef[_Key, Any]) -> None:
    if _KNOWN.get(reference.key) is reference:
        del _KNOWN[reference.key]


class Interned(msgspec.Struct, metaclass=Interning, frozen=True, eq=False, weakref=True):
    """A node. `holds_constants`: its fields hold values written in the query, which are compared by `exact`."""

    holds_constants: ClassVar[bool] = False
