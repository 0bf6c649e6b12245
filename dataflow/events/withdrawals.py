"""Withdrawals: `entry.withdrawn` names an event by id. From then on the views do not hold it; the log keeps both.

The rule, so that all desks come to the same from the same log and board, whatever the batches. Of the withdrawals in
the order of the log, one takes effect where
- its data is an object with a text `id`, which is that of an event *before* it in the log: where several have that id,
  the first one of the withdrawal's own author, else the first one; with `source` or `authid` (null: nobody's) in the
  data, only those of that source or author are meant;
- that event is no withdrawal itself: what was withdrawn is entered again, not brought back;
- its `authid` is the event's (nobody's event is nobody's to withdraw), or is among the board's `admins`.
Any other is told with its reason and changes nothing, also later, when the event that it names comes after all. To
withdraw what is withdrawn already is right, and changes nothing. A withdrawal is a row of `events` like any event.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from storage.event import WITHDRAWN, Event, LoggedEvent
from storage.identity import Identity, identity
from storage.log import EventLog

PART = 500
"""So many events are looked up at once."""

E = TypeVar("E", bound=Event)
OnObjection = Callable[[LoggedEvent, str], None]


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a withdrawal says of the event that it names: the id, and where that may not do, its source and author."""

    id: str
    reason: str = ""
    source: str | UnsetType = UNSET
    authid: str | UnsetType | None = UNSET

    def choose(self, author: str | None, events: Iterable[E]) -> E | None:
        """Which one of some events an author's withdrawal means, which are in the log's order; None: none of them."""
        fitting = [event for event in events if self._fits(event)]
        own = (event for event in fitting if event.authid == author and author is not None)
        return next(own, None) or next(iter(fitting), None)

    def _fits(self, event: Event) -> bool:
        return event.id == self.id and self.source in (UNSET, event.source) and self.authid in (UNSET, event.authid)


class _Data(msgspec.Struct):
    """As a `Reference` is read: what a reason is is nobody's business here."""

    id: str
    source: str | UnsetType = UNSET
    authid: str | UnsetType | None = UNSET


_data = msgspec.json.Decoder(_Data)


def reference(withdrawal: Event) -> Reference | None:
    """Which event it names; None where its data names none. Remote data is not trusted."""
    try:
        data = _data.decode(withdrawal.data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return Reference(data.id, source=data.source, authid=data.authid)


def target_id(withdrawal: Event) -> str | None:
    """The id of the event that it names; None where its data names none."""
    found = reference(withdrawal)
    return None if found is None else found.id


def withdrawal_data(id: str, reason: str = "", of: Event | None = None) -> bytes:
    """The data of a withdrawal. `of`: the event, where several have the id."""
    if of is None:
        return msgspec.json.encode(Reference(id, reason))
    return msgspec.json.encode(Reference(id, reason, of.source, of.authid))


def objection(author: str | None, target: Event | None, admins: Container[str]) -> str | None:
    """Why an author's withdrawal of an event has no effect; None where it has. `target` None: there is none."""
    if target is None:
        return "there is no such event in the log before it"
    if target.type == WITHDRAWN:
        return "a withdrawal cannot be withdrawn: enter again what it withdrew"
    if author is None or (author != target.authid and author not in admins):
        who = f"only {target.authid}, who entered it, or" if target.authid else "no operator entered it, so only"
        return f"{who} an administrator of the board may withdraw it"
    return None


class Withdrawals:
    """What the log withdraws, as far as it was judged. `gone` holds the identities of the events that the views do not
    hold; `on_objection` is told of every withdrawal that has no effect, and why.
    """

    def __init__(self, log: EventLog, admins: Container[str], on_objection: OnObjection = lambda *_: None) -> None:
        self.gone: set[Identity] = set()
        self._log, self._admins, self._on_objection = log, admins, on_objection
        self._judged = 0

    def objection(self, author: str | None, target: Event) -> str | None:
        """Why an author's withdrawal that is yet to come into the log would have no effect; None where it would."""
        return objection(author, target, self._admins)

    def left(self, events: Sequence[Event]) -> Sequence[Event]:
        """Those events that the views hold."""
        return [event for event in events if identity(event) not in self.gone] if self.gone else events

    def coming(self, until: int) -> list[LoggedEvent]:
        """Those withdrawals up to a position that are not judged yet, also where the log is not read so far."""
        if until <= self._judged:
            return []
        return [event for chunk in self._log.withdrawals(self._judged, until) for event in chunk]

    def judge(self, withdrawals: Sequence[LoggedEvent], until: int = 0) -> list[LoggedEvent]:
        """Those events that are gone from now on. Withdrawals come in the log's order; what was judged is passed over.
        `until`: all up to there are among them.
        """
        gone: list[LoggedEvent] = []
        fresh = [event for event in withdrawals if event.position > self._judged]
        for start in range(0, len(fresh), PART):
            gone += self._judge(fresh[start : start + PART])
        self._judged = max(self._judged, until)
        return gone

    def _judge(self, withdrawals: Sequence[LoggedEvent]) -> list[LoggedEvent]:
        references = [(event, reference(event)) for event in withdrawals]
        found: dict[str, list[LoggedEvent]] = {}
        for event in self._log.find(list({each.id for _, each in references if each is not None})):
            found.setdefault(event.id, []).append(event)
        gone: list[LoggedEvent] = []
        for event, meant in references:
            self._judged = event.position
            if meant is None:
                self._on_objection(event, "withdraws nothing: its data names no event's `id`")
                continue
            before = (each for each in found.get(meant.id, ()) if each.position < self._judged)
            target = meant.choose(event.authid, before)
            why = objection(event.authid, target, self._admins)
            if why is not None:
                self._on_objection(event, f"withdraws nothing: {why}")
            elif target is not None and identity(target) not in self.gone:
                self.gone.add(identity(target))
                gone.append(target)
        return gone
