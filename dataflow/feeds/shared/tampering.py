"""What others did to this desk's subscription, in words for its operator: told at once, and for a while."""

from __future__ import annotations

from collections.abc import Callable

TOLD_S = 600.0


class Tampering:
    """`tell` is told one line; "" when it was calm for `TOLD_S`. `time` in seconds, only rises."""

    def __init__(self, tell: Callable[[str], None], time: Callable[[], float]) -> None:
        self._tell, self._time = tell, time
        self._said: dict[str, tuple[float, str]] = {}
        self._foreign = 0

    def changed(self, settings: str) -> None:
        """The subscription is not as it was made; which of its settings."""
        self._note("changed", f"somebody changed this desk's subscription ({settings}); it was made anew")

    def foreign(self, count: int) -> None:
        """So many more messages came that are not the log's."""
        if count:
            self._foreign += count
            what = "1 message" if self._foreign == 1 else f"{self._foreign:,} messages"
            self._note("foreign", f"somebody sent {what} to this desk as if from the log; dropped")

    def forget(self) -> None:
        """Tell no more of what was long ago."""
        since = self._time() - TOLD_S
        old = [what for what, (at, _) in self._said.items() if at < since]
        for what in old:
            del self._said[what]
        if "foreign" in old:
            self._foreign = 0
        if old:
            self._show()

    def _note(self, what: str, words: str) -> None:
        self._said[what] = self._time(), words
        self._show()

    def _show(self) -> None:
        self._tell("; ".join(words for _, words in self._said.values()))
