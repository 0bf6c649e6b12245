"""What went wrong in a command, said on stderr: a line for each problem.

Expected errors (the world's) have one root a layer; anything else is a bug of ours: its full report goes to a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

import click

from gui.reporting.crash_report import describe_bug
from gui.reporting.terminal import LONGEST, say

_EXPECTED = (
    ("gui.server_settings", "Unreadable"),
    ("dataflow.boards.problems", "BoardError"),
    ("dataflow.session", "EntryRefused"),
    ("dataflow.sql.errors", "SqlError"),
    ("dataflow.exchange.lines", "FileError"),
    ("dataflow.nats.errors", "ServerError"),
    ("dataflow.feeds.shared.new_store", "NoAnswer"),
    ("dataflow.nats.certificates", "BadAuthority"),
    ("storage.errors", "StorageError"),
)


def say_failure(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong; the exit code."""
    match error:
        case click.UsageError():
            return _say(_usage(error), 2)
        case click.Abort():
            return _say("interrupted", 1)
        case click.ClickException():
            return _say(error.format_message(), 1)
    if isinstance(error, _expected()):
        return _say_all(_messages(error), 1)
    if isinstance(error, OSError):
        why = (error.strerror or str(error) or type(error).__name__).lower()
        return _say(f"{os.fsdecode(error.filename)}: {why}" if error.filename else why, 1)
    return _say(describe_bug(error, arguments), 1)


def _messages(error: Exception) -> Iterable[str]:
    """A line for each problem."""
    boards = sys.modules.get("dataflow.boards.problems")
    if boards is not None and isinstance(error, boards.BoardError):
        return map(str, error.problems)
    return (str(error),)


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "watchfloor"
    message = error.format_message().rstrip(".")
    end = "" if message.endswith("?") else "."
    return f"{path}: {message[:1].lower()}{message[1:]}{end} See `{path} --help`"


def _expected() -> tuple[type[Exception], ...]:
    """The roots of the errors that are no bugs. What is not imported was not raised."""
    modules = ((sys.modules.get(module), name) for module, name in _EXPECTED)
    return tuple(getattr(module, name) for module, name in modules if module and hasattr(module, name))


def _say(message: str, code: int) -> int:
    return _say_all((message,), code)


def _say_all(messages: Iterable[str], code: int) -> int:
    for message in messages:
        say(message if len(message) <= LONGEST else f"{message[:LONGEST]}…", err=True)
    return code

