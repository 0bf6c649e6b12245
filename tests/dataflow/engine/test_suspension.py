"""Nothing leaves a push: an operator, a subscriber or history that fails takes its own queries with it, and one that is
slow again and again is set aside; all others go on, and are right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from dataflow.engine.builder import Builder
from dataflow.engine.engine import Engine, LiveQuery
from dataflow.engine.step_budget import Budget
from dataflow.notice import Notice
from dataflow.sql.codegen import assemble
from dataflow.zset import Row, apply_splices

SECOND = 1_000_000
EVENTS = {
    "position": "int", "id": "text", "type": "text", "time": "timestamp", "pending": "bool", "carrier": "text",
    "delay": "float", "n": "int",
}  # fmt: skip
AIRLINES = {"carrier": "text", "name": "text"}
FAILING = {
    "folded": "SELECT count(*), max(upper(carrier)) FROM events",
    "grouped": "SELECT upper(carrier), count(*) FROM events GROUP BY 1",
    "filtered": "SELECT position FROM events WHERE upper(carrier) <> 'X'",
    "emitted": "SELECT carrier, upper(max(carrier)) FROM events GROUP BY carrier",
    "joined": "SELECT e.position, name FROM events e JOIN airlines a ON upper(e.carrier) = a.carrier",
    "left": "SELECT e.position, name FROM events e LEFT JOIN airlines a ON a.carrier = upper(e.carrier)",
    "above": "SELECT upper(c), k FROM (SELECT carrier AS c, count(*) AS k FROM events GROUP BY carrier) WHERE k > 0",
    "first": "SELECT position FROM events ORDER BY upper(carrier), position LIMIT 3",
    "window": "SELECT position, sum(n) OVER (PARTITION BY upper(carrier) ORDER BY position) FROM events",
    "union": "SELECT carrier FROM events UNION ALL SELECT upper(carrier) FROM events",
    "recent": "SELECT count(*) FROM events WHERE time > now() - INTERVAL '5 seconds' AND upper(carrier) <> 'X'",
}  # fmt: skip
SOUND = {
    "count": "SELECT carrier, count(*), sum(n) FROM events GROUP BY carrier",
    "recent": "SELECT count(*), max(n) FROM events WHERE time > now() - INTERVAL '5 seconds'",
    "rows": "SELECT position, carrier FROM events WHERE n > 1 ORDER BY position DESC LIMIT 5",
    "shared": "SELECT k, count(*) FROM (SELECT carrier AS c, count(*) AS k FROM events GROUP BY carrier) GROUP BY k",
    "airlines": "SELECT name, count(*) FROM airlines LEFT JOIN events USING (carrier) GROUP BY name",
}


def row(position: int, carrier: str = "AA", *, pending: bool = False) -> Row:
    return (position, f"e{position}", "some", position * SECOND, pending, carrier, 1.5, position % 4)


BEFORE = [row(position, "AA" if position % 2 else "UA") for position in range(1, 9)]
BAD = row(9, "BAD")
AFTER = [row(position, "DL") for position in range(10, 15)]


class Hostile(Exception):
    """What no rule foresees."""


@pytest.fixture
def upper(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], None]]:
    """What `upper` does on a value beside its work."""
    odd: dict[str, Callable[[], None]] = {}

    def call(text: str) -> str:
        odd.get(text, lambda: None)()
        return text.upper()

    monkeypatch.setitem(assemble.NAMESPACE, "upper", call)
    return odd


def fail() -> None:
    raise Hostile("no such  value\nis known")


def make() -> Engine:
    return Engine({"events": EVENTS}, {"airlines": (AIRLINES, [("AA", "American")])}, updating=["airlines"])


def told(live: LiveQuery) -> Counter[Row]:
    """The sum of the changes that a subscriber was told."""
    rows: Counter[Row] = Counter()
    live.changes.subscribe(lambda changes: [rows.__setitem__(row, rows[row] + weight) for row, weight in changes])
    return rows


def right(sql: str, pushed: list[Row], now: int) -> Counter[Row]:
    engine = make()
    engine.push("events", pushed)
    engine.advance(now)
    return Counter(engine.live(sql, lambda: [pushed]).rows())


def one_by_one(engine: Engine, rows: list[Row]) -> None:
    for each in rows:
        engine.push("events", [each])


def together(engine: Engine, rows: list[Row]) -> None:
    engine.push("events", rows)


def weighed(engine: Engine, rows: list[Row]) -> None:
    engine.push("events", rows, [1] * len(rows))


@pytest.mark.parametrize("push", [one_by_one, together, weighed])
@pytest.mark.parametrize("name", FAILING)
def test_a_value_that_an_operator_fails_on_takes_only_its_query(upper, name: str, push) -> None:
    upper["BAD"] = fail
    engine = make()
    failing, sound = engine.live(FAILING[name]), {each: engine.live(sql) for each, sql in SOUND.items()}
    sums = {each: told(live) for each, live in sound.items()}
    told(failing)
    reasons: list[str] = []
    failing.asides.subscribe(reasons.append)
    push(engine, BEFORE)
    assert reasons == []
    push(engine, [BAD])
    push(engine, AFTER)
    engine.advance(16 * SECOND)
    assert len(reasons) == 1
    assert "failed (Hostile: no such value is known)" in reasons[0]
    assert reasons[0].startswith("Set aside: its ")
    assert "\n" not in reasons[0]
    for each, live in sound.items():
        assert not live.aside
        expected = right(SOUND[each], [*BEFORE, BAD, *AFTER], 16 * SECOND)
        assert Counter(live.rows()) == expected, each
        assert +sums[each] == expected, each
    for live in (failing, *sound.values()):
        live.close()
    assert engine.stats() == []


def test_queries_that_read_the_failed_operator_go_all_and_no_other(upper) -> None:
    upper["BAD"] = fail
    engine = make()
    view = "(SELECT upper(carrier) AS c, count(*) AS k FROM events GROUP BY 1)"
    gone = [engine.live(f"SELECT {what} FROM {view}") for what in ("c", "c, k", "max(k)", "c")]
    stays = engine.live("SELECT count(*) FROM events")
    for live in gone:
        told(live)
    engine.push("events", [*BEFORE, BAD])
    assert all("failed" in live.aside for live in gone)
    assert stays.rows() == [(9,)]
    assert len(engine.stats()) == 3


def test_the_same_query_may_be_tried_again(upper) -> None:
    upper["BAD"] = fail
    engine = make()
    told(engine.live(FAILING["grouped"]))
    engine.push("events", [*BEFORE, BAD])
    again = engine.live(FAILING["grouped"], lambda: [[*BEFORE, BAD]])
    assert "failed" in again.aside
    del upper["BAD"]
    assert Counter(engine.live(FAILING["grouped"], lambda: [[*BEFORE, BAD]]).rows()) == Counter(
        [("AA", 4), ("UA", 4), ("BAD", 1)]
    )


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("name", FAILING)
def test_history_that_an_operator_fails_on_takes_only_its_query(upper, name: str, sliced: bool) -> None:
    upper["BAD"] = fail
    engine = make()
    engine.push("events", BEFORE)
    engine.push("events", [BAD])

    def hydrate() -> Iterator[list[Row]]:
        yield from ([each] for each in (*BEFORE, BAD))

    failing = engine.live(FAILING[name], hydrate, sliced=sliced)
    sound = {each: engine.live(sql, hydrate, sliced=sliced) for each, sql in SOUND.items()}
    engine.work()
    engine.push("events", AFTER)
    while engine.work():
        pass
    told(failing)
    assert "failed (Hostile" in failing.aside
    for each, live in sound.items():
        assert Counter(live.rows()) == right(SOUND[each], [*BEFORE, BAD, *AFTER], 0), each


def test_a_row_that_leaves_by_the_clock_fails_its_query_alone(upper) -> None:
    engine = make()
    failing = engine.live(
        "SELECT upper(carrier), count(*) FROM events WHERE time > now() - INTERVAL '5 seconds' GROUP BY 1"
    )
    sound = engine.live(SOUND["recent"])
    told(failing), told(sound)
    one_by_one(engine, [*BEFORE, BAD])
    upper["BAD"] = fail
    engine.advance(40 * SECOND)
    assert "failed" in failing.aside
    assert sound.rows() == [(0, None)]


def test_a_subscriber_that_fails_takes_its_own_query_and_others_of_the_same_result_go_on() -> None:
    for count in (1, 2):
        engine = make()
        lives = [engine.live(SOUND["count"]) for _ in range(3)]
        if count == 2:
            told(engine.live(SOUND["recent"]))
        armed: list[bool] = []

        def receive(_: object, armed=armed) -> None:
            if armed:
                raise Hostile("the widget is gone")

        first = told(lives[0])
        lives[1].changes.subscribe(receive)
        last = told(lives[2])
        one_by_one(engine, BEFORE)
        armed.append(True)
        one_by_one(engine, AFTER)
        assert "the widget is gone" in lives[1].aside
        assert +first == +last == Counter(lives[0].rows()) == right(SOUND["count"], [*BEFORE, *AFTER], 0)
        assert not lives[0].aside
        assert not lives[2].aside


def test_a_subscriber_of_splices_that_fails_does_the_same() -> None:
    engine = make()
    lives = [engine.live(SOUND["rows"]) for _ in range(2)]
    rows: list[Row] = []
    lives[0].splices.subscribe(lambda splices: fail() if len(splices) and splices[0].rows[:1] == (BAD[:0],) else None)
    lives[0].splices.subscribe(lambda splices: fail() if rows else None)
    lives[1].splices.subscribe(lambda splices: apply_splices(rows, splices))
    engine.push("events", BEFORE)
    engine.push("events", AFTER)
    assert "Hostile" in lives[0].aside
    assert rows == list(lives[1].rows()) == [(14, "DL"), (11, "DL"), (10, "DL"), (7, "AA"), (6, "UA")]


def test_history_that_cannot_be_read_sets_the_waiting_aside_and_the_next_are_served() -> None:
    engine = make()
    engine.push("events", BEFORE)

    def broken() -> Iterator[list[Row]]:
        yield BEFORE[:2]
        raise OSError("the disk does not answer")

    def refused() -> Iterator[list[Row]]:
        raise OSError("no file")

    lost = engine.live(SOUND["count"], broken, sliced=True)
    never = engine.live(SOUND["rows"], refused, sliced=True)
    served = engine.live(SOUND["count"], lambda: [BEFORE], sliced=True)
    while engine.work():
        pass
    assert "the disk does not answer" in lost.aside
    assert "no file" in never.aside
    assert Counter(served.rows()) == right(SOUND["count"], BEFORE, 0)


def test_a_plan_that_cannot_be_built_does_not_keep_others_from_being_served(monkeypatch) -> None:
    engine = make()
    engine.push("events", BEFORE)
    hydrate = lambda: [BEFORE]  # noqa: E731
    built = Builder.build

    def build(self, rel, now):
        if "'wrong'" in str(rel) and type(rel).__name__ == "Aggregate":
            raise MemoryError
        return built(self, rel, now)

    monkeypatch.setattr(Builder, "build", build)
    wrong = engine.live("SELECT carrier, count(*) FROM events WHERE id <> 'wrong' GROUP BY 1", hydrate, sliced=True)
    sound = engine.live(SOUND["shared"], hydrate, sliced=True)
    while engine.work():
        pass
    assert "MemoryError" in wrong.aside
    assert Counter(sound.rows()) == right(SOUND["shared"], BEFORE, 0)
    wrong.close(), sound.close()
    assert engine.stats() == []


def test_what_is_wrong_with_the_call_is_still_raised_and_changes_nothing() -> None:
    engine = make()
    live = engine.live(SOUND["airlines"])
    with pytest.raises(ValueError, match="a row is retracted that is not there"):
        engine.push("airlines", [("ZZ", "None")], [-1])
    with pytest.raises(KeyError, match="there is no relation"):
        engine.push("nothing", [()])
    engine.push("airlines", [("UA", "United")])
    assert sorted(live.rows()) == [("American", 1), ("United", 1)]
    assert not live.aside


# the budget


class Clock:
    """Seconds, moved by hand: the wall's and the thread's own."""

    def __init__(self) -> None:
        self.now = self.own = 0.0

    def pass_by(self, seconds: float, share: float = 1.0) -> None:
        self.now += seconds
        self.own += seconds * share


class Kept:
    """An engine with a budget on a clock of its own. `BAD` takes `slow` seconds."""

    def __init__(self, upper: dict[str, Callable[[], None]]) -> None:
        self.engine, self.clock, self.notices, self.slow = make(), Clock(), [], 0.3
        self.share = 1.0
        self.budget = Budget(lambda: self.clock.now, lambda: self.clock.own)
        self.engine.keep_to(self.budget, self.notices.append)
        upper["BAD"] = lambda: self.clock.pass_by(self.slow, self.share)
        self.position = 0

    def push(self, carrier: str = "BAD") -> None:
        self.position += 1
        self.budget.mark()
        self.engine.push("events", [row(self.position, carrier)])


@pytest.fixture
def kept(upper) -> Kept:
    return Kept(upper)


@pytest.mark.parametrize("beside", [[], ["count"], ["rows"], ["count", "recent", "shared"]])
@pytest.mark.parametrize("name", list(FAILING))
def test_a_slow_operator_is_told_and_set_aside_the_third_time_within_a_minute(kept, name, beside) -> None:
    slow, sound = kept.engine.live(FAILING[name]), [kept.engine.live(SOUND[each]) for each in beside]
    for live in (slow, *sound):
        told(live)
    kept.push("AA"), kept.push("AA")
    assert kept.notices == []
    kept.push()
    (first,) = kept.notices[:1]
    assert first.text.startswith("its ")
    assert "took " in first.text
    assert not first.aside
    assert not slow.aside
    while not slow.aside and kept.position < 9:
        kept.push()
    assert "3 times within a minute" in slow.aside
    assert kept.notices[-1] == Notice(slow.aside, (FAILING[name],), aside=True)
    for each, live in zip(beside, sound, strict=True):
        assert not live.aside
        pushed = [row(at, "AA" if at < 3 else "BAD") for at in range(1, kept.position + 1)]
        kept.slow = 0
        assert Counter(live.rows()) == right(SOUND[each], pushed, 0)


def test_explain_knows_which_operator_was_slow(kept) -> None:
    kept.engine.measure()
    live = kept.engine.live(FAILING["grouped"])
    told(live)
    kept.push("AA"), kept.push()
    kept.slow = 0.1
    kept.push()
    result = kept.engine.explain(live)
    (aggregate,) = result.inputs
    assert (round(result.slowest_ms), round(aggregate.slowest_ms), round(aggregate.ms)) == (0, 300, 400)


def test_what_is_slow_now_and_then_is_only_told(kept) -> None:
    slow = kept.engine.live(FAILING["grouped"])
    told(slow)
    for _ in range(6):
        kept.push()
        kept.clock.pass_by(31.0)
    assert len(kept.notices) == 6
    assert not slow.aside


def test_a_machine_that_is_busy_makes_no_operator_slow(kept) -> None:
    slow = kept.engine.live(FAILING["grouped"])
    told(slow)
    kept.slow, kept.share = 5.0, 0.04
    for _ in range(5):
        kept.push()
    assert kept.notices == []
    kept.share = 0.06
    kept.push()
    (notice,) = kept.notices
    assert notice.text.startswith("its aggregate (")
    assert notice.text.endswith(") took 300 ms in one step: more than 250 ms hold up the window")


def test_within_the_budget_nothing_is_told(kept) -> None:
    live = kept.engine.live(FAILING["grouped"])
    told(live)
    kept.slow = 0.24
    for _ in range(9):
        kept.push()
    assert kept.notices == []
    assert not live.aside


def test_a_slice_of_history_is_within_the_budget_too(kept) -> None:
    kept.engine.push("events", [row(at, "BAD") for at in range(1, 6)])
    live = kept.engine.live(FAILING["grouped"], lambda: [[row(at, "BAD")] for at in range(1, 6)], sliced=True)
    sound = kept.engine.live(SOUND["count"], lambda: [[row(at, "BAD")] for at in range(1, 6)], sliced=True)
    while kept.engine.work():
        kept.budget.mark()
    assert "3 times within a minute" in live.aside
    assert sound.rows() == [("BAD", 5, 7)]


def test_the_clock_is_within_the_budget_too(kept) -> None:
    live = kept.engine.live(
        "SELECT upper(carrier), count(*) FROM events WHERE time > now() - INTERVAL '1 second' GROUP BY 1"
    )
    told(live)
    slow, kept.slow = kept.slow, 0.0
    for _ in range(5):
        kept.push()
    kept.slow = slow
    for now in (3, 4, 5):
        kept.budget.mark()
        kept.engine.advance(now * SECOND)
    assert "took 300 ms" in live.aside
