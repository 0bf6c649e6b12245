"""Lines of a file come as they stand in it, compressed or not, numbered from 1."""

from __future__ import annotations

import gzip
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.exchange.lines import LONGEST, CutOffError, FileError, blocks

LINES = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=12)
BOM = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("lines") / "events"


def read(path) -> tuple[list[bytes], list[tuple[int, int]]]:
    """All lines, and what was said of progress."""
    steps: list[tuple[int, int]] = []
    lines: list[bytes] = []
    for part in blocks(path, lambda done, size: steps.append((done, size))):
        assert part.first == len(lines) + 1
        lines += part.lines
    return lines, steps


@given(
    lines=LINES, ended=st.booleans(), mark=st.booleans(), packed=st.booleans(),
    cuts=st.lists(st.integers(0, 150), max_size=3),
)  # fmt: skip
def test_lines_come_as_they_stand_in_the_file(path, lines, ended, mark, packed, cuts):
    text = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    if mark:
        text = BOM + text
    elif text[:2] in (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b") or text.startswith(BOM):
        text = b"x" + text
    expected = text.removeprefix(BOM if mark else b"").split(b"\n")
    ends = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    members = [gzip.compress(text[begin:end]) for begin, end in pairwise(ends)]
    path.write_bytes(b"".join(members) if packed else text)
    got, steps = read(path)
    assert got == (expected if expected[-1] else expected[:-1])
    size = path.stat().st_size
    assert steps == ([(size, size)] if size else [])


@given(st.binary(min_size=1, max_size=60).map(lambda text: text.replace(b"\n", b"n") + b"\nlast"), st.data())
def test_what_is_cut_off_says_in_which_line_and_gives_what_is_there(path, text, data):
    packed = gzip.compress(text)
    path.write_bytes(packed[: data.draw(st.integers(2, len(packed) - 1))])
    lines: list[bytes] = []
    with pytest.raises(CutOffError, match="cut off here") as caught:
        lines.extend(line for part in blocks(path, lambda *_: None) for line in part.lines)
    assert caught.value.line == len(lines) + 1
    text = text.removeprefix(BOM)
    assert text.startswith(b"\n".join([*lines, caught.value.text]))


def test_of_a_line_that_is_too_long_one_byte_more_than_the_limit_is_there(path):
    for length, kept in ((LONGEST, LONGEST), (LONGEST + 1, LONGEST + 1), (3 * LONGEST, LONGEST + 1)):
        path.write_bytes(b"a\n" + b"x" * length)
        assert [len(line) for line in read(path)[0]] == [1, kept]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_wide_text_is_refused(path, mark):
    path.write_bytes(mark + b"a\0")
    with pytest.raises(FileError, match="this is UTF-16; save it as UTF-8"):
        read(path)
