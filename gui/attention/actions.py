"""The buttons below what needs attention. Which are there depends on what is selected."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from dataflow.session import Attention
from gui.forms.outcome import Outcome
from gui.theme.theme import Theme
from gui.widgets.plain import set_tip


class Actions(QWidget):
    """At the left what became of the last action, and Undo; at the right what can be done."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.outcome = Outcome(theme, self)
        self.outcome.setAccessibleName("Last action")
        self.undo = self._button("&Undo", "Ctrl+Z")
        self.dismiss = self._button("&Dismiss", "Delete")
        self.copy = self._button("C&opy", "Copy the raw text (Ctrl+C)")
        self.back = self._button("&Back", "Leave the form without entering anything (Esc)")
        self.change = self._button("&Change…", "Put it into its form, change it and enter that")
        self.again = self._button("&Re-apply", "Enter the same once more, now that you have seen what happened")
        self.again.setObjectName("submit")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.undo)
        row.addWidget(self.outcome, 1)
        for button in (self.copy, self.dismiss, self.back, self.change, self.again):
            row.addWidget(button)

    def fit(self, selected: Sequence[Attention], enterable: bool, known: bool, changing: bool) -> None:
        """Offer what can be done with what is selected. `enterable`: one entry, which the board still takes; `known`:
        what happened meanwhile has been shown; `changing`: it is in its form.
        """
        verb = "&Discard" if any(item.entry for item in selected) else "&Dismiss"
        self.dismiss.setText(verb if len(selected) == 1 else f"{verb} {len(selected):,}")
        self.dismiss.setAccessibleName(self.dismiss.text().replace("&", ""))
        self.change.setEnabled(enterable)
        self.again.setEnabled(enterable and known)
        if changing:
            self._offer(self.back)
        elif len(selected) == 1 and selected[0].entry is not None:
            self._offer(self.dismiss, self.change, self.again)
        else:
            self._offer(*((self.copy, self.dismiss) if selected else ()))

    def _offer(self, *buttons: QPushButton) -> None:
        """These are there now, besides Undo."""
        for button in (self.dismiss, self.copy, self.back, self.change, self.again):
            button.setVisible(button in buttons)

    def first(self) -> QPushButton | None:
        """The one that is meant most likely."""
        order = (self.again, self.change, self.dismiss, self.copy)
        return next((button for button in order if button.isVisible() and button.isEnabled()), None)

    def _button(self, words: str, tip: str) -> QPushButton:
        button = QPushButton(words, self)
        button.setAutoDefault(False)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(words.replace("&", "").rstrip("…"))
        set_tip(button, tip)
        button.hide()
        return button
