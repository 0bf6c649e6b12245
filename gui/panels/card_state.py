"""What a card's values are: the board's view, its own while a query of it is being read, and how old its newest row is.

Pure, no Qt. A card that is told nothing is live.
"""

from __future__ import annotations

from typing import NamedTuple

from gui.text.freshness import LIVE, View, loading_view

_ROLES = {"never": "warning", "loading": "accent", "as of": "warning", "live": "warning"}
_AGE = "No data for "


class Mark(NamedTuple):
    """What stands at the right of a card's title; `short` where there is no room for `words`."""

    words: str = ""
    short: str = ""
    role: str = "warning"


class Looks(NamedTuple):
    """What a card shows of its state: whether nothing is known, what stands in its place, and its mark."""

    covered: bool = False
    placard: View | None = None
    mark: Mark = Mark()


class CardState:
    """`holds_values`: what the card shows comes from the log. `age` says that its newest row is too old, and how old.
    `shows_waiting`: that it waits is worth showing, for it has lasted.
    """

    def __init__(self, *, holds_values: bool) -> None:
        self.board = LIVE
        self.waiting: View | None = None
        self.shows_waiting = False
        self.filled = False
        self.age = ""
        self._holds_values = holds_values

    def wait(self, progress: float | None) -> bool:
        """A query's history is being read, so far. Whether that is news."""
        before, self.waiting = self.waiting, loading_view(progress)
        return before != self.waiting

    def arrive(self) -> None:
        """What it waited for is shown."""
        self.filled, self.waiting, self.shows_waiting = True, None, False

    @property
    def view(self) -> View:
        """What its values are."""
        return self.waiting if self.waiting is not None and self.board.kind in ("live", "as of") else self.board

    @property
    def covered(self) -> bool:
        """Whether nothing that it could show is known."""
        kind = self.view.kind
        return self._holds_values and (kind == "never" or (kind == "loading" and not self.filled))

    @property
    def quiet(self) -> bool:
        """Whether it waits, and has not for long."""
        return self.view is self.waiting and not self.shows_waiting

    @property
    def dimmed(self) -> bool:
        """Whether its values stand, and are not of now."""
        stands = self._holds_values and not self.covered
        return stands and bool(self.age or (self.view.kind != "live" and not self.quiet))

    @property
    def text(self) -> str:
        """In words; nothing where it is live."""
        if self._holds_values:
            return ". ".join(filter(None, (self.view.text, self.age)))
        return "" if self.board.kind == "live" else "Entries wait here until the log is reached"

    @property
    def mark(self) -> Mark:
        """What stands at the right of its title."""
        view, age = self.view, self.age
        if not self._holds_values:
            return Mark() if self.board.kind == "live" else Mark("entries wait", "…", "pending")
        if self.covered:
            return Mark()
        if view.kind == "live" or self.quiet:
            return Mark(age, f"{age.removeprefix(_AGE)} old" if age.startswith(_AGE) else age)
        return Mark(" · ".join(filter(None, (view.mark, age[:1].lower() + age[1:]))), view.short, _ROLES[view.kind])

    @property
    def looks(self) -> Looks:
        """All that is to be seen of it."""
        placard = self.view if self.covered and not self.quiet else None
        return Looks(self.covered, placard, self.mark)
