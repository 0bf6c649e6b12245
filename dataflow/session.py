"""The session: all that a window, a script or an outside client may ask of a board's pipeline.

The pipeline may run in the window's process, in a child process or on a server; who holds a `Session` does not notice.
Everything here is called, and every observable here delivers, on the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import msgspec

from dataflow.board import Board
from dataflow.zset import Column, Row, Splice

if TYPE_CHECKING:
    from reactivex import Observable

    from dataflow.notice import Notice

Freshness = Literal["never", "loading", "as of", "live"]
"""What the numbers on a screen are: there are none since the log was never heard; not final yet; those of an earlier
time; those of now.
"""

CUT_OFF = frozenset({"offline", "failed", "refused"})
"""The states of a desk that is cut off from its log."""

FeedState = Literal["live", "replaying", "paused", "catching up", "offline", "ended", "failed", "refused"]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the pipeline stands. `now` is the board's clock in microseconds since 1970-01-01 UTC."""

    state: FeedState = "catching up"
    detail: str = ""            # one line for people: "replaying at 60×", or why it failed
    since: int = 0              # when this state began, in µs of the board's clock
    position: int = 0           # the last position that the views hold
    pending: int = 0            # entries in the outbox
    attention: int = 0          # events in quarantine and entries refused
    rate: float = 0.0           # events a second, over the last seconds
    delay_ms: float | None = None   # the last entry's, if the log has been reached ever since
    progress: float | None = None   # 0 to 1 while catching up; None where it is not known
    to_go: int = 0              # events that the views lack
    left_s: float | None = None     # seconds until it has caught up; None where that is not known
    now: int = 0
    warning: str = ""           # one line: what is wrong although all works, such as this machine's clock
    unfit: bool = False         # refused since the log is not the one that the store holds: it takes a new store
    heard: int | None = None    # when the log was last heard, in µs of the board's clock; 0: never; None: it is our own
    log: str = ""               # the shared log's name: "nats://tower:4222"
    connecting: bool = False    # what the store holds is shown, and the log has not answered yet

    @property
    def freshness(self) -> Freshness:
        """What the numbers on the screen are."""
        if self.state == "catching up" and not (self.connecting and self.heard):
            return "loading"
        if self.state in CUT_OFF and self.heard == 0:
            return "never"
        return "as of" if self.state in CUT_OFF or self.state in ("ended", "catching up") else "live"

    @property
    def as_of(self) -> int:
        """Whose time the numbers are, in µs: when the log was last heard; where it is the desk's own, when that state
        began; now, where they are live.
        """
        if self.freshness == "live":
            return self.now
        return self.since if self.heard is None else self.heard


class StageDelay(msgspec.Struct, frozen=True):
    """How long a stage took, or the whole (`total`): so many entries. `waited` is of those that met an outage."""

    stage: str
    count: int
    p50_ms: float
    p99_ms: float
    most_ms: float


class DelayBar(msgspec.Struct, frozen=True):
    """Entries whose total delay lies between two bounds."""

    from_ms: float
    to_ms: float
    count: int
    today: int


class DelayReport(msgspec.Struct, frozen=True, kw_only=True):
    """The delays of this desk's entries since a time (µs of the board's clock; 0: there were none), and today's."""

    since: int = 0
    all: tuple[StageDelay, ...] = ()
    today: tuple[StageDelay, ...] = ()
    bars: tuple[DelayBar, ...] = ()     # of the total, by delay


class Present(msgspec.Struct, frozen=True):
    """Somebody who is on this board now. `position` is how far their views are, `since` when they came, in µs; `behind`
    is how many events of the log they lack.
    """

    name: str
    role: str
    position: int
    since: int
    behind: int = 0


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one field of an entry (`field` is None when it is the entry as a whole)."""

    field: str | None
    message: str


class EntryRefused(Exception):
    """The entry does not fit its declared fields; nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in problems))
        self.problems = tuple(problems)


class EntryRejected(Exception):
    """The shared log will not take the entry; it is kept in what needs attention. `stale`: its entity had changed."""

    def __init__(self, reason: str, stale: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.stale = stale


class Entered(msgspec.Struct, frozen=True):
    """An entry that was accepted. Both awaitables raise `storage.errors.StorageError` if the disk refuses it, and
    `confirmed` raises `EntryRejected` if the log does.
    """

    id: str
    durable: Awaitable[None]        # in the outbox, on disk
    confirmed: Awaitable[int]       # the position that the log gave it
    told: Told | None = None        # what was entered, defaults and all


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event as people read it. `fields` has those that it has a value for, in the board's order; `time` is in µs."""

    id: str
    type: str
    subject: str | None
    time: int
    author: str                     # the operator, or the source where there is none
    fields: Mapping[str, Any]
    position: int | None = None


class Attention(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be taken: an operator's entry that the log refused, a message that is no event, or an
    event of the log that does not fit the board. `text` is how what came begins, `time` when, in µs. `stale`: an entry
    whose entity had changed since its operator saw it.
    """

    key: int
    time: int
    reason: str
    text: str
    origin: str = ""
    kind: Literal["entry", "message", "misfit"] = "message"
    entry: Told | None = None
    stale: bool = False


class Meanwhile(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an entity from what an operator saw to position `until`: oldest first. `earlier`: how many more
    there were before these.
    """

    until: int
    events: tuple[Told, ...] = ()
    earlier: int = 0


class Update(NamedTuple):
    """What one step changed in a live query's rows, by the views at `position` and their clock `now` (µs since
    1970-01-01 UTC). `columns` are those of the rows from now on: others than before only where a saved board has
    changed the query, and then `changes` replaces all rows.
    """

    position: int
    now: int
    columns: Sequence[Column]
    changes: Sequence[Splice]


class Live(Protocol):
    """A live query of one reader: a snapshot, then changes. It goes on over a saved board: whoever follows it is told
    the difference.
    """

    @property
    def columns(self) -> Sequence[Column]: ...

    @property
    def updates(self) -> Observable[Update]:
        """On subscribing: the snapshot as one splice at 0; then an update for each step that changed it."""

    @property
    def splices(self) -> Observable[Sequence[Splice]]:
        """The `changes` of the updates."""

    @property
    def ready(self) -> bool:
        """False while history is still being read, for the first time or anew; `updates` says nothing until then."""

    @property
    def progress(self) -> float | None:
        """How much of history has been read, 0 to 1; None where that is not known."""

    @property
    def failures(self) -> Observable[str]:
        """Why the query says nothing more: an operator of it failed, or held up the others again and again, or it does
        not fit a saved board; on subscribing where that is so already. Empty once a saved board or `retry` has it go
        on.
        """

    def rows(self) -> Sequence[Row]:
        """The result as it stands, in order. Not to be changed by the caller."""

    def close(self) -> None:
        """Give back the engine's state, if nobody else uses it. Closing twice is fine."""


class Session(Protocol):
    """One board, live."""

    @property
    def board(self) -> Board: ...

    @property
    def status(self) -> Observable[Status]:
        """The present one on subscribing, then each change, at most once a frame."""

    @property
    def boards(self) -> Observable[Board]:
        """The present board on subscribing, then a new one each time the file is saved without an error."""

    @property
    def problems(self) -> Observable[Sequence[str]]:
        """Why the saved board file is not in use; empty when it is."""

    @property
    def notices(self) -> Observable[Notice]:
        """What went wrong in the views, as it happens: an operator was slow, queries were set aside, a bug was met."""

    @property
    def presence(self) -> Observable[Sequence[Present]]:
        """Who is on this board now: the present ones on subscribing, then each change."""

    def live(self, sql: str, reader: str = "") -> Live:
        """Subscribe to a query in the board's dialect. `reader` says who reads: a panel by its id, an alert, a
        watcher. Raises `dataflow.sql.errors.SqlError`.
        """

    def enter(self, type: str, fields: Mapping[str, Any], *, causation: str | None = None) -> Entered:
        """Check an entry against its declared fields and send it on its way. Raises `EntryRefused`.

        `fields` maps field names to values of the field's type, or to text that reads as one. Absent or None is NULL.
        """

    def withdraw(self, id: str, *, reason: str = "") -> Entered:
        """Withdraw an event, or an entry that waits: the views hold it no more from now on, the log keeps it. Raises
        `EntryRefused` where there is none, it is withdrawn already, or this operator neither entered it nor is among
        the board's `admins`.
        """

    def attention(self) -> Sequence[Attention]:
        """What needs attention: entries, then messages, then misfits; each newest first."""

    def raw(self, key: int) -> str:
        """All of what came, of something that needs attention; empty where it is there no more."""

    async def meanwhile(self, key: int) -> Meanwhile:
        """What happened to a refused entry's entity since its operator saw it; nothing where it is there no more."""

    def enter_again(self, key: int, fields: Mapping[str, Any] | None = None, *, seen: int | None = None) -> Entered:
        """Enter a refused entry once more, by what it said or by other fields; it is settled as soon as this one is
        durable. `seen`: up to which position the operator knows what happened meanwhile; None: all that the views hold.
        Raises `EntryRefused`, also where it was dealt with already.
        """

    async def dismiss(self, keys: Sequence[int]) -> None:
        """These need no attention any more; they stay in the store. Raises `storage.errors.StorageError`."""

    async def restore(self, keys: Sequence[int]) -> None:
        """These were dismissed, and need attention again. Raises `storage.errors.StorageError`."""

    def delays(self) -> DelayReport:
        """How long this desk's entries took to be confirmed; percentiles are within 3 %."""

    def unpainted(self) -> int:
        """The number of this desk's last confirmed entry, where no frame has shown it yet; else 0."""

    def painted(self, number: int) -> None:
        """A frame has been handed to the screen that shows all of this desk's entries up to that number."""

    def retry(self) -> None:
        """Build the views anew from the log, and with them the queries that were set aside; `boards` says when."""

    def pause(self, paused: bool) -> None:
        """Hold or resume a replay; no effect on a live feed."""

    async def close(self) -> None:
        """Stop the feed, finish what is being written, release the store."""
