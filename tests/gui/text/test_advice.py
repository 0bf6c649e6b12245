"""The banner's words: what is the matter with the log or the board's file, what that means, what to do."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from dataflow.session import Status
from gui.text.advice import board_advice, feed_advice

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
ZONE = ZoneInfo("America/New_York")
RETRIES = "It is tried again all the time."


def status(state: str, **facts: object) -> Status:
    return Status(state=state, now=NOW, since=NOW, **facts)


@pytest.mark.parametrize("state", ["live", "catching up", "replaying", "paused", "ended"])
def test_nothing_is_said_while_nothing_is_wrong(state):
    assert feed_advice(status(state), ZONE) is None
    assert board_advice(()) is None


@pytest.mark.parametrize(
    ("state", "role", "heading", "end"),
    [
        ("offline", "warning", "Cut off since 14:32", f"The line is dead. {RETRIES}"),
        ("failed", "critical", "Failed since 14:32", f"The line is dead. {RETRIES}"),
        ("refused", "critical", "Refused since 14:32", "The line is dead."),
    ],
)
def test_each_way_of_being_cut_off_has_its_words(state, role, heading, end):
    advice = feed_advice(status(state, detail="the line is dead"), ZONE)
    assert (advice.role, advice.heading, advice.details, advice.new_store) == (role, heading, True, False)
    assert advice.words == (
        f"Values are as of 14:32, not of now. What you enter waits and is sent when the log takes it. {end}"
    )


def test_entries_that_wait_are_counted_and_sentences_end_once():
    advice = feed_advice(status("offline", pending=1234, detail="Gone!", unfit=True), ZONE)
    assert "What you enter waits (1,234 so far) and is sent" in advice.words
    assert advice.words.endswith(f"Gone! {RETRIES}")
    assert advice.new_store


def test_a_log_that_was_never_heard_has_no_values():
    advice = feed_advice(status("offline", heard=0, log="nats://tower:4222"), ZONE)
    assert advice.heading == "Never synced with nats://tower:4222"
    assert advice.words.startswith("Nothing is known here, so no panel shows a value. What you enter waits and")
    assert advice.words.endswith(f"takes it. {RETRIES}")


def test_what_is_dismissed_comes_back_for_another_reason_only():
    topics = {feed_advice(status("offline", detail=why, pending=n), ZONE).topic for why, n in (("a", 0), ("b", 3))}
    assert len(topics) == 1
    assert feed_advice(status("failed"), ZONE).topic not in topics
    assert feed_advice(status("offline", heard=0), ZONE).topic not in topics


@pytest.mark.parametrize(
    ("problems", "more"),
    [(["a.toml:3: no"], ""), (["a.toml:3: no", "b"], " There is 1 more problem."),
     (["a.toml:3: no. ", "b", "c"], " There are 2 more problems.")],
)  # fmt: skip
def test_a_broken_file_is_told_by_its_first_problem_and_the_number_of_the_others(problems, more):
    advice = board_advice(problems)
    words = f"a.toml:3: no.{more} The board goes on as it was before. Mend the file and save it again."
    assert (advice.role, advice.words, advice.details, advice.new_store) == ("critical", words, False, False)
