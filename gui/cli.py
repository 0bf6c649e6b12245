"""The command line: `watchfloor …`. Commands are imported when they are called, so that headless ones start
fast.

Exit codes: 0 done, 1 failed, 2 wrong usage. Whatever goes wrong is said on stderr, a line for each problem.
Expected errors (the world's) have one root a layer; anything else is a bug of ours: its full report goes to a
file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import click

from gui.bugs import told
from gui.terminal import LONGEST, guarded, is_text, printable, say

_COMMANDS = {
    "demo": "gui.commands.demo",
    "open": "gui.commands.open_board",
    "check": "gui.commands.check",
    "emit": "gui.commands.emit",
    "withdraw": "gui.commands.withdraw",
    "import": "gui.commands.import_events",
    "export": "gui.commands.export_events",
    "query": "gui.commands.query",
    "explain": "gui.commands.explain",
    "delays": "gui.commands.delays",
    "shot": "gui.commands.shot",
    "serve": "gui.commands.serve",
    "stream": "gui.commands.stream",
    "user": "gui.commands.user",
    "schema": "gui.commands.schema",
}
_EXPECTED = (
    ("gui.connection", "Unreadable"),
    ("dataflow.boards.problems", "BoardError"),
    ("dataflow.session", "EntryRefused"),
    ("dataflow.sql.errors", "SqlError"),
    ("dataflow.exchange.lines", "FileError"),
    ("dataflow.server.errors", "ServerError"),
    ("dataflow.feeds.renewal", "NoAnswer"),
    ("dataflow.feeds.certificates", "BadAuthority"),
    ("storage.errors", "StorageError"),
)


class _Commands(click.Group):
    """Finds commands by name, without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        _take_text(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from dataflow.hints import suggest

            message = f"there is no command `{args[0]}`; {suggest(args[0], _COMMANDS)}"
            raise click.UsageError(message, ctx) from None


class _Text(click.types.StringParamType):
    """What is no path is text in UTF-8. Events, queries and names are made of it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = super().convert(value, param, ctx)
        if not is_text(text):
            self.fail(f"{printable(text, 40)} is not text in UTF-8", param, ctx)
        return text


def _take_text(command: click.Command) -> None:
    """Let no command take other text than what can be written and sent."""
    for parameter in command.params:
        if parameter.type is click.STRING:
            parameter.type = _Text()
    for inner in getattr(command, "commands", {}).values():
        _take_text(inner)


def _say_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"watchfloor {version('watchfloor')}")
        ctx.exit()


@click.command(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["--help", "-h"]}
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version,
              help="Say the version and exit.")
@click.pass_context
def watchfloor(context: click.Context) -> None:
    """A live dashboard for people who watch and people who act: every number is a live SQL query over one log.

    BOARD is the path of a board file, or `demo`: the shipped board with a real day of New York flights.

    To begin: watchfloor demo
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """The process's entry point."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Never raises."""
    with guarded():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        _check_arguments(arguments)
        result = watchfloor.main(list(arguments), prog_name="watchfloor", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # click makes the first into the second
        _forget_stdout()
        return 0
    except Exception as error:  # noqa: BLE001  the top-level guard
        return failed(error, arguments)
    except KeyboardInterrupt:
        return _say("interrupted", 1)
    return result if isinstance(result, int) else 0


def failed(error: Exception, arguments: Sequence[str]) -> int:
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
    return _say(told(error, arguments), 1)


def _messages(error: Exception) -> Iterable[str]:
    """A line for each problem."""
    boards = sys.modules.get("dataflow.boards.problems")
    if boards is not None and isinstance(error, boards.BoardError):
        return map(str, error.problems)
    return (str(error),)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raises UsageError for what no system could have passed on."""
    for argument in arguments:
        try:
            odd = b"\0" in os.fsencode(argument)
        except UnicodeEncodeError:
            odd = True
        if odd:
            raise click.UsageError(f"{printable(argument, 40)!r}: an argument is text without NUL")


def _say(message: str, code: int) -> int:
    return _say_all((message,), code)


def _say_all(messages: Iterable[str], code: int) -> int:
    for message in messages:
        say(message if len(message) <= LONGEST else f"{message[:LONGEST]}…", err=True)
    return code


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "watchfloor"
    message = error.format_message().rstrip(".")
    end = "" if message.endswith("?") else "."
    return f"{path}: {message[:1].lower()}{message[1:]}{end} See `{path} --help`"


def _expected() -> tuple[type[Exception], ...]:
    """The roots of the errors that are no bugs. What is not imported was not raised."""
    modules = ((sys.modules.get(module), name) for module, name in _EXPECTED)
    return tuple(getattr(module, name) for module, name in modules if module and hasattr(module, name))


def _forget_stdout() -> None:
    """Nobody reads any more; without this, Python complains at exit."""
    quiet: Any = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stdout.fileno())


if __name__ == "__main__":
    main()
