"""`watchfloor open`: a board, live on its store or on a shared log."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gui.commands.boards import NamedPath, board_argument, load_board, store_option, store_path, theme_option
from gui.commands.display import need_display
from gui.paths import account_name, connection_of, store_of
from gui.reporting.terminal import say
from gui.server_settings import Connection, Unreadable, default_store, keep, recall, servers
from storage.private import make_folder

_IDENTITY = NamedPath(regular=True)


_SYSTEM = "system"


def _authority(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return value if value in (None, _SYSTEM) else str(_IDENTITY.convert(value, parameter, context))


def _servers(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    try:
        return None if value is None else servers(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_NSC = ".creds"
"""The files of NATS' own tool `nsc`: they prove who somebody is, but name nobody."""


@click.command("open", short_help="A board, live on its store or on a shared log.")
@board_argument
@store_option
@click.option("--server", "urls", metavar="URL[,URL]...", callback=_servers,
              help="The board's shared log: nats://HOST:PORT, or several servers of one cluster. Kept for next time.")
@click.option("--identity", type=_IDENTITY, metavar="FILE",
              help="Who you are to the server, as `watchfloor user add` wrote it. Kept with the server.")
@click.option("--ca", callback=_authority, metavar="FILE",
              help="Who signed the server's certificate (PEM), where this machine does not trust them by itself. "
              "Kept with the server, until you write `--ca system`.")
@click.option("--as", "author", metavar="NAME",
              help="Who enters events; by default the name of this account. Kept with the server.")
@click.option("--local", is_flag=True, help="On this machine's own log again, from now on without the server.")
@click.option("--fresh-store", is_flag=True,
              help="Follow the server on a new store, where the old one fits its log no more; entries go along.")
@theme_option
def command(
    board: str, store: Path | None, urls: tuple[str, ...] | None, identity: Path | None, ca: str | None,
    author: str | None, local: bool, fresh_store: bool, theme: str | None,
) -> int:  # fmt: skip
    """Open BOARD in a window, live on its store, which is made if there is none.

    Events that `watchfloor emit` or `import` bring to the same store appear at once, and the board file is
    read again whenever it is saved. With --server the log is shared: what is entered on one desk is on every
    other, and while the server does not answer, the desk goes on and sends what waits later.
    """
    need_display()
    if local and (urls or identity or ca):
        raise click.UsageError("--local goes without --server, --identity and --ca")
    if author and identity and identity.suffix != _NSC:
        raise click.UsageError("--as goes without --identity: the file says who you are")
    loaded = load_board(board)
    connection = None if local else _connection(loaded.board.id, store, urls, identity, ca, author)
    if local:
        _forget(loaded.board.id)
    path = _prepared(store_path(loaded, Path(connection.store) if connection else store), loaded.board.id)
    author = (_operator(connection) if connection else author) or account_name()
    if fresh_store:
        if connection is None:
            raise click.UsageError("--fresh-store goes with a board on a server")
        connection, path = _on_new_store(loaded.board.id, connection, author)
    from gui.app import Options, run

    return run(Options(board=loaded, author=author, store=path, theme=theme, connection=connection))


def _prepared(path: Path, id: str) -> Path:
    """The store's path, when its folder is there: this account's own, for nobody else, or one that people named."""
    if path.parent == store_of(id).parent:
        make_folder(path.parent)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _connection(
    id: str, store: Path | None, urls: tuple[str, ...] | None, identity: Path | None, ca: str | None, author: str | None
) -> Connection | None:
    """The shared log to open, if any: what is given now goes before what was kept, and is kept."""
    kept = _kept(id) if urls else recall(id)
    urls = urls or (kept.urls if kept and kept.active else None)
    if urls is None:
        if identity is not None or ca is not None:
            raise click.UsageError(f"{'--ca' if identity is None else '--identity'} goes with --server")
        return None
    if kept is None or not kept.overlaps(urls):
        kept = Connection(urls=urls, store=str(default_store(id, urls)))
    found = Connection(
        urls=urls, store=str(store.absolute()) if store else kept.store,
        identity=str(identity) if identity else kept.identity if _same(kept, author) else None,
        ca=kept.ca if ca is None else None if ca == _SYSTEM else ca, author=author or kept.author,
    )  # fmt: skip
    _check(found)
    keep(id, found)
    return found


def _on_new_store(id: str, connection: Connection, author: str) -> tuple[Connection, Path]:
    """The same board on another store, with what the operator has entered; kept. Raises NoAnswer."""
    old = Path(connection.store)
    if not old.exists():
        return connection, old
    import asyncio

    from dataflow.feeds.shared.new_store import make_new_store
    from gui.server_settings import renewed, renewed_text

    identity, ca = (Path(file) if file else None for file in (connection.identity, connection.ca))
    new, along = asyncio.run(make_new_store(connection.urls, id, author, old, identity, ca))
    for line in renewed_text(old, new, along).split("\n"):
        say(line)
    return renewed(id, connection, new), new


def _same(kept: Connection, author: str | None) -> bool:
    """Whether what was kept proves who the operator is now."""
    return author is None or author == kept.author or (kept.identity or "").endswith(_NSC)


def _check(connection: Connection) -> None:
    """What can be told of its files without the server. Raises IdentityError and BadAuthority."""
    from dataflow.nats import certificates, credentials

    if connection.identity is not None:
        credentials.check(Path(connection.identity))
    if connection.ca is not None:
        certificates.context(Path(connection.ca))


def _operator(connection: Connection) -> str | None:
    """Who the operator is to the server. Raises IdentityError."""
    if connection.identity is None or connection.identity.endswith(_NSC):
        return connection.author
    from dataflow.nats.identity import read

    return read(Path(connection.identity)).name


def _kept(id: str) -> Connection | None:
    """What was kept, where it is of no matter if it can't be read: it will be written anew."""
    try:
        return recall(id)
    except Unreadable:
        return None


def _forget(id: str) -> None:
    """The local log from now on. Which store belongs to the server is kept: entries may wait in it."""
    kept = _kept(id)
    if kept is None:
        connection_of(id).unlink(missing_ok=True)
    else:
        keep(id, msgspec.structs.replace(kept, active=False))
