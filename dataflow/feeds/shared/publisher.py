"""The publisher: sends entries to the shared log in order, until each has come back through the feed.

Few entries go as messages of their own, up to `window.WIDEST` on their way at once; many go in batches, one on its way
at a time, so that none is overtaken when one is refused. A batch that is refused (one of its entries is in the log, or
is not permitted, or the log takes no batches now) goes again message by message, each with its own answer. Whatever is
in doubt (no answer in time, the connection lost, an error that may pass) is sent again with the same id, which the
server takes once; then one message goes at a time until answers come again, and what is the matter is told. An entry is
done when the feed returns it, or when its refusal is final. What may have been sent on an earlier connection waits
until the feed has caught up, since the server forgets ids sooner than an outbox does: so it is not sent again when it
is in the log already.

What the server says of an entry holds when the feed has brought the log up to there: see `server_answers.py`; when a
guarded entry is stale, and what the server is to find: `guards.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from nats import errors
from nats.aio.msg import Msg

from dataflow.feeds.feed import Refusal
from dataflow.feeds.shared.batch import Batch, Packer, read_answer
from dataflow.feeds.shared.guards import After, Guards
from dataflow.feeds.shared.producer import ANSWER_S
from dataflow.feeds.shared.send_queue import SendQueue
from dataflow.feeds.shared.send_window import SendWindow, Tick
from dataflow.feeds.shared.server_answers import ServerAnswers
from dataflow.nats.connection import Connection
from storage.event import Event, LoggedEvent

MOST_ATTEMPTS = 5
"""So often an entry is sent that the server says to have, and has not."""
STUCK = 5
"""So often in a row without an answer, which takes some seconds, and another server is tried, where there is one."""
_STALE = 10071
_TOO_LARGE = 10054
_LAST = re.compile(r"sequence: (\d+)")


class Publisher:
    """Calls `refuse` with each final refusal, and `trouble` with why the server takes no entries now, "" when it takes
    them again; `after` and `stored` are those of `Guards`; `find` gives the store's events with an id.
    """

    def __init__(
        self, board: str, operator: str, refuse: Callable[[Refusal], None], trouble: Callable[[str], None],
        after: After, stored: int, find: Callable[[str], Sequence[Event]],
    ) -> None:  # fmt: skip
        self._operator = operator
        self._refuse, self._trouble_changed = refuse, trouble
        self._entries = SendQueue()
        self._attempts: dict[str, int] = {}
        self._guards = Guards(operator, self._entries.waiting, after, stored)
        self._packer = Packer(board, operator, self._entries.waiting, self._expected, self._drop, self._attempts)
        self._batches = self._doubt = self._running = False
        self._answers = ServerAnswers()
        self._find = find
        self._cursor = stored
        self._window = SendWindow()
        self._unanswered = False
        self._trouble = ""
        self._caught_up = asyncio.Event()
        self._patient_until = 0.0
        self._wake = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether no entry waits."""
        return not self._entries.waiting

    @property
    def sending_s(self) -> float:
        """Seconds that the slowest line may need for what is on its way."""
        return self._entries.sending_s

    def add(self, entries: Sequence[Event]) -> None:
        """Send these as well, after all others."""
        self._guards.watch(self._entries.add(entries, queued=self._running), self._cursor)
        self._wake.set()

    def confirm(self, events: Sequence[LoggedEvent], cursor: int) -> None:
        """The store holds these events now, and all else up to a position. What it held before may be among them."""
        self._guards.observe(event for event in events if event.position > self._cursor)
        self._cursor = cursor
        for event in events:
            if self._is_own(event):
                self._finish(event.id)
        for _ in range(self._entries.drop_answered()):  # was taken, also where the answer is lost
            self._window.widen()
            self._report("")
        self._check_taken()
        for id, last in self._answers.pop_disputed(cursor):
            if entry := self._entries.waiting.get(id):
                self._guards.note_last(entry, last)
                self._entries.put_first(entry)
        self._wake.set()

    def _is_own(self, event: Event) -> bool:
        """Whether an event of the log is the entry of its id that waits, and not somebody else's."""
        entry = self._entries.waiting.get(event.id)
        return entry is not None and (event.authid, event.source) == (self._operator, entry.source)

    def deny(self, subject: str) -> None:
        """The server's permissions do not let us publish on this subject (told in lower case)."""
        for number, ids in self._entries.find_subject(subject):
            for id in ids:
                self._drop(id, f"the server does not let {self._operator} write this; ask for the role")
            self._split(number)
        self._wake.set()

    async def run(
        self, connection: Connection, caught_up: asyncio.Event, batches: bool = False, has_others: bool = False
    ) -> None:
        """Send over this connection until it is lost. `batches`: whether the stream takes them. `has_others`: whether
        there are other servers; then it ends where this one, cut off from them perhaps, does not answer for long.
        """
        self._batches, self._caught_up = batches, caught_up
        self._report("")
        if self._entries.waiting:
            await caught_up.wait()
        inbox = await connection.answers(self._hear)
        self._begin()
        tick = Tick(self._wake)
        try:
            while not connection.lost:
                self._check_deadline()
                if has_others and self._unanswered and self._window.failures >= STUCK:
                    connection.last_error = errors.Error("it does not answer for the log; trying another server")
                    return
                if self._guards.has_unread:
                    for id in await self._guards.look_back():
                        self._finish(id)  # the log has it already
                elif self._may_send():
                    await self._send(connection, inbox, self._next(connection))
                else:
                    self._wake.clear()
                    await self._wake.wait()
        except (errors.Error, OSError):
            return  # the feed makes another connection
        finally:
            tick.stop()
            self._running = False

    def _begin(self) -> None:
        self._entries.restart()
        self._answers.clear()
        self._window = SendWindow()
        self._unanswered = False
        self._doubt = False
        self._running = True

    def _may_send(self) -> bool:
        """Nothing overtakes a batch or a guarded entry, which may have to go again; and a batch overtakes nothing.
        Where there are guards, what went before it has come back first: they are checked against that.
        """
        self._doubt = self._doubt and not self._caught_up.is_set()
        if not self._entries.queue or self._answers.has_disputed or self._doubt or self._window.is_paused(_now()):
            return False
        if self._many_wait():
            return not self._entries.sent and (not self._guards or self._answers.reached <= self._cursor)
        return len(self._entries.sent) < self._window.size and not self._entries.may_resend

    def _many_wait(self) -> bool:
        return self._batches and self._window.is_wide and self._entries.has_many

    def _next(self, connection: Connection) -> Batch | None:
        """What is to go now, taken out of the queue; None where it has come back, or can't be sent."""
        limit = connection.client.max_payload
        if self._many_wait():
            batch = self._packer.pack_many(self._entries.queue, limit, self._entries.alone)
            if batch.entries or not self._entries.queue:
                return batch
        return self._packer.pack_one(self._entries.queue.popleft(), limit)

    async def _send(self, connection: Connection, inbox: str, batch: Batch | None) -> None:
        if batch is None or not batch.entries:
            return
        number = self._entries.start_sending(batch)
        batch.deadline = _now() + ANSWER_S + self.sending_s
        self._guards.mark_own(batch.entries)
        try:
            await batch.publish(connection.client, f"{inbox}.{number}")
        except (errors.BadSubjectError, errors.BadHeaderError, errors.MaxPayloadError) as error:
            if not batch.is_joint:
                self._drop(batch.entries[0].id, str(error))
            self._split(number)

    def _expected(self, entry: Event) -> int | None:
        """Where the server is to find the last entry about what a guarded entry is about; None: it is stale."""
        if self._guards.is_stale(entry):
            self._drop(entry.id, Refusal.changed(entry).reason, stale=True)
            return None
        return self._guards.find_expected(entry)

    def _hear(self, message: Msg) -> None:
        number, answer = read_answer(message)
        if number not in self._entries.sent:
            return
        if answer.error is not None:
            self._reject(number, answer.error)
        elif answer.seq == 0:
            self._back_off("the server does not answer for the log", unanswered=True)
        else:
            self._accept(number, answer.seq)
        self._wake.set()

    def _accept(self, number: int, position: int) -> None:
        """In the log, as the server says: up to this position."""
        batch = self._entries.sent.pop(number)
        self._answers.reached = max(self._answers.reached, position)
        self._window.widen()
        self._report("")
        for entry in batch.entries:
            self._entries.alone.discard(entry.id)
            if entry.id in self._entries.waiting:
                self._answers.note_taken(entry.id, position)
        self._check_taken()

    def _check_taken(self) -> None:
        """The feed is past the positions at which these are to be: have they come back, or were they there before?"""
        for id, position in self._answers.pop_taken(self._cursor):
            entry = self._entries.waiting.get(id)
            if entry is None or any(self._is_own(event) for event in self._find(id)):
                self._finish(id)
                continue
            self._attempts[id] = self._attempts.get(id, 0) + 1
            if self._attempts[id] < MOST_ATTEMPTS:
                self._entries.alone.add(id)
                self._entries.put_first(entry)
            else:
                self._drop(id, f"the server says that it is in the log at position {position:,}, and it is not")

    def _reject(self, number: int, error: dict[str, Any]) -> None:
        code, words = error.get("err_code"), str(error.get("description", ""))
        if self._entries.sent[number].is_joint:
            self._split(number)
            return
        last = _LAST.search(words)
        entry = self._entries.sent[number].entries[0]
        if code == _STALE and last and entry.expects is not None:
            del self._entries.sent[number]
            self._answers.note_disputed(entry.id, int(last[1]))
            self.confirm((), self._cursor)
        elif code == _TOO_LARGE:
            del self._entries.sent[number]
            self._drop(entry.id, f"the log does not take it: {words}")
        else:
            self._back_off(f"the server does not take entries: {words or 'no reason given'}")

    def _split(self, number: int) -> None:
        """What was in this batch goes again, each entry alone; the server says of each whether it takes it."""
        if self._entries.split(number):
            self._window.narrow()

    def _finish(self, id: str) -> bool:
        """Whether it has waited up to now."""
        entry = self._entries.remove(id)
        self._answers.remove(id)
        if entry is not None:
            self._attempts.pop(id, None)
            self._guards.release(entry)
            if self.idle:
                self._report("")
        return entry is not None

    def _drop(self, id: str, reason: str, *, stale: bool = False) -> None:
        if self._finish(id):
            self._refuse(Refusal(id, reason, stale))

    def _check_deadline(self) -> None:
        """While the feed catches up, answers wait behind what it fetches."""
        if not self._caught_up.is_set():
            self._patient_until = _now() + ANSWER_S
        first = next(iter(self._entries.sent.values()), None)
        if first and max(first.deadline, self._patient_until) < _now():
            self._back_off("the server does not say whether it takes entries; is its disk full?", unanswered=True)

    def _back_off(self, why: str, *, unanswered: bool = False) -> None:
        """Send all that is on its way once more, in order, each alone, after a pause, one at a time; and not before
        the feed has caught up: that may last longer than the server remembers ids.
        """
        self._entries.split_all()
        self._doubt, self._unanswered = True, unanswered
        self._window.pause(_now())
        self._report(why)

    def _report(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._trouble_changed(trouble)


def _now() -> float:
    return asyncio.get_running_loop().time()
