"""What runtime modules export to generated code: the names in their `__all__`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any


def exports(*modules: ModuleType) -> dict[str, Any]:
    """Return what the modules export, by name. Raises ValueError where two export one name."""
    return merge({name: getattr(module, name) for name in module.__all__} for module in modules)


def merge(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one mapping of all names. Raises ValueError where two parts have one name."""
    merged: dict[str, Any] = {}
    for part in parts:
        twice = sorted(merged.keys() & part.keys())
        if twice:
            raise ValueError(f"generated code would see two things called {', '.join(twice)}")
        merged.update(part)
    return merged
