"""The gallery of what needs attention: the dialog with realistic items, rendered to pictures in both themes, for eyes.

    QT_QPA_PLATFORM=offscreen python -m tests.gui.attention_gallery OUT_FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget

from dataflow.boards.file import load
from dataflow.session import Attention, Meanwhile, Told
from gui.attention.dialog import AttentionDialog
from gui.theme.theme import Theme

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
SECOND, MINUTE = 1_000_000, 60_000_000
LEG = "AA753-LGA-20130208"


def told(n: int, type: str, author: str, time: int, **fields: object) -> Told:
    subject = str(fields.get("leg") or fields.get("incident"))
    return Told(id=f"e{n}", type=type, subject=subject, time=time, author=author, fields=fields, position=2100 + n)


HELD = told(1, "flight.held", "amy", NOW - 40 * SECOND, leg=LEG, reason="Crew", until=NOW + 38 * MINUTE,
            note="Captain is out of hours")  # fmt: skip
GATE = told(2, "gate.assigned", "amy", NOW - 25 * MINUTE, leg="B61161-JFK-20130208", gate="A7")
MEANWHILE = Meanwhile(until=2118, events=(
    told(3, "gate.assigned", "eve", NOW - 38 * SECOND, leg=LEG, gate="B22"),
    told(4, "flight.held", "bob", NOW - 31 * SECOND, leg=LEG, reason="De-icing", until=NOW + 75 * MINUTE),
    told(5, "gate.assigned", "eve", NOW - 12 * SECOND, leg=LEG, gate="C4", note="B22 is blocked by a plough"),
))  # fmt: skip
CLOSED = told(6, "incident.closed", "amy", NOW - 90 * MINUTE, incident="K7PQ2", note="Plough has left the taxiway")

ITEMS = (
    Attention(key=9, time=NOW, kind="entry", entry=HELD, stale=True, origin="outbox", text="{}",
              reason=f"{LEG} has changed since you saw it"),
    Attention(key=7, time=NOW, kind="entry", entry=GATE, origin="outbox", text="{}",
              reason="the server does not let amy write this; ask for the role"),
    Attention(key=5, time=NOW, kind="entry", entry=CLOSED, stale=True, origin="outbox", text="{}",
              reason="K7PQ2 has changed since you saw it"),
    Attention(key=8, time=NOW - 3 * MINUTE, reason="says it is about 'UA1545', but came as one about 'UA1546'",
              text='{"specversion":"1.0","id":"0192","source":"/acars",\n "type":"flight.departed","subject":"UA1545"}',
              origin="WF_nyc:2094"),
    Attention(key=6, time=NOW - 70 * MINUTE, reason="not JSON: malformed at byte 117", text='{"specversion":"1.0","id',
              origin="flights.ndjson:1024"),
    Attention(key=-812, time=NOW - 95 * MINUTE, kind="misfit", origin="position 812",
              reason="field `dep_delay`: expected a whole number (64 bits), found \"late\"",
              text='flight.departed {"leg": "EV4187-EWR-20130208", "dep_delay": "late"}'),
)  # fmt: skip


def main(folder: Path) -> None:
    """Render the dialog: a stale entry, the form that changes it, a message."""
    app = QApplication([])
    board = load(Path("assets/boards/nyc.toml")).board
    for name in ("dark", "light"):
        theme = Theme.load(name)
        theme.apply(app)
        window = QWidget()
        dialog = AttentionDialog(board, theme, window)
        dialog.set_now(NOW)
        dialog.show_items(ITEMS)
        dialog.show_meanwhile(9, MEANWHILE)
        dialog.show()
        _grab(app, dialog, folder / f"stale-{name}.png")
        dialog._actions.change.click()
        _grab(app, dialog, folder / f"change-{name}.png")
        dialog._actions.back.click()
        dialog._list.go_to(3)
        dialog.dismissed([ITEMS[4]])
        _grab(app, dialog, folder / f"message-{name}.png")
        dialog._list.go_to(1)
        dialog.show_meanwhile(7, Meanwhile(until=2118))
        dialog.failed(ITEMS[0].reason)
        _grab(app, dialog, folder / f"refused-{name}.png")
        dialog.show_items(())
        _grab(app, dialog, folder / f"empty-{name}.png")
        dialog.close()


def _grab(app: QApplication, dialog: QWidget, path: Path) -> None:
    for _ in range(5):
        app.processEvents()
    dialog.grab().save(str(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
