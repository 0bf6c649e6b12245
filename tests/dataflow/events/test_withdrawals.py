"""Withdrawals: the rule, and that the views are those of the events that remain, however the log comes in."""

from __future__ import annotations

import tempfile
from itertools import count
from math import inf
from pathlib import Path
from time import perf_counter

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflow.boards.check import engine_for
from dataflow.boards.file import load
from dataflow.events.withdrawals import Withdrawals, objection, reference, target_id, withdrawal_data
from dataflow.views import views as views_module
from dataflow.views.pace import Pace
from dataflow.views.views import Views
from storage.database import Database
from storage.event import WITHDRAWN, Event
from storage.identity import identity
from tests.dataflow.desks import BOARD, note

ADMINS = BOARD.replace('title = "Notes"', 'title = "Notes"\nadmins = ["eve"]', 1)
QUERIES = (
    "SELECT id, type, place, weight, authid FROM events ORDER BY position",
    "SELECT place, count(*) AS n, sum(weight) AS w, latest(weight) AS last, min(weight) AS least FROM events"
    " GROUP BY place ORDER BY place",
    "SELECT count(*) AS n, max(position) AS at FROM events",
    "SELECT DISTINCT weight FROM events ORDER BY weight",
    "SELECT id, weight FROM events ORDER BY weight DESC NULLS LAST, id LIMIT 3",
    'SELECT a.id AS a, b.id AS b FROM "note.made" a JOIN "note.made" b ON a.weight = b.weight AND a.place < b.place'
    " ORDER BY a.id, b.id",
    "SELECT id, row_number() OVER (PARTITION BY place ORDER BY position) AS nth FROM events ORDER BY id",
    "SELECT b.place, n FROM (SELECT place, count(*) AS n FROM events GROUP BY place) b WHERE n > 1 ORDER BY b.place",
)


def by(author, event):
    return msgspec.structs.replace(event, authid=author)


NUMBERS = count()


def withdrawal(id, author="amy", data=None):
    return Event(
        id=f"w{next(NUMBERS)}", source="/test", type=WITHDRAWN, time=1_700_000_000_000_000, authid=author,
        data=withdrawal_data(id) if data is None else data,
    )  # fmt: skip


# the rule


@pytest.fixture
def log(tmp_path):
    with Database.open(tmp_path / "a.db") as database:
        yield database.log


def judged(log, admins=("eve",)):
    """The ids that are gone, and why withdrawals had no effect."""
    reasons = []
    found = Withdrawals(log, admins, lambda _, reason: reasons.append(reason))
    gone = found.judge(found.coming(log.last()), log.last())
    assert {identity(event) for event in gone} == found.gone
    return {id for id, _, _ in found.gone}, reasons


def test_its_own_author_withdraws_an_event(log):
    mine, other = by("amy", note("north")), by("bob", note("north"))
    log.append([mine, other, withdrawal(mine.id)]).result(5)
    assert judged(log) == ({mine.id}, [])


def test_an_administrator_withdraws_anybodys_event_and_nobodys(log):
    mine, nobodys = by("amy", note("north")), note("south")
    log.append([mine, nobodys, withdrawal(mine.id, "eve"), withdrawal(nobodys.id, "eve")]).result(5)
    assert judged(log) == ({mine.id, nobodys.id}, [])


@pytest.mark.parametrize(
    ("author", "target", "why"),
    [
        ("bob", "amy", "only amy, who entered it, or an administrator of the board may withdraw it"),
        (None, "amy", "only amy"),
        ("amy", None, "no operator entered it, so only an administrator of the board may withdraw it"),
        (None, None, "no operator entered it"),
        ("Eve", "amy", "only amy"),
    ],
)
def test_nobody_else_does(log, author, target, why):
    event = by(target, note("north"))
    log.append([event, withdrawal(event.id, author)]).result(5)
    gone, (reason,) = judged(log)
    assert gone == set()
    assert reason.startswith(f"withdraws nothing: {why}")


def test_what_comes_later_is_not_withdrawn_and_what_is_unknown_is_told(log):
    late = by("amy", note("north"))
    log.append([withdrawal(late.id), late, withdrawal("none")]).result(5)
    assert judged(log) == (set(), ["withdraws nothing: there is no such event in the log before it"] * 2)


def test_a_withdrawal_is_not_withdrawn_nor_itself(log):
    mine = by("amy", note("north"))
    first = withdrawal(mine.id)
    itself = msgspec.structs.replace(withdrawal("?"), data=withdrawal_data("itself"), id="itself")
    log.append([mine, first, withdrawal(first.id), withdrawal(first.id, "eve"), itself]).result(5)
    gone, reasons = judged(log)
    assert gone == {mine.id}
    assert ["cannot be withdrawn" in reason for reason in reasons] == [True, True, False]


def twins():
    """An event of amy's that somebody else's has the id of, before and after it, and her own of another source."""
    mine = by("amy", note("north"))
    others = [by("bob", note("south")), by(None, note("south"))]
    early, late = (msgspec.structs.replace(each, id=mine.id) for each in others)
    return early, mine, late, msgspec.structs.replace(mine, source="/elsewhere")


@pytest.mark.parametrize(
    ("author", "data", "gone"),
    [
        ("amy", {}, 2), ("bob", {}, 1), ("eve", {}, 1), ("eve", {"authid": "amy"}, 2), ("eve", {"authid": None}, 3),
        ("amy", {"source": "/elsewhere"}, 4), ("eve", {"source": "/elsewhere"}, 4),
        ("eve", {"source": "/test", "authid": "amy"}, 2), ("carl", {}, None), ("amy", {"authid": "bob"}, None),
        ("eve", {"source": "/nowhere"}, None), ("eve", {"source": 5}, None),
    ],
)  # fmt: skip
def test_an_id_that_several_have_means_ones_own_first(log, author, data, gone):
    given = twins()
    asked = withdrawal("", author, data=msgspec.json.encode({"id": given[0].id, **data}))
    log.append([*given, asked]).result(5)
    found = Withdrawals(log, ("eve",))
    events = found.judge(found.coming(log.last()), log.last())
    assert [event.position for event in events] == ([] if gone is None else [gone])
    assert len(found.left(log.find([given[0].id]))) == 4 - len(events)


def test_a_twin_that_comes_later_is_not_meant(log):
    early, mine, late, _ = twins()
    log.append([mine, withdrawal(mine.id, "eve"), early, late]).result(5)
    found = Withdrawals(log, ("eve",))
    assert [event.position for event in found.judge(found.coming(4), 4)] == [1]


def test_what_a_desk_says_of_an_id_that_several_have():
    _, mine, late, _ = twins()
    assert msgspec.json.decode(withdrawal_data("x", of=mine)) == {"id": "x", "source": "/test", "authid": "amy"}
    assert msgspec.json.decode(withdrawal_data("x", "typo", late)) == {
        "id": "x", "reason": "typo", "source": "/test", "authid": None,
    }  # fmt: skip
    asked = reference(withdrawal("", data=withdrawal_data(mine.id, of=late)))
    assert asked.choose("eve", [mine, late]) is late


def test_twice_is_once(log):
    mine = by("amy", note("north"))
    log.append([mine, withdrawal(mine.id), withdrawal(mine.id), withdrawal(mine.id, "eve")]).result(5)
    assert judged(log) == ({mine.id}, [])


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'"x"', b"null", b'{"id":7}', b'{"id":null}', b'{"id":"x', b"\xff", b'{"id":"\\ud800"}',
             b'{"id":"","a":' + b"[" * 5000 + b"]" * 5000 + b"}"],
)  # fmt: skip
def test_data_that_names_nothing_is_told(data):
    assert target_id(withdrawal("", data=data)) in (None, "")


def test_a_withdrawal_without_an_id_has_no_effect(log):
    log.append([by("amy", note("north")), withdrawal("", data=b'{"ID":"x"}')]).result(5)
    assert judged(log) == (set(), ["withdraws nothing: its data names no event's `id`"])


def test_a_reason_is_kept_in_the_data():
    assert withdrawal_data("x", "typo") == b'{"id":"x","reason":"typo"}'
    assert target_id(withdrawal("", data=withdrawal_data("x", "typo"))) == "x"
    assert objection("amy", by("amy", note("north")), ()) is None


def test_many_are_judged_as_few(log):
    notes = [by("amy", note("north")) for _ in range(1200)]
    log.append([*notes, *(withdrawal(each.id) for each in notes[::2]), by("amy", note("south"))]).result(5)
    assert judged(log) == ({each.id for each in notes[::2]}, [])


# the views


def remaining(events):
    """What the views hold: the rule once more, in the plainest way."""
    gone, before = set(), {}
    for event in events:
        if event.type == WITHDRAWN:
            try:
                target = before.get(msgspec.json.decode(event.data)["id"])
            except (TypeError, KeyError):
                target = None
            if target and target.type != WITHDRAWN and event.authid in {target.authid, "eve"} - {None}:
                gone.add(target.id)
        before[event.id] = event
    return [event for event in events if event.id not in gone]


def fresh(loaded, events):
    """The queries' results over these events, of which nothing was ever taken back."""
    engine = engine_for(loaded, None)
    lives = [engine.live(sql) for sql in QUERIES]
    rows = [loaded.schema.row(event) for event in events if loaded.schema.check(event) is None]
    engine.push("events", rows)
    return [list(live.rows()) for live in lives]


@st.composite
def logs(draw):
    """Notes of some authors, some of which do not fit; withdrawals of what was, is yet to come, or never is."""
    authors = st.sampled_from(["amy", "bob", "eve", None])
    size = draw(st.integers(2, 14))
    notes = st.tuples(st.sampled_from(["north", "south"]), st.sampled_from([1, 2, 3, 0.5]), authors)
    named = st.integers(0, size + 1).map(lambda n: f'{{"id":"e{n}"}}') | st.sampled_from(['{"id":7}', "{}", "[]"])
    events = []
    for n in range(size):
        if n and draw(st.booleans()):
            event = withdrawal("", draw(authors), draw(named).encode())
        else:
            place, weight, author = draw(notes)
            event = by(author, note(place, weight, n))
        events.append(msgspec.structs.replace(event, id=f"e{n}"))
    return events


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs(), st.data())
def test_the_views_are_those_of_what_remains(events, data):
    """In any batches, looked ahead or not, also of queries that come at any time and read history in slices."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "board.toml"
        path.write_text(ADMINS)
        loaded = load(path)
        patch.setattr(views_module, "FAR", data.draw(st.sampled_from([0, 3, 1000])))
        with Database.open(Path(folder) / "a.db") as database:
            database.log.append(events).result(5)
            pace = Pace()
            views = Views(loaded, database.log, None, pace=pace)
            lives = {}
            while views.position < len(events):
                for sql in data.draw(st.lists(st.sampled_from(QUERIES), max_size=3)):
                    lives.setdefault(sql, views.live(sql))
                for _ in range(data.draw(st.integers(0, 3))):
                    views.work(perf_counter())
                until = data.draw(st.integers(views.position + 1, len(events)))
                pace.size = data.draw(st.integers(1, 5))
                next(views.read_log(until, 0))
            for sql in QUERIES:
                lives.setdefault(sql, views.live(sql))
            while views.work(inf):
                """To the end."""
            assert [list(lives[sql].rows()) for sql in QUERIES] == fresh(loaded, positioned(remaining(events), events))


def positioned(some, events):
    at = {event.id: position for position, event in enumerate(events, 1)}
    return [msgspec.structs.replace(event, position=at[event.id]) for event in some]
