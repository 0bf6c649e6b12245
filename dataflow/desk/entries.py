"""Entries: what an operator submits is composed, is in the views at once, and is sent on its way to the log."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from dataflow.desk.composer import Composer
from dataflow.desk.sender import Sender
from dataflow.events.withdrawals import Reference
from dataflow.session import Entered
from dataflow.views.current_views import CurrentViews
from storage.event import Event
from storage.outbox import Outbox


class Entries:
    """Entries of one operator on one desk. Methods raise `EntryRefused`; nothing is written then."""

    def __init__(self, current: CurrentViews, composer: Composer, sender: Sender, outbox: Outbox) -> None:
        self._current, self._composer, self._sender, self._outbox = current, composer, sender, outbox

    def enter(self, type: str, fields: Mapping[str, Any], causation: str | None = None) -> Entered:
        """Enter an event of a declared type."""
        submitted = perf_counter()
        event = self._composer.compose_entry(self._current.views, type, fields, causation)
        return self._sender.send(event, submitted)

    def withdraw(self, id: str, reason: str = "") -> Entered:
        """Enter a withdrawal. Refused where it could not take effect."""
        submitted = perf_counter()
        event = self._composer.compose_withdrawal(self._current.views, Reference(id, reason))
        return self._sender.send(event, submitted)

    def enter_again(
        self, key: int, refused: Event, fields: Mapping[str, Any] | None = None, seen: int | None = None
    ) -> Entered:
        """Enter a refused entry once more, in its place in quarantine (by its key): see `Composer.compose_again`."""
        submitted = perf_counter()
        event = self._composer.compose_again(self._current.views, refused, fields, seen)
        return self._sender.send(event, submitted, lambda: self._outbox.replace(key, event))
