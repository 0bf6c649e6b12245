"""Themes: colours by role, read from TOML (`assets/themes`), and the fonts of each style.

There is one Theme object a window. It can *become* another one while everything runs: widgets read their
colours when they paint, and what keeps colours (icons, pens) is built anew on `changed`. After
novelWriter's and napari's themes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from gui.theme import fonts
from gui.theme.stylesheet import stylesheet

ROLES = (
    "background", "card", "line", "text", "dim", "faint", "accent", "on_accent", "pending", "ok", "warning",
    "critical", "hover", "input", "series1", "series2", "series3", "series4", "series5", "series6",
)
BUILT_IN = ("dark", "light")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class ThemeError(Exception):
    """A theme file that cannot be used. `place` is the file, or the name that was asked for."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"theme {place}: {message}")
        self.place = place


class Theme(QObject):
    """Colours by role and fonts by style."""

    changed = Signal()

    def __init__(self, name: str, dark: bool, roles: Mapping[str, str]) -> None:
        super().__init__()
        self._set(name, dark, roles)

    def _set(self, name: str, dark: bool, roles: Mapping[str, str]) -> None:
        self.name = name
        self.dark = dark
        self.roles = dict(roles)
        self._colors = {role: QColor(text) for role, text in roles.items()}
        self._fonts: dict[tuple[str, float], QFont] = {}

    @classmethod
    def load(cls, which: str | Path) -> Theme:
        """"dark", "light", or the path of a theme file. Raises ThemeError."""
        place = str(which)
        return cls(*_read(place, _text(place)))

    def color(self, role: str | None, fallback: str = "text") -> QColor:
        """The colour of a role; a name that is no role (a tone that a query made up) gives the fallback's."""
        return self._colors.get(role or fallback) or self._colors[fallback]

    def has(self, role: str) -> bool:
        """Whether there is such a role."""
        return role in self._colors

    def font(self, style: str, scale: float = 1.0) -> QFont:
        """The font of a style of `fonts.STYLES`."""
        key = (style, scale)
        if key not in self._fonts:
            self._fonts[key] = fonts.font(style, scale)
        return self._fonts[key]

    def apply(self, app: QApplication) -> None:
        """Style the application: Fusion, our palette, our font and the one stylesheet."""
        fonts.install()
        app.setStyle("Fusion")
        app.setPalette(self.palette())
        app.setFont(self.font("body"))
        app.setStyleSheet(stylesheet(self.roles))

    def become(self, other: Theme, app: QApplication) -> None:
        """Take on another theme's colours, everywhere and at once."""
        self._set(other.name, other.dark, other.roles)
        self.apply(app)
        self.changed.emit()

    def palette(self) -> QPalette:
        """The roles as Qt's own palette, for what Fusion paints."""
        role = QPalette.ColorRole
        wanted = {
            role.Window: "background", role.WindowText: "text", role.Base: "input",
            role.AlternateBase: "hover", role.Text: "text", role.Button: "card", role.ButtonText: "text",
            role.BrightText: "critical", role.Highlight: "accent", role.HighlightedText: "on_accent",
            role.ToolTipBase: "card", role.ToolTipText: "text", role.PlaceholderText: "faint",
            role.Link: "accent", role.LinkVisited: "pending", role.Light: "line", role.Midlight: "line",
            role.Mid: "line", role.Dark: "line", role.Shadow: "background",
        }
        result = QPalette()
        for target, name in wanted.items():
            result.setColor(target, self.color(name))
        for target in (role.WindowText, role.Text, role.ButtonText):
            result.setColor(QPalette.ColorGroup.Disabled, target, self.color("faint"))
        return result


def _text(place: str) -> str:
    try:
        if place in BUILT_IN:
            return files("assets").joinpath("themes", f"{place}.toml").read_text("utf-8")
        return Path(place).read_text("utf-8")
    except FileNotFoundError:
        raise ThemeError(place, "no such theme; use dark, light or the path of a theme file") from None
    except UnicodeDecodeError:
        raise ThemeError(place, "not UTF-8 text; a theme is a TOML file") from None
    except OSError as error:
        raise ThemeError(place, f"cannot be read: {error.strerror}") from None


def _read(place: str, text: str) -> tuple[str, bool, dict[str, str]]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(place, str(error)) from None
    roles, palette = _section(place, content, "roles"), _section(place, content, "palette")
    if missing := [role for role in ROLES if role not in roles]:
        raise ThemeError(place, f"[roles] lacks {', '.join(missing)}")
    colours = {role: _colour(place, role, value, palette) for role, value in roles.items()}
    return str(content.get("name", Path(place).stem)), bool(content.get("dark", False)), colours


def _section(place: str, content: dict[str, Any], name: str) -> dict[str, Any]:
    section = content.get(name, {})
    if not isinstance(section, dict):
        raise ThemeError(place, f"{name} must be a section: [{name}]")
    return section


def _colour(place: str, role: str, value: Any, palette: dict[str, Any]) -> str:
    if role not in ROLES:
        raise ThemeError(place, f"[roles] {role}: no such role; there are {', '.join(ROLES)}")
    colour = palette.get(value, value) if isinstance(value, str) else value
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise ThemeError(place, f"[roles] {role} = {value!r}: neither #rrggbb nor a name in [palette]")
    return colour
