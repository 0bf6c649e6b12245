"""What goes wrong in the views: said on the panel, in the foot, on stderr, in the log file, and reported once."""

from __future__ import annotations

import asyncio
import stat
import sys

import pytest

from dataflow.notice import Notice
from dataflow.session import Status
from dataflow.sql.codegen import assemble
from gui.app import attend, closing
from gui.reporting.log_file import LARGEST, LONGEST, Logbook
from gui.reporting.notices import Notices
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow
from tests.dataflow.desk.test_incidents import PANEL
from tests.dataflow.desks import BOARD, note, opened, until


def test_a_panel_whose_query_is_set_aside_says_so_and_the_log_file_too(account, run, monkeypatch, capsys):
    armed = []

    def upper(text):
        if armed and text == "south":
            raise ValueError("no such value")
        return text.upper()

    monkeypatch.setitem(assemble.NAMESPACE, "upper", upper)

    async def main():
        async with opened(account, BOARD + PANEL, start=False) as desk:
            window = MainWindow(Theme.load("dark"))
            window.show_board(desk.pipeline.board)
            showing = asyncio.ensure_future(attend(window, desk, closing(window)))
            await until(desk.pipeline.status, lambda status: status.state == "live")
            notes, shouted = window.panels
            armed.append(True)
            desk.database.log.append([note("north"), note("south")]).result()
            await until(desk.pipeline.status, lambda status: status.warning)
            assert shouted._message.startswith("Set aside: its aggregate (")
            assert "failed (ValueError: no such value)" in shouted._message
            assert notes._message is None
            assert window._footer.left()[0].startswith("Shouted: Set aside: ")
            armed.clear()
            window.retry_wanted.emit()
            await until(desk.pipeline.status, lambda status: not status.warning)
            assert window.panels[1]._message is None
            window.close()
            await showing

    run(main())
    errors = capsys.readouterr().err
    assert errors.count("this is a bug in Watchfloor: ValueError: no such value. The full report is in ") == 1
    file = Logbook("notes").path
    assert file.is_relative_to(account / "XDG_STATE_HOME")
    assert " notes: Shouted: Set aside: its aggregate (" in file.read_text()
    assert " notes: live\n" in file.read_text()


@pytest.fixture
def clock():
    return [1_700_000_000.0]


@pytest.fixture
def log(tmp_path, clock):
    return Logbook("ops", tmp_path / "logs" / "watchfloor.log", lambda: clock[0])


def lines(log):
    return [line.split(" ops: ", 1)[1] for line in log.path.read_text().splitlines()]


def test_the_log_file_is_for_this_account_alone_and_tells_each_line_once_a_minute(log, clock):
    log.write("a\x1b[31m\n line")
    log.write("a\x1b[31m line")
    clock[0] += 61
    log.write("a\x1b[31m line")
    log.write("x" * 5_000_000)
    assert lines(log)[:2] == ["a\\u001b[31m line"] * 2
    assert len(lines(log)) == 3
    assert len(lines(log)[2]) == LONGEST + 1
    assert log.path.read_text().startswith("2023-11-14T22:13:20Z ")
    if sys.platform != "win32":
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


def test_a_full_log_file_is_turned_over_and_two_older_ones_are_kept(log, clock):
    for number in range(4):
        log.path.parent.mkdir(exist_ok=True)
        with log.path.open("ab") as file:
            file.write(b"x" * LARGEST)
        log.write(f"line {number}")
    files = sorted(path.name for path in log.path.parent.iterdir())
    assert files == ["watchfloor.log.1", "watchfloor.log.2"]
    assert b"line 3" in log.path.with_name("watchfloor.log.1").read_bytes()


def test_a_log_that_cannot_be_written_is_nobodys_error(tmp_path):
    (tmp_path / "file").write_text("")
    Logbook("ops", tmp_path / "file" / "watchfloor.log").write("lost")


def test_states_and_warnings_are_lines(log):
    for state, detail, warning in [
        ("catching up", "", ""), ("live", "", ""), ("live", "", ""), ("live", "", "this machine's clock is off"),
        ("offline", "no answer", ""), ("replaying", "replaying at 60×", ""), ("replaying", "replaying at 61×", ""),
    ]:  # fmt: skip
        log.follow_status(Status(state=state, detail=detail, warning=warning))
    assert lines(log) == [
        "catching up", "live", "this machine's clock is off", "offline: no answer", "replaying: replaying at 60×",
    ]  # fmt: skip


def test_a_bug_is_reported_once_however_many_values_meet_it(account, log):
    said = []
    notices = Notices(log, said.append, ["open", "demo"])
    for text in ("first", "second"):
        try:
            raise ValueError(text)
        except ValueError as error:
            notices(Notice(f"Set aside: {text}", ("SELECT 1",), error, aside=True))
    notices(Notice("its result took 300 ms"))
    assert [line for line in said if "bug" in line] == [said[1]]
    assert said[0] == "Set aside: first"
    assert said[2:] == ["Set aside: second", "its result took 300 ms"]
    (report,) = (account / "XDG_STATE_HOME").rglob("bug-*.txt")
    assert "ValueError: first" in report.read_text()
