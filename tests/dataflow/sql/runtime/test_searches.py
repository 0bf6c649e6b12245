"""Regular expressions and LIKE: what they mean is RE2's, whoever reads the text, and no text takes long."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from dataflow.sql.runtime import searches, wildcards
from dataflow.sql.runtime.pattern_costs import STEPS
from dataflow.sql.runtime.searches import Search, search_for
from tests.oracle.world import Duck

SLOW_S = 0.25
MEGA = 1_000_000
ATOMS = ["a", "b", ".", "[ab]", "[^a]", r"\s", r"\d", r"\w", " ", "1", "^", "$", r"\b"]
REPEATS = ["", "", "", "*", "+", "?", "{2}", "{0,3}", "{1,}", "*?", "+?", "??"]
TEXTS = ["a" * 40, "ab" * 20, " " * 40, "a" * 39 + "b", "1a " * 13, "b" + "a" * 38 + "!", "aé" * 20, "\n a\n" * 10]


def grown(random: random.Random, depth: int = 2) -> str:
    """A pattern, all of whose parts Python could have too."""
    parts = []
    for _ in range(random.randint(1, 4)):
        if depth and random.random() < 0.3:
            rows = [grown(random, depth - 1) for _ in range(random.choice((1, 1, 2)))]
            part = f"({random.choice(['', '?:'])}{'|'.join(rows)})"
        else:
            part = random.choice(ATOMS)
        parts.append(part + (random.choice(REPEATS) if part not in ("^", "$", r"\b") else ""))
    return "".join(parts)


def answers(search: Search, pattern: str, text: str, groups: int) -> list[object]:
    return [
        searches.regexp_matches(text, pattern), searches.regexp_full_match(text, pattern),
        *(searches.regexp_extract(text, pattern, group) for group in range(groups + 1)),
        *(searches.regexp_replace(text, pattern, new, every) for new in ("<\\0>", "-") for every in (True, False)),
    ]  # fmt: skip


@pytest.fixture
def read_by_re2() -> Iterator[Callable[[str], None]]:
    """Have a pattern's texts read by RE2 alone."""
    searches.search_for.cache_clear()

    def only(pattern: str) -> None:
        search_for(pattern).most = -1

    yield only
    searches.search_for.cache_clear()


def test_python_and_re2_say_the_same_and_python_takes_no_longer_than_was_reckoned(
    read_by_re2: Callable[[str], None],
) -> None:
    """Wherever Python is trusted with a text: grown patterns on texts that match nearly."""
    dice = random.Random(9)
    trusted = 0
    for _ in range(600):
        pattern = dice.choice(("", "", "(?i)", "(?s)")) + grown(dice)
        search = search_for(pattern)
        if search.most < 0:
            continue
        for text in TEXTS:
            if not search.reads(text):
                continue
            trusted += 1
            mine = answers(search, pattern, text, search.python.groups)
            most, search.most = search.most, -1
            assert mine == answers(search, pattern, text, search.python.groups), (pattern, text)
            search.most = most
    assert trusted > 2000


def test_no_text_makes_python_take_more_steps_than_its_share() -> None:
    """Grown patterns on the longest text that Python is trusted with, of the kinds that make it go back most."""
    dice = random.Random(10)
    for _ in range(150):
        search = Search(grown(dice))
        for text in ("a", "ab", " ", "1", "b a") if search.most > 0 else ():
            long = (text * search.most)[: min(search.most, STEPS // 4)]
            began = thread_time()
            search.python.search(long)
            search.python.search(long[:-1] + "\x00")
            assert thread_time() - began < SLOW_S, (search.pattern, text)


@pytest.mark.parametrize("pattern", [
    r"^(a+)+$", r"\s+$", "a.*b.*c", "(a|aa)+$", "(a*)*b", "(.*a){20}", r"(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(.+)*(.+)*x", "(?i)(é|e)+$", "a?" * 30 + "a" * 30, r".*error.*fatal.*", r"(\w+\s?)*\d", "[^x]*x[^y]*y",
])  # fmt: skip
@pytest.mark.parametrize("text", ["a", " ", "ab", "x", "a ", "é", "error "])
def test_a_megabyte_is_read_in_linear_time(pattern: str, text: str) -> None:
    long = text * (MEGA // len(text)) + "!"
    for call in (
        lambda: searches.regexp_matches(long, pattern), lambda: searches.regexp_full_match(long, pattern),
        lambda: searches.regexp_extract(long, pattern, 0),
    ):  # fmt: skip
        began = thread_time()
        call()
        assert thread_time() - began < 2 * SLOW_S


@pytest.mark.parametrize("pattern", [
    "a.*z|a", "(a.*z)?a", ".*?b|a", r"\d+(x[^y]*y)?", "a", r"\s+", r"\w+", "", "a*", "a*?",
])  # fmt: skip
@pytest.mark.parametrize("text", ["a", "1x"])
def test_replacing_everywhere_ends_too(pattern: str, text: str) -> None:
    for size in (1_000, 100_000):
        long = text * (size // len(text))
        began = thread_time()
        found = searches.regexp_replace(long, pattern, "-", True)
        assert thread_time() - began < 8 * SLOW_S
        assert found is not None or size > 1_000


def test_a_common_replacement_is_made_in_a_long_text_too() -> None:
    long = "one  two\t" * 20_000
    assert searches.regexp_replace(long, r"\s+", " ", True) == "one two " * 20_000
    assert searches.regexp_replace("<b>x</b>" * 20_000, "<[^>]*>", "", True) == "x" * 20_000
    assert searches.regexp_replace("v 1.25 " * 20_000, r"\d+(\.\d+)?", "#", True) == "v # " * 20_000


def test_what_grows_too_long_is_null() -> None:
    assert searches.regexp_replace("a" * MEGA, "a", "b" * 100, True) is None
    assert searches.regexp_replace("a" * 900_000, "a", "b" * 15, True) == "b" * 13_500_000
    assert searches.regexp_replace("a" * MEGA, "a|$", "b", True) is None
    assert searches.regexp_matches("a" * MEGA, "a{1000}") is None
    assert searches.regexp_matches("a" * 10_000, "a{1000}") is True


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    duck.run("CREATE TABLE m (s VARCHAR)")
    yield duck
    duck.close()


# what RE2 has and Python has not, and the other way round


@pytest.mark.parametrize(("call", "value"), [
    (r"regexp_matches(s, '\pL\p{Lu}?')", True), (r"regexp_matches(s, '(?i)MOTÖR')", True),
    (r"regexp_replace(s, '\Qö\E', 'o')", "Motorhead"), (r"regexp_extract(s, '(?P<n>[^t]+)t', 1)", "Mo"),
    (r"regexp_matches(s, 'a**')", None), (r"regexp_matches(s, '(?<=a)b')", None), (r"regexp_matches(s, '(a)\1')", None),
    (r"regexp_matches(s, '(?<n>a)')", None), (r"regexp_matches(s, 'a++')", None), (r"regexp_matches(s, '(?>a)')", None),
    (r"regexp_matches(s, 'a{1001}')", None), (r"regexp_matches(s, '[')", None),
    (r"regexp_matches(s, 'M.T', 'il')", False), (r"regexp_replace(s, 'ö*', '-', 'g')", "-M-o-t-r-h-e-a-d-"),
    (r"regexp_matches(s, '(((a{100}){100}){100})')", None), (r"regexp_full_match(s, 'MOT.RHEAD', 'i')", True),
    (r"regexp_replace(s, 'O', '[\0]', 'gi')", "M[o]törhead"),
    (r"regexp_matches(s, '*')", None), (r"s SIMILAR TO 'M(o|u).*d'", True), (r"regexp_extract(s, '(x)?M', 1)", ""),
])  # fmt: skip
def test_a_pattern_means_what_it_means_in_duckdb_or_is_refused(duck: Duck, call: str, value: object) -> None:
    engine = Engine({"m": {"s": "text"}})
    sql = f"SELECT {call} FROM m"
    if value is None:
        with pytest.raises(SqlError, match="the pattern is not supported"):
            engine.check(sql)
        return
    duck.fill("m", {"s": "text"}, [("Motörhead",)])
    engine.push("m", [("Motörhead",)])
    assert engine.live(sql).rows() == [(value,)] == duck.run(sql)


# LIKE and GLOB


def by_regex(text: str, pattern: str, escape: str) -> bool:
    out, letters = [], iter(pattern)
    for letter in letters:
        if letter == escape:
            out.append(re.escape(next(letters)))
        else:
            out.append({"%": ".*", "_": "."}.get(letter) or re.escape(letter))
    return re.compile("".join(out), re.DOTALL).fullmatch(text) is not None


LETTERS = st.text("ab%_é", max_size=8)


@given(LETTERS, st.text("ab%_!é", max_size=8).filter(lambda text: not text.replace("!!", "").endswith("!")))
def test_like_matches_as_its_regular_expression_does(text: str, pattern: str) -> None:
    assert wildcards.like(text, pattern, "!") == by_regex(text, pattern, "!")


@pytest.mark.parametrize("pattern", [
    "%error%fatal%", "%a%a%a%a%b", "a%b%c", "%" * 5_000 + "b", "%a" * 5_000 + "%b", "%_a_b%",
    "_" * 900 + "%b", "%a_%a_%b",
    "a" * 500 + "%", "%" + "a" * 500_000 + "b%", "_" * MEGA, "%_" * 100_000,
], ids=lambda pattern: pattern[:12])  # fmt: skip
@pytest.mark.parametrize("text", ["a", "ab"])
def test_like_ends_whatever_the_text(pattern: str, text: str) -> None:
    long = text * (850_000 // len(text))
    began = thread_time()
    wildcards.like(long, pattern, "")
    wildcards.ilike(long, pattern, "")
    wildcards.glob(long, pattern.replace("%", "*").replace("_", "?"))
    assert thread_time() - began < 8 * SLOW_S


def test_like_finds_in_a_long_text_what_is_there() -> None:
    long = "x" * 850_000 + "error" + "y" * 1000 + "fatal"
    assert wildcards.like(long, "%error%fatal%", "") is True
    assert wildcards.like(long, "%err_r%f_tal", "") is True
    assert wildcards.like(long, "%fatal%error%", "") is False
    assert wildcards.like("a" * 100_000, "%" + "a_" * 400 + "%", "") is None


@pytest.mark.parametrize("test", [
    "s ILIKE 'mAO%' ESCAPE 'A'", "s ILIKE 'mooo%' ESCAPE 'o'", "s LIKE 'M%o%' ESCAPE 'x'", "s LIKE 'x%' ESCAPE '%'",
    "s LIKE 'MMo%' ESCAPE 'M'", "s LIKE '%ö_h%'", "s GLOB '*ö?h*'", "s GLOB '*[a-z]d'", "s LIKE '%%%'", "s LIKE ''",
])  # fmt: skip
def test_like_means_what_it_means_in_duckdb(duck: Duck, test: str) -> None:
    engine = Engine({"m": {"s": "text"}})
    rows = [("Motörhead",), ("Mo",), ("",), ("%",), (None,)]
    duck.fill("m", {"s": "text"}, rows)
    engine.push("m", rows)
    sql = f"SELECT s, {test} FROM m"
    assert sorted(engine.live(sql).rows(), key=str) == sorted(duck.run(sql), key=str)
