"""What the server has said of entries holds when the feed has come so far, and not before."""

from __future__ import annotations

from dataflow.feeds.shared.server_answers import ServerAnswers


def test_what_was_taken_is_looked_at_once_the_feed_is_there():
    answers = ServerAnswers()
    answers.note_taken("a", 5)
    answers.note_taken("b", 7)
    answers.note_taken("c", 6)
    answers.remove("c")
    assert answers.pop_taken(4) == []
    assert answers.pop_taken(5) == [("a", 5)]
    assert answers.pop_taken(5) == []
    assert answers.pop_taken(9) == [("b", 7)]


def test_what_is_disputed_holds_up_others_until_the_feed_is_there():
    answers = ServerAnswers()
    assert not answers.has_disputed
    answers.note_disputed("a", 5)
    assert answers.has_disputed
    assert answers.pop_disputed(4) == []
    assert answers.pop_disputed(5) == [("a", 5)]
    assert not answers.has_disputed


def test_another_connection_knows_nothing():
    answers = ServerAnswers()
    answers.reached = 9
    answers.note_taken("a", 5)
    answers.note_disputed("b", 5)
    answers.clear()
    assert (answers.reached, answers.has_disputed, answers.pop_taken(9)) == (0, False, [])
