"""A subscription's consumer at the log's stream, as JetStream's API knows it: what is asked for, and what became of it.

Whoever may use the API on a consumer's name can narrow it, pause it, lead it elsewhere or make another of its name, and
its own messages and heartbeats look well all the time. So its configuration is compared with what was asked, by
requests of our own. The second half is pure functions.

A board that `watchfloor serve` serves lets nobody make consumers: whoever could might have them deliver to others, or
make so many that the server stands still. There the desk asks `serve` for one, which delivers to the user's account.
Source: NATS ADR-15, ADR-37; https://docs.nats.io/reference/reference-protocols/nats_api_reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from dataflow.nats import subjects

if TYPE_CHECKING:
    from nats.aio.client import Client

    from dataflow.nats.connection import Connection

ANSWER_S = 5.0
GONE = 10014
"""JetStream's error: there is no such consumer."""
NOT_FOUND = 10037
"""JetStream's error: there is no message at this sequence."""
_NARROWING = ("filter_subject", "filter_subjects", "headers_only", "pause_until", "rate_limit_bps", "opt_start_time")
_ASKED = ("name", "deliver_subject", "deliver_policy", "opt_start_seq")
_IGNORED = frozenset({"metadata"})
_NS = 1_000_000_000


class Wanted(msgspec.Struct, frozen=True):
    """What a desk asks `serve` for: a consumer with this name, for all messages from sequence `start` on."""

    name: str
    start: int
    heartbeat_s: float


class Made(msgspec.Struct, frozen=True):
    """A consumer as it was made: its configuration, when, and how many messages are to come."""

    config: Mapping[str, Any]
    created: str
    pending: int


async def ask(
    client: Client, request: str, body: Mapping[str, Any] | None = None, timeout: float = ANSWER_S
) -> dict[str, Any]:
    """What JetStream's API answers to a request; `error` is in it where it refuses. Raises nats' errors."""
    api = getattr(client, "api", "$JS.API")
    return await _answer(client, f"{api}.{request}", msgspec.json.encode(body) if body else b"", timeout)


def address(connection: Connection, name: str) -> str:
    """Where the messages of a consumer with this name are to come; to be subscribed to before it is made."""
    served = connection.served
    return connection.client.new_inbox() if served is None else subjects.delivery(served, name)


async def make(
    connection: Connection, stream: str, config: Mapping[str, Any], timeout: float = ANSWER_S
) -> dict[str, Any]:
    """What is answered to the wish for a consumer with this `configuration`. Raises nats' errors."""
    if connection.served is None:
        asked = {"stream_name": stream, "config": config, "action": "create"}
        return await ask(connection.client, f"CONSUMER.CREATE.{stream}.{config['name']}", asked, timeout)
    wanted = Wanted(config["name"], config["opt_start_seq"], config["idle_heartbeat"] / _NS)
    subject = subjects.feed(connection.served)
    return await _answer(connection.client, subject, msgspec.json.encode(wanted), timeout)


async def _answer(client: Client, subject: str, body: bytes, timeout: float) -> dict[str, Any]:
    reply = await client.request(subject, body, timeout=timeout)
    try:
        return msgspec.json.decode(reply.data, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"error": {"description": "the answer is not JSON"}}


def configuration(name: str, inbox: str, start: int, heartbeat_s: float, inactive_s: float) -> dict[str, Any]:
    """A push consumer that delivers everything from sequence `start` on, with heartbeats and flow control."""
    return {
        "name": name, "deliver_subject": inbox, "deliver_policy": "by_start_sequence", "opt_start_seq": start,
        "ack_policy": "none", "max_deliver": 1, "flow_control": True, "idle_heartbeat": int(heartbeat_s * _NS),
        "mem_storage": True, "num_replicas": 1, "inactive_threshold": int(inactive_s * _NS),
    }  # fmt: skip


def code(answer: Mapping[str, Any]) -> int:
    """JetStream's number of the error in an answer; 0 where there is none."""
    found: int = (answer.get("error") or {}).get("err_code", 0)
    return found


def made(answer: Mapping[str, Any]) -> Made:
    """The consumer that an answer tells of."""
    delivered = (answer.get("delivered") or {}).get("consumer_seq", 0)
    return Made(answer.get("config") or {}, str(answer.get("created")), answer.get("num_pending", 0) + delivered)


def misfits(asked: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The settings by which a consumer that was just made would not deliver what was asked for.

    What `serve` makes delivers to the same place by the name that it has in the account of the log.
    """
    wrong = [name for name in _ASKED if found.get(name) != asked[name]]
    there = str(asked["deliver_subject"]).startswith("wfs.") and found.get("deliver_subject", "").startswith("wfu.")
    if there and found["deliver_subject"].endswith(f".to.{asked['name']}"):
        wrong.remove("deliver_subject")
    wrong += [name for name in _NARROWING if found.get(name)]
    return wrong + ["replay_policy"] * (found.get("replay_policy", "instant") != "instant")


def changes(before: Made, answer: Mapping[str, Any]) -> list[str]:
    """What somebody has changed of a consumer since it was made, by the names of its settings."""
    now = answer.get("config") or {}
    names = sorted((before.config.keys() | now.keys()) - _IGNORED)
    changed = [name for name in names if before.config.get(name) != now.get(name)]
    changed += ["paused"] * bool(answer.get("paused") and "pause_until" not in changed)
    return changed + ["made anew"] * (str(answer.get("created")) != before.created)
