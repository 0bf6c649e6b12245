"""nats-server's configuration as text: pure functions, no file is read or written here.

Every word that comes from elsewhere is a quoted string, so that nothing in a name or a path is read as syntax or as a
variable. JetStream is durable: `sync_interval: always`, since by default nats-server acknowledges up to two minutes
before it calls fsync. Source: https://docs.nats.io/running-a-nats-service/configuration
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from dataflow.nats.errors import Unsafe

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value]"

MAX_PAYLOAD = 1024 * 1024
"""Bytes of one message."""

QUEUE = 5000
"""Messages that wait for the log, by default 10,000. Each is an fsync, so whoever sends without end makes others wait
for so many; those beyond are refused, or lost if nobody waits for an answer. So it is more than a device may send at
once.
"""

LOG_SIZE = 10 * 1024 * 1024
"""Bytes of one log file; two older ones are kept."""


_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")

WRITE_DEADLINE = "10m"
"""How long one write may take: by default 10 s, and a desk on a slow line would be cut off while it catches up."""


class User(msgspec.Struct, frozen=True):
    """Who may connect, and the subjects that they may publish to and subscribe to.

    By a public nkey; or, as MQTT has no keys, by a name and a password.
    """

    key: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    name: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"User(key={self.key!r}, name={self.name!r})"


class Service(msgspec.Struct, frozen=True):
    """Subjects of another account that may be published to, by these names of one's own; answers come back."""

    subject: str
    own: str = ""


class Heard(msgspec.Struct, frozen=True):
    """Subjects of another account that may be subscribed to, by these names of one's own."""

    subject: str
    own: str = ""


class Account(msgspec.Struct, frozen=True):
    """Users who see each other's messages, and of all others' only what they import.

    `streams`: how many JetStream streams it may have (None: it has no JetStream, -1: any number). `connections`,
    `subscriptions`, `payload` (bytes): the most that its users have and send; -1: any number.
    """

    name: str
    users: tuple[User, ...] = ()
    exports: tuple[Service | Heard, ...] = ()
    imports: tuple[Service | Heard, ...] = ()
    exporter: str = ""
    """The account that the imports are from."""
    mappings: tuple[tuple[str, str], ...] = ()
    streams: int | None = None
    connections: int = -1
    subscriptions: int = -1
    payload: int = -1


class Tls(msgspec.Struct, frozen=True):
    """The server's certificate chain and its private key, both PEM files."""

    cert: Path
    key: Path


class Settings(msgspec.Struct, frozen=True):
    """What a server is told. No users, and no accounts: whoever reaches it may do everything."""

    name: str
    store: Path
    host: str = "127.0.0.1"
    port: int = 4222
    users: tuple[User, ...] = ()
    """All in one account. Where there are `accounts`, those have users of their own."""
    accounts: tuple[Account, ...] = ()
    anybody: str = ""
    """The user that those are who give no name."""
    log: Path | None = None
    """Where it writes what it has to say; None: to stderr."""
    tls: Tls | None = None
    mqtt: int | None = None
    websocket: int | None = None
    max_store: int | None = None
    """Bytes that the logs may take on the disk; None: as much as nats-server finds right."""
    web_pages: bool = False
    """Whether pages of any origin may connect. Never without users: a page that is open on this machine could."""


    @property
    def closed(self) -> bool:
        """Whether it asks who somebody is."""
        return bool(self.users or self.accounts) and not self.anybody


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address. A name other than localhost may be anywhere."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check(settings: Settings) -> None:
    """Raises Unsafe if others than this machine's could read or write without a key."""
    if is_loopback(settings.host):
        return
    missing = [what for what, there in _needed(settings) if not there]
    if missing:
        raise Unsafe(
            f"{settings.host} is reachable from other machines, which needs {' and '.join(missing)}; "
            "or listen on 127.0.0.1"
        )


def render(settings: Settings) -> str:
    """The configuration file's text."""
    return "".join(f"{key}: {_value(value)}\n" for key, value in _sections(settings).items())


def quoted(text: str) -> str:
    r"""A string in nats-server's configuration: `\`, `"` and control characters escaped."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _needed(settings: Settings) -> tuple[tuple[str, bool], ...]:
    return (
        ("TLS (--tls-cert and --tls-key)", settings.tls is not None),
        ("users (`watchfloor user add`)", settings.closed),
    )


def _sections(settings: Settings) -> dict[str, Value]:
    sections: dict[str, Value] = {
        "server_name": settings.name,
        "host": settings.host.strip("[]"),
        "port": settings.port,
        "max_payload": MAX_PAYLOAD,
        "write_deadline": WRITE_DEADLINE,
        "jetstream": {
            "store_dir": str(settings.store), "sync_interval": "always", "max_buffered_msgs": QUEUE,
            **_limits(settings),
        },
    }  # fmt: skip
    if settings.log:
        sections |= {"log_file": str(settings.log), "logfile_size_limit": LOG_SIZE, "logfile_max_num": 3}
    if settings.tls:
        sections["tls"] = _tls(settings.tls)
    if settings.users:
        sections["authorization"] = {"users": [_user(user) for user in settings.users]}
    if settings.accounts:
        sections["accounts"] = {quoted(account.name): _account(account) for account in settings.accounts}
    if settings.anybody:
        sections["no_auth_user"] = settings.anybody
    if settings.mqtt is not None:
        sections["mqtt"] = _listener(settings, settings.mqtt)
    if settings.websocket is not None:
        sections["websocket"] = _listener(settings, settings.websocket) | _browsers(settings)
    return sections


def _limits(settings: Settings) -> dict[str, Value]:
    return {} if settings.max_store is None else {"max_file_store": settings.max_store}


def _listener(settings: Settings, port: int) -> dict[str, Value]:
    listener: dict[str, Value] = {"host": settings.host.strip("[]"), "port": port}
    return listener | ({"tls": _tls(settings.tls)} if settings.tls else {})


def _browsers(settings: Settings) -> dict[str, Value]:
    """No page of another origin; and none that has its own name lead here, as DNS rebinding does: what it names then
    is the same origin, but not one of this machine's names.
    """
    listener: dict[str, Value] = {"no_tls": settings.tls is None, "same_origin": not settings.web_pages}
    if settings.web_pages:
        return listener
    scheme = "http" if settings.tls is None else "https"
    return listener | {"allowed_origins": [f"{scheme}://{name}:{settings.websocket}" for name in _THIS_MACHINE]}


def _tls(tls: Tls) -> dict[str, Value]:
    return {"cert_file": str(tls.cert), "key_file": str(tls.key)}


def _user(user: User) -> dict[str, Value]:
    permissions = {"publish": _allowed(user.publish), "subscribe": _allowed(user.subscribe)}
    who: dict[str, Value] = {"nkey": user.key} if user.key else {"user": user.name, "password": user.password}
    return who | {"permissions": permissions}


def _account(account: Account) -> dict[str, Value]:
    limits = {"max_connections": account.connections, "max_subscriptions": account.subscriptions}
    section: dict[str, Value] = {
        "users": [_user(user) for user in account.users],
        "exports": [_export(each) for each in account.exports],
        "imports": [_import(each, account.exporter) for each in account.imports],
        "limits": limits | {"max_payload": account.payload},
    }
    if account.mappings:
        section["mappings"] = {quoted(own): subject for own, subject in account.mappings}
    if account.streams is not None:
        section["jetstream"] = {"max_streams": account.streams} if account.streams >= 0 else "enabled"
    return section


def _export(each: Service | Heard) -> dict[str, Value]:
    return {"service" if isinstance(each, Service) else "stream": each.subject}


def _import(each: Service | Heard, account: str) -> dict[str, Value]:
    way = "service" if isinstance(each, Service) else "stream"
    return {way: {"account": account, "subject": each.subject}, **({"to": each.own} if each.own else {})}


def _allowed(subjects: tuple[str, ...]) -> dict[str, Value]:
    """Nothing is said by what is denied: nobody need know how nats-server reads an empty list."""
    return {"allow": subjects} if subjects else {"deny": (">",)}


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return quoted(value)
        case Mapping():
            return "{" + ", ".join(f"{key}: {_value(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(_value, value)) + "]"


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return f"\\x{ord(character):02X}" if ord(character) < 32 else character
