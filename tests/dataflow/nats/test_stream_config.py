"""A board's stream as it is asked for, found and changed, without a server."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from nats.errors import NoRespondersError, TimeoutError

from dataflow.nats import streams
from dataflow.nats.errors import StreamRefused, StreamSilent
from tests.dataflow.nats.fake_api import IN_USE, FakeApi, error


@pytest.fixture
def api():
    return FakeApi()


def ensure(api, **given):
    return asyncio.run(streams.ensure(api, "b", **given))


def test_sources_are_taken_kept_changed_and_emptied(api):
    made = ensure(api, sources=("tele.*", "a", "a"))
    config = api.streams["WF_b"]
    assert (made.sources, config["subjects"]) == (("a", "tele.*"), ["wf.b.>", "a", "tele.*"])
    assert ensure(api) == made, "without a word about them they stay"
    assert ensure(api, sources=("tele.*", "a")) == made
    assert api.asked.count("STREAM.UPDATE.WF_b") == 0
    other = ensure(api, sources=("x",))
    assert (other.sources, other.log) == (("x",), made.log)
    assert api.streams["WF_b"]["subjects"] == ["wf.b.>", "x"]
    none = ensure(api, sources=())
    assert (none.sources, none.log, api.streams["WF_b"]["subjects"]) == ((), made.log, ["wf.b.>"])
    assert streams.SOURCES not in api.streams["WF_b"]["metadata"]


def test_a_stream_is_made_as_a_log_and_found_again(api):
    assert asyncio.run(streams.find_or_none(api, "b")) is None
    with pytest.raises(StreamRefused, match="`watchfloor serve` or `watchfloor stream`"):
        asyncio.run(streams.find(api, "b"))
    made = ensure(api, replicas=3)
    config = api.streams["WF_b"]
    assert {name: config[name] for name in ("storage", "retention", "discard", "num_replicas", "duplicate_window")} == {
        "storage": "file", "retention": "limits", "discard": "new", "num_replicas": 3, "duplicate_window": 120 * 10**9,
    }  # fmt: skip
    assert config["deny_delete"] is config["deny_purge"] is config["allow_atomic"] is True
    assert (made.name, made.first, made.last, made.batches, made.sources) == ("WF_b", 1, 0, True, ())
    assert len(made.log) == 32
    api.state = {"first_seq": 3, "last_seq": 9}
    found = asyncio.run(streams.find(api, "b"))
    assert (found.log, found.first, found.last) == (made.log, 3, 9)
    assert asyncio.run(streams.find_or_none(api, "b")) == found
    api.streams.clear()
    assert ensure(api).log != made.log


def test_who_is_too_late_to_make_it_takes_what_is_there(api):
    made = ensure(api)
    api.failures = [error(10059, "stream not found"), error(IN_USE, "stream name already in use")]
    assert ensure(api) == made


def test_a_stream_of_an_earlier_version_takes_batches_from_now_on(api):
    made = ensure(api)
    api.streams["WF_b"]["allow_atomic"] = False
    assert not asyncio.run(streams.find(api, "b")).batches
    assert ensure(api) == made
    assert api.streams["WF_b"]["allow_atomic"] is True


def test_replicas_are_as_they_were_unless_others_are_wanted(api):
    ensure(api, replicas=3)
    asked = len(api.asked)
    assert asyncio.run(streams.replicate(api, "b", None)) == 3
    assert asyncio.run(streams.replicate(api, "b", 3)) == 3
    assert api.asked[asked:] == ["STREAM.INFO.WF_b"] * 2
    assert asyncio.run(streams.replicate(api, "b", 5)) == 5
    assert api.streams["WF_b"]["num_replicas"] == 5


def test_a_topic_of_another_stream_is_refused_and_named(api):
    api.streams["plant"] = {"subjects": ["tele.>"]}
    ensure(api)
    with pytest.raises(StreamRefused, match=r"the stream plant of this server takes messages on tele\.> already"):
        ensure(api, sources=("tele.>",))
    assert api.streams["WF_b"]["subjects"] == ["wf.b.>"]
    api.failures = [msgspec.to_builtins({"config": api.streams["WF_b"], "state": api.state}), error(10065, "overlap")]
    with pytest.raises(StreamRefused, match="another stream of this server takes the same messages"):
        ensure(api, sources=("a.>",))


@pytest.mark.parametrize("name", streams._OFF)
def test_what_would_let_somebody_rewrite_the_log_is_refused(api, name):
    ensure(api)
    api.streams["WF_b"][name] = True
    with pytest.raises(StreamRefused, match=name):
        asyncio.run(streams.find(api, "b"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storage": "memory"}, "storage"), ({"retention": "workqueue"}, "retention"),
        ({"subjects": ["a"]}, "subjects"),
        ({"subjects": ["wf.b.>", "other"]}, "subjects"), ({"metadata": {}}, "not made by Watchfloor"),
        ({"metadata": {"watchfloor.board": "c", "watchfloor.log": "x"}}, "'c'"),
        ({"metadata": {"watchfloor.board": "b"}}, "'b'"),
    ],
)
def test_a_stream_that_is_set_up_otherwise_is_refused(api, change, words):
    ensure(api)
    api.streams["WF_b"].update(change)
    with pytest.raises(StreamRefused, match=words):
        asyncio.run(streams.find(api, "b"))


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (NoRespondersError(), StreamRefused, "has no JetStream"), (TimeoutError(), StreamSilent, "does not answer"),
        (error(10008, "no leader", 503), StreamSilent, "can't tell .* now: no leader"),
        (error(10_000, "not for you"), StreamRefused, "refuses the stream WF_b: not for you"),
        ({"error": {"code": 400}}, StreamRefused, "no reason given"),
    ],
)
def test_what_is_answered_instead_is_said(api, failure, kind, words):
    api.failures = [failure]
    with pytest.raises(kind, match=words):
        asyncio.run(streams.find(api, "b"))


def test_the_servers_clock_is_read_to_the_microsecond(api):
    api.failures = [{"ts": "2026-01-01T00:00:01.123456789Z"}, {"ts": "2026-01-01T00:00:01Z"}, {}]
    found = [asyncio.run(streams.clock(api, "b")) for _ in range(3)]
    assert found == [1_767_225_601_123_456, 1_767_225_601_000_000, 0]


def test_an_account_of_ones_own_asks_by_its_own_prefix(api):
    api.api = "wfs.b.api"
    api.failures = [error(10059, "stream not found")]
    assert asyncio.run(streams.find_or_none(api, "b")) is None
    assert api.asked == ["wfs.b.api.STREAM.INFO.WF_b"]
