"""Functions on texts, beside the plainest way to say what they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataflow.sql.runtime.numbers import replace, trim_both, trim_left, trim_right
from dataflow.sql.runtime.texts import binary_text, levenshtein

WORDS = st.text("abé🦆", max_size=12)


def distance(one: bytes, other: bytes) -> int:
    row = list(range(len(other) + 1))
    for at, byte in enumerate(one, 1):
        before, row[0] = row[0], at
        for to, theirs in enumerate(other, 1):
            before, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, before + (byte != theirs))
    return row[-1]


@given(WORDS, WORDS)
def test_levenshtein_counts_the_bytes_that_differ(one: str, other: str) -> None:
    assert levenshtein(one, other) == distance(one.encode(), other.encode())


def test_levenshtein_of_long_texts_is_null() -> None:
    assert levenshtein("a" * 6_000, "b" * 6_000) == 6_000
    assert levenshtein("a" * 20_000, "b" * 20_000) is None
    assert levenshtein("a", "b" * 1_000_000) is None


@given(WORDS, st.text("abé🦆xyz" + "".join(map(chr, range(33, 90))), max_size=40))
def test_trimming_takes_away_the_same_letters_however_many_there_are(text: str, letters: str) -> None:
    assert trim_left(text, letters) == (text.lstrip(letters) if letters else text)
    assert trim_right(text, letters) == (text.rstrip(letters) if letters else text)
    assert trim_both(text, letters) == (text.strip(letters) if letters else text)


@given(st.text(max_size=9))
def test_binary_text_has_eight_digits_a_byte(text: str) -> None:
    assert binary_text(text) == "".join(f"{byte:08b}" for byte in text.encode())


def test_a_text_that_would_grow_too_long_is_null() -> None:
    assert replace("a" * 1_000_000, "a", "b" * 17) is None
    assert replace("a" * 1_000_000, "b", "b" * 1_000_000) == "a" * 1_000_000
