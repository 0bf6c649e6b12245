"""The stream that is a board's log: made once, checked ever after.

It is append-only: messages can be neither deleted nor purged through the API. Its metadata says whose it is:
`watchfloor.board`, and `watchfloor.log`, a random name made with the stream, by which a store knows the log that it
holds a copy of. Beside the board's own subjects it takes those of the board's `[sources]`, which the metadata names too
(`watchfloor.sources`), so that each desk knows them, whatever its own board file says. What a producer could use to
write under another's name, or to take back what is written, is off: rollups, message TTLs, scheduled messages, direct
reads, republishing, JetStream's own sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from dataflow.nats import subjects
from dataflow.nats.errors import StreamRefused, StreamSilent
from dataflow.times import parse

if TYPE_CHECKING:
    from nats.aio.client import Client

BOARD = "watchfloor.board"
LOG = "watchfloor.log"
SOURCES = "watchfloor.sources"
DUPLICATE_WINDOW_S = 120
"""How long the server itself drops an id that it has seen. Desks drop duplicates by id for ever."""
_OFF = (
    "allow_rollup_hdrs", "allow_msg_ttl", "allow_msg_schedules", "allow_msg_counter", "allow_direct", "mirror",
    "sources", "republish", "subject_transform", "sealed", "no_ack",
)  # fmt: skip
_TIMEOUT_S = 5.0
_BATCHES = "allow_atomic"
_EXPECTED = {"retention": "limits", "storage": "file"}
_NOT_FOUND = 10059
_NAME_IN_USE = 10058
_OVERLAP = 10065
_UNAVAILABLE = 503


class BoardStream(msgspec.Struct, frozen=True):
    """A board's stream: `log` is its random name; the sequences of its first and last message (1 and 0: empty).

    `batches`: whether it takes several messages at once, all or none (one fsync instead of one for each).
    `sources`: the subjects of devices that it takes.
    """

    name: str
    log: str
    first: int
    last: int
    batches: bool = False
    sources: tuple[str, ...] = ()


async def ensure(
    connection: Client, board: str, replicas: int = 1, sources: Sequence[str] | None = None
) -> BoardStream:
    """The board's stream, made if there is none; from now on it takes these `sources` (None: those that it has).

    Raises StreamRefused, also where another stream takes such subjects, and StreamSilent.
    """
    name = subjects.stream(board)
    answer = await _ask(connection, f"STREAM.INFO.{name}")
    if _code(answer) == _NOT_FOUND:
        answer = await _change(connection, "CREATE", configuration(board, replicas, sources or ()))
        if _code(answer) == _NAME_IN_USE:  # somebody was faster
            answer = await _ask(connection, f"STREAM.INFO.{name}")
    stream = verified(answer, board)
    if sources is not None and set(sources) != set(stream.sources):
        answer = await _change(connection, "UPDATE", _with_sources(answer["config"], board, sources))
        stream = verified(answer, board)
    return stream if stream.batches else await _with_batches(connection, board, answer["config"])


async def replicate(connection: Client, board: str, replicas: int | None) -> int:
    """On how many servers the stream is: from now on `replicas` (None: as it is). Raises as `find` does."""
    answer = await _ask(connection, f"STREAM.INFO.{subjects.stream(board)}")
    verified(answer, board)
    held: int = answer["config"]["num_replicas"]
    if replicas is None or replicas == held:
        return held
    verified(await _change(connection, "UPDATE", answer["config"] | {"num_replicas": replicas}), board)
    return replicas


async def find(connection: Client, board: str) -> BoardStream:
    """The board's stream. Raises StreamRefused, also if there is none, and StreamSilent."""
    return verified(await _ask(connection, f"STREAM.INFO.{subjects.stream(board)}"), board)


async def find_or_none(connection: Client, board: str) -> BoardStream | None:
    """The same, but None if there is none."""
    answer = await _ask(connection, f"STREAM.INFO.{subjects.stream(board)}")
    return None if _code(answer) == _NOT_FOUND else verified(answer, board)


async def clock(connection: Client, board: str) -> int:
    """What the server's clock shows as it answers, in µs; 0 where it does not say. Raises StreamRefused."""
    stamp = (await _ask(connection, f"STREAM.INFO.{subjects.stream(board)}")).get("ts", "")
    return parse(re.sub(r"(\.\d{6})\d+", r"\1", stamp), UTC) if stamp else 0


def configuration(board: str, replicas: int = 1, sources: Sequence[str] = ()) -> dict[str, Any]:
    """A new stream, as JetStream's API takes it."""
    made = {
        "name": subjects.stream(board),
        **_EXPECTED,
        "discard": "new",
        "num_replicas": replicas,
        "duplicate_window": DUPLICATE_WINDOW_S * 1_000_000_000,
        "deny_delete": True,
        "deny_purge": True,
        _BATCHES: True,
        "metadata": {BOARD: board, LOG: uuid4().hex},
    }
    return _with_sources(made, board, sources)


def verified(answer: Mapping[str, Any], board: str) -> BoardStream:
    """What JetStream says of a stream, if this board can use it. Raises StreamRefused."""
    name = subjects.stream(board)
    if error := answer.get("error"):
        raise StreamRefused(_describe_error(error, name))
    config, state = answer["config"], answer["state"]
    metadata = config.get("metadata") or {}
    if metadata.get(BOARD) != board or not metadata.get(LOG):
        whose = metadata.get(BOARD)
        what = f"belongs to the board {whose!r}" if whose else "was not made by Watchfloor"
        raise StreamRefused(f"the stream {name} {what}; use another server, or another board id")
    sources = tuple((metadata.get(SOURCES) or "").split())
    wrong = [key for key, good in _EXPECTED.items() if config.get(key) != good]
    wrong += [key for key in _OFF if config.get(key)]
    if set(config.get("subjects") or ()) != {subjects.everything(board), *sources}:
        wrong.append("subjects")
    if wrong:
        raise StreamRefused(f"the stream {name} is set up in another way ({', '.join(wrong)}); set these back")
    return BoardStream(
        name=name, log=metadata[LOG], first=state["first_seq"], last=state["last_seq"],
        batches=bool(config.get(_BATCHES)), sources=sources,
    )  # fmt: skip


def _with_sources(config: Mapping[str, Any], board: str, sources: Sequence[str]) -> dict[str, Any]:
    taken = sorted(set(sources))
    metadata = {key: value for key, value in config["metadata"].items() if key != SOURCES}
    if taken:
        metadata[SOURCES] = " ".join(taken)
    return {**config, "subjects": [subjects.everything(board), *taken], "metadata": metadata}


async def _change(connection: Client, how: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Make a stream, or change it. Raises StreamRefused where another one takes its subjects."""
    answer = await _ask(connection, f"STREAM.{how}.{config['name']}", config)
    if _code(answer) == _OVERLAP:
        raise StreamRefused(await _describe_overlap(connection, config))
    return answer


async def _describe_overlap(connection: Client, config: Mapping[str, Any]) -> str:
    """Which other stream takes one of these subjects."""
    for subject in config["subjects"]:
        answer = await _ask(connection, "STREAM.NAMES", {"subject": subject})
        for other in answer.get("streams") or ():
            if other != config["name"]:
                return (
                    f"the stream {other} of this server takes messages on {subject} already, and a message is in one "
                    "log only; let the two take different topics, or serve this board on another server"
                )
    return "another stream of this server takes the same messages; serve this board on another server"


async def _with_batches(connection: Client, board: str, config: Mapping[str, Any]) -> BoardStream:
    """A stream of an earlier version takes batches from now on, where the server knows them."""
    name = subjects.stream(board)
    await _ask(connection, f"STREAM.UPDATE.{name}", {**config, _BATCHES: True})
    return await find(connection, board)


def _describe_error(error: Mapping[str, Any], name: str) -> str:
    if error.get("err_code") == _NOT_FOUND:
        return f"the server has no stream {name}; run `watchfloor serve` or `watchfloor stream` for this board"
    return f"the server refuses the stream {name}: {error.get('description', 'no reason given')}"


def _code(answer: Mapping[str, Any]) -> int:
    code: int = (answer.get("error") or {}).get("err_code", 0)
    return code


async def _ask(connection: Client, request: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    from nats.errors import NoRespondersError, TimeoutError

    api: str = getattr(connection, "api", "$JS.API")
    try:
        reply = await connection.request(
            f"{api}.{request}", msgspec.json.encode(body) if body else b"", timeout=_TIMEOUT_S
        )
    except NoRespondersError:
        raise StreamRefused("the server has no JetStream; run `watchfloor serve`, or switch it on") from None
    except TimeoutError:
        raise StreamSilent("the server does not answer about the board's log now") from None
    answer: dict[str, Any] = msgspec.json.decode(reply.data)
    if (answer.get("error") or {}).get("code") == _UNAVAILABLE:
        raise StreamSilent(f"the server can't tell about the board's log now: {answer['error'].get('description')}")
    return answer
