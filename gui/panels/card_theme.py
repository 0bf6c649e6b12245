"""A card's own theme: the window's, and while the card's values are not of now, each colour dimmed.

Whatever a panel paints, it paints in the roles of its theme; so every kind of panel is dimmed at this one place. A
dimmed colour is greyer and nearer to the card's, and still differs from that by `LEAST` where it did before: it can be
read. What waits for the log is the operator's own and of now, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QFont

from gui.theme.theme import Theme

DIMMED, GREYED = 0.5, 0.45
"""How far a colour moves towards the card's, after it has moved towards a grey as light as it is."""
LEAST = 4.5
"""Contrast of text, by WCAG 2.2 (AA)."""
_STEPS = 25
_KEPT = frozenset({"background", "card", "line", "hover", "input", "on_accent", "pending"})


class CardTheme(Theme):
    """Follows `base`; `dim` turns dimming on or off."""

    def __init__(self, base: Theme, parent: QObject) -> None:
        super().__init__(base.name, base.dark, base.roles)
        self.setParent(parent)
        self._base = base
        self.dimmed = False
        base.changed.connect(self._follow)

    def dim(self, dimmed: bool) -> None:
        """Show colours dimmed from now on, or as they are."""
        if dimmed != self.dimmed:
            self.dimmed = dimmed
            self._follow()

    def bright(self, role: str) -> QColor:
        """The colour as it is, dimmed or not."""
        return self._base.color(role)

    def font(self, style: str, scale: float = 1.0) -> QFont:
        return self._base.font(style, scale)

    def _follow(self) -> None:
        self._set(self._base.name, self._base.dark, self._base.roles)
        if self.dimmed:
            self._colors = dimmed_colours(self._colors)
        self.changed.emit()


def dimmed_colours(colours: Mapping[str, QColor]) -> dict[str, QColor]:
    """Each role's colour, dimmed; grounds and lines as they are."""
    card = colours["card"]
    return {role: colour if role in _KEPT else _dimmed(colour.rgba(), card.rgba()) for role, colour in colours.items()}


@lru_cache(maxsize=1024)
def _dimmed(colour: int, card: int) -> QColor:
    """All cards of a board dim the same few colours, and many at once."""
    return dimmed(QColor.fromRgba(colour), QColor.fromRgba(card))


def dimmed(colour: QColor, card: QColor) -> QColor:
    """Greyer, and half way to the card's colour, or as far as it can still be read there."""
    colour = _mixed(colour, _grey(colour), GREYED)
    for step in range(_STEPS, 0, -1):
        found = _mixed(colour, card, DIMMED * step / _STEPS)
        if contrast(found, card) >= LEAST:
            return found
    return colour


def contrast(one: QColor, other: QColor) -> float:
    """Of two colours, 1 to 21, as WCAG 2.2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _grey(colour: QColor) -> QColor:
    light = _luminance(colour)
    part = light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return QColor.fromRgbF(part, part, part)


def _mixed(one: QColor, other: QColor, share: float) -> QColor:
    pairs = ((one.redF(), other.redF()), (one.greenF(), other.greenF()), (one.blueF(), other.blueF()))
    return QColor.fromRgbF(*(a + (b - a) * share for a, b in pairs))


def _luminance(colour: QColor) -> float:
    parts = (_linear(part) for part in (colour.redF(), colour.greenF(), colour.blueF()))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
