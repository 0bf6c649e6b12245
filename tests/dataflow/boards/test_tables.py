"""CSV tables: types told from values, and errors with file and line."""

from __future__ import annotations

import csv
import io
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.boards.tables import LARGEST, TableError, read


def table(folder, text: str | bytes):
    path = folder / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def refused(folder, text):
    with pytest.raises(TableError) as caught:
        table(folder, text)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("values", "type_", "first"),
    [
        (["1", "-2", ""], "int", 1),
        (["1", "2.5"], "float", 1.0),
        (["1e3", ".5"], "float", 1000.0),
        (["true", "FALSE"], "bool", True),
        (["2013-02-08", "2013-02-08T10:00:00.5-05:00"], "timestamp", 1_360_281_600_000_000),
        (["007", "12"], "text", "007"),
        (["9223372036854775808"], "text", "9223372036854775808"),
        (["9223372036854775807"], "int", 2**63 - 1),
        (["1", "x"], "text", "1"),
        (["nan"], "text", "nan"),
        (["1e999"], "text", "1e999"),
        (["1_000"], "text", "1_000"),
        (["."], "text", "."),
        (["2013-02-30"], "text", "2013-02-30"),
        (["", ""], "text", None),
    ],
)
def test_a_columns_type_is_told_from_all_its_values(tmp_path, values, type_, first):
    found = table(tmp_path, "a,b\n" + "".join(f"{value},x\n" for value in values))
    assert found.columns == {"a": type_, "b": "text"}
    assert found.rows[0][0] == first
    assert type(found.rows[0][0]) is type(first)


def test_empty_is_null_in_every_type(tmp_path):
    assert table(tmp_path, "a,b,c\n1,x,true\n,,\n").rows == [(1, "x", True), (None, None, None)]


def test_a_header_alone_is_an_empty_table(tmp_path):
    assert table(tmp_path, "a,b\n") == ({"a": "text", "b": "text"}, [])


def test_byte_order_mark_windows_line_ends_and_blank_lines(tmp_path):
    assert table(tmp_path, b"\xef\xbb\xbfa,b\r\n1,x\r\n\r\n2,y\r\n").rows == [(1, "x"), (2, "y")]


def test_quotes_hold_commas_and_line_breaks(tmp_path):
    assert table(tmp_path, 'a,b\n"1,5","x\ny ""z"""\n').rows == [("1,5", 'x\ny "z"')]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.csv:1: empty. the first line names the columns"),
        ("a,b\n1,2\n1\n", "t.csv:3: 1 values, but the header names 2 columns"),
        ("a,b\n1,2,3\n", "t.csv:2: 3 values, but the header names 2 columns. quote values that hold a comma"),
        ('a,b\n"x\ny",1\n1\n', "t.csv:4: 1 values, but the header names 2 columns"),
        ("a,A\n", "t.csv:1: two columns are named `A`. SQL does not tell Aa from aa"),
        ("a,b c\n", "t.csv:1: column name 'b c' cannot be used in SQL. use letters, digits and _"),
        (b"a,b\n1,\xfc\n", "t.csv:2: not UTF-8: byte 0xfc. save it as UTF-8"),
        ('a,b\n1,"x" y\n', "t.csv:2: not CSV: ',' expected after '\"'. a `\"` inside a quoted value is written `\"\"`"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, expected):
    assert refused(tmp_path, text) == expected


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TableError, match="cannot be read"):
        read(tmp_path / "no.csv")


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=5) | st.sampled_from("\n,\"'")


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_text_comes_back_as_it_was_written(tmp_path_factory, rows):
    out = io.StringIO()
    csv.writer(out).writerows([("a", "b"), ("x", "y"), *rows])
    found = table(tmp_path_factory.getbasetemp(), out.getvalue())
    assert found.columns == {"a": "text", "b": "text"}
    assert found.rows[1:] == [tuple(cell or None for cell in row) for row in rows]


def refusal(path, home) -> str:
    """What is said of a file; "" where it is a table."""
    try:
        read(path, home)
    except TableError as error:
        return str(error)
    return ""


class TestForeignFiles:
    """A board may name any file, and may be somebody else's."""

    SECRET = "s3cret"
    CONTENTS = (
        b"s3cret key,b\n1,2\n", b"s3cret,s3cret\n", b"s3cret\n1,2\ns3cret,s3cret\n", b"a\ns3cret\xff\n",
        b'a\n"s3cret" s3cret\n', b"a,b\ns3cret\n", b"s3cret:x:0:0:s3cret\n1,2\n", b"s3cret" * 10_000, b"\xffs3cret",
        b"s3cret\0\n1\n", b'"s3cret\n\n\n',
    )  # fmt: skip

    @pytest.fixture
    def home(self, tmp_path):
        (tmp_path / "board").mkdir()
        return tmp_path / "board"

    @pytest.mark.parametrize("content", CONTENTS)
    @pytest.mark.parametrize("way", ["above", "linked"])
    def test_errors_quote_nothing_of_what_is_outside_of_the_boards_folder(self, tmp_path, home, content, way):
        (tmp_path / "secret.csv").write_bytes(content)
        path = home / ".." / "secret.csv" if way == "above" else home / "linked.csv"
        if way == "linked":
            path.symlink_to(tmp_path / "secret.csv")
        said = refusal(path, home).replace(str(path), "")
        assert self.SECRET not in said
        assert "0xff" not in said
        assert len(said) < 200

    @pytest.mark.parametrize("content", CONTENTS)
    def test_errors_quote_little_of_what_is_in_it(self, home, content):
        (home / "own.csv").write_bytes(content)
        said = refusal(home / "own.csv", home)
        assert len(said) < 300
        assert "\n" not in said

    def test_a_column_is_named_by_its_number(self, tmp_path, home):
        (tmp_path / "other.csv").write_text("a,b c\n")
        with pytest.raises(TableError, match="1: the name of column 2 cannot be used in SQL"):
            read(tmp_path / "other.csv", home)
        (tmp_path / "other.csv").write_text("a,b,A\n")
        with pytest.raises(TableError, match="1: columns 1 and 3 have one name"):
            read(tmp_path / "other.csv", home)

    @pytest.mark.skipif(sys.platform == "win32", reason="its devices are others")
    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/proc/self/environ", "/proc/self/mem", "/", "pipe"])
    def test_only_regular_files_are_read(self, home, path):
        os.mkfifo(home / "pipe")
        with pytest.raises(TableError, match=r"cannot be read: (not a regular file|Is a directory)"):
            read(home / path, home)

    def test_a_large_file_is_refused_unread(self, home):
        with (home / "large.csv").open("wb") as file:
            file.truncate(LARGEST + 1)
        with pytest.raises(TableError, match="cannot be read: larger than 64 MB"):
            read(home / "large.csv", home)
