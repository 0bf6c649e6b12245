"""How the keyboard comes to a widget."""

from PySide6.QtCore import Qt

KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
"""Whoever comes so is shown where the keyboard is."""
