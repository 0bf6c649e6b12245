"""The pipeline: one board's feed, log, entries and engine, wired together. It is the `Session` of this process.

Batches flow every 12 ms at most while the views are up to date, and in slices of about 5 ms with the loop in between
while they are not. An operator's own entry does not wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from reactivex import Observable
from reactivex.abc import SchedulerBase
from reactivex.disposable import CompositeDisposable, SerialDisposable
from reactivex.subject import BehaviorSubject

from dataflow.board import Board
from dataflow.boards.file import BoardError, BoardFile, LoadedBoard
from dataflow.clock import Clock, scheduler_time
from dataflow.desk.attention import AttentionList
from dataflow.desk.composer import Composer
from dataflow.desk.delays import Delays
from dataflow.desk.entries import Entries
from dataflow.desk.incidents import Incidents
from dataflow.desk.sender import Sender
from dataflow.desk.sync_status import SyncStatus
from dataflow.engine.plan_cache import Plans
from dataflow.feeds.feed import Deliver, Feed, FeedStatus
from dataflow.notice import Notice
from dataflow.session import CUT_OFF, Attention, DelayReport, Entered, EntryRefused, Live, Meanwhile, Present, Status
from dataflow.times import local_day
from dataflow.views.current_views import CurrentViews
from dataflow.views.views import Views
from storage.database import Database
from storage.errors import StorageError

FRAME_S = 0.012
"""Between two steps: less than a frame of the window's (16 ms), so that what has come is in the next one."""
SLICE_S = 0.005
"""A step leaves room for receiving and painting in the same frame."""
LIVE_SLICE_S = 0.008
"""While the views are up to date little else waits, and a step that falls short of what comes makes all of it late."""
SHORT_S = 0.008
"""So soon comes the step after one that fell short: painting is in between, but a backlog does not last."""
WORK_S = 0.0025
"""So much of a frame is the views'; what comes late (a query, a saved board) reads history in what they leave of it."""
RETRY_S = 1.0
"""So long after a step that failed comes the next one, where nothing else is to do."""
AGAIN_US = 60_000_000
"""Views are built anew for what nobody foresaw once in this time."""
BURST = 1000
"""More events than this behind, catching up comes before painting."""
TICK_S = 0.2
PROGRESS_S = 0.2
"""So often how far it is is shown, while it catches up."""
RATE_US = 2_000_000
SILENCE_US = 500_000
"""So long the first content waits for a server that says nothing."""
SET_BACK_US = 2_000_000
"""A clock that goes back by less is waited for; where it goes back by more, second views read history anew, for the
views' time only rises."""


class Pipeline:
    """Implements `Session`. The caller starts it, and owns the database."""

    def __init__(
        self,
        board_file: BoardFile,
        loaded: LoadedBoard,
        database: Database,
        feed: Feed,
        clock: Clock,
        scheduler: SchedulerBase,
        deliver: Deliver,
        loop: asyncio.AbstractEventLoop,
        *,
        author: str,
        plans: Plans | None = None,
    ) -> None:
        self._file, self._database, self._feed = board_file, database, feed
        self._clock, self._scheduler = clock, scheduler
        self._attention = AttentionList(database, self._publish)
        self._delays = Delays(database.meta, clock.now, self._day)
        self._incidents = Incidents(lambda: scheduler_time(scheduler))
        self._current = CurrentViews(loaded, database.log, plans, self._incidents.take)
        self._sender = Sender(
            self._current, database.outbox, feed, loop, deliver, self._delays, self._publish, self._attention.note_added
        )
        self._entries = Entries(self._current, Composer(author, clock), self._sender, database.outbox)
        self._sync = SyncStatus(clock.now, perf_counter)
        self._until = 0
        self._stepped = self._published = 0
        self._ticked = 0.0
        self._stumbled: int | None = None
        self._started = scheduler_time(scheduler)
        self._counts: deque[tuple[int, int]] = deque()
        self._step_due, self._tick_due, self._feeds = SerialDisposable(), SerialDisposable(), CompositeDisposable()
        self.status: BehaviorSubject[Status] = BehaviorSubject(Status(now=clock.now()))
        self.boards: BehaviorSubject[Board] = BehaviorSubject(loaded.board)
        self.problems: BehaviorSubject[Sequence[str]] = BehaviorSubject(())

    @property
    def board(self) -> Board:
        return self.views.loaded.board

    @property
    def views(self) -> Views:
        """Those in use now; a saved board brings others."""
        return self._current.views

    @property
    def notices(self) -> Observable[Notice]:
        return self._incidents.notices

    @property
    def presence(self) -> Observable[Sequence[Present]]:
        return self._feed.presence

    def start(self) -> None:
        """Begin to read the log and to follow the feed."""
        self._feeds.add(self._feed.status.subscribe(self._receive_feed_status))
        self.views.advance(self._views_time())
        self._sender.resume()
        self._feeds.add(self._feed.arrivals.subscribe(self._receive_arrival))
        self._feeds.add(self._feed.refusals.subscribe(self._sender.refuse))
        self._feed.start(lambda: self.views.position, self._delays.received)
        self._tick()

    def live(self, sql: str, reader: str = "") -> Live:
        handle = self.views.live(sql, reader)
        if not handle.ready:
            self._wake()
        return handle

    def enter(self, type: str, fields: Mapping[str, Any], *, causation: str | None = None) -> Entered:
        self.views.mark()
        return self._entries.enter(type, fields, causation)

    def withdraw(self, id: str, *, reason: str = "") -> Entered:
        return self._entries.withdraw(id, reason)

    def attention(self) -> Sequence[Attention]:
        return self._attention.list(self.views.schema, self.views.misfits)

    def raw(self, key: int) -> str:
        return self._attention.raw(key, self.views.misfits)

    async def meanwhile(self, key: int) -> Meanwhile:
        views = self.views
        try:
            entry = self._attention.entry(key)
        except EntryRefused:
            return Meanwhile(until=views.position)
        return await self._attention.meanwhile(views.schema, entry, views.position)

    def enter_again(self, key: int, fields: Mapping[str, Any] | None = None, *, seen: int | None = None) -> Entered:
        entered = self._entries.enter_again(key, self._attention.entry(key), fields, seen)
        asyncio.ensure_future(entered.durable).add_done_callback(lambda _: self._attention.note_settled())
        return entered

    async def dismiss(self, keys: Sequence[int]) -> None:
        await self._attention.dismiss(keys)

    async def restore(self, keys: Sequence[int]) -> None:
        await self._attention.restore(keys)

    def delays(self) -> DelayReport:
        return self._delays.report()

    def unpainted(self) -> int:
        return self._delays.unpainted()

    def painted(self, number: int) -> None:
        self._delays.painted(number, perf_counter())
        self._publish()

    def retry(self) -> None:
        self._rebuild()

    def pause(self, paused: bool) -> None:
        self._feed.pause(paused)

    async def close(self) -> None:
        self._feeds.dispose()
        self._step_due.dispose()
        self._tick_due.dispose()
        self._feed.close()
        self._sender.close()
        self._delays.close()
        self._attention.close()
        self._current.close()

    def _receive_arrival(self, position: int) -> None:
        self._delays.stored(position, perf_counter())
        self._until = max(self._until, position)
        self._wake()

    def _receive_feed_status(self, status: FeedStatus) -> None:
        self._sync.receive_feed(status)
        self._connect()
        self._publish_progress()
        self._wake()

    def _connect(self) -> None:
        self._delays.connected(self._sync.connected, self._sync.feed.state in CUT_OFF)

    def _day(self) -> int:
        """The date's ordinal number where the board is."""
        return local_day(self._clock.now(), ZoneInfo(self.board.timezone))

    def _wake(self, rest: float = FRAME_S) -> None:
        """Step soon: at once for an operator's own entry and while far behind, else when the frame is over."""
        since = (scheduler_time(self._scheduler) - self._stepped) / 1e6
        hurry = self.views.pending or self._far_behind() or not 0 <= since < rest  # the clock may be set back
        self._step_due.disposable = self._scheduler.schedule_relative(0.0 if hurry else rest - since, self._step)

    def _far_behind(self) -> bool:
        return not self.views.open or self._until - self.views.position > BURST

    def _step(self, *_: object) -> None:
        self._survive(self._take_step)

    def _survive(self, work: Callable[[], None]) -> None:
        """Do a part of the work. What nobody foresaw is told, and the views are built anew from the log, which has all
        of it: what a push left half done is in none of them.
        """
        self.views.mark()
        try:
            work()
        except StorageError as error:
            self._incidents.take(Notice(f"the store cannot be read: {error}"))
            self._step_later()
        except Exception as error:  # noqa: BLE001  (whatever it is, the next step is made)
            self._stumble(error)

    def _stumble(self, error: Exception) -> None:
        words = " ".join(str(error).split())
        self._incidents.take(Notice(f"a step failed ({type(error).__name__}: {words:.100})", error=error))
        self._sender.confirm(self.views.take_confirmed())
        now = scheduler_time(self._scheduler)
        if self._current.preparing:
            self._current.abandon()
        elif self._stumbled is None or not 0 <= now - self._stumbled < AGAIN_US:
            self._stumbled = now
            self._rebuild()
        self._step_later()

    def _step_later(self) -> None:
        self._step_due.disposable = self._scheduler.schedule_relative(RETRY_S, self._step)

    def _take_step(self) -> None:
        now, began = scheduler_time(self._scheduler), perf_counter()
        deadline = began + (SLICE_S if self._far_behind() else LIVE_SLICE_S)
        taken = self._read_log(deadline)
        self._counts.append((now, taken))
        self._sync.note_step(taken, self._until - self.views.position)
        behind = self.views.position < self._until or self.views.show_waiting(deadline)
        if not (behind or self.views.open or self._awaits_feed() or self._turns_back()):
            self._show_first()
        late = began + WORK_S - self._ticked
        self._ticked = 0.0
        more = self.views.work(late)
        if self._current.preparing:
            more = self._prepare(late) or more
        if taken or behind or more:
            self._stepped = now     # else there is nothing to paint, and what comes next need not wait for that
        if behind or more:
            self._wake(SHORT_S if behind else FRAME_S)
        self._publish_progress()

    def _read_log(self, deadline: float) -> int:
        """Bring what has come into the views; return how many events."""
        taken = 0
        for count in self.views.read_log(self._until, deadline):
            taken += count
            self._sender.confirm(self.views.take_confirmed())
        return taken

    def _show_first(self) -> None:
        """All history has been read: who waits for it is told."""
        self._counts.clear()
        self.views.advance(self._views_time())
        self.views.show()
        self._sync.note_ready()
        self._connect()

    def _views_time(self) -> int:
        time = self._sync.views_time(self._clock.now())
        return self.views.now if time is None else time

    def _turns_back(self) -> bool:
        """Whether the views' clock is ahead of where it is to stand: others have to read history anew."""
        turns = self.views.now - self._views_time() > SET_BACK_US
        if turns and not self._current.preparing:
            self._rebuild()
        return turns

    def _awaits_feed(self) -> bool:
        """Whether much may be to come soon. Where nobody says so for a while, what the store holds is shown."""
        if self._sync.unanswered:
            return scheduler_time(self._scheduler) - self._started < SILENCE_US
        return self._sync.feed.state == "catching up"

    def _tick(self, *_: object) -> None:
        self._tick_due.disposable = self._scheduler.schedule_relative(TICK_S, self._tick)
        self._survive(self._take_tick)

    def _take_tick(self) -> None:
        began = perf_counter()
        if self.views.open:
            self._turns_back()
            self.views.advance(self._views_time())
        else:
            self._wake()
        self._attention.recount()
        self._reload()
        self._delays.tick(perf_counter())
        self._publish()
        self._ticked += perf_counter() - began

    def _rebuild(self) -> None:
        self._current.rebuild()
        self._wake()

    def _reload(self) -> None:
        """Take up a board file that was saved: where it needs other views, these go on while those read history."""
        changed = self._file.poll()
        if isinstance(changed, BoardError):
            self.problems.on_next([str(problem) for problem in changed.problems])
        elif changed is not None:
            self.problems.on_next(())
            if self._current.take_board(changed):
                self.boards.on_next(self.board)
            else:
                self._wake()

    def _prepare(self, deadline: float) -> bool:
        """Bring the next views nearer, and move onto them. True while more is to do."""
        if not self._current.prepare(deadline, self._views_time()):
            return True
        self.boards.on_next(self.board)
        return self.views.work(deadline) or self.views.pending > 0

    def _publish_progress(self) -> None:
        """A change of state at once. How far it is, a few times a second, for showing it costs as much as a step."""
        passed = scheduler_time(self._scheduler) - self._published
        if self._sync.state != self.status.value.state or not 0 <= passed < PROGRESS_S * 1_000_000:
            self._publish()

    def _publish(self) -> None:
        self._published = scheduler_time(self._scheduler)
        status = self._status()
        if status != self.status.value:
            self.status.on_next(status)

    def _status(self) -> Status:
        sync, catching_up = self._sync, self._sync.catching_up
        return Status(
            state=sync.state,
            detail=sync.detail,
            since=sync.since,
            position=self.views.position,
            pending=self.views.pending,
            attention=self._attention.count(self.views.misfits),
            rate=self._rate(),
            delay_ms=self._delays.latest_ms,
            progress=None if catching_up is None else catching_up.progress,
            to_go=0 if catching_up is None else catching_up.to_go,
            left_s=sync.left_s(),
            now=self._clock.now(),
            warning=self._incidents.line(sync.feed.warning, self.views.suspended),
            unfit=sync.feed.unfit,
            heard=sync.feed.heard,
            log=sync.feed.log,
            connecting=sync.connecting,
        )

    def _rate(self) -> float:
        now = scheduler_time(self._scheduler)
        while self._counts and not now - RATE_US <= self._counts[0][0] <= now:
            self._counts.popleft()
        return sum(taken for _, taken in self._counts) / (RATE_US / 1e6)
