"""The type: Inter (SIL OFL 1.1), shipped in `assets/fonts`, so that a picture is the same on every machine.

Sizes are in device-independent pixels. Every style asks for tabular figures, so that numbers in motion do
not dance.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

from PySide6.QtGui import QFont, QFontDatabase

FAMILY = "Watchfloor Inter"
FALLBACKS = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans", "sans-serif")


class Style(NamedTuple):
    """How large and how heavy."""

    pixels: int
    weight: QFont.Weight


STYLES: dict[str, Style] = {
    "heading": Style(17, QFont.Weight.DemiBold),
    "title": Style(13, QFont.Weight.Medium),
    "label": Style(13, QFont.Weight.Normal),
    "value": Style(36, QFont.Weight.DemiBold),
    "unit": Style(16, QFont.Weight.Normal),
    "body": Style(13, QFont.Weight.Normal),
    "medium": Style(13, QFont.Weight.Medium),
    "bold": Style(13, QFont.Weight.DemiBold),
    "small": Style(12, QFont.Weight.Normal),
}


def install() -> None:
    """Make the shipped faces known to Qt. Needs an application; calling again does nothing new."""
    if FAMILY in QFontDatabase.families():
        return
    for face in sorted(files("assets").joinpath("fonts").iterdir(), key=lambda item: item.name):
        if face.name.endswith(".otf"):
            QFontDatabase.addApplicationFontFromData(face.read_bytes())


def font(style: str, scale: float = 1.0) -> QFont:
    """The font of a style; unknown styles are an error of ours, hence KeyError."""
    pixels, weight = STYLES[style]
    result = QFont([FAMILY, *FALLBACKS])
    result.setPixelSize(max(1, round(pixels * scale)))
    result.setWeight(weight)
    result.setFeature(QFont.Tag("tnum"), 1)
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return result
