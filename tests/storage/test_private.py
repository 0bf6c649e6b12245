"""What Watchfloor keeps is for its account's eyes only, also what was made before with other modes."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from storage.database import Database
from storage.private import create_file, is_own, make_folder, open_private, tighten, write_file
from tests.storage.samples import events

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists")


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask():
    """What this account makes is open to all, unless somebody minds it."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_folders_that_are_made_are_private_with_those_above_them(tmp_path):
    folder = make_folder(tmp_path / "data" / "watchfloor" / "boards")
    assert [mode(each) for each in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3


def test_a_folder_that_is_there_is_tightened_and_those_above_are_not(tmp_path):
    folder = tmp_path / "above" / "own"
    folder.mkdir(parents=True)
    make_folder(folder)
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o777)


def test_a_folder_that_accounts_share_stays_theirs(tmp_path):
    tmp_path.chmod(0o1777)
    tighten(tmp_path)
    assert mode(tmp_path) == 0o1777


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_is_another_accounts_is_left(tmp_path):
    file = tmp_path / "theirs"
    file.touch()
    os.chown(file, 65534, 65534)
    tighten(file)
    assert mode(file) == 0o666
    assert not is_own(file.stat())


def test_files_are_private_however_they_are_written(tmp_path):
    write_file(tmp_path / "whole", b"1")
    with os.fdopen(create_file(tmp_path / "new"), "wb") as file:
        file.write(b"2")
    (tmp_path / "log").touch()
    with open(tmp_path / "log", "ab", opener=open_private) as file:
        file.write(b"3")
    assert {path.name: (mode(path), path.read_bytes()) for path in tmp_path.iterdir()} == {
        "whole": (0o600, b"1"), "new": (0o600, b"2"), "log": (0o600, b"3"),
    }  # fmt: skip


def test_a_link_is_not_followed_when_a_file_is_made(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "link")


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    (tmp_path / "kept").mkdir()
    with pytest.raises(OSError, match="kept"):
        write_file(tmp_path / "kept", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]


def test_a_store_is_private_with_all_that_sqlite_puts_beside_it(tmp_path):
    with Database.open(tmp_path / "board.db") as store:
        store.log.append(events(1, 3)).result()
        modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes == {"board.db": 0o600, "board.db-wal": 0o600, "board.db-shm": 0o600}


def test_a_store_that_was_open_to_others_is_tightened_when_it_is_opened(tmp_path):
    path = tmp_path / "board.db"
    with Database.open(path) as store:
        store.log.append(events(1, 3)).result()
        for beside in tmp_path.iterdir():
            beside.chmod(0o666)
        with Database.open(path) as again:
            assert {mode(each) for each in tmp_path.iterdir()} == {0o600}
            assert again.log.last() == 3
