"""What each role may do on a board's server: subjects to publish to and to subscribe to. Pure functions.

viewer    reads the board's events, says that it is there; enters nothing
operator  also enters events under its own name: `wf.<board>.*.<own name>.>`, so that the server proves who wrote what
admin     everything, and so also under another's name
device    says what the board's `[sources]` take, and hears nothing; by a password, since MQTT has no keys

Why nothing else of JetStream's API is allowed: a pull (`CONSUMER.MSG.NEXT`, `$JS.ACK` with `+NXT`) and `DIRECT.GET`
send a stored message, whole, to any reply subject that the asker names, so an operator could have its own event copied
under another's name. A push consumer that delivers into its own stream is refused by the server (a cycle), and what
other answers of the server land on a reply subject is never a CloudEvent, and no device's message either.

What devices say on the subjects of a board's `[sources]` has no author, so no operator may publish there: one who could
would speak as every thermometer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from dataflow.feeds import subjects
from dataflow.server.config import User

Role: TypeAlias = Literal["viewer", "operator", "admin", "device"]
ROLES: tuple[Role, ...] = get_args(Role)


def permitted(
    role: Role, board: str, name: str, key: str, password: str = "", sources: Sequence[str] = ()
) -> User:
    """The user as the server knows it: who has this public key may do what the role says.

    A device has a password instead; `sources` are the subjects that the board's log takes from devices.
    """
    if role == "admin":
        return User(key=key, publish=(">",), subscribe=(">",))
    if role == "device":
        return User(key="", publish=tuple(sources), subscribe=(), name=name, password=password)
    own = (subjects.of_operator(board, name),) if role == "operator" else ()
    publish = (*own, subjects.presence(board, name), *_reading(subjects.stream(board)))
    subscribe = ("_INBOX.>", subjects.everything(board), subjects.everybody(board))
    return User(key=key, publish=publish, subscribe=subscribe)


def _reading(stream: str) -> tuple[str, ...]:
    api = "$JS.API"
    return (
        f"{api}.STREAM.NAMES",
        f"{api}.STREAM.INFO.{stream}",
        f"{api}.STREAM.MSG.GET.{stream}",
        f"{api}.CONSUMER.CREATE.{stream}",
        f"{api}.CONSUMER.CREATE.{stream}.>",
        f"{api}.CONSUMER.INFO.{stream}.*",
        f"$JS.FC.{stream}.>",
    )
