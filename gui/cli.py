"""The command line: `watchfloor …`. Commands are imported when they are called, so that headless ones start
fast.

Exit codes: 0 done, 1 failed, 2 wrong usage. Whatever goes wrong is said on stderr: `gui/reporting/failures.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from gui.reporting.failures import say_failure
from gui.reporting.terminal import guarded, is_text, printable

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
            from dataflow.text.hints import suggest

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
        return say_failure(error, arguments)
    except KeyboardInterrupt:
        return say_failure(click.Abort(), arguments)
    return result if isinstance(result, int) else 0


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raises UsageError for what no system could have passed on."""
    for argument in arguments:
        try:
            odd = b"\0" in os.fsencode(argument)
        except UnicodeEncodeError:
            odd = True
        if odd:
            raise click.UsageError(f"{printable(argument, 40)!r}: an argument is text without NUL")


def _forget_stdout() -> None:
    """Nobody reads any more; without this, Python complains at exit."""
    quiet: Any = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stdout.fileno())


if __name__ == "__main__":
    main()
