"""Ids are UUIDs that sort by time."""

from __future__ import annotations

import uuid

from storage.ids import uuid7, uuid8


def test_ids_are_uuids_of_their_version():
    assert uuid.UUID(uuid7()).version == 7
    assert uuid.UUID(uuid8(0, b"12345678")).version == 8
    assert uuid.UUID(uuid7()).variant == uuid.RFC_4122


def test_ids_sort_by_time_to_the_microsecond():
    times = [0, 1, 999, 1000, 1001, 1_360_281_600_000_000, 1_360_281_600_000_001]
    made = [uuid7(time, b"\xff" * 8) for time in times]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_differ():
    assert len({uuid7(5) for _ in range(1000)}) == 1000


def test_the_same_content_gives_the_same_id():
    assert uuid8(5, b"a" * 16) == uuid8(5, b"a" * 16) != uuid8(5, b"b" * 16)
    assert uuid.UUID(uuid8(-5, b"a" * 16)).version == 8
