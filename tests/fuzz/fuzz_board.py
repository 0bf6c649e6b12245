"""The board that the window fuzzer opens: every type of field, every kind of panel, devices, and queries that cost."""

from __future__ import annotations

from random import Random

ID = "fuzz"
TYPES: dict[str, dict[str, str]] = {
    "seen": {"what": "text", "n": "int", "x": "float", "ok": "bool", "at": "timestamp", "doc": "json"},
    "said": {"what": "text", "words": "text"},
}
TEXT = """
id = "fuzz"
title = "Fuzz <b>board</b>"
timezone = "Europe/Berlin"

[events.seen]
subject = "what"
entry = true
fields.what = { required = true }
fields.n = { type = "int" }
fields.x = { type = "float", unit = "V" }
fields.ok = { type = "bool" }
fields.at = { type = "timestamp" }
fields.doc = { type = "json" }

[events.said]
subject = "what"
entry = true
guard = true
fields.what = { required = true }
fields.words = { multiline = true }

[sources.meters]
topic = "meters/+/state"
type = "seen"
subject = "{1}"
fields = { x = "x", n = "n" }

[views.last]
sql = '''
SELECT subject, latest(x) AS x, latest(n) AS n, count(*) AS c, max(time) AS time, bool_or(pending) AS pending
FROM events GROUP BY subject
'''

[[panels]]
kind = "value"
title = "Sum"
at = [0, 0, 2, 2]
sql = "SELECT sum(x) AS value, bool_or(pending) AS pending FROM seen"
spark = "SELECT time_bucket(INTERVAL '1 hour', time) AS x, avg(x) AS y FROM seen GROUP BY 1 ORDER BY 1"

[[panels]]
kind = "line"
title = "x"
at = [0, 2, 2, 4]
sql = ""\"
SELECT time AS x, x AS y, subject AS series FROM seen WHERE time > now() - INTERVAL '1 year' ORDER BY time LIMIT 500
""\"

[[panels]]
kind = "bar"
title = "By subject"
at = [0, 6, 2, 2]
sql = "SELECT subject AS label, sum(x) AS value FROM seen GROUP BY subject ORDER BY value DESC LIMIT 12"

[[panels]]
kind = "table"
title = "Last"
at = [2, 0, 4, 6]
actions = [{ label = "Say", event = "said", key = "H", fields = { what = "subject" } }]
sql = "SELECT * FROM last ORDER BY time DESC LIMIT 300"

[[panels]]
kind = "log"
title = "Words"
at = [2, 6, 2, 2]
sql = ""\"
SELECT time, coalesce(words, what) AS text FROM events
WHERE words LIKE '%error%fatal%' OR words ~ '^(a+)+$' OR NOT pending ORDER BY time DESC LIMIT 100
""\"

[[panels]]
kind = "form"
title = "Enter"
at = [4, 6, 2, 2]
events = ["seen", "said"]
"""
QUERIES = [
    "SELECT subject, levenshtein(words, what) AS d FROM said",
    "SELECT regexp_extract(words, '(.*)x(.*)y(.*)z', 2) AS g, count(*) AS c FROM said GROUP BY 1",
    "SELECT doc ->> 'a' AS a, doc -> '$.a[0]' AS b, n * n * n AS c, x / n AS d FROM seen",
    "SELECT a.what, b.what AS other FROM seen a JOIN seen b ON a.n = b.n ORDER BY 1, 2 LIMIT 50",
    "SELECT a.time, a.x, b.x AS before FROM seen a ASOF LEFT JOIN seen b ON a.subject = b.subject AND a.time > b.time",
    "SELECT subject, stddev(x) AS s, median(x) AS m, mode(n) AS o, string_agg(what, ',' ORDER BY what) AS t "
    "FROM seen GROUP BY subject",
    "SELECT repeat(what, n) AS r, lpad(what, n, 'x') AS l, what || words AS w FROM events",
    "SELECT x, sum(x) OVER (ORDER BY time ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS s FROM seen",
    "SELECT DISTINCT date_trunc('month', at) AS m, year(at) AS y, strftime(at, '%Y-%m-%d') AS d FROM seen",
    "SELECT CAST(x AS DECIMAL(38, 10)) AS d, TRY_CAST(what AS INT) AS i, x::BIGINT AS b FROM seen",
]  # fmt: skip


def with_query(random: Random) -> str:
    """The board with one more panel, on one of the queries or on a broken one."""
    sql = random.choice(QUERIES)
    if random.random() < 0.3:
        at = random.randrange(len(sql))
        sql = (
            sql[:at] + random.choice(["(", ")", "'", " AND ", "1e5+1", ", *", " OVER () ", "::", "SELECT "]) + sql[at:]
        )
    quoted = sql.replace("\\", "\\\\").replace('"', '\\"')
    return TEXT + f'\n[[panels]]\nkind = "table"\ntitle = "Extra"\nat = [6, 0, 2, 8]\nsql = "{quoted}"\n'
