"""What several commands share: reading the board that was named, and finding its store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from gui.reporting.terminal import is_text
from storage.private import make_folder

if TYPE_CHECKING:
    from dataflow.boards.file import LoadedBoard


class NamedPath(click.Path):
    """A path that goes into other programs' configuration, so its name is text. `regular`: a file and nothing else."""

    def __init__(self, *, regular: bool) -> None:
        super().__init__(
            exists=regular, file_okay=regular, dir_okay=not regular, resolve_path=True, path_type=Path
        )
        self._regular = regular

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = cast(Path, super().convert(value, param, ctx))
        if not is_text(str(path)):
            self.fail(f"{path}: its name is not text in UTF-8", param, ctx)
        if self._regular and not path.is_file():
            self.fail(f"{path}: not a regular file", param, ctx)
        return path


_PATH = click.Path(dir_okay=False, path_type=Path)

board_argument = click.argument("board", type=click.Path(readable=False))


def _named(_: click.Context, __: click.Parameter, store: Path | None) -> Path | None:
    if store is not None and not store.name:
        raise click.BadParameter("a store is a file; name one")
    return store


store_option = click.option(
    "--store", type=_PATH, metavar="FILE", callback=_named,
    help="The board's store; by default this account's own for the board.",
)


def theme_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--theme", metavar="NAME", callback=_known_theme,
                        help="dark, or light.  [default: the window's last one; at first dark]")(function)


def load_board(name: str) -> LoadedBoard:
    """Raises BoardError."""
    from dataflow.boards.file import board_path, load

    return load(board_path(name))


def store_path(loaded: LoadedBoard, store: Path | None, *, writes: bool = False) -> Path:
    """The store that was named, or the board's own; where it `writes`, the folder of the board's own is made.

    A board that is opened on a server has its shared log's store, to which nobody but the server's log `writes`.
    """
    if store is not None:
        return store
    from gui.paths import store_of
    from gui.server_settings import recall

    connection = recall(loaded.board.id)
    if connection is not None and connection.active:
        if writes:
            raise click.ClickException(_shared(loaded, connection.urls))
        return Path(connection.store)
    path = store_of(loaded.board.id)
    if writes:
        make_folder(path.parent)
    return path


def existing_store(loaded: LoadedBoard, store: Path | None) -> Path:
    """As `store_path`, for what reads only. Raises ClickException where a board has none yet."""
    path = store_path(loaded, store)
    if store is None and not path.exists():
        raise click.ClickException(
            f"{path}: {loaded.path.name} has no store yet; `watchfloor open`, `emit` and `import` make it"
        )
    return path


def _shared(loaded: LoadedBoard, urls: Sequence[str]) -> str:
    return (
        f"{loaded.path}: this board is on {', '.join(urls)}, and its log takes events from there only; "
        "enter it on a desk, or name a store of your own with --store"
    )


def _known_theme(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    from importlib.resources import files

    from dataflow.text.hints import suggest

    themes = sorted(file.name[:-5] for file in files("assets").joinpath("themes").iterdir()
                    if file.name.endswith(".toml"))
    if name is not None and name not in themes:
        raise click.BadParameter(f"there is no theme {name!r}; {suggest(name, themes)}")
    return name
