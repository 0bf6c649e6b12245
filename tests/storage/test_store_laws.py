"""A store does what a few lines of plain Python do, whatever the order of what is done, and however often it is opened.

The model holds the log as the events in the order of their positions, the outbox and quarantine as dictionaries. After
each step all of the store is compared with it.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from storage.cloudevents import decode
from storage.database import Database
from storage.errors import AlreadySettled
from storage.event import Event, at_position
from storage.identity import confirms, identity
from storage.log import OTHER, Appended
from tests.storage.samples import event

IDS = [f"id-{n}" for n in range(1, 6)]
AUTHORS = st.sampled_from(["amy", "bob", None])
DATA = st.sampled_from([b"{}", b"{ }", b'{"a":1}'])
EVENTS = st.builds(
    lambda n, subject, author, data: event(n, subject=subject, authid=author, data=data),
    st.integers(1, 4), st.sampled_from(["A", "B", None]), AUTHORS, DATA,
)  # fmt: skip
BATCHES = st.lists(EVENTS, min_size=1, max_size=4)
KEYS = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@dataclass
class Item:
    event: Event
    reason: str
    origin: str
    kind: str
    stale: bool = False
    outcome: str | None = None


class StoreAndModel(RuleBasedStateMachine):
    """`log`, `outbox` and `items` (by key) are what the store holds."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "board.db"
        self.store = Database.open(self.path)
        self.log: list[Event] = []
        self.outbox: dict[str, Event] = {}
        self.items: dict[int, Item] = {}
        self.dismissed: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(batch=BATCHES)
    def append(self, batch) -> None:
        assert self.store.log.append(batch, "a file").result() == self._append(batch, "a file")

    @rule(batch=BATCHES)
    def enter(self, batch) -> None:
        self.store.outbox.add(batch).result()
        for entry in batch:
            self.outbox.setdefault(entry.id, entry)

    @rule(entry=EVENTS, other=EVENTS)
    def enter_what_is_refused_and_replaced(self, entry, other) -> None:
        self.enter([entry])
        self.reject(int(entry.id[3:]), "no", False)
        self.replace(1, other)

    @rule(n=st.integers(1, 4), reason=st.sampled_from(["no", "never"]), stale=st.booleans())
    def reject(self, n, reason, stale) -> None:
        self.store.outbox.reject(f"id-{n}", reason, stale=stale).result()
        entry = self.outbox.pop(f"id-{n}", None)
        if entry is not None:
            self._set_apart(Item(entry, reason, "outbox", "entry", stale))

    @rule(key=st.integers(1, 3), entry=EVENTS)
    def replace(self, key, entry) -> None:
        key = next((each for each in self.items if self.items[each].kind == "entry" and self._is_open(each)), key)
        done = self.store.outbox.replace(key, entry)
        if self._is_open(key):
            done.result()
            self.items[key].outcome = entry.id
            self.outbox.setdefault(entry.id, entry)
        else:
            with pytest.raises(AlreadySettled):
                done.result()

    @rule(keys=KEYS)
    def dismiss(self, keys) -> None:
        self.store.quarantine.dismiss(keys).result()
        for key in filter(self._is_open, keys):
            self.items[key].outcome = "dismissed"

    @rule(keys=KEYS)
    def restore(self, keys) -> None:
        self.store.quarantine.restore(keys).result()
        for key in keys:
            if key in self.items and self.items[key].outcome == "dismissed":
                self.items[key].outcome = None

    @rule(positions=KEYS, back=st.booleans())
    def dismiss_positions(self, positions, back) -> None:
        change = self.store.quarantine.restore_positions if back else self.store.quarantine.dismiss_positions
        change(positions).result()
        self.dismissed = self.dismissed - set(positions) if back else self.dismissed | set(positions)

    @rule(author=st.sampled_from(["amy", "bob"]))
    def sign(self, author) -> None:
        self.store.outbox.sign(author)
        self.outbox = {id: replace(entry, authid=author) for id, entry in self.outbox.items()}

    @rule(
        entries=st.lists(EVENTS, max_size=3, unique_by=lambda entry: entry.id), own=st.sets(st.sampled_from(IDS)),
        held=st.integers(0, 4), expects=st.none() | st.integers(0, 6), seen=st.none() | st.integers(0, 6),
    )  # fmt: skip
    def append_guarded(self, entries, own, held, expects, seen) -> None:
        guarded = [replace(entry, expects=expects, seen=seen) for entry in entries]
        judged = self.store.log.append_guarded(guarded, own, held).result()
        stale = [entry for entry in guarded if self._is_stale(entry, own, held)]
        assert judged.stale == stale
        taken = [entry for entry in guarded if entry not in stale]
        assert judged.last == max(self._append(taken, "log").positions, default=0)

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = Database.open(self.path, create=False)

    @invariant()
    def the_store_is_the_model(self) -> None:
        logged = [at_position(each, n) for n, each in enumerate(self.log, 1)]
        assert [each for chunk in self.store.log.read(chunk=3) for each in chunk] == logged
        assert self.store.log.last() == self.store.log.count() == len(logged)
        assert self.store.log.find(["id-1", "id-4"]) == [each for each in logged if each.id in ("id-1", "id-4")]
        assert self.store.log.about("A", 2, 6) == [each for each in logged[2:6] if each.subject == "A"]
        assert self.store.outbox.pending() == list(self.outbox.values())
        assert self.store.outbox.count() == len(self.outbox)
        self._check_quarantine()

    def _check_quarantine(self) -> None:
        quarantine = self.store.quarantine
        keys = sorted(filter(self._is_open, self.items), key=lambda key: (self.items[key].kind != "entry", -key))
        open_items = [self.items[key] for key in keys]
        listed = quarantine.list()
        assert [each.key for each in listed] == keys
        assert [(decode(each.text), each.reason, each.origin, each.kind, each.stale) for each in listed] == [
            (each.event, each.reason, each.origin, each.kind, each.stale) for each in open_items
        ]
        assert quarantine.count() == len(keys)
        assert quarantine.list(2) == [*listed[: self._entries][:2], *listed[self._entries :][:2]]
        assert [quarantine.entry(key) for key in self.items] == [
            next((each for each in listed[: self._entries] if each.key == key), None) for key in self.items
        ]
        assert {key: decode(quarantine.text(key)) for key in self.items} == {
            key: item.event for key, item in self.items.items()
        }
        outcomes = dict(map(tuple, self.store.rows("SELECT key, outcome FROM quarantine")))
        assert outcomes == {key: item.outcome for key, item in self.items.items()}
        assert quarantine.dismissed_positions() == self.dismissed

    @property
    def _entries(self) -> int:
        return sum(item.kind == "entry" for key, item in self.items.items() if self._is_open(key))

    def _append(self, batch, origin: str) -> Appended:
        positions, new, others = [], [], 0
        for given in batch:
            position = self._position(given)
            new.append(position is None)
            if position is None:
                self.log.append(given)
                position = len(self.log)
            elif _meaning(self.log[position - 1]) != _meaning(given):
                others += 1
                self._set_apart(Item(given, f"{OTHER}: see position {position}", origin, "message"))
            positions.append(position)
        for logged in self.log:
            entry = self.outbox.get(logged.id)
            if entry is not None and logged.id in {each.id for each in batch} and confirms(logged, entry):
                del self.outbox[logged.id]
        return Appended(positions, new, others)

    def _position(self, given: Event) -> int | None:
        return next((n for n, each in enumerate(self.log, 1) if identity(each) == identity(given)), None)

    def _set_apart(self, item: Item) -> None:
        if not any((each.event, each.reason, each.origin) == (item.event, item.reason, item.origin)
                   for each in self.items.values()):  # fmt: skip
            self.items[len(self.items) + 1] = item

    def _is_open(self, key: int) -> bool:
        return key in self.items and self.items[key].outcome is None

    def _is_stale(self, entry: Event, own, held: int) -> bool:
        if entry.expects is None or self._position(entry) is not None:
            return False
        since = max(entry.expects, entry.seen or 0)
        for position, each in enumerate(self.log[since:], since + 1):
            mine = each.authid == entry.authid and (position <= held or each.id in own)
            if each.subject == entry.subject and not mine:
                return True
        return False


def _meaning(event: Event) -> tuple[object, ...]:
    return event.type, event.subject, event.time, event.seen, event.expects, json.loads(event.data)


TestStore = StoreAndModel.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
