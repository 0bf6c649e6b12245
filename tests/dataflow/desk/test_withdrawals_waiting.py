"""Entries and withdrawals of a desk in any order of confirmations and refusals, among what others do: after every step
the views are those of what remains.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from concurrent.futures import Future
from math import inf
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dataflow.boards.check import engine_for
from dataflow.boards.file import load
from dataflow.clock import FixedClock
from dataflow.desk.composer import Composer
from dataflow.desk.entries import Entries
from dataflow.desk.sender import Sender
from dataflow.events.withdrawals import target_id
from dataflow.feeds.feed import Refusal
from dataflow.session import EntryRefused
from dataflow.views.current_views import CurrentViews
from dataflow.views.pending_rows import PROVISIONAL
from storage.database import Database
from storage.event import WITHDRAWN
from tests.dataflow.desks import note
from tests.dataflow.events.test_withdrawals import ADMINS, by, remaining, withdrawal

QUERIES = (
    "SELECT id, place, weight, pending FROM events ORDER BY id",
    "SELECT place, count(*) AS n, sum(weight) AS w, bool_or(pending) AS pending FROM events"
    " GROUP BY place ORDER BY place",
    "SELECT weight, id FROM events WHERE weight > 0 ORDER BY weight DESC, id LIMIT 2",
    'SELECT DISTINCT weight FROM "note.made" ORDER BY weight',
)
NUMBER = st.integers(0, 30)
PLACE, WEIGHT = st.sampled_from(["north", "south"]), st.integers(1, 4)


def done(*_, **__):
    future: Future = Future()
    future.set_result(None)
    return future


class Quiet:
    """Measures nothing."""

    def __getattr__(self, _):
        return lambda *_: None


class Desk(RuleBasedStateMachine):
    """A desk of amy's, whose log takes her entries when it is told to, in any order."""

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "board.toml"
        path.write_text(ADMINS)
        self.loaded, self.loop = load(path), asyncio.new_event_loop()
        self.database = Database.open(Path(self.folder.name) / "a.db")
        self.published, self.log, self.waiting = [], [], {}
        outbox = SimpleNamespace(add=done, reject=done)
        feed = SimpleNamespace(publish=self.published.extend)
        self.current = CurrentViews(self.loaded, self.database.log, None)
        self.sender = Sender(
            self.current, outbox, feed, self.loop, lambda call, *given: call(*given), Quiet(),
            lambda: None, lambda: None,
        )  # fmt: skip
        self.entries = Entries(self.current, Composer("amy", FixedClock(0)), self.sender, outbox)
        self.begin()

    @property
    def views(self):
        return self.current.views

    def begin(self):
        self.lives = {sql: self.views.live(sql) for sql in QUERIES[:2]}
        self.work()
        self.views.show()

    def step(self, until):
        while self.views.position < until:
            deque(self.views.read_log(until, 0), maxlen=0)
            self.sender.confirm(self.views.take_confirmed())

    def work(self):
        while self.views.work(inf):
            """To the end."""

    def append(self, event):
        self.database.log.append([event]).result(5)
        self.log.append(event)

    def any_id(self, number):
        ids = [event.id for event in (*self.log, *self.waiting.values())] or ["none"]
        return ids[number % len(ids)]

    def look(self):
        """Note what waits now."""
        self.waiting = {event.id: event for event in self.views.waiting()}

    @rule(place=PLACE, weight=WEIGHT)
    def enter(self, place, weight):
        self.entries.enter("note.made", {"place": place, "weight": weight})
        self.look()

    @rule(number=NUMBER)
    def withdraw(self, number):
        id = self.any_id(number)
        try:
            self.entries.withdraw(id)
        except EntryRefused:
            return
        self.look()

    @rule(place=PLACE, weight=WEIGHT)
    def others_enter(self, place, weight):
        self.append(by("bob", note(place, weight)))

    @rule(number=NUMBER, author=st.sampled_from(["amy", "bob", "eve"]))
    def others_withdraw(self, number, author):
        self.append(withdrawal(self.any_id(number), author))

    @precondition(lambda self: self.published)
    @rule(number=NUMBER, soon=st.booleans())
    def confirm(self, number, soon):
        event = self.published.pop(number % len(self.published))
        self.append(event)
        if soon:
            self.read()

    @precondition(lambda self: self.published)
    @rule(number=NUMBER)
    def refuse(self, number):
        event = self.published.pop(number % len(self.published))
        self.sender.refuse(Refusal(event.id, "no"))
        self.look()

    @rule()
    def read(self):
        self.step(self.database.log.last())
        self.look()

    @rule(sql=st.sampled_from(QUERIES))
    def ask_late(self, sql):
        self.lives.setdefault(sql, self.views.live(sql))

    @rule(whole=st.booleans())
    def read_history(self, whole):
        """What cannot take a row back is built anew in slices."""
        if self.views.work(perf_counter()) and whole:
            self.work()

    @rule(whole=st.booleans())
    def save_board(self, whole):
        """Other views take over; the handles go on there."""
        self.current.rebuild()
        while not self.current.prepare(0, self.views.now):
            """To the end."""
        while whole and self.views.show_waiting(0):
            """All of them."""

    @invariant()
    def the_views_are_those_of_what_remains(self):
        if not hasattr(self, "lives"):
            return
        if self.views.show_waiting(0):
            return
        expected = self.expected()
        for sql, live in self.lives.items():
            if live.ready:
                assert list(live.rows()) == expected[sql]

    def expected(self):
        """The queries' results over what the views should hold, of which nothing was ever taken back."""
        read = self.log[: self.views.position]
        held, waiting = remaining(read), list(self.waiting.values())
        gone = {event.id for event in read} - {event.id for event in held}
        for entry in waiting:
            if entry.type == WITHDRAWN:
                gone.add(target_id(entry))
        rows = [
            self.loaded.schema.row(event, position=at) for at, event in enumerate(held, 1) if event.id not in gone
        ]
        rows += [
            self.loaded.schema.row(event, pending=True, position=PROVISIONAL + at)
            for at, event in enumerate(waiting) if event.id not in gone
        ]  # fmt: skip
        engine = engine_for(self.loaded, None)
        lives = {sql: engine.live(sql) for sql in QUERIES}
        engine.push("events", rows)
        return {sql: list(live.rows()) for sql, live in lives.items()}

    def teardown(self):
        if hasattr(self, "database"):
            try:
                self.work()
                self.the_views_are_those_of_what_remains()
            finally:
                self.sender.close()
                self.loop.run_until_complete(asyncio.sleep(0))
                self.loop.close()
                self.database.close()
                self.folder.cleanup()


Desk.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestDesk = Desk.TestCase
