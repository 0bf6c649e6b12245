"""The entries that wait, in their order: those that are on their way, and those that are still to go."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from dataflow.feeds.shared.batch import FEW, Batch
from dataflow.feeds.shared.producer import SLOWEST
from storage.event import Event


class SendQueue:
    """`waiting` are all entries that the log has not taken for certain, by id; `queue` those that are to go next;
    `sent` the batches that are on their way, by number; `alone` the ids of those that go in no batch.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, Event] = {}
        self.queue: deque[Event] = deque()
        self.sent: dict[int, Batch] = {}
        self.alone: set[str] = set()
        self._number = 0

    @property
    def sending_s(self) -> float:
        """Seconds that the slowest line may need for what is on its way."""
        return sum(sent.size for sent in self.sent.values()) / SLOWEST

    @property
    def has_many(self) -> bool:
        """Whether enough is to go for a batch, and nothing of it goes alone."""
        return len(self.queue) >= FEW and all(entry.id not in self.alone for entry in islice(self.queue, FEW))

    @property
    def may_resend(self) -> bool:
        """Whether something on its way may have to go again, though nothing is the matter."""
        return any(batch.may_resend for batch in self.sent.values())

    def add(self, entries: Sequence[Event], *, queued: bool) -> list[Event]:
        """These wait from now on, after all others; those that did not wait before."""
        fresh = [entry for entry in entries if entry.id not in self.waiting]
        self.waiting.update((entry.id, entry) for entry in fresh)
        if queued:
            self.queue.extend(fresh)
        return fresh

    def restart(self) -> None:
        """Nothing is on its way any more, and all that waits is to go."""
        self.queue = deque(self.waiting.values())
        self.sent.clear()
        self.alone.clear()

    def start_sending(self, batch: Batch) -> int:
        """It is on its way from now on; its number."""
        self._number += 1
        self.sent[self._number] = batch
        return self._number

    def split(self, number: int) -> bool:
        """Let go again, first and each entry alone, what waits of a batch; whether there is any."""
        batch = self.sent.pop(number, None)
        entries = [entry for entry in batch.entries if entry.id in self.waiting] if batch is not None else []
        self.alone.update(entry.id for entry in entries)
        self.queue.extendleft(reversed(entries))
        return bool(entries)

    def split_all(self) -> None:
        """Let all that is on its way go again, in its order."""
        for number in sorted(self.sent, reverse=True):
            self.split(number)

    def put_first(self, entry: Event) -> None:
        """Let this one go next."""
        self.queue.appendleft(entry)

    def remove(self, id: str) -> Event | None:
        """It waits no more; None: it did not."""
        self.alone.discard(id)
        return self.waiting.pop(id, None)

    def drop_answered(self) -> int:
        """Forget the batches on their way of which nothing waits any more; how many."""
        done = [number for number, batch in self.sent.items() if not self._waits(batch)]
        for number in done:
            del self.sent[number]
        return len(done)

    def find_subject(self, subject: str) -> Iterator[tuple[int, list[str]]]:
        """The batches on their way with messages on a subject (in lower case), and the ids of those entries."""
        for number, batch in list(self.sent.items()):
            pairs = zip(batch.entries, batch.messages, strict=True)
            if ids := [entry.id for entry, message in pairs if message.subject.lower() == subject]:
                yield number, ids

    def _waits(self, batch: Batch) -> bool:
        return any(entry.id in self.waiting for entry in batch.entries)
