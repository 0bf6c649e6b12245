"""The mark beside a served log: written whole, and what a log lacks that is shorter than it was."""

from __future__ import annotations

import pytest

from dataflow.nats.errors import LogShortened
from dataflow.server import high_water, inspection
from dataflow.server.high_water import Mark


def test_a_mark_is_read_back_and_is_for_its_owner_only(tmp_path):
    assert high_water.read(tmp_path) is None
    high_water.write(tmp_path, Mark("x", 7))
    high_water.write(tmp_path, Mark("x", 8))
    assert high_water.read(tmp_path) == Mark("x", 8)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("mark", "found"),
    [
        (None, None), (None, Mark("x", 0)), (None, Mark("x", 9)), (Mark("x", 0), None), (Mark("x", 0), Mark("y", 3)),
        (Mark("x", 7), Mark("x", 7)), (Mark("x", 7), Mark("x", 8)),
    ],
)
def test_a_log_that_lacks_nothing(tmp_path, mark, found):
    high_water.check(mark, found, "ops", tmp_path)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "the log of ops is gone: it had 7,000 messages"),
        (Mark("y", 9000), "another log of ops is in the place of the one that had 7,000 messages"),
        (Mark("x", 6999), "the log of ops ends at 6,999 and reached 7,000: 1 messages are missing"),
    ],
)
def test_a_log_that_is_shorter_says_what_is_missing_and_what_to_do(tmp_path, found, words):
    with pytest.raises(LogShortened) as failure:
        high_water.check(Mark("x", 7000), found, "ops", tmp_path)
    assert str(failure.value) == f"{words}; restore {tmp_path} from a copy, or serve what there is with --accept-loss"


@pytest.mark.parametrize("found", [None, Mark("x", 3), Mark("y", 9)])
def test_a_loss_that_is_accepted_is_told_once_and_is_the_mark_from_then_on(tmp_path, found):
    high_water.write(tmp_path, Mark("x", 7))
    said = []
    with pytest.raises(LogShortened):
        inspection.compare(found, "ops", tmp_path, False, said.append)
    assert (said, high_water.read(tmp_path)) == ([], Mark("x", 7))
    inspection.compare(found, "ops", tmp_path, True, said.append)
    assert len(said) == 1
    assert said[0].startswith("Served all the same: ")
    assert ";" not in said[0]
    assert high_water.read(tmp_path) == (found or Mark("", 0))
    inspection.compare(found, "ops", tmp_path, False, said.append)
    assert len(said) == 1


def test_a_log_that_is_as_long_changes_no_mark(tmp_path):
    high_water.write(tmp_path, Mark("x", 7))
    inspection.compare(Mark("x", 9), "ops", tmp_path, True, pytest.fail)
    assert high_water.read(tmp_path) == Mark("x", 7)
