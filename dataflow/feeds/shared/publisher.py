"""The publisher: sends entries to the shared log in order, until each has come back through the feed.

Few entries go as messages of their own, up to `window.WIDEST` on their way at once; many go in batches, one on its way
at a time, so that none is overtaken when one is refused. A batch that is refused (one of its entries is in the log, or
is not permitted, or the log takes no batches now) goes again message by message, each with its own answer. Whatever is
in doubt (no answer in time, the connection lost, an error that may pass) is sent again with the same id, which the
server takes once; then one message goes at a time until answers come again, and what is the matter is told. An entry is
done when the feed returns it, or when its refusal is final. What may have been sent on an earlier connection waits
until the feed has caught up, since the server forgets ids sooner than an outbox does: so it is not sent again when it
is in the log already.

That the server took an entry is believed when the feed returns it: an answer may be about somebody else's message that
bore its message id. What the feed has not returned at the position that the answer names, and the store does not hold,
is sent again under another message id.

A guarded entry says which position of its entity the operator saw. It is stale where others have added to the entity
since (`guards.py`), else it is sent with the position of the last entry, which the server checks. If the server holds a
later one, the entry waits until the feed has brought it, and is then stale, or is sent again with the new position. In
a batch, the first message about an entity is checked for all of them; nothing can come between those.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from nats import errors
from nats.aio.msg import Msg

from dataflow.feeds.feed import Refusal
from dataflow.feeds.shared.batch import FEW, Batch, Packer, read_answer
from dataflow.feeds.shared.guards import After, Guards
from dataflow.feeds.shared.producer import ANSWER_S, SLOWEST
from dataflow.feeds.shared.send_window import SendWindow, Tick
from dataflow.nats.connection import Connection
from storage.event import Event, LoggedEvent

SLICE = 64
"""Messages that are handed to the connection before the loop has its turn: about 2 ms."""
MOST_ATTEMPTS = 5
"""So often an entry is sent that the server says to have, and has not."""
STUCK = 5
"""So often in a row without an answer, which takes some seconds, and another server is tried, where there is one."""
_STALE = 10071
_TOO_LARGE = 10054
_LAST = re.compile(r"sequence: (\d+)")


def _find_nothing(_: str) -> Sequence[Event]:
    return ()


class Publisher:
    """`refuse` tells of a final refusal; `trouble` is told why the server takes no entries now, and "" when it takes
    them again; `after` and `held` are those of `Guards`; `find` gives the store's events with an id.
    """

    def __init__(
        self,
        board: str,
        operator: str,
        refuse: Callable[[Refusal], None],
        trouble: Callable[[str], None],
        after: After,
        held: int,
        find: Callable[[str], Sequence[Event]] = _find_nothing,
    ) -> None:
        self._operator = operator
        self._refuse, self._trouble_changed = refuse, trouble
        self._waiting: dict[str, Event] = {}
        self._attempts: dict[str, int] = {}
        self._guards = Guards(operator, self._waiting, after, held)
        self._packer = Packer(board, operator, self._waiting, self._expected, self._drop, self._attempts)
        self._queue: deque[Event] = deque()
        self._sent: dict[int, Batch] = {}
        self._alone: set[str] = set()
        self._batches = self._doubt = self._running = False
        self._number = 0
        self._disputed: dict[str, int] = {}
        self._find = find
        self._claimed: dict[str, int] = {}
        self._cursor = held
        self._reached = 0
        self._window = SendWindow()
        self._unanswered = False
        self._trouble = ""
        self._caught_up = asyncio.Event()
        self._patient_until = 0.0
        self._wake = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether no entry waits."""
        return not self._waiting

    @property
    def sending_s(self) -> float:
        """Seconds that the slowest line may need for what is on its way."""
        return sum(sent.size for sent in self._sent.values()) / SLOWEST

    def add(self, entries: Sequence[Event]) -> None:
        """Send these as well, after all others."""
        fresh = [entry for entry in entries if entry.id not in self._waiting]
        self._waiting.update((entry.id, entry) for entry in fresh)
        self._guards.watch(fresh, self._cursor)
        if self._running:
            self._queue.extend(fresh)
            self._wake.set()

    def confirm(self, events: Sequence[LoggedEvent], cursor: int) -> None:
        """The store holds these events now, and all else up to a position. What it held before may be among them."""
        self._guards.observe(event for event in events if event.position > self._cursor)
        self._cursor = cursor
        for event in events:
            if event.id in self._waiting and self._is_own(event):
                self._finish(event.id)
        self._answer_by_feed()
        self._check_claims()
        for id, last in list(self._disputed.items()):
            if last <= cursor:
                del self._disputed[id]
                self._resend_disputed(id, last)
        self._wake.set()

    def _is_own(self, event: Event) -> bool:
        """Whether an event of the log is the entry of its id that waits, and not somebody else's."""
        return event.authid == self._operator and event.source == self._waiting[event.id].source

    def _answer_by_feed(self) -> None:
        """What has come back was taken, also where the answer is lost: nothing waits for it."""
        for number, batch in list(self._sent.items()):
            if not any(entry.id in self._waiting for entry in batch.entries):
                del self._sent[number]
                self._window.widen()
                self._report("")

    def deny(self, subject: str) -> None:
        """The server's permissions do not let us publish on this subject (told in lower case)."""
        for number, batch in list(self._sent.items()):
            pairs = zip(batch.entries, batch.messages, strict=True)
            refused = [entry.id for entry, message in pairs if message.subject.lower() == subject]
            for id in refused:
                self._drop(id, f"the server does not let {self._operator} write this; ask for the role")
            if refused:
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
        if self._waiting:
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
        self._queue = deque(self._waiting.values())
        self._sent.clear()
        self._alone.clear()
        self._disputed.clear()
        self._claimed.clear()
        self._reached = 0
        self._window = SendWindow()
        self._unanswered = False
        self._doubt = False
        self._running = True

    def _may_send(self) -> bool:
        """Nothing overtakes a batch or a guarded entry, which may have to go again; and a batch overtakes nothing.
        Where there are guards, what went before it has come back first: they are checked against that.
        """
        self._doubt = self._doubt and not self._caught_up.is_set()
        if not self._queue or self._disputed or self._doubt or self._window.is_paused(_now()):
            return False
        if self._many_wait():
            return not self._sent and (not self._guards or self._reached <= self._cursor)
        return len(self._sent) < self._window.size and not any(batch.may_resend for batch in self._sent.values())

    def _many_wait(self) -> bool:
        if not self._batches or not self._window.is_wide or len(self._queue) < FEW:
            return False
        return all(entry.id not in self._alone for entry in islice(self._queue, FEW))

    def _next(self, connection: Connection) -> Batch | None:
        """What is to go now, taken out of the queue; None where it has come back, or can't be sent."""
        limit = connection.client.max_payload
        if self._many_wait():
            batch = self._packer.pack_many(self._queue, limit, self._alone)
            if batch.entries or not self._queue:
                return batch
        return self._packer.pack_one(self._queue.popleft(), limit)

    async def _send(self, connection: Connection, inbox: str, batch: Batch | None) -> None:
        if batch is None or not batch.entries:
            return
        self._number = number = self._number + 1
        self._sent[number] = batch
        batch.deadline = _now() + ANSWER_S + self.sending_s
        self._guards.mark_own(batch.entries)
        *others, last = batch.messages
        try:
            for at, message in enumerate(others, 1):
                await connection.client.publish(message.subject, message.body, headers=message.headers)
                if at % SLICE == 0:
                    await asyncio.sleep(0)
            await connection.client.publish(last.subject, last.body, f"{inbox}.{number}", last.headers)
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
        if number not in self._sent:
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
        batch = self._sent.pop(number)
        self._reached = max(self._reached, position)
        self._window.widen()
        self._report("")
        for entry in batch.entries:
            self._alone.discard(entry.id)
            if entry.id in self._waiting:
                self._claimed[entry.id] = position
        self._check_claims()

    def _check_claims(self) -> None:
        """The feed is past the positions at which these are to be: have they come back, or were they there before?"""
        for id, position in [(id, at) for id, at in self._claimed.items() if at <= self._cursor]:
            del self._claimed[id]
            entry = self._waiting.get(id)
            if entry is None or any(self._is_own(event) for event in self._find(id)):
                self._finish(id)
                continue
            self._attempts[id] = self._attempts.get(id, 0) + 1
            if self._attempts[id] < MOST_ATTEMPTS:
                self._alone.add(id)
                self._queue.appendleft(entry)
            else:
                self._drop(id, f"the server says that it is in the log at position {position:,}, and it is not")

    def _reject(self, number: int, error: dict[str, Any]) -> None:
        code, said = error.get("err_code"), str(error.get("description", ""))
        if self._sent[number].is_joint:
            self._split(number)
            return
        last = _LAST.search(said)
        entry = self._sent[number].entries[0]
        if code == _STALE and last and entry.expects is not None:
            del self._sent[number]
            self._disputed[entry.id] = int(last[1])
            self.confirm((), self._cursor)
        elif code == _TOO_LARGE:
            del self._sent[number]
            self._drop(entry.id, f"the log does not take it: {said}")
        else:
            self._back_off(f"the server does not take entries: {said or 'no reason given'}")

    def _split(self, number: int) -> None:
        """What was in this batch goes again, each entry alone; the server says of each whether it takes it."""
        batch = self._sent.pop(number, None)
        entries = [entry for entry in batch.entries if entry.id in self._waiting] if batch is not None else []
        self._alone.update(entry.id for entry in entries)
        self._queue.extendleft(reversed(entries))
        if entries:
            self._window.narrow()

    def _resend_disputed(self, id: str, last: int) -> None:
        """The feed has brought all that the server knew when it refused a guarded entry."""
        entry = self._waiting.get(id)
        if entry is not None:
            self._guards.note_last(entry, last)
            self._queue.appendleft(entry)

    def _finish(self, id: str) -> bool:
        """Whether it has waited up to now."""
        entry = self._waiting.pop(id, None)
        self._alone.discard(id)
        self._claimed.pop(id, None)
        if entry is not None:
            self._attempts.pop(id, None)
            self._guards.release(entry)
            if not self._waiting:
                self._report("")
        return entry is not None

    def _drop(self, id: str, reason: str, *, stale: bool = False) -> None:
        if self._finish(id):
            self._refuse(Refusal(id, reason, stale))

    def _check_deadline(self) -> None:
        """While the feed catches up, answers wait behind what it fetches."""
        if not self._caught_up.is_set():
            self._patient_until = _now() + ANSWER_S
        first = next(iter(self._sent.values()), None)
        if first and max(first.deadline, self._patient_until) < _now():
            self._back_off("the server does not say whether it takes entries; is its disk full?", unanswered=True)

    def _back_off(self, why: str, *, unanswered: bool = False) -> None:
        """Send all that is on its way once more, in order, each alone, after a pause, one at a time; and not before
        the feed has caught up: that may last longer than the server remembers ids.
        """
        for number in sorted(self._sent, reverse=True):
            self._split(number)
        self._doubt, self._unanswered = True, unanswered
        self._window.pause(_now())
        self._report(why)

    def _report(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._trouble_changed(trouble)


def _now() -> float:
    return asyncio.get_running_loop().time()
