"""One number, large; its unit small beside it, a caption below, and a spark that shows where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from dataflow.board import Threshold, ValuePanel
from dataflow.zset import Column, Row, Splice
from gui.models.numbers import finite, linear
from gui.models.scale import apart
from gui.models.series import thinned
from gui.panels.base import Panel
from gui.text.values import formatter
from gui.theme.theme import Theme

_NOTHING = "–"
_SIDE = 12          # left and right of everything
_TOP = 27           # below the title
_LOW = 72           # a card lower than this has the caption beside the number, and no spark
_NARROW = 60        # less room than this beside the number says nothing
_ROOMY = 150        # a card narrower than this has no spark
_RING = 8


class Value(Panel):
    """Painted whole: it changes often, and there is nothing in it to click."""

    spec: ValuePanel

    def __init__(self, spec: ValuePanel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(spec, theme, zone, parent)
        self._columns: dict[str, tuple[int, str]] = {}
        self._number = self._caption = ""
        self._value: Any = None
        self._pending = False
        self._spark: list[list[tuple[float, float]]] = []
        self._drawn: tuple[QRect, list[QPolygonF]] = (QRect(), [])

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        if name == "main":
            self._columns = {column.name: (at, column.type) for at, column in enumerate(columns)}
            if len(columns) == 1:
                self._columns["value"] = (0, columns[0].type)

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        if name == "spark":
            self._spark = segments(rows)
            self._drawn = (QRect(), [])
        else:
            self._take(rows[0] if rows else None)
        self.update()

    def _take(self, row: Row | None) -> None:
        self._value = self._cell(row, "value")
        self._pending = bool(self._cell(row, "pending"))
        self._number = self._shown("value", self._value, self.spec.format) or _NOTHING
        self._caption = self._shown("caption", self._cell(row, "caption"), None)
        unit = self.spec.unit or ""
        waiting = "not yet confirmed" if self._pending else ""
        words = (f"{self._number} {unit}".strip(), self._caption, waiting)
        self.describe(", ".join(word for word in words if word))

    def _cell(self, row: Row | None, name: str) -> Any:
        return row[self._columns[name][0]] if row is not None and name in self._columns else None

    def _shown(self, name: str, value: Any, format: str | None) -> str:
        if value is None:
            return ""
        return formatter(self._columns[name][1], format, self.zone)(value)

    def role(self) -> str:
        """The role that the number is shown in."""
        if self._value is None:
            return "faint"
        if self._pending:
            return "pending"
        return role_of(self._value, self.spec.thresholds) or self.spec.role

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._number and self.shows_body:
            with QPainter(self) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self._paint_content(painter)

    def _paint_content(self, painter: QPainter) -> None:
        low = self.height() < _LOW
        foot = 6 if low else min(34, max(24, self.height() - 76))
        strip = QRect(_SIDE, self.height() - foot, self.width() - 2 * _SIDE, foot - 3)
        number = QRect(_SIDE, _TOP, strip.width(), self.height() - _TOP - max(6, foot - 4))
        end = self._paint_number(painter, number)
        if low:
            beside = number.adjusted(end + 14 - _SIDE, 0, 0, 0)
            if beside.width() >= _NARROW:
                self._paint_caption(painter, beside, right=True)
            return
        spark = self._spark_box(strip)
        if self._spark and self.width() >= _ROOMY:
            self._paint_spark(painter, spark)
            strip.setRight(spark.left() - 10)
        self._paint_caption(painter, strip, right=False)

    def _paint_number(self, painter: QPainter, box: QRect) -> int:
        """Draw number, unit and the pending ring, as large as fits; where they end."""
        number, unit = self._fonts(box)
        width = QFontMetrics(number).horizontalAdvance(self._number)
        baseline = box.top() + (box.height() + QFontMetrics(number).capHeight()) // 2
        painter.setFont(number)
        painter.setPen(self.theme.color(self.role()))
        painter.drawText(box.left() - 1, baseline, self._number)
        left = box.left() + width + 4
        if self.spec.unit and self._value is not None:
            painter.setFont(unit)
            painter.setPen(self.theme.color("dim"))
            painter.drawText(left, baseline, self.spec.unit)
            left += QFontMetrics(unit).horizontalAdvance(self.spec.unit) + 6
        if self._pending:
            painter.setPen(QPen(self.theme.color("pending"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(left + 2, baseline - _RING - 1, _RING, _RING))
            left += _RING + 6
        return left

    def _fonts(self, box: QRect) -> tuple[QFont, QFont]:
        scale = max(0.67, min(2.8, box.height() / 54))
        number = self.theme.font("value", round(scale, 2))
        unit = self.theme.font("unit", round(max(0.85, scale**0.7), 2))
        wide = QFontMetrics(number).horizontalAdvance(self._number) + 8
        wide += QFontMetrics(unit).horizontalAdvance(self.spec.unit or "")
        if wide > box.width() > 0:
            number = self.theme.font("value", round(max(0.45, scale * box.width() / wide), 2))
        return number, unit

    def _paint_caption(self, painter: QPainter, box: QRect, *, right: bool) -> None:
        font = self.theme.font("label")
        painter.setFont(font)
        painter.setPen(self.theme.color("dim"))
        words = QFontMetrics(font).elidedText(self._caption, Qt.TextElideMode.ElideRight, box.width())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, words)

    def _spark_box(self, strip: QRect) -> QRect:
        caption = QFontMetrics(self.theme.font("label")).horizontalAdvance(self._caption)
        width = max(strip.width() // 4, min(strip.width() * 2 // 5, strip.width() - caption - 14, 200))
        height = max(16, min(64, self.height() // 5))
        return QRect(strip.right() - width, strip.bottom() - 6 - height, width, height)

    def _paint_spark(self, painter: QPainter, box: QRect) -> None:
        role = self.role()
        painter.setPen(QPen(self.theme.color("accent" if role in {"text", "faint"} else role), 1.5))
        if self._drawn[0] != box:
            lines = scaled([thin(line, box.width()) for line in self._spark], QRectF(box))
            self._drawn = box, [QPolygonF([QPointF(x, y) for x, y in line]) for line in lines]
        for polygon in self._drawn[1]:
            painter.drawPolyline(polygon)


def role_of(value: Any, thresholds: Sequence[Threshold]) -> str | None:
    """The role of the last threshold that the value reaches; None where it reaches none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    reached = None
    for threshold in thresholds:
        above = threshold.at is None or value >= threshold.at
        under = threshold.below is None or value < threshold.below
        if above and under:
            reached = threshold.role
    return reached


def segments(rows: Sequence[Row]) -> list[list[tuple[float, float]]]:
    """The (x, y) rows in x order, parted where y is no finite number. Each segment has at least two points."""
    points = ((x, finite(row[1])) for row in rows if (x := finite(row[0])) is not None)
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in sorted(points, key=itemgetter(0)):
        if y is None:
            found.append([])
        else:
            found[-1].append((float(x), float(y)))
    return [line for line in found if len(line) > 1]


def thin(line: Sequence[tuple[float, float]], columns: int) -> Sequence[tuple[float, float]]:
    """The segment with no more points than make a difference on so many pixel columns."""
    xs, ys = map(list, zip(*line, strict=True))
    return list(zip(*thinned((xs, ys), xs[0], xs[-1], columns), strict=True))


def scaled(lines: Sequence[Sequence[tuple[float, float]]], box: QRectF) -> list[list[tuple[float, float]]]:
    """The segments fitted into the box; a level line runs through its middle."""
    xs = [x for line in lines for x, _ in line] or [0.0]
    ys = [y for line in lines for _, y in line] or [0.0]
    across = linear(min(xs), max(xs), box.left(), box.right())
    up = linear(*apart(min(ys), max(ys)), box.bottom(), box.top())
    return [[(across.at(x), up.at(y)) for x, y in line] for line in lines]
