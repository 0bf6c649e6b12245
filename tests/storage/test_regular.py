"""Files that people name: regular ones, up to a size, and never a wait."""

from __future__ import annotations

import os
import sys

import pytest

from storage.regular import open_regular, read_regular

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its devices are others")


def refusal(path, most: int = 100) -> str:
    with pytest.raises(OSError, match=r".") as caught:
        read_regular(path, most)
    return caught.value.strerror


def test_a_file_is_read_up_to_its_bound(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100)
    assert read_regular(tmp_path / "file", 100) == b"x" * 100
    assert refusal(tmp_path / "file", 99) == "larger than 99 bytes"
    (tmp_path / "file").write_bytes(b"x" * (2**20 + 1))
    assert refusal(tmp_path / "file", 2**20) == "larger than 1 MB"


def test_nothing_else_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "linked").symlink_to("/proc/self/environ")
    assert {refusal(tmp_path / name) for name in ("pipe", "zero", "linked")} == {"not a regular file"}
    assert refusal(tmp_path) == "Is a directory"
    assert "symbolic links" in refusal(tmp_path / "loop")
    assert refusal(tmp_path / ("x" * 5000)) == "File name too long"
    assert refusal(tmp_path / "a\0b") == refusal(tmp_path / "\ud800") == "not a name of a file"


def test_a_link_is_followed_unless_it_must_not_be(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_regular(tmp_path / "link", 10) == b"x"
    with pytest.raises(OSError, match="link"):
        open_regular(tmp_path / "link", follow=False)
