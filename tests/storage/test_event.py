"""An event with its position in a log, and without."""

from __future__ import annotations

import pytest
from msgspec.structs import asdict

from storage.event import Event, LoggedEvent, at_position, holds_nul, without_position
from tests.storage.samples import event

FULL = event(4, authid="amy", causationid="id-1", seen=3, expects=2, extensions=b'{"traceparent":"00-ab"}')


def test_a_log_adds_the_position_and_nothing_else():
    logged = at_position(FULL, 9)
    assert type(logged) is LoggedEvent
    assert asdict(logged) == asdict(FULL) | {"position": 9}
    assert at_position(logged, 10).position == 10


def test_without_its_position_it_is_the_event_that_its_producer_made():
    assert type(without_position(at_position(FULL, 9))) is Event
    assert without_position(at_position(FULL, 9)) == FULL == without_position(FULL)


def test_what_a_store_reads_is_logged_and_what_waits_is_not(store):
    store.log.append([event(1)]).result()
    store.outbox.add([event(2)]).result()
    assert [type(each) for each in store.log.find(["id-1"])] == [LoggedEvent]
    assert [type(each) for each in store.outbox.pending()] == [Event]


@pytest.mark.parametrize(
    ("attributes", "holds"),
    [((), False), ((None, "a"), False), (("\0",), True), ((None, "a", "b\0"), True), (("a\0", "b"), True)],
)
def test_whether_an_attribute_holds_a_nul(attributes, holds):
    assert holds_nul(*attributes) is holds
