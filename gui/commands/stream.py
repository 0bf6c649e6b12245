"""`watchfloor stream`: the shared log of a board, on servers that run elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from gui.commands.boards import NamedPath, board_argument, load_board
from gui.reporting.terminal import say
from gui.server_settings import servers

_FILE = NamedPath(regular=True)


def _servers(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    try:
        return servers(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("stream", short_help="The shared log of a board, on servers of your own.")
@board_argument
@click.option("--server", "urls", metavar="URL[,URL]...", callback=_servers, required=True,
              help="The servers: nats://HOST:PORT or tls://HOST:PORT. One of a cluster is enough.")
@click.option("--replicas", type=click.IntRange(1, 5), metavar="N",
              help="On how many servers of the cluster the log is kept; 1 by default. Later it can be changed.")
@click.option("--identity", type=_FILE, metavar="FILE", help="Who you are to them: you need to be an admin.")
@click.option("--ca", type=_FILE, metavar="FILE",
              help="Who signed their certificates (PEM), where this machine does not trust them by itself.")
def command(
    board: str, urls: tuple[str, ...], replicas: int | None, identity: Path | None, ca: Path | None
) -> None:
    """Make BOARD's log on NATS servers with JetStream that run already, such as a cluster; then desks open it.

    Run again it says what is there, and changes --replicas. `watchfloor serve` runs a server instead.
    """
    import asyncio

    from dataflow.devices.sources import subjects
    from dataflow.server.cluster import make

    loaded = load_board(board).board
    stream, held = asyncio.run(make(loaded.id, urls, replicas, subjects(loaded), identity, ca))
    where = "1 server" if held == 1 else f"{held} servers"
    who = " --identity FILE" if identity is not None else ""
    say(f"The log of {loaded.id} is kept on {where} (position {stream.last})")
    say(f"A desk: watchfloor open {shlex.quote(board)} --server {','.join(urls)}{who}")
