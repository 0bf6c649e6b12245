"""How a desk gets its consumer: from JetStream itself, or from `watchfloor serve`; without a server."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from dataflow.nats import consumer


class Client:
    """A connection; `served` is the board that `serve` serves there. It answers all with `answer`."""

    def __init__(self, served=None, api=None):
        self.client, self.served, self.answer, self.asked = self, served, b'{"made":1}', []
        if api:
            self.api = api

    def new_inbox(self):
        return "_INBOX.new"

    async def request(self, subject, body, timeout):
        self.asked.append((subject, msgspec.json.decode(body) if body else b"", timeout))
        return SimpleNamespace(data=self.answer)


CONFIG = consumer.configuration("n", "_INBOX.x", 5, 2.0, 30.0)


def test_what_is_asked_for_is_all_from_a_sequence_on():
    assert CONFIG == {
        "name": "n", "deliver_subject": "_INBOX.x", "deliver_policy": "by_start_sequence", "opt_start_seq": 5,
        "ack_policy": "none", "max_deliver": 1, "flow_control": True, "idle_heartbeat": 2_000_000_000,
        "mem_storage": True, "num_replicas": 1, "inactive_threshold": 30_000_000_000,
    }  # fmt: skip


@pytest.mark.parametrize(("api", "prefix"), [(None, "$JS.API"), ("wfs.b.api", "wfs.b.api")])
def test_a_request_goes_to_the_api_and_its_answer_comes_back(api, prefix):
    client = Client(api=api)
    assert asyncio.run(consumer.ask(client, "STREAM.INFO.x")) == {"made": 1}
    assert asyncio.run(consumer.ask(client, "STREAM.MSG.GET.x", {"seq": 1}, 9.0)) == {"made": 1}
    assert client.asked == [
        (f"{prefix}.STREAM.INFO.x", b"", consumer.ANSWER_S), (f"{prefix}.STREAM.MSG.GET.x", {"seq": 1}, 9.0)
    ]  # fmt: skip
    client.answer = b"garbage"
    assert consumer.code(asyncio.run(consumer.ask(client, "x"))) == 0
    assert asyncio.run(consumer.ask(client, "x")) == {"error": {"description": "the answer is not JSON"}}


def test_a_consumer_is_made_by_jetstream_or_where_a_board_is_served_by_serve():
    plain, served = Client(), Client("b")
    assert (consumer.address(plain, "n"), consumer.address(served, "n")) == ("_INBOX.new", "wfs.b.to.n")
    for client in (plain, served):
        assert asyncio.run(consumer.make(client, "WF_b", CONFIG, 3.0)) == {"made": 1}
    asked = {"stream_name": "WF_b", "config": CONFIG, "action": "create"}
    assert plain.asked == [("$JS.API.CONSUMER.CREATE.WF_b.n", asked, 3.0)]
    assert served.asked == [("wfs.b.feed", {"name": "n", "start": 5, "heartbeat_s": 2.0}, 3.0)]


def test_what_was_made_has_what_is_to_come_and_what_came_already():
    made = consumer.made({"config": CONFIG, "created": "then", "num_pending": 7, "delivered": {"consumer_seq": 2}})
    assert made == consumer.Made(CONFIG, "then", 9)
    assert consumer.made({"created": "then"}) == consumer.Made({}, "then", 0)
    assert consumer.code({"error": {"err_code": 10014}}) == consumer.GONE


@pytest.mark.parametrize(
    ("place", "fits"), [("wfu.b.amy.to.n", True), ("wfu.b.amy.to.m", False), ("_INBOX.y", False), ("wfs.b.to.n", True)]
)
def test_what_serve_makes_delivers_to_the_same_name_in_the_account_of_the_log(place, fits):
    asked = CONFIG | {"deliver_subject": "wfs.b.to.n"}
    assert (consumer.misfits(asked, asked | {"deliver_subject": place}) == []) == fits
    assert consumer.misfits(CONFIG, CONFIG | {"deliver_subject": "wfu.b.amy.to.n"}) == ["deliver_subject"]
