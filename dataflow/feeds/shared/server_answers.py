"""What the server has said of entries, which holds once the feed has brought the log up to there.

That the server took an entry is believed when the feed returns it: an answer may be about somebody else's message that
bore its message id. What the feed has not returned at the position that the answer names, and the store does not hold,
is sent again under another message id.
"""

from __future__ import annotations


class ServerAnswers:
    """`reached`: the highest position that an answer has named."""

    def __init__(self) -> None:
        self.reached = 0
        self._taken: dict[str, int] = {}
        self._disputed: dict[str, int] = {}

    @property
    def has_disputed(self) -> bool:
        """Whether an entry waits for what others wrote about its entity."""
        return bool(self._disputed)

    def clear(self) -> None:
        """Forget all: it was said on another connection."""
        self.reached = 0
        self._taken.clear()
        self._disputed.clear()

    def note_taken(self, id: str, position: int) -> None:
        """This entry is in the log at this position or before, as the server says."""
        self._taken[id] = position

    def note_disputed(self, id: str, last: int) -> None:
        """The last message about this guarded entry's entity is at another position than was expected."""
        self._disputed[id] = last

    def remove(self, id: str) -> None:
        """It waits no more."""
        self._taken.pop(id, None)

    def pop_taken(self, cursor: int) -> list[tuple[str, int]]:
        """What should have come back, now that the feed has brought all up to the cursor: ids and positions."""
        return _pop_reached(self._taken, cursor)

    def pop_disputed(self, cursor: int) -> list[tuple[str, int]]:
        """The entries about which the feed has brought all that the server knew: ids and the last positions."""
        return _pop_reached(self._disputed, cursor)


def _pop_reached(positions: dict[str, int], cursor: int) -> list[tuple[str, int]]:
    reached = [(id, position) for id, position in positions.items() if position <= cursor]
    for id, _ in reached:
        del positions[id]
    return reached
