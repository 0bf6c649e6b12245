"""Where several windows lie on one screen: side by side, and in rows where they would be too narrow."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize


def tile(screen: QRect, number: int, of: int, least: QSize) -> QRect:
    """The place of window `number` (from 0) of so many. On a small screen places overlap; none is off the screen."""
    columns = of if of <= 2 or screen.width() >= of * least.width() else -(-of // 2)
    rows = -(-of // columns)
    row, column = divmod(number, columns)
    left, right = (screen.width() * edge // columns for edge in (column, column + 1))
    top, bottom = (screen.height() * edge // rows for edge in (row, row + 1))
    size = QSize(right - left, bottom - top).expandedTo(least).boundedTo(screen.size().expandedTo(least))
    x = max(0, min(left, screen.width() - size.width()))
    y = max(0, min(top, screen.height() - size.height()))
    return QRect(screen.left() + x, screen.top() + y, size.width(), size.height())
