"""The consumer that brings a subscription its messages: made by `watchfloor serve` for the desk, or by the desk itself.

A served board lets nobody make consumers: whoever could might deliver into another's inbox, or make so many that the
server stands still. There the desk asks `serve`, which makes one with a fixed configuration and delivers to the desk's
own account. On servers of other people's the desk makes an ephemeral consumer that delivers to its inbox.
"""

from __future__ import annotations

from typing import Any

import msgspec
from nats.errors import Error
from nats.js.api import ConsumerInfo

from dataflow.feeds import subjects
from dataflow.feeds.connection import Connection

UNHEARD_S = 30.0
"""A consumer goes when nobody has listened to it for so long."""
_NS = 1_000_000_000


class Wanted(msgspec.Struct, frozen=True):
    """What a desk asks `serve` for: messages from sequence `start` on, on its delivery subject with this token."""

    token: str
    start: int
    heartbeat_s: float


def address(connection: Connection) -> str:
    """A fresh subject to be subscribed to before `make` is called."""
    client = connection.client
    if not connection.served:
        return client.new_inbox()
    return subjects.delivery(connection.served, client.new_inbox().rpartition(".")[2])


def configuration(deliver: str, start: int, heartbeat_s: float) -> dict[str, Any]:
    """An ordered push consumer, as JetStream's API takes it: in memory, without acknowledgements, flow-controlled."""
    return {
        "deliver_subject": deliver, "deliver_policy": "by_start_sequence", "opt_start_seq": start,
        "ack_policy": "none", "max_deliver": 1, "flow_control": True, "idle_heartbeat": int(heartbeat_s * _NS),
        "mem_storage": True, "num_replicas": 1, "inactive_threshold": int(UNHEARD_S * _NS),
    }  # fmt: skip


async def make(
    connection: Connection, stream: str, deliver: str, start: int, heartbeat_s: float, timeout: float
) -> ConsumerInfo:
    """Deliver the stream's messages from `start` on to an `address`. Raises nats' errors."""
    if connection.served:
        subject = subjects.feed(connection.served)
        request = msgspec.json.encode(Wanted(deliver.rpartition(".")[2], start, heartbeat_s))
    else:
        subject = f"$JS.API.CONSUMER.CREATE.{stream}"
        request = msgspec.json.encode({"stream_name": stream, "config": configuration(deliver, start, heartbeat_s)})
    reply = await connection.client.request(subject, request, timeout=timeout)
    answer = msgspec.json.decode(reply.data)
    if error := answer.get("error"):
        raise Error(f"the server gives no consumer: {error.get('description', 'no reason given')}")
    made: ConsumerInfo = ConsumerInfo.from_response(answer)
    return made
