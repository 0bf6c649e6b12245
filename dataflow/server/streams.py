"""The stream that is a board's log: made once, checked ever after.

It is append-only: messages can be neither deleted nor purged through the API. Its metadata says whose it is:
`watchfloor.board`, and `watchfloor.log`, a random name made with the stream, by which a store knows the log that it
holds a copy of. What a producer could use to write under another's name, or to take back what is written, is off:
rollups, message TTLs, scheduled messages, direct reads, republishing, sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from dataflow.feeds import subjects
from dataflow.server.errors import StreamRefused

if TYPE_CHECKING:
    from nats.aio.client import Client

BOARD = "watchfloor.board"
LOG = "watchfloor.log"
DUPLICATE_WINDOW_S = 120
"""How long the server itself drops an id that it has seen. Desks drop duplicates by id for ever."""
_OFF = (
    "allow_rollup_hdrs", "allow_msg_ttl", "allow_msg_schedules", "allow_msg_counter", "allow_direct", "mirror",
    "sources", "republish", "subject_transform", "sealed", "no_ack",
)  # fmt: skip
_TIMEOUT_S = 5.0
_BATCHES = "allow_atomic"
_NOT_FOUND = 10059
_NAME_IN_USE = 10058


class BoardStream(msgspec.Struct, frozen=True):
    """A board's stream: `log` is its random name; the sequences of its first and last message (1 and 0: empty).

    `batches`: whether it takes several messages at once, all or none (one fsync instead of one for each).
    """

    name: str
    log: str
    first: int
    last: int
    batches: bool = False


async def ensure(connection: Client, board: str, replicas: int = 1) -> BoardStream:
    """The board's stream, made if there is none. Raises StreamRefused."""
    name = subjects.stream(board)
    answer = await _ask(connection, f"STREAM.INFO.{name}")
    if _code(answer) == _NOT_FOUND:
        answer = await _ask(connection, f"STREAM.CREATE.{name}", configuration(board, replicas))
        if _code(answer) == _NAME_IN_USE:  # somebody was faster
            answer = await _ask(connection, f"STREAM.INFO.{name}")
    stream = verified(answer, board)
    return stream if stream.batches else await _with_batches(connection, board, answer["config"])


async def find(connection: Client, board: str) -> BoardStream:
    """The board's stream. Raises StreamRefused, also if there is none."""
    return verified(await _ask(connection, f"STREAM.INFO.{subjects.stream(board)}"), board)


def configuration(board: str, replicas: int = 1) -> dict[str, Any]:
    """A new stream, as JetStream's API takes it."""
    return {
        "name": subjects.stream(board),
        "subjects": [subjects.everything(board)],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "num_replicas": replicas,
        "duplicate_window": DUPLICATE_WINDOW_S * 1_000_000_000,
        "deny_delete": True,
        "deny_purge": True,
        _BATCHES: True,
        "metadata": {BOARD: board, LOG: uuid4().hex},
    }


def verified(answer: Mapping[str, Any], board: str) -> BoardStream:
    """What JetStream says of a stream, if this board can use it. Raises StreamRefused."""
    name = subjects.stream(board)
    if error := answer.get("error"):
        raise StreamRefused(_why(error, name))
    config, state = answer["config"], answer["state"]
    metadata = config.get("metadata") or {}
    if metadata.get(BOARD) != board or not metadata.get(LOG):
        whose = metadata.get(BOARD)
        what = f"belongs to the board {whose!r}" if whose else "was not made by Watchfloor"
        raise StreamRefused(f"the stream {name} {what}; use another server, or another board id")
    wrong = [key for key, good in _expected(board).items() if config.get(key) != good]
    if wrong := wrong + [key for key in _OFF if config.get(key)]:
        raise StreamRefused(f"the stream {name} is set up in another way ({', '.join(wrong)}); set these back")
    return BoardStream(
        name=name, log=metadata[LOG], first=state["first_seq"], last=state["last_seq"],
        batches=bool(config.get(_BATCHES)),
    )  # fmt: skip


def _expected(board: str) -> dict[str, Any]:
    made = configuration(board)
    return {key: made[key] for key in ("subjects", "retention", "storage")}


async def _with_batches(connection: Client, board: str, config: Mapping[str, Any]) -> BoardStream:
    """A stream of an earlier version takes batches from now on, where the server knows them."""
    name = subjects.stream(board)
    await _ask(connection, f"STREAM.UPDATE.{name}", {**config, _BATCHES: True})
    return await find(connection, board)


def _why(error: Mapping[str, Any], name: str) -> str:
    if error.get("err_code") == _NOT_FOUND:
        return f"the server has no stream {name}; run `watchfloor serve` for this board, or open it as an admin"
    return f"the server refuses the stream {name}: {error.get('description', 'no reason given')}"


def _code(answer: Mapping[str, Any]) -> int:
    code: int = (answer.get("error") or {}).get("err_code", 0)
    return code


async def _ask(connection: Client, request: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    from nats.errors import NoRespondersError, TimeoutError

    try:
        reply = await connection.request(
            f"$JS.API.{request}", msgspec.json.encode(body) if body else b"", timeout=_TIMEOUT_S
        )
    except NoRespondersError:
        raise StreamRefused("the server has no JetStream; run `watchfloor serve`, or switch it on") from None
    except TimeoutError:
        raise StreamRefused("the server does not answer about the board's stream; it may not be permitted") from None
    answer: dict[str, Any] = msgspec.json.decode(reply.data)
    return answer
