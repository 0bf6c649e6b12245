"""Values, texts, bytes and files of the kind that break programs, drawn by a seeded `random.Random`."""

from __future__ import annotations

import json
import sys
from random import Random
from typing import Any

NUMBERS: list[float | int] = [
    0, -0.0, 1, -1, 0.1, 21.7, 21.699999999999996, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7e308, -1.7e308,
    sys.float_info.max, -sys.float_info.max, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 1e15,
    1e16, 1e22, 123456789.125,
]  # fmt: skip
BEYOND: list[Any] = [2**63, 2**64, -(2**63) - 1, 10**40, 1e400]
TEXTS = [
    "", " ", "a", "Zürich", "\x00", "\x1b[31mred\x1b[0m", "\u202egnp.exe", "\u200b", "\ufeff", "é" * 300,
    "𝒳" * 50, "👩‍👧🇩🇪", "<b>x</b><img src='file:///etc/passwd'>", "=1+1", "%s%n{0}{}", "NaN", "null",
    "'; DROP TABLE log; --",
    "a\nb\rc\td", "\u2028", "error " * 2000, "a" * 28 + "!", " " * 5000, "(a+)+$",
    "%" * 200, "2026-13-45T99:99", "1e999", "\\" * 99,
]  # fmt: skip
TIMES = [
    0, 1, -1, 1_600_000_000_000_000, -62_135_596_800_000_000, 253_402_300_799_999_999, 2**62, -(2**62),
    1_383_456_600_000_000,
]  # fmt: skip
STAMPS = [
    "2026-11-23T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T12:00:00.123456789+14:00"
]  # fmt: skip
JSON_LEAVES: list[Any] = [None, True, False, *NUMBERS, *TEXTS[:20]]


def number(random: Random) -> float | int:
    if random.random() < 0.3:
        return random.uniform(-1, 1) * 10.0 ** random.randint(-320, 308)
    return random.choice(NUMBERS)


def text(random: Random, largest: int = 200_000) -> str:
    """At most `largest` characters; now and then close to that."""
    chance = random.random()
    if chance < 0.03:
        return random.choice(["error ", "a", "é", "%", " ", "\n"]) * random.randint(1, largest // 6)
    if chance < 0.2:
        return "".join(
            chr(random.choice([*range(128), 0x202E, 0x301, 0xFFFD, 0x1F980])) for _ in range(random.randint(0, 40))
        )
    return random.choice(TEXTS)


def document(random: Random, depth: int = 4) -> Any:
    """A JSON value."""
    if depth <= 0 or random.random() < 0.4:
        return random.choice(JSON_LEAVES)
    if random.random() < 0.5:
        return [document(random, depth - 1) for _ in range(random.randint(0, 4))]
    return {
        random.choice(["a", "PM2.5", "switch:0", "", "$", "a b", "__proto__"]): document(random, depth - 1)
        for _ in range(3)
    }


def nested(random: Random) -> str:
    """JSON text, nested up to a hundred deep: what an event may hold."""
    depth = random.choice([1, 10, 60, 95])
    return "[" * depth + "]" * depth


def field(random: Random, type: str) -> Any:
    """A value for a field of that type, mostly of the type."""
    if random.random() < 0.05:
        return random.choice([*BEYOND[:4], None, [], {}, "x", True, document(random)])
    if type == "float":
        return number(random)
    if type == "int":
        return random.choice([0, 1, -1, 7, 2**31, 2**53, 2**63 - 1, -(2**63), 9999, 10000])
    if type == "bool":
        return random.random() < 0.5
    if type == "timestamp":
        return random.choice(
            ["2026-11-23T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00-14:00"]
        )
    if type == "json":
        return json.loads(nested(random)) if random.random() < 0.1 else document(random)
    return text(random)


def event(random: Random, types: dict[str, dict[str, str]]) -> dict[str, Any]:
    """A CloudEvent of one of the types (each with its fields), as JSON has it; sometimes not quite one."""
    type = random.choice(list(types))
    data = {name: field(random, kind) for name, kind in types[type].items() if random.random() < 0.9}
    made: dict[str, Any] = {
        "specversion": "1.0", "id": f"{random.getrandbits(64):x}" if random.random() < 0.97 else "same",
        "source": random.choice(["/a", "/pump/b", "urn:x"]), "type": type, "subject": text(random, 600)[:200] or "s",
        "time": random.choice(STAMPS),
        "data": data,
    }  # fmt: skip
    if random.random() < 0.1:
        key = random.choice([*made, "authid", "seen", "expects", "ext"])
        made[key] = document(random)
    if random.random() < 0.05:
        made.pop(random.choice(list(made)))
    return made


def encoded(value: Any) -> bytes:
    """As JSON; lone surrogates and infinities as Python writes them."""
    return json.dumps(value, ensure_ascii=False, allow_nan=True).encode("utf-8", "surrogatepass")


def garbled(random: Random, body: bytes) -> bytes:
    """The bytes with some of them changed, dropped, doubled or swapped."""
    made = bytearray(body)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(made) + 1)
        way = random.randrange(4)
        if way == 0 and at < len(made):
            made[at] = random.randrange(256)
        elif way == 1:
            del made[at : at + random.randint(1, 8)]
        elif way == 2:
            made[at:at] = made[max(0, at - 20) : at]
        else:
            made[at:at] = random.choice([b"\x00", b"\xff\xfe", b'"', b"[", b"{" * 200, b"\r\n", b"\\u0000", b"1e999"])
    return bytes(made)
