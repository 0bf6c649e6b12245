"""Which editor a field gets."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QWidget

from dataflow.board import Field
from gui.forms.choice import ChoiceBox
from gui.forms.field import FieldBox
from gui.forms.flag import FlagBox
from gui.forms.moment import MomentBox
from gui.forms.multiline import MultilineBox
from gui.forms.number import NumberBox
from gui.forms.text import TextBox
from gui.theme.theme import Theme

KINDS: dict[str, type[FieldBox]] = {
    "text": TextBox,
    "int": NumberBox,
    "float": NumberBox,
    "bool": FlagBox,
    "timestamp": MomentBox,
    "json": MultilineBox,
}


def make(name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> FieldBox:
    """The editor for one field."""
    kind = ChoiceBox if field.choices else MultilineBox if field.multiline else KINDS[field.type]
    return kind(name, field, theme, zone, parent)
