"""Does a shared log fit a store? What fits, and what each misfit is called."""

from __future__ import annotations

import pytest

from dataflow.feeds.shared import log_match
from dataflow.feeds.shared.log_match import LogMismatch, StoreState


@pytest.mark.parametrize(
    ("log", "first", "last", "held"),
    [
        ("x", 1, 0, StoreState(None, 0, True)),
        ("x", 900, 950, StoreState(None, 0, True)),
        ("x", 1, 5, StoreState("x", 5, False)),
        ("x", 6, 5, StoreState("x", 5, False)),
        ("x", 6, 9, StoreState("x", 5, False)),
        ("x", 1, 900, StoreState("x", 0, True)),
    ],
)
def test_what_fits(log, first, last, held):
    log_match.check_match(log, first, last, held)


@pytest.mark.parametrize(
    ("log", "first", "last", "held", "words"),
    [
        ("x", 1, 5, StoreState(None, 0, False), "this store holds a log of its own"),
        ("y", 1, 5, StoreState("x", 5, False), "it was made anew"),
        ("x", 1, 4, StoreState("x", 5, False), "the server's log ends at 4, and this store at 5: it lost events"),
        ("x", 7, 9, StoreState("x", 5, False), "the server's log begins at 7, and this store ends at 5: purged"),
        ("x", 1_002, 2_000, StoreState("x", 1_000, False), "begins at 1,002, and this store ends at 1,000"),
    ],
)
def test_what_does_not_fit_says_why_and_what_to_do(log, first, last, held, words):
    with pytest.raises(LogMismatch) as failure:
        log_match.check_match(log, first, last, held)
    assert words in str(failure.value)
    assert str(failure.value).endswith(log_match.WAY_OUT)
    assert "--fresh-store" in log_match.WAY_OUT


def test_the_last_event_that_both_hold_is_the_same_one():
    log_match.check_overlap(5, "a", "a")
    log_match.check_overlap(5, "a", None)
    with pytest.raises(LogMismatch, match=r"another event at position 1,005 than this store"):
        log_match.check_overlap(1_005, "a", "b")
