"""Names on the shared log: the subject `wf.<board>.<entity>.<operator>.<type>`, and what is named after the board.

The server's permissions are on subjects, so the operator in a subject is proved, and whatever a body says is not. An
entity and an operator are one token each, percent-escaped beyond [A-Za-z0-9_-]; none is `_`. A type keeps its dots as
tokens. Every name has exactly one spelling: `decode(encode(…))` gives it back, and any other spelling is refused, so
that permissions and guards on a subject can't be got round. Pure functions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import msgspec

from storage.errors import CloudEventError

NOBODY = "_"
_SERVED = re.compile(r"wfs-(.+)-[0-9a-f]+", re.ASCII)
_ESCAPED = re.compile(rb"[^A-Za-z0-9_-]")
_PLAIN = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+(?:\.[\w-]+)*)", re.ASCII)  # nothing escaped: it stands for itself
_EMPTY = "%"  # an empty part of a type: no other text is written so
_NONE_TEXT = "%5F"  # the text "_"


class Named(msgspec.Struct, frozen=True, gc=False):
    """What a subject says."""

    entity: str | None
    operator: str | None
    type: str


def stream(board: str) -> str:
    """The name of a board's stream."""
    return f"WF_{escaped(board)}"


def everything(board: str) -> str:
    """All subjects of a board."""
    return f"wf.{escaped(board)}.>"


def of_entity(board: str, entity: str | None) -> str:
    """All subjects of one entity."""
    return f"wf.{escaped(board)}.{_name(entity)}.>"


def of_operator(board: str, operator: str) -> str:
    """All subjects that an operator may publish on."""
    return f"wf.{escaped(board)}.*.{_name(operator)}.>"


def presence(board: str, operator: str) -> str:
    """Where an operator's desk says that it is there. No stream keeps it."""
    return f"wfp.{escaped(board)}.{_name(operator)}"


def everybody(board: str) -> str:
    """Where all desks of a board say that they are there."""
    return f"wfp.{escaped(board)}.*"


def api(board: str) -> str:
    """What JetStream's API is called by, for the users of a board that `watchfloor serve` serves."""
    return f"wfs.{escaped(board)}.api"


def feed(board: str) -> str:
    """Where a desk asks `watchfloor serve` for a consumer."""
    return f"wfs.{escaped(board)}.feed"


def delivery(board: str, name: str) -> str:
    """Where the messages of the consumer with this name come, in the user's own account."""
    return f"wfs.{escaped(board)}.to.{name}"


def operator_of(board: str, subject: str) -> str | None:
    """Whose presence a subject of this board tells. Raises `CloudEventError`."""
    prefix = f"wfp.{escaped(board)}."
    name = subject.removeprefix(prefix)
    if not subject.startswith(prefix) or "." in name:
        raise CloudEventError(f"came on {subject[:200]!r}, where nobody says that they are there")
    return _read_name(name)


def server(board: str, number: str) -> str:
    """The name of a server that `watchfloor serve` runs; `number` (hexadecimal) tells one run from the other."""
    return f"wfs-{escaped(board)}-{number}"


def served(server: str) -> str | None:
    """The board of such a server; None: it is another one. Raises `CloudEventError`."""
    match = _SERVED.fullmatch(server)
    return _read(match[1]) if match else None


def encode(board: str, entity: str | None, operator: str | None, type: str) -> str:
    """The subject of an event."""
    return f"wf.{escaped(board)}.{_name(entity)}.{_name(operator)}.{'.'.join(map(_part, type.split('.')))}"


def decode(board: str, subject: str) -> Named:
    """What a subject of this board says. Raises `CloudEventError`."""
    prefix = _prefix(board)
    plain = _PLAIN.fullmatch(subject, len(prefix))
    if plain is None or not subject.startswith(prefix):
        return _decode(prefix, subject)
    entity, operator, type = plain.groups()
    return Named(None if entity == NOBODY else entity, None if operator == NOBODY else operator, type)


@lru_cache(maxsize=64)
def _prefix(board: str) -> str:
    return f"wf.{escaped(board)}."


@lru_cache(maxsize=8192)
def _decode(prefix: str, subject: str) -> Named:
    tokens = subject[len(prefix) :].split(".")
    if not subject.startswith(prefix) or len(tokens) < 3:
        raise CloudEventError(f"came on {subject[:200]!r}, but an event's subject is {prefix}entity.operator.type")
    entity, operator, *parts = tokens
    return Named(_read_name(entity), _read_name(operator), ".".join(map(_read_part, parts)))


def _name(name: str | None) -> str:
    if not name:
        return NOBODY
    return _NONE_TEXT if name == NOBODY else escaped(name)


def _read_name(token: str) -> str | None:
    if token == NOBODY:
        return None
    return NOBODY if token == _NONE_TEXT else _read(token)


def _part(part: str) -> str:
    return escaped(part) if part else _EMPTY


def _read_part(token: str) -> str:
    return "" if token == _EMPTY else _read(token)


@lru_cache(maxsize=8192)
def escaped(text: str) -> str:
    """A text as one token."""
    return _ESCAPED.sub(lambda found: b"%%%02X" % found[0][0], text.encode()).decode()


def _read(token: str) -> str:
    try:
        text = unquote_to_bytes(token).decode()
    except UnicodeError:
        text = ""
    if not text or escaped(text) != token:
        raise CloudEventError(f"came on a subject with {token[:200]!r} in it, which is no name as Watchfloor writes it")
    return text
