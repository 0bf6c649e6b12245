"""The application's one stylesheet, written from the theme's roles.

It styles Qt's own input widgets, which nobody here paints; cards, pills and lists paint themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

_SHEET = Template("""
QToolTip { color: $text; background: $card; border: 1px solid $line; padding: 4px 6px; }

QLineEdit, QPlainTextEdit, QComboBox {
    color: $text; background: $input; border: 1px solid $line; border-radius: 5px; padding: 0 8px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit, QComboBox { min-height: 28px; max-height: 28px; }
QLineEdit#filter { min-height: 23px; max-height: 23px; }
QPlainTextEdit { padding: 3px 6px; }
QComboBox { padding-left: 10px; combobox-popup: 0; }
QLineEdit:hover, QPlainTextEdit:hover, QComboBox:hover { border-color: $faint; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus { border-color: $accent; }
*[problem="true"], *[problem="true"]:focus { border-color: $critical; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: none; }
QComboBox QLineEdit { border: none; background: transparent; padding: 0; min-height: 24px; }
QComboBox QAbstractItemView, QListView#popup {
    color: $text; background: $card; border: 1px solid $line; outline: none; padding: 3px;
    selection-background-color: $hover; selection-color: $text;
}
QComboBox QAbstractItemView::item, QListView#popup::item {
    min-height: 26px; padding: 0 7px; border: none; border-radius: 4px;
}
QComboBox QAbstractItemView::item:selected, QListView#popup::item:selected { background: $hover; color: $text; }

QCheckBox { color: $text; spacing: 8px; min-height: 24px; }
QCheckBox::indicator {
    width: 14px; height: 14px; border: 1px solid $faint; border-radius: 3px; background: $input;
}
QCheckBox::indicator:focus, QCheckBox:focus::indicator { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }

QPushButton {
    color: $text; background: $card; border: 1px solid $line; border-radius: 5px;
    padding: 0 14px; min-height: 28px;
}
QPushButton:hover { background: $hover; }
QPushButton:focus { border-color: $accent; }
QPushButton#submit {
    color: $on_accent; background: $accent; border: 1px solid $accent; font-weight: 600; min-height: 30px;
}
QPushButton#submit:focus { border: 2px solid $text; }
QPushButton#submit:pressed { background: $dim; border-color: $dim; }
QPushButton:disabled, QPushButton#submit:disabled { color: $faint; background: $card; border-color: $line; }

QLabel#fieldLabel, QLabel#dim { color: $dim; }
QLabel#fieldProblem { color: $critical; }
QLabel#differs { color: $warning; }
QLabel#key {
    color: $text; background: $hover; border: 1px solid $line; border-radius: 4px; padding: 2px 7px;
}

QListView, QTreeView, QTableView {
    color: $text; background: transparent; border: none; outline: none;
    selection-background-color: $hover; selection-color: $text;
}
QScrollArea#scroll, QWidget#sheet { background: transparent; }
QDialog { background: $card; border: 1px solid $line; }

QListView#lines { background: $input; border: 1px solid $line; border-radius: 5px; }
QListView#lines:focus { border-color: $accent; }
QAbstractScrollArea::corner { background: transparent; border: none; }

QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


def stylesheet(roles: Mapping[str, str]) -> str:
    """The stylesheet with the roles' colours filled in."""
    return _SHEET.substitute(roles)
