"""Bytes made odd: the mutations that find what a reader of files and arguments does not expect."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

TOKENS: tuple[bytes, ...] = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1b[2J", "\u202e".encode(), "\u2028".encode(), b"\xed\xa0\x80",
    b"\n", b"\r\n", b"\t", b'"', b"'", b'"""', b"\'\'\'", b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b"[[",
    b"]]", b"=", b",", b";", b"#", b"-", b"+", b"nan", b"inf", b"-0.0", b"1e400", b"9" * 400, b"9223372036854775808",
    b"0x" + b"f" * 40, b"true", b"null", b"{}", b"[]", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59.9999999-14:00",
    b"0000-00-00", b"24:00", b"../", b"/dev/zero", b"/etc/passwd", b"Europe/Berlin", b"time", b"type", b"events",
    b"position", b"entry.withdrawn", b"%s", b"{0}", b"{job}", b"%Y", b"x" * 5000, b"[" * 300, b"(" * 300, b"SELECT ",
    b"; DROP", b"$", b"`", b"*", b"|",
)  # fmt: skip
TEXTS = (
    b"", b" ", b"\\u0000", b"\\u001b[2J", b"\\u202e", b"x" * 3000, b"now", b"auto", b"{job}", b"{", b"{0.__class__}",
    b"%", b"%Y-%Q", b".2f", b">999.3f", b"../people.csv", b"/dev/zero", b"SELECT 1", b"SELECT * FROM held", b"held",
    b"people", b"SELECT * FROM people, people p, people q", b"entry.withdrawn", b"Europe/Berlin", b"position",
    b"table", b"log",
)  # fmt: skip
NUMBERS = (
    b"0", b"-1", b"1", b"-0.0", b"1e308", b"-1e308", b"5e-324", b"9223372036854775807", b"-9223372036854775808",
    b"9223372036854775808", b"1" * 400, b"1" * 5000, b"100000",
)  # fmt: skip
TOML = (
    *(b'"' + text + b'"' for text in TEXTS), *NUMBERS, b"nan", b"inf", b"-inf", b"true", b"false", b"[]", b"{}",
    b"[[]]", b"[0, 0, 4, 4]", b"[-1, 0, 0, 1e9]", b"[9223372036854775807, 0, 1, 1]", b"0x" + b"f" * 5000,
    b"[1, 2, 1.5]", b"2013-02-08", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59", b"12:00:00", b'["a", "b"]',
    b'["", ""]', b"{ a = {} }",
)  # fmt: skip
JSON = (
    *(b'"' + text + b'"' for text in TEXTS), *NUMBERS, b"null", b"true", b"[]", b"{}", b"[" * 120 + b"]" * 120,
    b'"\\ud800"', b'"\\ud83d\\ude00"', b'"2013-02-08T12:00:00Z"', b'"0001-01-01T00:00:00+14:00"', b'{"\\ud800":1}',
    b'"9999-12-31T23:59:59.9999999Z"', b"1e400", b'{"":{"":[null]}}',
)  # fmt: skip
CELLS = (
    *NUMBERS, *TEXTS, b"nan", b"inf", b"1_000", b"0001-01-01", b"9999-12-31T23:59:59-14:00", b'"{""a"":""\\ud800""}"',
    "\u0661".encode(), b"true", b"1e999", b"24:00", b"null",
)  # fmt: skip
_PLACES = {
    "toml": (re.compile(rb"= ([^\n{]+)|(?<==)[^\n,}]+"), TOML),
    "json": (re.compile(rb"(?<=:)(?:\"[^\"]*\"|[^,{}]+)"), JSON),
    "csv": (re.compile(rb"(?<=[,\n])[^,\n\"]*"), CELLS),
}


def with_odd_values(random: random.Random, content: bytes, form: str) -> bytes:
    """The text with one to three of its values replaced by odd ones that are well formed."""
    pattern, values = _PLACES[form]
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(pattern.finditer(content))
        if not places:
            break
        place = random.choice(places)
        start, end = place.span(1) if pattern.groups and place[1] is not None else place.span()
        content = content[:start] + random.choice(values) + content[end:]
    return content


def mutated(random: random.Random, seed: bytes, others: Sequence[bytes]) -> bytes:
    """The bytes with one to six changes; now and then as they were."""
    content = bytearray(seed)
    for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4, 6))):
        _change(random, content, others)
    return bytes(content)


def _change(random: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    at = random.randrange(len(content) + 1)
    end = min(len(content), at + random.choice((1, 1, 2, 5, 20, 200)))
    match random.randrange(8):
        case 0:
            content[at:end] = b""
        case 1:
            content[at:at] = random.choice(TOKENS)
        case 2:
            content[at:end] = random.choice(TOKENS)
        case 3:
            content[at:at] = content[at:end] * random.choice((1, 2, 50))
        case 4:
            other = random.choice(others)
            begin = random.randrange(len(other) + 1)
            content[at:end] = other[begin : begin + random.choice((5, 30, 300))]
        case 5:
            del content[at:]
        case 6 if at < len(content):
            content[at] ^= 1 << random.randrange(8)
        case _:
            _swap_word(random, content)


def _swap_word(random: random.Random, content: bytearray) -> None:
    """Put a token in the place of what stands between two separators."""
    words = bytes(content).replace(b"\n", b" ").split(b" ")
    word = random.choice(words)
    if word:
        at = content.find(word)
        if at >= 0:
            content[at : at + len(word)] = random.choice(TOKENS)
