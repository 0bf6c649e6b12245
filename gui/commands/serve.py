"""`watchfloor serve`: the shared log of a board, on a real nats-server."""

from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gui.commands.boards import NamedPath, board_argument, load_board
from gui.commands.ending import until_signal
from gui.reporting.terminal import say

if TYPE_CHECKING:
    from dataflow.boards.file import BoardFile
    from dataflow.server.serving import Serving

_FILE, _FOLDER = NamedPath(regular=True), NamedPath(regular=False)
_PORT = click.IntRange(1, 65535)
_DIGITS = re.compile("[0-9]{1,5}")
_ANYWHERE = ("0.0.0.0", "::")


def _address(_: click.Context, __: click.Parameter, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not _DIGITS.fullmatch(port) or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{text!r} is no address; write it as HOST:PORT, such as 127.0.0.1:4222")
    if ":" in bare and bare == host:
        raise click.BadParameter(f"{text!r}: write an IPv6 address in brackets, such as [::1]:4222")
    return bare, int(port)


@click.command("serve", short_help="The shared log of a board, for several desks.")
@board_argument
@click.option("--listen", metavar="HOST:PORT", callback=_address, default="127.0.0.1:4222", show_default=True,
              help="Where desks connect. Anything but this machine's own address needs TLS and users.")
@click.option("--store", type=_FOLDER, metavar="DIR",
              help="Where the server keeps the log; by default this account's own folder for the board.")
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="The server's certificate chain (PEM).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its private key (PEM).")
@click.option("--mqtt", type=_PORT, metavar="PORT", help="Listen for MQTT devices too.")
@click.option("--websocket", type=_PORT, metavar="PORT", help="Listen for WebSocket clients too.")
@click.option("--accept-loss", is_flag=True, help="Serve a log that is shorter than it was, as after a broken disk.")
def command(
    board: str, listen: tuple[str, int], store: Path | None, tls_cert: Path | None, tls_key: Path | None,
    mqtt: int | None, websocket: int | None, accept_loss: bool,
) -> None:  # fmt: skip
    """Run a nats-server for BOARD until Ctrl+C: durable, and whatever one desk enters is on every other.

    Without users whoever reaches it may do everything, which is why it then listens on this machine only.
    `watchfloor user add` makes users; the server proves who wrote what.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    from dataflow.boards.file import BoardFile
    from dataflow.devices.sources import templates
    from dataflow.server.config import Settings, Tls
    from dataflow.server.identities import Identities
    from dataflow.server.serving import Serving
    from gui.paths import access, served

    loaded = load_board(board)
    file = BoardFile(loaded.path, known=loaded)
    id = loaded.board.id
    folder = store or served(id)
    tls = Tls(cert=tls_cert, key=tls_key) if tls_cert and tls_key else None
    settings = Settings(
        name=id, store=folder / "jetstream", host=listen[0], port=listen[1], tls=tls, mqtt=mqtt, websocket=websocket
    )
    sources = templates(loaded.board)
    with until_signal(), Serving(id, settings, folder, Identities(access()), _say, sources, accept_loss) as serving:
        _introduce(serving, board, id, folder)
        serving.watch(also=lambda: _follow(serving, file, id))


def _follow(serving: Serving, file: BoardFile, id: str) -> None:
    """Take up other sources when the board file is saved."""
    from dataflow.boards.file import BoardError
    from dataflow.devices.sources import templates

    news = file.poll()
    if isinstance(news, BoardError):
        _say(f"Board file not in use: {news.problems[0]}")
    elif news is not None and news.board.id == id:
        serving.take(templates(news.board))


def _introduce(serving: Serving, board: str, id: str, folder: Path) -> None:
    settings, url = serving.settings, serving.url
    if settings.host in _ANYWHERE:
        url = f"{url.partition('://')[0]}://{socket.gethostname()}:{settings.port}"
    identity = " --identity FILE" if settings.closed else ""
    _say(f"The log of {id} is served at {url}, and kept in {folder} (position {serving.stream.last})")
    _say(f"A desk: watchfloor open {shlex.quote(board)} --server {url}{identity}")
    _say_devices(serving)
    if not settings.closed:
        _say("There are no users: everybody on this machine may enter events, under any name")
    _say("Ctrl+C ends it")


def _say_devices(serving: Serving) -> None:
    """Where devices send what the board's sources take."""
    from dataflow.devices import topics

    settings, sources = serving.settings, serving.sources
    if not sources:
        return
    ways = ["NATS"]
    if settings.mqtt is not None:
        ways.insert(0, f"MQTT at port {settings.mqtt}")
    if settings.websocket is not None:
        ways.append(f"WebSocket at port {settings.websocket}")
    _say(f"Devices are heard on {', '.join(sources)} ({', '.join(ways)})")
    devices = [member.name for member in serving.members if member.role == "device"]
    if settings.closed and not devices:
        _say("No device may connect yet: watchfloor user add NAME --role device")
    shared = [source for source in sources if topics.is_open(source)]
    if len(devices) > 1 and shared:
        _say(
            f"Each device may speak as any other on {', '.join(shared)}; where its name stands in the topic, write "
            "{user} for it in the board's [sources]: tele/{user}/SENSOR"
        )


def _say(line: str) -> None:
    say(line)
