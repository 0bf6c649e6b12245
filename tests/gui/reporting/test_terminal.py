"""Text on its way to a terminal: all of it to be seen, none of it a command; and JSON stays JSON."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import unicodedata

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui import cli
from gui.reporting.terminal import LONGEST, guarded, is_text, printable, printable_lines, say, unguarded

HOSTILE = "\x1b]0;owned\x07\x9b31m\x7f\u202e\u2066\u200b\u200e\u2028\u061c\ufeff\U000e0041\ud800\r\b"


def is_seen(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"} and not (
        unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        or character in "\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff"
    )


anything = st.text(st.characters(exclude_categories=()))


@given(anything)
def test_whatever_it_was_it_is_seen(text):
    assert all(map(is_seen, printable(text)))
    assert all(map(is_seen, printable_lines(text).replace("\n", "")))


@given(st.text(st.characters(codec="utf-8")))
def test_it_is_jsons_own_way_of_writing(text):
    written = json.dumps({"text": text}, ensure_ascii=False)
    assert json.loads(printable_lines(written)) == {"text": text}


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_people_write_stays(text):
    assert printable(text) == text


def test_the_forms():
    assert printable("a\x1bb\nc\td\x9b\u202e\U000e0041\udcff") == r"a\u001bb\nc\td\u009b\u202e\udb40\udc41\udcff"
    assert printable_lines("a\x1b\nb") == "a\\u001b\nb"
    assert printable("x" * 50, 10) == "x" * 10 + "…"
    assert (is_text("ä\0"), is_text("\udcff")) == (True, False)


@contextlib.contextmanager
def terminal():
    """What stands for it: stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out, err


class TestStreams:
    def test_every_way_of_writing_is_guarded(self):
        with terminal() as streams:
            with guarded():
                print(HOSTILE)
                print(HOSTILE, file=sys.stderr)
                sys.stdout.write(HOSTILE)
                sys.stdout.writelines([HOSTILE, "\n"])
                click.echo(HOSTILE)
                click.echo(HOSTILE, err=True)
                click.secho(HOSTILE, fg="red", color=True)
                say(HOSTILE)
                with contextlib.suppress(TypeError):
                    click.echo(HOSTILE.encode(errors="replace"))
            assert sys.stdout is streams[0]
        for stream in streams:
            written = stream.getvalue()
            assert written.count("]0;owned") >= 2
            assert all(map(is_seen, written.replace("\n", "")))

    def test_it_is_guarded_once_and_let_go_also_after_an_error(self):
        with terminal() as (out, _):
            with contextlib.suppress(ZeroDivisionError), guarded(), guarded():
                print("\x1b")
                print(1 / 0)
            assert sys.stdout is out
        assert out.getvalue() == "\\u001b\n"

    def test_one_line_is_one_line(self):
        with terminal() as (out, _):
            say("a\nb")
        assert out.getvalue() == "a\\nb\n"

    def test_who_writes_for_programs_gets_past_it_on_purpose(self):
        with terminal() as (out, _):
            with guarded():
                assert not hasattr(sys.stdout.buffer, "write")
                unguarded(sys.stdout).write("\x1b")
            unguarded(sys.stdout).write("\x1b")
        assert out.getvalue() == "\x1b\x1b"

    def test_messages_have_a_bound(self):
        assert len(printable("\x1b" * 10**6, LONGEST)) <= 6 * LONGEST + 1


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_every_command_is_guarded_whatever_it_writes(monkeypatch, name):
    def callback() -> None:
        print(HOSTILE)
        print(HOSTILE, file=sys.stderr)
        logging.lastResort.handle(logging.makeLogRecord({"msg": HOSTILE, "levelno": logging.WARNING}))
        raise OSError(f"{HOSTILE}\n{HOSTILE}")

    monkeypatch.setitem(cli._COMMANDS, name, "tests.gui.reporting.test_terminal")
    monkeypatch.setattr(sys.modules[__name__], "command", click.Command(name, callback=callback), raising=False)
    with terminal() as streams:
        assert cli.run([name]) == 1
    assert len(streams[1].getvalue().splitlines()) == 3
    for stream in streams:
        assert "owned" in stream.getvalue()
        assert all(map(is_seen, stream.getvalue().replace("\n", "")))
