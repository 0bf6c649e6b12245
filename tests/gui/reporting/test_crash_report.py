"""A bug's report survives whatever the bug was: what it says, where it is written, how much there is of it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from gui.paths import reports
from gui.reporting import crash_report


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return caught


def report(line: str) -> bytes:
    return Path(line.split(" is in ")[1]).read_bytes()


@pytest.fixture(autouse=True)
def own(account):
    return account


def test_halves_of_surrogate_pairs_are_told(own):
    line = crash_report.describe_bug(raised(UnicodeError("\udcff\ud800 \x1b[2J")), ["emit", "title=\udcff"])
    content = report(line)
    assert rb"watchfloor emit title=\udcff" in content
    assert b"Traceback" in content
    assert rb"\u001b[2J" in content
    assert b"\x1b" not in content


def test_a_report_is_private_and_each_has_its_own(own):
    lines = {crash_report.describe_bug(raised(ValueError("x")), []) for _ in range(5)}
    assert len(lines) == 5
    if sys.platform != "win32":
        assert stat.S_IMODE(reports().stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in reports().iterdir()} == {0o600}


def test_a_huge_message_is_cut_in_the_line_and_bounded_in_the_report(own):
    line = crash_report.describe_bug(raised(ValueError("y" * 10**7)), ["x" * 10**6])
    assert len(line) < 1000
    assert len(report(line)) <= crash_report.LARGEST + 10
    assert b"Traceback" in crash_report._content(raised(ValueError("short")), [])


def test_an_error_whose_text_fails_is_told_with_its_trace(own):
    line = crash_report.describe_bug(raised(Unspeakable()), [])
    assert "Unspeakable" in line
    assert b"raise error" in report(line)


def test_deep_recursion_is_told(own):
    def dig(n: int) -> int:
        return dig(n + 1)

    with pytest.raises(RecursionError) as caught:
        dig(0)
    assert b"dig" in report(crash_report.describe_bug(caught.value, []))


def test_a_folder_that_cannot_be_made_is_said(own):
    folder = reports()
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    line = crash_report.describe_bug(raised(ValueError("x")), [])
    assert line.startswith("this is a bug in Watchfloor: ValueError: x. No report could be written (")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_full_disk_is_said_and_leaves_no_empty_report(own, monkeypatch):
    def full(folder: Path) -> Path:
        (folder / "bug.txt").symlink_to("/dev/full")
        return folder / "bug.txt"

    monkeypatch.setattr(crash_report, "_place", full)
    line = crash_report.describe_bug(raised(ValueError("x")), [])
    assert line.endswith(f"No report could be written ({os.strerror(errno.ENOSPC)})")
    assert list(reports().iterdir()) == []


def test_whatever_else_fails_the_line_is_there(own, monkeypatch):
    monkeypatch.setattr(crash_report, "_report", lambda *_: 1 / 0)
    assert crash_report.describe_bug(ValueError("x"), []).endswith("No report could be written (ZeroDivisionError)")
