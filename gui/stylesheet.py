"""The application's one stylesheet, written from the theme's roles. Widgets are told apart by object name only here."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

_SHEET = Template("""
QToolTip { color: $text; background: $card; border: 1px solid $line; padding: 4px 6px; }
""")


def stylesheet(roles: Mapping[str, str]) -> str:
    """The stylesheet with the roles' colours filled in."""
    return _SHEET.substitute(roles)
