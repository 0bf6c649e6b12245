"""Queries over the dialect's grammar, grown from draws so that Hypothesis can shrink them: the simplest choice
comes first.

Every expression is grown for a type. A query's FROM gives the columns in sight; deeper draws nest views,
subqueries, joins and groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")
Choose = Callable[[int], int]
"""A whole number from 0 up to below the argument."""


class Name(NamedTuple):
    text: str
    type: str


class From(NamedTuple):
    sql: str
    names: list[Name]


BASE = [
    Name("position", "int"), Name("type", "text"), Name("subject", "text"), Name("time", "timestamp"),
    Name("pending", "bool"),
]  # fmt: skip
RELATIONS: dict[str, list[Name]] = {
    "events": [*BASE, Name("n", "int"), Name("m", "int"), Name("x", "float"), Name("y", "float"), Name("s", "text"),
    Name("t", "text"),
               Name("b", "bool"), Name("due", "timestamp")],
    '"a.made"': [*BASE, Name("n", "int"), Name("x", "float"), Name("s", "text"), Name("due", "timestamp")],
    '"b.made"': [*BASE, Name("m", "int"), Name("y", "float"), Name("t", "text"), Name("b", "bool"), Name("n", "int")],
    "places": [Name("code", "text"), Name("name", "text"), Name("rank", "int"), Name("weight", "float")],
    "stock": [Name("code", "text"), Name("n", "int"), Name("price", "float"), Name("open", "bool"),
    Name("due", "timestamp")],
    "made": [Name("position", "int"), Name("time", "timestamp"), Name("pending", "bool"), Name("n", "int"),
    Name("x", "float"),
             Name("s", "text"), Name("twice", "float")],
    "totals": [Name("s", "text"), Name("n", "int"), Name("x", "float"), Name("due", "timestamp")],
    "recent": [Name("time", "timestamp"), Name("s", "text"), Name("n", "int"), Name("x", "float"),
    Name("b", "bool"), Name("position", "int")],
    "placed": [Name("n", "int"), Name("x", "float"), Name("time", "timestamp"), Name("position", "int"),
    Name("name", "text"), Name("rank", "int")],
}  # fmt: skip

LITERALS = {
    "int": ["0", "1", "2", "3", "7", "(-2)", "NULL::BIGINT"],
    "float": ["0.5e0", "1e0", "2.25e0", "(-1.5e0)", "NULL::DOUBLE"],
    "text": ["'a'", "'b'", "'Bob'", "''", "'é%'", "NULL::VARCHAR"],
    "bool": ["TRUE", "FALSE", "NULL::BOOLEAN"],
    "timestamp": ["TIMESTAMPTZ '2013-02-08 12:05:00+00'", "TIMESTAMPTZ '2013-02-08 11:58:30+00'"],
    "interval": ["INTERVAL '5 minutes'", "INTERVAL '90 seconds'", "INTERVAL 1 HOUR"],
}
COMPARISONS = ["=", "<", ">", "<=", ">=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]
PATTERNS = ["'a%'", "'%b'", "'_'", "'%'", "'%o%'"]
REGEXPS = ["'b'", "'[a-z]+'", "'^.'", "'\\d*'", "'[[:alpha:]]$'"]
GLOBALLY = ["", ", 'g'"]
MATCHES = ["SIMILAR TO", "~", "!~", "NOT SIMILAR TO"]
PARTS = ["year", "month", "day", "dayofweek", "dayofyear", "week", "quarter"]
UNITS = ["minute", "hour", "day", "second"]
TYPES = ["int", "float", "text", "bool", "timestamp"]


def flat(name: str) -> str:
    """A name without its table, still told apart."""
    return name.replace(".", "_")


class Grower:
    """Grows queries from a source of choices."""

    def __init__(self, choose: Choose) -> None:
        self.choose = choose
        self.aliases = 0

    def pick(self, options: Sequence[T]) -> T:
        return options[self.choose(len(options))]

    def maybe(self, one_in: int) -> bool:
        return self.choose(one_in) == one_in - 1

    # expressions

    def expr(self, type: str, names: list[Name], depth: int) -> str:
        fitting = [name.text for name in names if name.type == type]
        if depth <= 0 or self.maybe(4):
            if fitting and not self.maybe(4):
                return self.pick(fitting)
            return self.pick(LITERALS[type])
        forms = self._forms(type)
        return forms[self.choose(len(forms))](names, depth - 1)

    def _forms(self, type: str) -> list[Callable[[list[Name], int], str]]:
        common = [self._coalesce, self._case, self._nullif, self._greatest, self._if]
        own = getattr(self, f"_{type}_forms")()
        return [*own, *(lambda n, d, form=form: form(type, n, d) for form in common)]

    def _coalesce(self, type: str, names: list[Name], depth: int) -> str:
        return f"coalesce({self.expr(type, names, depth)}, {self.expr(type, names, depth)})"

    def _case(self, type: str, names: list[Name], depth: int) -> str:
        if self.maybe(3):
            of = self.pick(["int", "text"])
            head = f"CASE {self.expr(of, names, depth)} WHEN {self.expr(of, names, depth)}"
        else:
            head = f"CASE WHEN {self.expr('bool', names, depth)}"
        tail = f" ELSE {self.expr(type, names, depth)}" if self.maybe(2) else ""
        return f"{head} THEN {self.expr(type, names, depth)}{tail} END"

    def _nullif(self, type: str, names: list[Name], depth: int) -> str:
        return f"nullif({self.expr(type, names, depth)}, {self.expr(type, names, depth)})"

    def _greatest(self, type: str, names: list[Name], depth: int) -> str:
        return f"{self.pick(['greatest', 'least'])}({self.expr(type, names, depth)}, {self.expr(type, names, depth)})"

    def _if(self, type: str, names: list[Name], depth: int) -> str:
        return (
            f"if({self.expr('bool', names, depth)}, {self.expr(type, names, depth)}, {self.expr(type, names, depth)})"
        )

    def _int_forms(self) -> list[Callable[[list[Name], int], str]]:
        e = self.expr
        return [
            lambda n, d: f"({e('int', n, d)} + {e('int', n, d)})",
            lambda n, d: f"({e('int', n, d)} {self.pick(['-', '*', '//', '%'])} {e('int', n, d)})",
            lambda n, d: f"abs({e('int', n, d)})",
            lambda n, d: f"length({e('text', n, d)})",
            lambda n, d: f"(-{e('int', n, d)})",
            lambda n, d: f"extract({self.pick(UNITS)} FROM {e('timestamp', n, d)})",
            lambda n, d: f"date_diff('{self.pick(UNITS)}', {e('timestamp', n, d)}, {e('timestamp', n, d)})",
            lambda n, d: f"strpos({e('text', n, d)}, {e('text', n, d)})",
            lambda n, d: f"date_sub('{self.pick(UNITS)}', {e('timestamp', n, d)}, {e('timestamp', n, d)})",
            lambda n, d: f"date_sub('month', {e('timestamp', n, d)}, {e('timestamp', n, d)})",
            lambda n, d: f"levenshtein({e('text', n, d)}, {e('text', n, d)})",
            lambda n, d: f"sign({e('float', n, d)})::BIGINT",
            lambda n, d: f"TRY_CAST(round({e('float', n, d)}) AS BIGINT)",
            lambda n, d: f"({e('bool', n, d)})::BIGINT",
            lambda n, d: f"TRY_CAST({e('text', n, d)} AS BIGINT)",
            lambda n, d: f"epoch_ms({e('timestamp', n, d)})",
            lambda n, d: f"{self.pick(PARTS)}({e('timestamp', n, d)})",
            lambda n, d: f"hour({e('timestamp', n, d)} AT TIME ZONE 'America/New_York')",
        ]

    def _float_forms(self) -> list[Callable[[list[Name], int], str]]:
        e = self.expr
        return [
            lambda n, d: f"({e('float', n, d)} + {e('float', n, d)})",
            lambda n, d: f"({e('float', n, d)} {self.pick(['-', '*', '/'])} {e('float', n, d)})",
            lambda n, d: f"({e('int', n, d)} / {e('int', n, d)})",
            lambda n, d: f"({e('int', n, d)} {self.pick(['+', '*', '-'])} {e('float', n, d)})",
            lambda n, d: f"round({e('float', n, d)}, 1)",
            lambda n, d: f"{self.pick(['floor', 'ceil', 'abs', 'trunc', 'round'])}({e('float', n, d)})",
            lambda n, d: f"({e('int', n, d)})::DOUBLE",
            lambda n, d: f"sqrt({e('float', n, d)})",
            lambda n, d: f"TRY_CAST({e('text', n, d)} AS DOUBLE)",
            lambda n, d: f"TRY_CAST({e('float', n, d)} AS DECIMAL(5, 1))::DOUBLE",
            lambda n, d: f"(100.0 * {e('int', n, d)} / {e('int', n, d)})",
            lambda n, d: f"({e('int', n, d)} * 0.5 + {e('float', n, d)})",
            lambda n, d: f"round({e('int', n, d)} * 1.25, 1)::DOUBLE",
            lambda n, d: f"epoch({e('timestamp', n, d)} - {e('timestamp', n, d)})",
        ]

    def _text_forms(self) -> list[Callable[[list[Name], int], str]]:
        e = self.expr
        return [
            lambda n, d: f"({e('text', n, d)} || {e('text', n, d)})",
            lambda n, d: f"{self.pick(['upper', 'lower', 'trim', 'reverse'])}({e('text', n, d)})",
            lambda n, d: f"substr({e('text', n, d)}, {self.choose(6) - 2}, {self.choose(4)})",
            lambda n, d: f"{self.pick(['left', 'right'])}({e('text', n, d)}, {self.choose(4) - 1})",
            lambda n, d: f"concat({e('text', n, d)}, '-', {e('text', n, d)})",
            lambda n, d: f"concat_ws('/', {e('text', n, d)}, {e('text', n, d)})",
            lambda n, d: f"({e('int', n, d)})::VARCHAR",
            lambda n, d: f"({e('bool', n, d)})::VARCHAR",
            lambda n, d: f"replace({e('text', n, d)}, 'a', 'xy')",
            lambda n, d: f"({e('text', n, d)} || {e('int', n, d)})",
            lambda n, d: f"lpad({e('text', n, d)}, 4, '.')",
            lambda n, d: f"split_part({e('text', n, d)}, 'b', {self.choose(3) + 1})",
            lambda n, d: f"strftime({e('timestamp', n, d)}, '%Y-%m-%d %H:%M')",
            lambda n, d: f"({e('timestamp', n, d)})::VARCHAR",
            lambda n, d: f"regexp_replace({e('text', n, d)}, {self.pick(REGEXPS)}, '<\\0>'{self.pick(GLOBALLY)})",
            lambda n, d: f"regexp_extract({e('text', n, d)}, {self.pick(REGEXPS)})",
            lambda n, d: f"({e('text', n, d)})[{self.choose(4)}:{self.choose(4) - 1}]",
            lambda n, d: f"strftime({e('timestamp', n, d)}, '%-d.%-m. %U %V %u')",
        ]

    def _bool_forms(self) -> list[Callable[[list[Name], int], str]]:
        e = self.expr
        return [
            self._compare, self._compare, self._compare,
            lambda n, d: f"({e('bool', n, d)} AND {e('bool', n, d)})",
            lambda n, d: f"({e('bool', n, d)} OR {e('bool', n, d)})",
            lambda n, d: f"(NOT {e('bool', n, d)})",
            lambda n, d: f"({e(self.pick(TYPES), n, d)} IS {self.pick(['NULL', 'NOT NULL'])})",
            lambda n, d: f"({e('bool', n, d)} IS {self.pick(['TRUE', 'FALSE', 'NOT TRUE'])})",
            self._in, self._between,
            lambda n, d: f"({e('text', n, d)} {self.pick(['LIKE', 'ILIKE', 'NOT LIKE'])} {self.pick(PATTERNS)})",
            lambda n, d: f"regexp_matches({e('text', n, d)}, {self.pick(REGEXPS)}, 'i')",
            lambda n, d: f"({e('text', n, d)} {self.pick(MATCHES)} {self.pick(REGEXPS)})",
            lambda n, d: f"starts_with({e('text', n, d)}, {e('text', n, d)})",
            self._bare,
        ]  # fmt: skip

    def _bare(self, names: list[Name], _: int) -> str:
        """Precedence without parentheses."""
        one, two, three = (self.expr("int", names, 0) for _ in range(3))
        return f"({one} + 1 > {two} * 2 AND NOT {three} = 3 OR {self.expr('text', names, 0)} || 'a' = 'ba')"

    def _compare(self, names: list[Name], depth: int) -> str:
        type = self.pick(["int", "float", "text", "timestamp", "bool"])
        other = "float" if type == "int" and self.maybe(4) else type
        return f"({self.expr(type, names, depth)} {self.pick(COMPARISONS)} {self.expr(other, names, depth)})"

    def _in(self, names: list[Name], depth: int) -> str:
        type = self.pick(["int", "text", "float"])
        rest = [
            self.pick(LITERALS[type]) if not self.maybe(4) else self.expr(type, names, 0)
            for _ in range(1 + self.choose(3))
        ]
        return f"({self.expr(type, names, depth)} {self.pick(['IN', 'NOT IN'])} ({', '.join(rest)}))"

    def _between(self, names: list[Name], depth: int) -> str:
        type = self.pick(["int", "float", "timestamp", "text"])
        low, high = self.expr(type, names, depth), self.expr(type, names, depth)
        return f"({self.expr(type, names, depth)} {self.pick(['BETWEEN', 'NOT BETWEEN'])} {low} AND {high})"

    def _timestamp_forms(self) -> list[Callable[[list[Name], int], str]]:
        e = self.expr
        return [
            lambda n, d: f"date_trunc('{self.pick([*UNITS, 'week', 'month', 'year'])}', {e('timestamp', n, d)})",
            lambda n, d: (
                f"time_bucket(INTERVAL '{self.pick(['5 minutes', '7 minutes', '1 day'])}', {e('timestamp', n, d)})"
            ),
            lambda n, d: f"({e('timestamp', n, d)} {self.pick(['+', '-'])} {self.pick(LITERALS['interval'])})",
            lambda n, d: f"({e('timestamp', n, d)} + INTERVAL '1 month')",
            lambda n, d: f"({e('timestamp', n, d)} {self.pick(['+', '-'])} {e('int', n, 0)} * INTERVAL '1 month')",
            lambda n, d: f"({e('timestamp', n, d)} + {e('int', n, 0)} * INTERVAL '1 minute')",
        ]

    # aggregates

    def aggregate(self, type: str, names: list[Name], depth: int) -> str:
        call = self._aggregate(type, names, depth)
        if not call.startswith("to_json") and self.maybe(4):
            call += f" FILTER (WHERE {self.expr('bool', names, depth)})"
        return call

    def _aggregate(self, type: str, names: list[Name], depth: int) -> str:
        inner = self.expr(type, names, depth)
        if type == "int" and not self.maybe(3):
            any_ = self.expr(self.pick(TYPES), names, depth)
            return self.pick(
                ["count(*)", f"sum({inner})", f"count({any_})", f"count(DISTINCT {any_})", f"sum(DISTINCT {inner})"]
            )
        if type == "float" and not self.maybe(3):
            number = self.pick([inner, self.expr("int", names, depth)])
            forms = ["sum({})", "avg({})", "avg(DISTINCT {})", "median({})", "quantile_cont({}, 0.25)"]
            at = self.choose(len(forms))
            return forms[at].format(number if at else inner)
        if type == "bool" and not self.maybe(4):
            return f"{self.pick(['bool_or', 'bool_and'])}({inner})"
        if type in ("int", "float") and self.maybe(6):
            other = self.expr("float", names, 0)
            whole = ["bit_and({})", "bit_or({})", "bit_xor({})", "quantile_disc({}, 0.4)"]
            return self.pick([f"regr_count({inner}, {other})", *(f.format(inner) for f in whole)] if type == "int" else
                             [f"covar_pop({inner}, {other})", f"quantile_disc({inner}, 0.4)", f"product({other})"])
        if type in ("int", "float") and self.maybe(6):
            return f"{self.pick(['arg_max', 'arg_min'])}({inner}, {inner})"
        if type == "text" and inner[0] not in "'(N" and self.maybe(4):
            once = self.pick(["", "DISTINCT "])
            return f"string_agg({once}{inner}, '/' ORDER BY {inner}{self._direction()})"
        if type != "timestamp" and self.maybe(5):
            by = self.expr(self.pick(TYPES), names, depth)
            forms = [f"any_value({inner} * 0)" if type == "int" else f"max({inner})"]
            if inner in {name.text for name in names}:
                forms += [f"{end}({inner} ORDER BY {by}{self._direction()}, {inner})" for end in ("first", "last")]
            if type == "text":
                forms += [f"to_json(list({inner} ORDER BY {inner}{self._direction()}))::VARCHAR"]
            return self.pick(forms)
        known = {name.text for name in names}
        if "position" in known and "rank" not in known and self.maybe(2):
            return f"{self.pick(['latest', 'earliest'])}({inner})"
        return f"{self.pick(['min', 'max'])}({inner})"

    # relations

    def alias(self) -> str:
        self.aliases += 1
        return f"q{self.aliases}"

    def source(self, depth: int) -> From:
        choice = self.choose(10)
        if depth > 0 and choice in (6, 7):
            return self.joined(depth - 1)
        if depth > 0 and choice == 8:
            inner, alias = self.select(depth - 1, tail=self.maybe(3)), self.alias()
            return From(f"({inner.sql}) AS {alias}", inner.names)
        if depth > 0 and choice == 9:
            inner, alias = self.union(depth - 1), self.alias()
            return From(f"({inner.sql}) AS {alias}", inner.names)
        if depth > 0 and self.maybe(12):
            return self._values()
        name = self.pick(list(RELATIONS))
        return From(name, RELATIONS[name])

    def _values(self) -> From:
        types = [self.pick(TYPES) for _ in range(1 + self.choose(2))]
        rows = [", ".join(self.pick(LITERALS[type]) for type in types) for _ in range(1 + self.choose(3))]
        names = [Name(f"v{at}", type) for at, type in enumerate(types)]
        alias = f"{self.alias()}({', '.join(name.text for name in names)})"
        listed = ", ".join(f"({row})" for row in rows)
        return From(f"(SELECT * FROM (VALUES {listed}) AS {alias}) AS {self.alias()}", names)

    def joined(self, depth: int) -> From:
        if self.maybe(8):
            return self._nearest(depth)
        left, right = self.source(0 if depth < 1 else depth - 1), self.source(0)
        a, b = self.alias(), self.alias()
        ours = [Name(f"{a}.{flat(name.text)}", name.type) for name in left.names]
        theirs = [Name(f"{b}.{flat(name.text)}", name.type) for name in right.names]
        kind = self.pick(["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"])
        on = self._on(ours, theirs)
        if self.maybe(3):
            on += f" AND {self._compare(ours + theirs, 0)}"
        if kind == "JOIN" and self.maybe(6):
            on += f" AND {self._nested(ours)}"
        names = ours if kind in ("SEMI JOIN", "ANTI JOIN") else ours + theirs
        return From(f"{self._as(left, a)} {kind} {self._as(right, b)} ON {on}", names)

    def _nearest(self, depth: int) -> From:
        """An ASOF join with a relation in which no two rows have the same key and value: DuckDB takes any of them."""
        left, inner = self.source(0 if depth < 1 else depth - 1), self.source(0)
        a, b = self.alias(), self.alias()
        ours = [Name(f"{a}.{flat(name.text)}", name.type) for name in left.names]
        pairs = [(o, t) for o in ours for t in inner.names if o.type == t.type and o.type in ("int", "float", "text")]
        if not pairs:
            return left
        (one, by), (key, of) = self.pick(pairs), self.pick(pairs)
        groups = f"(SELECT {by.text} AS v, {of.text} AS k, count(*) AS c FROM {inner.sql} GROUP BY 1, 2) AS {b}"
        word, op = self.pick(["ASOF JOIN", "ASOF LEFT JOIN"]), self.pick([">=", ">", "<=", "<"])
        tests = [f"{one.text} {op} {b}.v", f"{key.text} = {b}.k"]
        if self.maybe(3):
            tests.append(self.pick([f"{b}.c > 1", f"{one.text} IS NOT NULL AND {key.text} IS NOT NULL"]))
        names = [*ours, Name(f"{b}.v", by.type), Name(f"{b}.k", of.type), Name(f"{b}.c", "int")]
        return From(f"{self._as(left, a)} {word} {groups} ON {' AND '.join(tests)}", names)

    def _as(self, source: From, alias: str) -> str:
        if " AS q" in source.sql and source.sql.startswith("("):
            return source.sql.rsplit(" AS ", 1)[0] + f" AS {alias}"
        if "JOIN" in source.sql:
            items = ", ".join(f"{name.text} AS {flat(name.text)}" for name in source.names)
            return f"(SELECT {items} FROM {source.sql}) AS {alias}"
        return f"{source.sql} AS {alias}"

    def _on(self, ours: list[Name], theirs: list[Name]) -> str:
        pairs = [(o, t) for o in ours for t in theirs if o.type == t.type and o.type in ("text", "int", "bool")]
        if not pairs:
            return "TRUE"
        one, two = self.pick(pairs)
        return f"{one.text} = {two.text}" if self.maybe(2) else f"{two.text} = {one.text}"

    # queries

    def query(self) -> str:
        kind = self.choose(8)
        if kind == 7:
            return self.union(1).sql
        if kind == 6:
            inner = self.select(1, tail=False)
            columns = ", ".join(name.text for name in inner.names)
            return f"WITH w AS ({inner.sql}) SELECT {columns} FROM w WHERE {self.expr('bool', inner.names, 1)}"
        return self.select(2, tail=True).sql

    def union(self, depth: int) -> From:
        first = self.select(depth, tail=False)
        types = [name.type for name in first.names]
        second = self.select(depth, tail=False, types=types)
        word = self.pick(
            ["UNION ALL", "UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"]
        )
        return From(f"{first.sql} {word} {second.sql}", first.names)

    def select(self, depth: int, *, tail: bool, types: list[str] | None = None) -> From:
        source = self.source(depth)
        types = types or [self.pick(TYPES) for _ in range(1 + self.choose(3))]
        if self.maybe(6):
            return self._windowed(source, types, tail=tail)
        if self.choose(5) in (2, 3, 4):
            return self._grouped(source, types, tail=tail)
        names = [Name(f"c{i}", type) for i, type in enumerate(types)]
        items = ", ".join(f"{self.expr(type, source.names, 2)} AS c{i}" for i, type in enumerate(types))
        distinct = "DISTINCT " if self.maybe(6) else ""
        if tail and self.maybe(8):
            distinct = f"DISTINCT ON ({self.pick(['c0', str(len(types))])}) "
        sql = f"SELECT {distinct}{items} FROM {source.sql}{self._where(source)}"
        return From(
            sql + (self._tail(names, self.expr("int", source.names, 1), distinct) if tail else ""), names
        )

    def _windowed(self, source: From, types: list[str], *, tail: bool) -> From:
        """Rows (or groups) with window functions over them. Only what ties do not leave open to DuckDB."""
        names = source.names
        items = [self._window(type, source) for type in types]
        sql = f"SELECT {', '.join(f'{item} AS c{i}' for i, item in enumerate(items))} FROM {source.sql}"
        sql += self._where(source)
        test = f"{self._window('int', source)} {self.pick(['<=', '<', '=', '>'])} {self.choose(4)}"
        if not any(" OVER " in text for text in (*items, test)):
            sql += f" QUALIFY count(*) OVER () > {self.choose(3)}"
        elif self.maybe(3):
            sql += f" QUALIFY {test}" if " OVER " in test else ""
        names = [Name(f"c{i}", type) for i, type in enumerate(types)]
        return From(sql + (self._tail(names, "") if tail else ""), names)

    def _window(self, type: str, source: From) -> str:
        names = source.names
        unique = [n.text for n in names if n.text == "position" and source.sql in ("events", '"a.made"', '"b.made"')]
        over = f"PARTITION BY {self.expr(self.pick(TYPES), names, 1)} " if self.maybe(2) else ""
        if unique:
            order = f"{self.expr(self.pick(TYPES), names, 1)}{self._direction()}, " if self.maybe(2) else ""
            over += f"ORDER BY {order}{unique[0]}{self.pick(['', ' DESC'])}"
        elif self.maybe(2):
            over += f"ORDER BY {self.expr(self.pick(TYPES), names, 1)}{self._direction()}"
        value = self.expr(type, names, 1)
        forms = [value, f"max({value}) OVER ({over})", f"min({value}) OVER ({over})"]
        if type == "int":
            forms += [f"rank() OVER ({over})", f"dense_rank() OVER ({over})", f"count(*) OVER ({over})"]
            forms += [f"count({value}) FILTER ({self.expr('bool', names, 1)}) OVER ({over})"]
        if type in ("int", "float"):
            forms += [f"sum({value}) OVER ({over})" + ("::BIGINT" if type == "int" else "")]
        if type == "float":
            forms += [f"avg({value}) OVER ({over})"]
        if unique:
            forms += [f"lag({value}) OVER ({over})", f"lead({value}, {self.choose(3)}) OVER ({over})"]
            end = self.pick(["first_value", "last_value"])
            forms += [f"{end}({value}) OVER ({over})", f"nth_value({value}, 2) OVER ({over} {self._frame()})"]
            frame = self.pick(["UNBOUNDED", "1", "2"])
            forms += [f"max({value}) OVER ({over} ROWS BETWEEN {frame} PRECEDING AND CURRENT ROW)"]
            forms += [f"{self.pick(['min', end])}({value}) OVER ({over} {self._frame()})"]
            forms += [f"lag({value}, -{self.choose(3)}) OVER ({over})"]
            moved = self.pick(["lag", "lead"])
            forms += [f"{moved}({value}, {self.choose(3)} IGNORE NULLS) OVER ({over})"]
            forms += [f"{end}({value} IGNORE NULLS) OVER ({over} {self._frame()})"]
            forms += ["row_number() OVER (" + over + ")", f"ntile(3) OVER ({over})"] if type == "int" else []
        if type == "float":
            forms += [f"{self.pick(['percent_rank', 'cume_dist'])}() OVER ({over})"]
            forms += [f"{self.pick(['median', 'stddev', 'var_pop'])}({value}) OVER ({self._partition(names)})"]
        if type == "bool":
            forms += [f"{self.pick(['bool_and', 'bool_or'])}({value}) OVER ({over})"]
        if type == "int":
            forms += [f"count(DISTINCT {value}) OVER ({self._partition(names)})"]
        ranges = ["CURRENT ROW AND UNBOUNDED FOLLOWING", "CURRENT ROW AND CURRENT ROW"]
        if "ORDER BY" in over:
            forms += [f"max({value}) OVER ({over} RANGE BETWEEN {self.pick(ranges)})"]
        measured = self._measured(names)
        if measured:
            call = "count(*)" if type == "int" else f"min({value})"
            forms += [f"{call} OVER ({self._partition(names)} {measured})"] * 2
        return self.pick(forms)

    def _measured(self, names: list[Name]) -> str:
        """A frame by distance, over a column; nothing where there is none to measure."""
        spans = {
            "int": ["1", "2"],
            "float": ["0.5", "2"],
            "timestamp": ["INTERVAL '1 minute'", "INTERVAL '5 minutes'"],
        }
        columns = [name for name in names if name.type in spans]
        if not columns:
            return ""
        by = self.pick(columns)
        near, far = (self.pick(spans[by.type]) for _ in range(2))
        frame = self.pick([
            f"{near} PRECEDING AND CURRENT ROW", f"{near} PRECEDING AND {far} FOLLOWING",
            f"CURRENT ROW AND {far} FOLLOWING",
            f"UNBOUNDED PRECEDING AND {near} PRECEDING", f"{near} FOLLOWING AND UNBOUNDED FOLLOWING",
        ])  # fmt: skip
        return f"ORDER BY {by.text}{self._direction()} RANGE BETWEEN {frame}"

    def _partition(self, names: list[Name]) -> str:
        return f"PARTITION BY {self.expr(self.pick(TYPES), names, 1)}" if self.maybe(2) else ""

    def _frame(self) -> str:
        start = self.pick(["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING"])
        ends = ["UNBOUNDED FOLLOWING", "2 FOLLOWING", "1 FOLLOWING", "CURRENT ROW", "1 PRECEDING"]
        end = self.pick(ends[: 3 if start == "1 FOLLOWING" else 4 if start == "CURRENT ROW" else 5])
        return f"ROWS BETWEEN {start} AND {end}"

    def _where(self, source: From) -> str:
        parts = []
        if self.maybe(2):
            parts.append(self.expr("bool", source.names, 2))
        if self.maybe(7):
            parts.append(self._nested(source.names))
        times = [name.text for name in source.names if name.type == "timestamp"]
        if times and self.maybe(3):
            parts.append(self._temporal(self.pick(times)))
        kinds = [name.text for name in source.names if name.text.rsplit(".", 1)[-1] == "type"]
        if kinds and self.maybe(4):
            parts.append(f"{kinds[0]} {self.pick(['=', 'IN'])} ('a.made')")
        return " WHERE " + " AND ".join(parts) if parts else ""

    def _nested(self, outer: list[Name]) -> str:
        """A condition on another query, which may name this one's columns."""
        table, alias = self.pick(["places", "stock", "totals", '"a.made"']), self.alias()
        names = [Name(f"{alias}.{name.text}", name.type) for name in RELATIONS[table]]
        inner = f" FROM {table} AS {alias}"
        form = self.choose(9)
        if form > 5:
            return self._asked(outer, names, inner, form)
        if form == 5:
            test = f" WHERE {self._on(outer, names)}" + (f" AND {self._compare(names, 0)}" if self.maybe(2) else "")
            value = self.pick(["count(*)", *(f"max({name.text})" for name in names if name.type == "int")])
            return f"coalesce({self.expr('int', outer, 0)}, 1) > (SELECT {value}{inner}{test})"
        if form == 4:
            either = self.pick(["OR", "OR NOT", "AND NOT NOT"])
            return f"({self._compare(outer, 0)} {either} EXISTS (SELECT 1{inner} WHERE {self._on(outer, names)}))"
        if form == 3:
            value = self.pick(
                [f"count({names[1].text})", *(f"max({name.text})" for name in names if name.type == "int")]
            )
            return f"{self.expr('int', outer, 0)} > (SELECT {value}{inner})"
        word = self.pick(["", "NOT "])
        if form == 2:
            test = f" WHERE {self._on(outer, names)}" + (
                f" AND {self._compare(names + outer, 0)}" if self.maybe(2) else ""
            )
            return f"{word}EXISTS (SELECT 1{inner}{test})"
        item = self.pick([name for name in names if name.type in ("text", "int")])
        where = f" WHERE {self._compare(names, 0)}" if self.maybe(2) else ""
        return f"{self.expr(item.type, outer, 1)} {word}IN (SELECT {item.text}{inner}{where})"

    def _asked(self, outer: list[Name], names: list[Name], inner: str, form: int) -> str:
        """A condition that asks another query for a value: IN, ANY and ALL with their NULLs, and the first of rows."""
        item = self.pick([name for name in names if name.type in ("text", "int")])
        where = f" WHERE {self._on(outer, names) if self.maybe(3) else self._compare(names, 0)}"
        query = f"(SELECT {item.text}{inner}{where if self.maybe(2) else ''}"
        value = self.expr(item.type, outer, 0)
        state = self.pick(["IS NULL", "IS NOT TRUE", "IS FALSE"])
        numbers = [name for name in names if name.type == "int"]
        if form == 6 and len(numbers) > 0 and self.maybe(3):
            pair = f"({value}, {self.expr('int', outer, 0)})"
            test = f" WHERE {self._compare(names, 0)}" if self.maybe(2) else ""
            return f"{pair} {self.pick(['IN', 'NOT IN'])} (SELECT {item.text}, {numbers[0].text}{inner}{test})"
        if form == 6 and self.maybe(4):
            rows = ", ".join(f"({self.pick(LITERALS[item.type])})" for _ in range(1 + self.choose(2)))
            return f"({value} {self.pick(['IN', 'NOT IN'])} (VALUES {rows})) {state}"
        if form == 6:
            return f"({value} {self.pick(['IN', 'NOT IN'])} {query})) {state}"
        if form == 7:
            test = self.pick(["=", "<>", "<", ">=", ">"])
            return f"({value} {test} {self.pick(['ANY', 'ALL'])} {query})) {self.pick([state, 'IS TRUE'])}"
        first = f"ORDER BY {item.text}{self._direction()} LIMIT 1)"
        return f"{value} {self.pick(['<=', '=', 'IS DISTINCT FROM'])} {query} {first}"

    def _temporal(self, time: str) -> str:
        span = self.pick(["5 minutes", "1 minute", "12 minutes"])
        return self.pick([
            f"{time} > now() - INTERVAL '{span}'", f"{time} <= now()", f"{time} < now() + INTERVAL '{span}'",
            f"{time} BETWEEN now() - INTERVAL '{span}' AND now() + INTERVAL '1 minute'",
            f"now() - INTERVAL '{span}' <= {time}",
            f"{time} >= date_trunc('minute', now() - INTERVAL '{span}')", f"{time} + INTERVAL '{span}' > now()",
            f"now() - {time} < INTERVAL '{span}'", f"INTERVAL '{span}' <= now() - {time}",
            f"date_trunc('minute', {time}) = date_trunc('minute', now())",
        ])  # fmt: skip

    def _grouped(self, source: From, types: list[str], *, tail: bool) -> From:
        count = self.choose(len(types) + 1)
        keys = [self.expr(type, source.names, 1) for type in types[:count]]
        values = [self._over(type, source.names) for type in types[count:]]
        items = ", ".join(f"{text} AS c{i}" for i, text in enumerate([*keys, *values]))
        names = [Name(f"c{i}", type) for i, type in enumerate(types)]
        sql = f"SELECT {items} FROM {source.sql}{self._where(source)}"
        if keys:
            by = [
                self.pick(
                    [str(i + 1), str(i + 1) if key[0] in "0123456789" or key.startswith("(-") or "::" in key else key]
                )
                for i, key in enumerate(keys)
            ]
            sql += " GROUP BY " + (self._by(by) if not self.maybe(5) else "ALL")
        if (keys or values) and self.maybe(4):
            than = self.pick([str(self.choose(4)), "(SELECT max(n) FROM stock)", "(SELECT count(*) FROM totals)"])
            sql += f" HAVING {self.aggregate('int', source.names, 1)} {self.pick(['>', '<=', '<>'])} {than}"
        order = self.aggregate("int", source.names, 0) if keys and self.maybe(2) else ""
        return From(sql + (self._tail(names, order) if tail else ""), names)

    def _by(self, keys: list[str]) -> str:
        """The keys, or sets of them."""
        text = ", ".join(keys)
        if not self.maybe(5):
            return text
        return self.pick([f"ROLLUP ({text})", f"CUBE ({text})", f"GROUPING SETS (({text}), {keys[-1]}, ())"])

    def _over(self, type: str, names: list[Name]) -> str:
        value = self.aggregate(type, names, 1)
        if self.maybe(4):
            return f"coalesce({value}, {self.aggregate(type, names, 0)})"
        if type in ("int", "float") and self.maybe(4):
            return f"({value} + {self.aggregate(type, names, 0)})"
        return value

    def _tail(self, names: list[Name], order: str, distinct: str = "") -> str:
        if " ON " in distinct:  # all columns in order: what is tied is equal
            return " ORDER BY " + ", ".join(f"{i + 1}{self._direction()}" for i in range(len(names)))
        if not self.maybe(2):
            return ""
        order = "" if distinct else order
        first = [f"{order}{self._direction()}"] if order and order[0] not in "0123456789(" and self.maybe(2) else []
        parts = first + [f"{i + 1}{self._direction()}" for i in range(len(names))]
        sql = " ORDER BY " + ", ".join(parts)
        if self.maybe(2):
            sql += f" LIMIT {self.choose(4)}" + (f" OFFSET {self.choose(3)}" if self.maybe(3) else "")
        return sql

    def _direction(self) -> str:
        return self.pick(["", " DESC", " NULLS FIRST", " DESC NULLS FIRST", " ASC"])
