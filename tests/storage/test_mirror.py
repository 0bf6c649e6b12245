"""A store as the mirror of a shared log."""

from __future__ import annotations

import msgspec
import pytest

from storage.errors import StoreMirrors
from storage.mirror import Mirror
from storage.quarantine import Quarantined
from tests.storage.samples import event


def at(position, **given):
    return event(position, position=position, **given)


def ids(store):
    return [(each.position, each.id) for chunk in store.log.read() for each in chunk]


def test_what_is_received_is_in_the_log_with_the_cursor_and_out_of_the_outbox(store):
    mirror = Mirror(store)
    first, second = at(3), at(5, subject="B")
    store.outbox.add([second]).result(5)
    garbage = Quarantined(reason="not JSON", text=b"x", time=1, origin="WF_b:6")
    mirror.receive([first, second], [garbage], 6).result(5)
    assert ids(store) == [(3, first.id), (5, second.id)]
    assert (mirror.cursor, store.outbox.count(), store.quarantine.count()) == (6, 0, 1)
    assert (mirror.id_at(5), mirror.id_at(6)) == (second.id, None)
    device = at(9, subject="B", authid=None, source="mqtt:x")
    mirror.receive([at(7, subject=None), at(8, subject="C"), device], [], 9).result(5)
    mine = [(5, second.id, "B", second.authid)]
    assert mirror.entries_after({"B", "no such"}, 4) == mine
    assert mirror.entries_after(["", "B"], 4) == [*mine, (7, "id-7", None, second.authid)]
    assert mirror.entries_after({"B"}, 5) == mirror.entries_after((), 0) == []


def test_receiving_again_changes_nothing_and_the_cursor_never_falls(store):
    mirror = Mirror(store)
    first, second = at(3), at(5)
    mirror.receive([first, second], [], 5).result(5)
    mirror.receive([first, msgspec.structs.replace(second, position=9)], [], 4).result(5)
    mirror.receive([], [], 0).result(5)
    assert ids(store) == [(3, first.id), (5, second.id)]
    assert mirror.cursor == 5


def test_a_store_remembers_which_log_it_mirrors(store):
    assert (Mirror(store).source, Mirror(store).cursor) == (None, 0)
    Mirror(store).adopt("log-1").result(5)
    assert Mirror(store).source == "log-1"


def test_a_store_of_its_own_is_for_no_shared_log_and_heard_none(store):
    mirror = Mirror(store)
    assert (mirror.shared_log, mirror.heard) == ("", 0)
    mirror.refuse()
    store.log.append([event(1)]).result(5)
    assert (mirror.shared_log, mirror.heard) == ("", 0)


def test_a_store_that_is_to_follow_a_log_is_for_it_unless_it_has_events_of_its_own(store):
    mirror = Mirror(store)
    mirror.follow("nats://tower:4222").result(5)
    assert mirror.shared_log == "nats://tower:4222"
    store.log.append([event(1)]).result(5)
    assert mirror.shared_log == ""
    mirror.adopt("log-1").result(5)
    assert mirror.shared_log == "nats://tower:4222"
    mirror.follow("").result(5)
    assert mirror.shared_log == "a shared log"


def test_a_mirror_refuses_to_be_appended_to_and_tells_when_it_heard_its_log(store):
    mirror = Mirror(store)
    mirror.adopt("log-1").result(5)
    with pytest.raises(StoreMirrors, match="holds a copy of a shared log"):
        mirror.refuse()
    assert mirror.heard == 0
    mirror.receive([at(3), at(4)], [], 4).result(5)
    assert mirror.heard == at(4).time
    mirror.hear(7).result(5)
    assert mirror.heard == 7


def test_what_was_there_already_is_not_at_hand(store):
    mirror = Mirror(store)
    mirror.receive([at(5)], [], 5).result(5)
    mirror.receive([at(5)], [], 6).result(5)
    assert store.log.recent.chunk(5, 6, 9) == []
    mirror.receive([at(7)], [], 7).result(5)
    assert [each.id for each in store.log.recent.chunk(6, 7, 9)] == ["id-7"]
    assert ids(store) == [(5, "id-5"), (7, "id-7")]
