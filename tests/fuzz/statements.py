"""The fuzzer's statements: each is made of the seed and its number alone, so that any can be made again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

from sqlglot import exp

from dataflow.sql.expressions import functions
from tests.fuzz.corpus import corpus, tokens
from tests.oracle.grammar import RELATIONS, TYPES, Grower, Name

HOSTILE = (
    "1e5+1", "1e", ".5.5", "1e999", "-0.0", "9223372036854775808", "9" * 50, "'\x00'", "'é🦆'", '"', "'", "((", "))",
    "NULL", "TRUE", "1.0", "::JSON", "::DECIMAL(38,38)", "[1]", "{'a': 1}", "x -> x", "*", "COLUMNS(*)", "now()",
    "INTERVAL '1 day'", "DATE '0001-01-01'", "DISTINCT", "OVER ()", "FILTER (WHERE b)", "ORDER BY", "GROUP BY ALL",
    "HAVING", "QUALIFY", "LIMIT 0", "UNION ALL", "EXCEPT", "LATERAL", "ASOF JOIN", "USING (n)", "CASE", "END", "/*",
    "--", ";", "$$", "?", "@", "\\", "{0}", "%s", "\N{RIGHT-TO-LEFT OVERRIDE}", "->>'$[0]'",
    "AT TIME ZONE 'Nowhere/No'",
)  # fmt: skip
VALUES = (
    "n", "x", "s", "b", "u", "w", "k", "t", "NULL", "''", "'a'", "'%'", "'1'", "0", "-1", "1.5", "1e308", "TRUE",
    "9223372036854775807", "INTERVAL '1 day'", "DATE '2020-01-01'", "TIMESTAMPTZ '2020-01-01 00:00:00+00'", "*",
    "'year'", "'UTC'", "'[a-z'", "to_months(n)", "(SELECT 1)", "n > 1", "DISTINCT n", "n ORDER BY n",
)  # fmt: skip
AROUND = (
    "SELECT * FROM ({}) AS q", "WITH q AS ({}) SELECT * FROM q", "SELECT count(*) FROM ({}) AS q",
    "{0} UNION ALL {0}", "{} LIMIT 3", "({})", "SELECT * FROM ({0}) a JOIN ({0}) b ON TRUE",
    "SELECT 1 FROM m WHERE EXISTS ({})", "SELECT n IN ({}) FROM m", "SELECT ({}) FROM m",
)  # fmt: skip
CHAINS = (" + ", " * ", " - ", " || ", " AND ", " OR ", ", ", " = ", "::BIGINT + ", " IS NULL AND ", " / ")
NESTS = (
    ("(", ")"), ("abs(", ")"), ("coalesce(n, ", ")"), ("CASE WHEN b THEN n ELSE ", " END"), ("NOT ", ""), ("- ", ""),
    ("(SELECT ", ")"), ("if(b, n, ", ")"), ("concat('a', ", ")"), ("CAST(", " AS BIGINT)"), ("nullif(", ", 2)"),
)  # fmt: skip
MOST_PARTS = 400


@cache
def function_names() -> tuple[str, ...]:
    """Of the dialect, and of all that the parser knows."""
    known = [name.lower() for kind in exp.ALL_FUNCTIONS for name in kind.sql_names()]
    return tuple(sorted({*functions.FUNCTIONS, *functions.ALIASES, *functions.OTHERS, *known}))


class Statements:
    """`statement(number)` is always the same for one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def statement(self, number: int) -> str:
        random = Random(f"{self.seed}/{number}")
        kinds: tuple[Callable[[Random], str], ...] = (_grown, _mutated, _called, _mutated, _grown_mutated, _shaped)
        return random.choice(kinds)(random)


def _choose(random: Random) -> Callable[[int], int]:
    return lambda count: random.randrange(count) if count > 1 else 0


def _grown(random: Random) -> str:
    return Grower(_choose(random)).query()


def _grown_mutated(random: Random) -> str:
    return _mutate(random, _grown(random))


def _mutated(random: Random) -> str:
    return _mutate(random, random.choice(corpus()))


def _mutate(random: Random, sql: str) -> str:
    parts = tokens(sql)
    for _ in range(random.randrange(1, 5)):
        random.choice(MUTATIONS)(random, parts)
    sql = "".join(parts)
    return random.choice(AROUND).format(sql) if "{" not in sql and not random.randrange(6) else sql


def _delete(random: Random, parts: list[str]) -> None:
    if parts:
        start = random.randrange(len(parts))
        del parts[start : start + random.randrange(1, 4)]


def _repeat(random: Random, parts: list[str]) -> None:
    start = random.randrange(len(parts) + 1)
    piece = parts[start : start + random.randrange(1, 8)]
    parts[start:start] = piece * random.choice((1, 1, 2, 5, 60))


def _swap(random: Random, parts: list[str]) -> None:
    if parts:
        one, two = random.randrange(len(parts)), random.randrange(len(parts))
        parts[one], parts[two] = parts[two], parts[one]


def _put_hostile(random: Random, parts: list[str]) -> None:
    start = random.randrange(len(parts) + 1)
    parts[start : start + random.randrange(2)] = [" ", random.choice(HOSTILE), " "]


def _put_other(random: Random, parts: list[str]) -> None:
    other = tokens(random.choice(corpus()))
    start, theirs = random.randrange(len(parts) + 1), random.randrange(len(other))
    parts[start : start + random.randrange(3)] = other[theirs : theirs + random.randrange(1, 6)]


def _put_grown(random: Random, parts: list[str]) -> None:
    start = random.randrange(len(parts) + 1)
    names = [Name(name, type) for name, type in (("n", "int"), ("x", "float"), ("s", "text"), ("b", "bool"))]
    grown = Grower(_choose(random)).expr(random.choice(TYPES), names, 2)
    parts[start : start + 1] = [" ", grown, " "]


def _splice(random: Random, parts: list[str]) -> None:
    other = tokens(random.choice(corpus()))
    parts[random.randrange(len(parts) + 1) :] = other[random.randrange(len(other)) :]


MUTATIONS = (_delete, _repeat, _swap, _put_hostile, _put_other, _put_grown, _put_other, _splice)


def _called(random: Random) -> str:
    """A function with any number of values of any type."""
    args = ", ".join(random.choice(VALUES) for _ in range(random.randrange(7)))
    call = f"{random.choice(function_names())}({args})"
    after = random.choice(("", "", "", " OVER ()", " OVER (PARTITION BY b ORDER BY n)", " FILTER (WHERE b)"))
    tail = random.choice(("", "", " GROUP BY ALL", " GROUP BY b", f" WHERE {call} IS NULL", " ORDER BY 1"))
    return f"SELECT {call}{after} FROM m{tail}"


def _shaped(random: Random) -> str:
    """Something long or deep."""
    count = random.randrange(2, MOST_PARTS)
    relation = random.choice(list(RELATIONS))
    part = Grower(_choose(random)).expr(random.choice(TYPES), RELATIONS[relation], 1)
    if random.randrange(2):
        return f"SELECT {random.choice(CHAINS).join([part] * count)} FROM {relation}"
    before, after = random.choice(NESTS)
    return f"SELECT {before * count}{part}{after * count} FROM {relation}"
