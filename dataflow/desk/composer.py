"""Composing events: what an operator submits becomes an event with its author, and with what the operator had seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from dataflow.clock import Clock
from dataflow.desk.event_text import describe_event
from dataflow.events.withdrawals import Reference, reference, withdrawal_data
from dataflow.session import EntryRefused, Problem
from dataflow.views.views import Views
from storage.event import WITHDRAWN, Event
from storage.identity import identity
from storage.ids import uuid7

SOURCE = "/watchfloor/desk"


class Composer:
    """Composes the events of one operator, by the views that the operator sees. Methods raise `EntryRefused`."""

    def __init__(self, author: str, clock: Clock) -> None:
        self._author, self._clock = author, clock
        self._again = {WITHDRAWN: self._compose_withdrawal_again}

    def compose_entry(
        self, views: Views, type: str, fields: Mapping[str, Any], causation: str | None = None
    ) -> Event:
        """Compose an entry of a declared type."""
        now = self._clock.now()
        data, subject = views.schema.entry(type, fields, now=now)
        return self._event(views, views.position, type, data, subject, now, causation)

    def compose_withdrawal(self, views: Views, meant: Reference) -> Event:
        """Compose the withdrawal of an event, or of an entry that waits; refused where it could not take effect."""
        found = views.find(meant.id)
        target = meant.choose(self._author, found)
        why = views.objection(self._author, meant.id, target)
        if target is None or why is not None:
            raise EntryRefused([Problem(None, why or "")])
        now, several = self._clock.now(), len({identity(event) for event in found}) > 1
        return Event(
            id=uuid7(now), source=SOURCE, type=WITHDRAWN, time=now, subject=target.subject,
            data=withdrawal_data(meant.id, meant.reason, target if several else None),
            authid=self._author, causationid=meant.id, seen=views.position,
        )  # fmt: skip

    def compose_again(
        self, views: Views, refused: Event, fields: Mapping[str, Any] | None, seen: int | None
    ) -> Event:
        """Compose a refused entry once more: by `fields`, or by its own data, which has to fit the board as it is now.
        `seen`: the position up to which the operator knows what happened; None: that of the views.
        """
        known = views.position if seen is None else min(seen, views.position)
        compose = self._again.get(refused.type, self._compose_entry_again)
        return compose(views, refused, fields, known)

    def _compose_entry_again(
        self, views: Views, refused: Event, fields: Mapping[str, Any] | None, known: int
    ) -> Event:
        now = self._clock.now()
        given = describe_event(views.schema, refused).fields if fields is None else fields
        data, subject = views.schema.entry(refused.type, given, now=now)
        if fields is None:
            data, subject = refused.data, refused.subject
        return self._event(views, known, refused.type, data, subject, now, refused.id)

    def _compose_withdrawal_again(self, views: Views, refused: Event, _: object, known: int) -> Event:
        withdrawal = self.compose_withdrawal(views, reference(refused) or Reference(""))
        return structs.replace(withdrawal, data=refused.data, seen=known)

    def _event(
        self, views: Views, known: int, type: str, data: bytes, subject: str | None, now: int, causation: str | None
    ) -> Event:
        guarded = views.schema.board.events[type].guard
        return Event(
            id=uuid7(now), source=SOURCE, type=type, time=now, subject=subject, data=data,
            authid=self._author, causationid=causation, seen=known,
            expects=min(known, views.last_of(subject or "")) if guarded else None,
        )  # fmt: skip
