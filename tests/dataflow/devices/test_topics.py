"""MQTT topics and NATS subjects: what nats-server makes of one, and which filters a board may have."""

from __future__ import annotations

import asyncio

import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.devices import topics
from tests.mqtt import Device
from tests.nats import free_port, make_server  # noqa: F401  fixture

LEVEL = st.text("ab.$ü%", max_size=3)
TOPIC = st.lists(LEVEL, min_size=1, max_size=4).map("/".join).filter(bool)
FILTER = st.builds(
    lambda first, more, rest: "/".join([first, *more, *rest]),
    LEVEL, st.lists(LEVEL | st.just("+"), max_size=3), st.sampled_from([[], ["#"]]),
).filter(bool)  # fmt: skip

SPELLINGS = [
    ("x/y", "x.y"), ("x//y", "x./.y"), ("x/y/", "x.y./"), ("x/", "x./"), ("x", "x"), ("x/a.b", "x.a//b"),
    ("x/.", "x.//"), ("x/./y", "x.//.y"), ("x///", "x./././"), ("/x/y", "/.x.y"), ("//x", "/./.x"),
    ("x/$SYS", "x.$SYS"), ("x/ü", "x.ü"), ("x/%41", "x.%41"), ("x.y/z", "x//y.z"),
]  # fmt: skip


def test_the_server_spells_subjects_as_we_do(make_server):  # noqa: F811
    port = free_port()
    server = make_server(mqtt=port).start()

    async def main():
        connection = await nats.connect(server.url)
        heard = await connection.subscribe(">")
        await connection.flush()
        with Device(port) as device:
            for topic, _ in SPELLINGS:
                device.publish(topic, b"{}")
        found = []
        while len(found) < len(SPELLINGS):
            message = await heard.next_msg(timeout=10)
            if not message.subject.startswith(("$", "_")):
                found.append(message.subject)
        await connection.close()
        return found

    assert asyncio.run(main()) == [subject for _, subject in SPELLINGS]


@pytest.mark.parametrize(("topic", "subject"), SPELLINGS)
def test_both_ways(topic, subject):
    assert topics.subjects(topic) == (subject,)
    assert topics.topic(subject) == topic


@given(TOPIC)
def test_every_topic_comes_back(topic):
    (subject,) = topics.subjects(topic)
    assert topics.topic(subject) == topic
    assert all(subject.split("."))


@given(FILTER, TOPIC)
def test_a_filter_takes_a_topic_where_its_subjects_do(pattern, topic):
    (subject,) = topics.subjects(topic)
    taken = any(nats_takes(each.split("."), subject.split(".")) for each in topics.subjects(pattern))
    found = topics.matcher(pattern).fullmatch(topic)
    assert bool(found) == taken
    if found:
        assert len(found.groups()) == topics.wildcards(pattern)


@given(FILTER, FILTER, TOPIC)
def test_filters_that_take_the_same_topic_overlap(one, other, topic):
    assert topics.overlap(one, other) == topics.overlap(other, one)
    if topics.matcher(one).fullmatch(topic) and topics.matcher(other).fullmatch(topic):
        assert topics.overlap(one, other)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a/+", "a/b", True), ("a/#", "a", True), ("a/+", "+/b", True), ("a/b", "a/b/c", False),
        ("a/+", "a/b/c", False), ("a/#", "b/#", False), ("a/+/c", "a/b/#", True), ("a/+/#", "a", False),
        ("a/b/#", "a/+", True), ("a/{user}", "a/b", True), ("a/{user}", "a/+", True), ("a/{user}/b", "a/+/c", False),
    ],
)  # fmt: skip
def test_overlap(one, other, both):
    assert topics.overlap(one, other) is both


def test_a_filter_for_all_below_also_takes_what_is_above_it():
    assert topics.subjects("tele/#") == ("tele", "tele.>")
    assert topics.subjects("/#") == ("/.>",)
    assert topics.matcher("tele/#").fullmatch("tele")[1] is None
    assert topics.matcher("tele/+/#").fullmatch("tele/a/b/c").groups() == ("a", "b/c")


def test_a_level_that_is_the_device_itself():
    assert topics.subjects("tele/{user}/#") == ("tele.*", "tele.*.>")
    assert topics.templates("tele/{user}/#") == ("tele.{user}", "tele.{user}.>")
    assert topics.for_user("tele.{user}.>", "kitchen%20%C3%BC") == "tele.kitchen%20%C3%BC.>"
    assert topics.matcher("tele/{user}/+").fullmatch("tele/kitchen/a").groups() == ("kitchen", "a")
    assert topics.wildcards("tele/+/{user}") == topics.number_of_user("tele/+/{user}") == 2
    assert topics.number_of_user("tele/+") is None
    templates = "tele.*.a", "tele.>", "tele", "tele.{user}.*"
    assert [topics.is_open(each) for each in templates] == [True, True, False, False]


@pytest.mark.parametrize("subject", ["x.a/b", "x.///", "/x", "x.y/"])
def test_a_subject_that_is_no_topics(subject):
    with pytest.raises(ValueError, match=subject):
        topics.topic(subject)


GOOD = ["tele/+/SENSOR", "tele/#", "/home/+", "a", "wfx/a", "a/$SYS", "zigbee2mqtt/+", "a/{user}"]


@pytest.mark.parametrize("pattern", GOOD)
def test_a_topic_that_can_be_a_source(pattern):
    assert topics.problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "is empty"), ("#", "would take what is not for it"), ("+/x", "would take what is not for it"),
        ("$SYS/x", "the server's own"), ("$JS/API/#", "the server's own"), ("$MQTT/x", "the server's own"),
        ("_INBOX/#", "answers"), ("wf/ops/#", "Watchfloor's own"), ("wfp/#", "Watchfloor's own"),
        ("wf", "Watchfloor's own"), ("a/b#", "a whole level"), ("a/b+/c", "a whole level"),
        ("a/#/c", "all that follows"), ("a b/c", "cannot stand"), ("a/*", "cannot stand"),
        ("a/x{user}", "{user} is a whole level"), ("a/{name}/b", "{user} is a whole level"), ("wfs/#", "own"),
        ("a/{user}/{user}", "twice"), ("{user}/a", "would take what is not for it"), ("wfu/#", "own"),
        ("a/>", "cannot stand"), ("a/\n", "cannot stand"), ("a/\x00", "cannot stand"),
    ],
)  # fmt: skip
def test_a_topic_that_cannot_be_a_source(pattern, said):
    message, hint = topics.problem(pattern)
    assert said in message
    assert hint


def nats_takes(pattern: list[str], subject: list[str]) -> bool:
    """How NATS matches, by its rules."""
    if pattern[:1] == [">"]:
        return bool(subject)
    if not pattern or not subject:
        return pattern == subject
    return pattern[0] in ("*", subject[0]) and nats_takes(pattern[1:], subject[1:])
