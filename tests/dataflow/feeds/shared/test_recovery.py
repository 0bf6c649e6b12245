"""Finding out and recovering, as far as it needs no server: what is empty, pauses, words, what a consumer should be."""

from __future__ import annotations

import asyncio

import pytest

from dataflow.feeds.shared.empty_positions import EmptyPositions, describe_lost
from dataflow.feeds.shared.log_match import LogMismatch
from dataflow.feeds.shared.recovery import CALM_S, Recovery
from dataflow.feeds.shared.tampering import TOLD_S, Tampering
from dataflow.nats import consumer

ASKED = consumer.configuration("abc", "_INBOX.x", 5, 2.0, 30.0)
MADE = consumer.made({"config": {**ASKED, "metadata": {"v": "1"}}, "created": "then", "num_pending": 3})


def positions(**state):
    """Of a log that can't delete; what it tells, and how often it was asked."""
    told, asked = [], []

    async def describe():
        asked.append(1)
        return {"state": {"first_seq": 1, **state}, "config": {"deny_delete": True}}

    return EmptyPositions(describe, told.append), told, asked


def test_only_what_the_stream_names_is_a_hole():
    found, told, asked = positions(deleted=[3, 4], lost={"msgs": [9]})
    assert [asyncio.run(found.find_held(*span)) for span in ((3, 4), (9, 9), (3, 5), (2, 3))] == [0, 0, 5, 2]
    assert told[0] == describe_lost({3, 4, 9}) == (
        "the server lost 3 of the log's messages, which nobody may delete (positions 3, 4, 9)"
    )
    assert len(asked) == 3, "what is known is not asked for again"


def test_a_log_that_names_nothing_has_no_holes():
    found, told, _ = positions()
    assert asyncio.run(found.find_held(7, 7)) == 7
    assert told == [""]


def test_a_beginning_that_was_taken_away_fits_no_more():
    found, _, _ = positions(first_seq=8)
    with pytest.raises(LogMismatch, match="purged"):
        asyncio.run(found.find_held(5, 7))


def test_the_first_gap_is_mended_at_once_and_others_after_longer_pauses():
    recovery = Recovery()
    pauses = []
    for cursor in (10, 10, 20, 20, 20, 20, 20, 20, 20):
        recovery.note(cursor, 1.0)
        pauses.append((recovery.stuck, recovery.pause_s))
    assert pauses[0] == (False, 0.0)
    assert [stuck for stuck, _ in pauses] == [False, True, False, True, True, True, True, True, True]
    assert all(0.1 <= pause <= 5.0 for _, pause in pauses[1:])
    assert pauses[-1][1] >= 2.5
    recovery.note(20, 1.0 + CALM_S + 1)
    assert (recovery.stuck, recovery.pause_s) == (False, 0.0)


def test_what_others_did_is_told_for_a_while():
    told, now = [], [0.0]
    tampering = Tampering(told.append, lambda: now[0])
    tampering.foreign(0)
    tampering.forget()
    assert told == []
    tampering.changed("filter_subject")
    tampering.foreign(1)
    tampering.foreign(1999)
    assert told[-1] == (
        "somebody changed this desk's subscription (filter_subject); it was made anew; "
        "somebody sent 2,000 messages to this desk as if from the log; dropped"
    )
    now[0] = TOLD_S + 1
    tampering.forget()
    assert told[-1] == ""


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []), ({"filter_subject": "a.>"}, ["filter_subject"]), ({"headers_only": True}, ["headers_only"]),
        ({"opt_start_seq": 9}, ["opt_start_seq"]), ({"replay_policy": "original"}, ["replay_policy"]),
        ({"ack_wait": 1, "metadata": {}}, []),
    ],
)
def test_a_consumer_that_would_not_deliver_what_was_asked(change, wrong):
    assert consumer.misfits(ASKED, {**ASKED, **change}) == wrong


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        ({}, []), ({"config": {**ASKED, "filter_subjects": ["a"]}}, ["filter_subjects"]),
        ({"config": {**ASKED, "metadata": {"v": "2"}}}, []), ({"paused": True}, ["paused"]),
        ({"config": {**ASKED, "pause_until": "2100"}, "paused": True}, ["pause_until"]),
        ({"created": "later"}, ["made anew"]),
        ({"config": {name: value for name, value in ASKED.items() if name != "flow_control"}}, ["flow_control"]),
    ],
)
def test_a_consumer_that_somebody_changed(answer, changed):
    assert consumer.changes(MADE, {"config": ASKED, "created": "then", **answer}) == changed
