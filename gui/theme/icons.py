"""Icons: one-colour SVGs (Lucide, ISC licence) in `assets/icons`, tinted from the theme as they are loaded."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer


def icon(name: str, color: QColor, size: int = 16, ratio: float = 1.0) -> QImage:
    """The icon as a picture of `size` device-independent pixels. Unknown names are an error of ours."""
    return _drawn(name, color.name(), size, ratio)


@lru_cache(maxsize=128)
def _drawn(name: str, color: str, size: int, ratio: float) -> QImage:
    side = round(size * ratio)
    picture = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        QSvgRenderer(QByteArray(_source(name, color))).render(painter, QRectF(0, 0, side, side))
    picture.setDevicePixelRatio(ratio)
    return picture


def _source(name: str, color: str) -> bytes:
    text = files("assets").joinpath("icons", f"{name}.svg").read_text("utf-8")
    return text.replace("currentColor", color).encode()
