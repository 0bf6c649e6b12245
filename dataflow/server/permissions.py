"""What each role may do on a board's server. Pure functions.

viewer    reads the board's events, says that it is there; enters nothing
operator  also enters events under its own name: `wf.<board>.*.<own name>.>`, so that the server proves who wrote what
admin     everything, and so also under another's name
device    says what the board's `[sources]` take, and hears nothing; by a password, since MQTT has no keys

The log is in one account, in which admins and `serve` are. Everybody else is alone in an account of their own, which
imports from that of the log what the role needs and nothing else. Why permissions on subjects would not do: the server
answers to any reply subject, and a consumer delivers to any subject, that its client names, whatever the client may
publish on; so within one account an operator could have an answer, or an event of its own, come as a device's message,
as another's presence, or into another's inbox. In an account of one's own there is nobody else to be fooled.

Consumers are made by `serve` alone (`desks.py`), which also passes presence on. In the account of the log a user's own
subjects begin with `wfu.<board>.<name>`; how the user calls them is in `nats/subjects.py`.
Source: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/accounts, held against nats-server 2.15
"""

from __future__ import annotations

from collections.abc import Sequence

from dataflow.devices import topics
from dataflow.nats import subjects
from dataflow.nats.identity import Role
from dataflow.server.config import MAX_PAYLOAD, Account, Heard, Service, User

LOG = "WF"
"""The account of the log."""
SYSTEM = "$SYS"
"""Who is in it hears how much each account sends."""
CONNECTIONS, SUBSCRIPTIONS = 64, 1000
"""Of all the desks of one user."""
SENSORS = 256
"""Connections of one device's name: several sensors may share it."""
_MQTT_STREAMS = 6
"""nats-server keeps MQTT sessions in so many."""
_EVERYTHING = (">",)
_PREFIXES = {"viewer": "user-", "operator": "user-", "device": "device-"}


def everything(key: str = "", name: str = "", password: str = "") -> User:
    """Somebody who may do everything in their account."""
    return User(key=key, publish=_EVERYTHING, subscribe=_EVERYTHING, name=name, password=password)


def log_account(board: str, users: Sequence[User], sources: Sequence[str] = ()) -> Account:
    """The account of a board's log, and what others may import of it; `sources` are templates of devices' subjects."""
    stream, token = subjects.stream(board), subjects.escaped(board)
    services = (
        subjects.everything(board), f"wfu.{token}.*.*", *_api(stream).values(), f"$JS.FC.{stream}.>",
        *sorted({topics.for_everybody(source) for source in sources}),
    )  # fmt: skip
    heard = (subjects.everybody(board), f"wfu.{token}.*.to.*")
    exports: tuple[Service | Heard, ...] = (*map(Service, services), *map(Heard, heard))
    return Account(LOG, tuple(users), exports, mappings=((f"{subjects.api(board)}.>", "$JS.API.>"),), streams=-1)


def desk_account(role: Role, board: str, name: str, key: str) -> Account:
    """The account of a viewer or an operator, who has this public key."""
    stream, own = subjects.stream(board), f"wfu.{subjects.escaped(board)}.{subjects.escaped(name)}"
    services = [
        Service(f"{own}.here", subjects.presence(board, name)),
        Service(f"{own}.feed", subjects.feed(board)),
        Service(f"$JS.FC.{stream}.>"),
        *(Service(there, f"{subjects.api(board)}.{here}") for here, there in _api(stream).items()),
    ]
    if role == "operator":
        services.append(Service(subjects.of_operator(board, name)))
    heard = (Heard(f"{own}.to.*", subjects.delivery(board, "*")), Heard(subjects.everybody(board)))
    publish = tuple(each.own or each.subject for each in services)
    user = User(key, publish, ("_INBOX.>", *(each.own or each.subject for each in heard)))
    return Account(
        account_of(role, name), (user,), imports=(*services, *heard), exporter=LOG,
        connections=CONNECTIONS, subscriptions=SUBSCRIPTIONS, payload=MAX_PAYLOAD,
    )  # fmt: skip


def device_account(name: str, password: str, sources: Sequence[str], largest: int) -> Account:
    """The account of a device. `largest`: the bytes of its largest message. In `sources` `{user}` is its name."""
    own = tuple(sorted({topics.for_user(source, subjects.escaped(name)) for source in sources}))
    return Account(
        account_of("device", name), (User("", own, (), name, password),), imports=tuple(map(Service, own)),
        exporter=LOG, streams=_MQTT_STREAMS, connections=SENSORS, payload=largest,
    )  # fmt: skip


def account_of(role: Role, name: str) -> str:
    """The name of somebody's account."""
    return LOG if role == "admin" else _PREFIXES[role] + subjects.escaped(name)


def _api(stream: str) -> dict[str, str]:
    """What users ask JetStream: nothing that makes, changes or sends on. By the request without its prefix."""
    requests = (f"STREAM.INFO.{stream}", f"STREAM.MSG.GET.{stream}", f"CONSUMER.INFO.{stream}.*")
    return {request: f"$JS.API.{request}" for request in requests}
