"""The gallery: a board's window with invented rows, rendered to pictures in both themes, for eyes.

    QT_QPA_PLATFORM=offscreen python -m tests.gui.gallery OUT_FOLDER [BOARD.toml] [WIDTHxHEIGHT] [STATE]

No store, no engine, no feed: each panel gets rows of the shape that its query would give. STATE is one of `STATES`
(never, loading, loading-again, as-of, stale, refused, broken, live, or all): what the desk knows.
"""

from __future__ import annotations

import math
import os
import sys
from itertools import product
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from PySide6.QtWidgets import QApplication

from dataflow.board import BarPanel, Board, LinePanel, LogPanel, TablePanel, ValuePanel
from dataflow.boards.file import load
from dataflow.session import Status
from dataflow.zset import Column, Row, Splice
from gui.panels.base import Panel
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
MINUTE = 60_000_000

STATUS = Status(state="replaying", detail="replaying at 60×", position=2118, pending=1, attention=2,
                rate=38.2, delay_ms=12.3, now=NOW)  # fmt: skip

LOG = "nats://tower:4222"
CUT_OFF = Status(state="offline", detail="no answer from nats://tower:4222 (connection refused)", now=NOW,
                 since=NOW - 9 * MINUTE, heard=NOW - 10 * MINUTE, log=LOG, position=2118, pending=1)  # fmt: skip
REFUSED = Status(state="refused", unfit=True, now=NOW, since=NOW - 9 * MINUTE, heard=NOW - 10 * MINUTE, log=LOG,
                 position=2118, detail="the shared log at nats://tower:4222 is not the one that this desk holds: it "
                 "was made anew on 7 February; open the board with --fresh-store to begin a new copy")  # fmt: skip
LOADING = Status(state="catching up", now=NOW, position=570_000, rate=31_000, progress=0.43, to_go=430_000, heard=0,
                 left_s=13.9, log=LOG)  # fmt: skip
STATES = {
    "never": (msgspec.structs.replace(CUT_OFF, heard=0, position=0, pending=0), False),
    "loading": (LOADING, False),
    "loading-again": (msgspec.structs.replace(LOADING, heard=NOW - 10 * MINUTE), True),
    "as-of": (CUT_OFF, True),
    "refused": (REFUSED, True),
    "live": (STATUS, True),
}
"""What a desk says of itself, and whether its panels have got rows."""

_VALUES = [(407, "of 488 scheduled", False), (24.1, "+9 since 12:30", False), (13.2, "LGA 27, JFK 9", False),
           (117, "13 % of the day", False), (1, "last AA753, Crew", True), (4.0, "gusts 38 mph", False)]  # fmt: skip

_FLIGHTS = [("B6705", "JFK", "SJU", "JetBlue Airways", "A7", 9, "Departed 13:34"),
            ("MQ4475", "LGA", "RDU", "Envoy Air", "B10", 111, "Delayed"),
            ("EV3840", "EWR", "MEM", "ExpressJet Airlines", "C13", 24, "Departed 13:53"),
            ("AA753", "LGA", "DFW", "American Airlines", "B22", 26, "Held · crew"),
            ("WN1078", "EWR", "PHX", "Southwest Airlines Co.", "D28", None, "Cancelled")]  # fmt: skip

_LOG = [("Held AA753", "amy · crew, until 15:10", True, "text"),
        ("Departed B6 1161 JFK–SJU", "+12 min · gate A7", False, "text"),
        ("Cancelled EV 4187 EWR–CLE", "weather", False, "critical"), ("Gate B18 for AA 753", "bob", False, "text"),
        ("Departed UA 1172 EWR–SFO", "−2 min", False, "dim"),
        ("Incident: plough on taxiway B", "bob · LGA", False, "warning")]  # fmt: skip

_BARS = [("ExpressJet", 29), ("Delta Air Lines", 21), ("United Air Lines", 21), ("Envoy Air", 14), ("Endeavor Air", 12),
         ("JetBlue", 5), ("US Airways", 5)]  # fmt: skip


def feed(panel: Panel, nth: int) -> None:
    """Give a panel columns and rows that it might have."""
    spec = panel.spec
    match spec:
        case ValuePanel():
            _show(panel, "main", [("value", "float"), ("caption", "text"), ("pending", "bool")], [_VALUES[nth % 6]])
            if spec.spark:
                _show(panel, "spark", [("x", "int"), ("y", "float")],
                      [(x, 5 + x / 3 + 3 * math.sin(x * 1.3 + nth)) for x in range(12)])
        case LogPanel():
            rows = []
            for at in range(40):
                title, detail, pending, tone = _LOG[at % 6]
                rows.append((NOW - at * 2 * MINUTE, title, detail, pending and at == 0, tone, 2118 - at))
            _show(panel, "main", [("time", "timestamp"), ("title", "text"), ("detail", "text"), ("pending", "bool"),
                                  ("tone", "text"), ("position", "int")], rows)
        case BarPanel():
            _show(panel, "main", [(spec.label, "text"), (spec.value, "int")], list(_BARS))
        case LinePanel():
            series = [(spec.series, "text")] if spec.series else []
            names = ["EWR", "JFK", "LGA"] if series else [None]
            rows = []
            for x in range(40):
                for at, name in enumerate(names):
                    y = 8 + at * 9 + 6 * math.sin(x / 4 + at) + at * x / 2
                    rows.append((NOW - (40 - x) * 12 * MINUTE, y, *([name] if series else [])))
            _show(panel, "main", [(spec.x, "timestamp"), (spec.y, "float"), *series], rows)
        case TablePanel():
            _show_table(panel, spec)


def _show_table(panel: Panel, spec: TablePanel) -> None:
    columns = [(name, "text") for name in spec.columns] + [("pending", "bool")]
    cells = [[None if cell is None else str(cell) for cell in flight] * 3 for flight in _FLIGHTS]
    rows = [(*cells[at % 5][: len(columns) - 1], at == 3) for at in range(30)]
    _show(panel, "main", columns, rows)


def _show(panel: Panel, name: str, columns: list[tuple[str, str]], rows: list[Row]) -> None:
    panel.take_columns(name, [Column(*column) for column in columns])
    panel.take(name, [Splice(0, 0, tuple(rows))], rows)


def window(board: Board, theme: Theme, state: str = "live") -> MainWindow:
    """The board's window with invented rows."""
    made = MainWindow(theme)
    status, fed = STATES.get(state, STATES["live"])
    values = 0
    for panel in made.show_board(board):
        if fed:
            feed(panel, values)
        values += isinstance(panel.spec, ValuePanel)
    made.set_status(status)
    if state == "broken":
        made.set_problems(["nyc.toml, line 212, panels[3].sql: there is no column `deprted`; did you mean `departed`?"])
    if state == "stale":
        for panel in made.panels[::2]:
            panel.set_stale("No data for 12 min")
    if state in ("live", "as-of"):
        made.offer("Entered: Hold AA753 · AA753-LGA-20130208", "undo")
    return made


def main(folder: Path, board: Path, size: str, wanted: str) -> None:
    """Render the board in both themes."""
    app = QApplication([])
    width, height = map(int, size.split("x"))
    for name, state in product(("dark", "light"), [*STATES, "broken", "stale"] if wanted == "all" else [wanted]):
        theme = Theme.load(name)
        theme.apply(app)
        made = window(load(board).board, theme, state)
        made.resize(width, height)
        made.show()
        for _ in range(5):
            app.processEvents()
        made.grab().save(str(folder / f"{board.stem}-{name}-{size}-{state}.png"))
        made.close()


if __name__ == "__main__":
    usual = ("", "assets/boards/nyc.toml", "1600x1000", "live")
    out, board_, size_, state_ = (*sys.argv[1:], *usual[len(sys.argv) - 1 :])
    main(Path(out), Path(board_), size_, state_)
