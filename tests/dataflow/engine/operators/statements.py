"""Statements whose plans hold, between them, every operator in every one of its kinds.

`t` and `u` are kept relations of the same columns: k text, n int, x float, due timestamp. `events` is the log.
"""

from __future__ import annotations

COLUMNS = {"k": "text", "n": "int", "x": "float", "due": "timestamp"}
EVENTS = {"position": "int", "pending": "bool", "type": "text", "time": "timestamp", **COLUMNS}
RELATIONS = {"t": COLUMNS, "u": COLUMNS, "events": EVENTS}

AGGREGATES = {
    "group": "SELECT k, count(*), count(x), sum(n), sum(x), avg(x), min(x), max(x), min(n), max(k) FROM t GROUP BY k",
    "group, its size not told": "SELECT n, max(x) FROM t GROUP BY n",
    "grand": "SELECT count(*), sum(x), min(n), max(x), bool_and(n > 0), bool_or(x > 0), "
    "string_agg(k, ',' ORDER BY n) FROM t",
    "distinct arguments": "SELECT k, count(DISTINCT n), sum(DISTINCT x), string_agg(DISTINCT k, ',' ORDER BY k) "
    "FROM t GROUP BY k",
    "filtered": "SELECT k, count(*) FILTER (WHERE x > 0), sum(x) FILTER (WHERE n > 0) FROM t GROUP BY k",
    "having": "SELECT k, sum(n) FROM t GROUP BY k HAVING count(*) > 1 AND sum(n) > 0",
    "arg": "SELECT k, arg_max(n, x), arg_min(x, n), mode(n), median(x), quantile_disc(n, 0.3) FROM t GROUP BY k",
    "statistics": "SELECT k, stddev(n), var_pop(n), corr(n, n * n), regr_slope(n, n * n), product(n) FROM t GROUP BY k",
    "bits": "SELECT k, bit_and(n), bit_or(n), bit_xor(n), to_json(list(n ORDER BY x)) FROM t GROUP BY k",
    "two keys": "SELECT k, n, count(*), max(x) FROM t GROUP BY k, n",
    "key is not shown": "SELECT count(*) FROM t GROUP BY k",
    "rollup": "SELECT k, n, count(*) FROM t GROUP BY ROLLUP (k, n)",
    "distinct": "SELECT DISTINCT k, x FROM t",
    "distinct, one column": "SELECT DISTINCT x FROM t",
    "of a group": "SELECT c, count(*) FROM (SELECT k, count(*) AS c FROM t GROUP BY k) GROUP BY c",
    "over a union": "SELECT k, count(*), sum(x) FROM (SELECT * FROM t UNION ALL SELECT * FROM u) GROUP BY k",
}
SETS = {
    "union all": "SELECT k, n FROM t UNION ALL SELECT k, n FROM u WHERE n > 0 UNION ALL SELECT 'z', 5",
    "union": "SELECT k, x FROM t UNION SELECT k, x FROM u",
    "intersect": "SELECT k, x FROM t INTERSECT SELECT k, x FROM u",
    "intersect all": "SELECT k, x FROM t INTERSECT ALL SELECT k, x FROM u",
    "except": "SELECT k, x FROM t EXCEPT SELECT k, x FROM u",
    "except all": "SELECT k, x FROM t EXCEPT ALL SELECT k, x FROM u",
}
JOINS = {
    "inner": "SELECT * FROM t JOIN u ON t.k = u.k",
    "inner, with a test": "SELECT t.n, u.n, u.x FROM t JOIN u ON t.k = u.k AND t.n < u.n",
    "inner, by floats": "SELECT t.k, u.k FROM t JOIN u ON t.x = u.x",
    "inner, without a key": "SELECT t.n, u.n FROM t JOIN u ON t.n < u.n",
    "cross": "SELECT t.n, u.k FROM t CROSS JOIN u",
    "self": "SELECT a.n, b.n FROM t a JOIN t b ON a.k = b.k",
    "self, left": "SELECT a.n, b.n FROM t a LEFT JOIN t b ON a.n = b.n + 1",
    "left": "SELECT t.*, u.n FROM t LEFT JOIN u ON t.k = u.k",
    "left, with a test": "SELECT t.n, u.n FROM t LEFT JOIN u ON t.k = u.k AND t.n < u.n",
    "left, without a key": "SELECT t.n, u.n FROM t LEFT JOIN u ON t.n < u.n",
    "right": "SELECT t.n, u.* FROM t RIGHT JOIN u ON t.k = u.k",
    "full": "SELECT t.k, t.n, u.k, u.n FROM t FULL JOIN u ON t.k = u.k",
    "full, two keys": "SELECT t.x, u.x FROM t FULL JOIN u ON t.k = u.k AND t.n = u.n",
    "semi": "SELECT * FROM t SEMI JOIN u ON t.k = u.k",
    "semi, with a test": "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.n > t.n)",
    "anti": "SELECT * FROM t ANTI JOIN u ON t.k = u.k",
    "anti, with a test": "SELECT * FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.n > t.n)",
    "not in": "SELECT * FROM t WHERE n NOT IN (SELECT n FROM u)",
    "with a constant": "SELECT t.k, v.b FROM t LEFT JOIN (VALUES ('a', 1), ('a', 2), ('b', 3)) v(a, b) ON t.k < v.a",
}
ASOF = {
    **{f"asof {op}": f"SELECT t.*, u.n, u.x FROM t ASOF JOIN u ON t.k = u.k AND t.n {op} u.n" for op in (">=", "<")},
    **{f"asof left {op}": f"SELECT t.k, t.x, u.* FROM t ASOF LEFT JOIN u ON t.x {op} u.x" for op in (">", "<=")},
    "asof left, keyed": "SELECT t.*, u.n, u.x FROM t ASOF LEFT JOIN u ON t.k = u.k AND t.n > u.n",
}
TOPS = {
    "top": "SELECT k, n FROM (SELECT * FROM t ORDER BY n DESC, k LIMIT 3)",
    "top, of floats": "SELECT x FROM (SELECT x, k FROM t ORDER BY x DESC NULLS FIRST LIMIT 2 OFFSET 1)",
    "top, no limit": "SELECT k FROM (SELECT k, x FROM t ORDER BY k OFFSET 2)",
    "top of a union": "SELECT k FROM (SELECT k FROM t UNION ALL SELECT k FROM u ORDER BY k LIMIT 3)",
    "first of each": "SELECT DISTINCT ON (k) k, n, x FROM t ORDER BY k, n DESC",
}
OVER = "OVER (PARTITION BY k ORDER BY n)"
WINDOWS = {
    "ranks": f"SELECT k, n, row_number() {OVER}, rank() {OVER}, dense_rank() {OVER}, ntile(3) {OVER} FROM t",
    "shares": f"SELECT k, n, percent_rank() {OVER}, cume_dist() {OVER} FROM t",
    "shifted": f"SELECT k, n, x, lag(x) {OVER}, lead(x, 2, 0.5) {OVER}, lag(n, 0) {OVER}, lead(n, -1) {OVER} FROM t",
    "shifted, known": f"SELECT n, lag(x, 2 IGNORE NULLS) {OVER}, lead(x IGNORE NULLS) {OVER} FROM t",
    "picked": f"SELECT n, x, first_value(x) {OVER}, last_value(x) {OVER}, nth_value(x, 2) {OVER} FROM t",
    "picked, known": f"SELECT n, first_value(x IGNORE NULLS) {OVER}, last_value(x IGNORE NULLS) {OVER}, "
    f"nth_value(x, 2 IGNORE NULLS) {OVER} FROM t",
    "running": f"SELECT k, n, sum(n) {OVER}, avg(x) {OVER}, min(x) {OVER}, max(x) {OVER}, count(x) {OVER} FROM t",
    "running, filtered": f"SELECT k, n, sum(n) FILTER (WHERE x > 0) {OVER} FROM t",
    "running, by rows": "SELECT n, x, sum(n) OVER (ORDER BY x ROWS UNBOUNDED PRECEDING), first_value(n) OVER "
    "(ORDER BY x ROWS UNBOUNDED PRECEDING) FROM t",
    "whole": "SELECT k, n, sum(n) OVER (PARTITION BY k), first_value(n) OVER (PARTITION BY k) FROM t",
    "whole, folded": "SELECT k, n, median(x) OVER (PARTITION BY k), count(DISTINCT n) OVER (PARTITION BY k), "
    "last_value(n) OVER (PARTITION BY k ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t",
    "sliding": "SELECT n, sum(n) OVER (ORDER BY n, k ROWS 2 PRECEDING), max(x) OVER (ORDER BY n, k ROWS 1 PRECEDING) "
    "FROM t",
    "frames of rows": "SELECT n, sum(n) OVER (ORDER BY n, k ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), "
    "count(*) OVER (ORDER BY n, k ROWS BETWEEN 2 FOLLOWING AND UNBOUNDED FOLLOWING), "
    "last_value(x) OVER (ORDER BY n, k ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) FROM t",
    "frames of peers": "SELECT n, sum(n) OVER (ORDER BY n RANGE BETWEEN CURRENT ROW AND CURRENT ROW), "
    "count(x) OVER (ORDER BY n RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), "
    "min(n) OVER (ORDER BY n RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t",
    "statistics of frames": "SELECT k, n, stddev(n) OVER (PARTITION BY k), "
    "quantile_cont(n, 0.25) OVER (PARTITION BY k), var_pop(n) OVER (ORDER BY n, k ROWS 2 PRECEDING) FROM t",
    "frames of values": "SELECT n, sum(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING), "
    "count(*) OVER (ORDER BY n RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING), "
    "min(n) OVER (ORDER BY n DESC RANGE BETWEEN CURRENT ROW AND 2 FOLLOWING), "
    "max(n) OVER (ORDER BY x RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) FROM t",
    "the first of each part": "SELECT k, n FROM t QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC) <= 2",
    "the first peers": "SELECT k, n, x FROM t QUALIFY rank() OVER (PARTITION BY k ORDER BY n) <= 2",
}
FILTERS = {
    **{f"time {op}": f"SELECT k, n, due FROM t WHERE due {op} now() - INTERVAL '5 seconds'" for op in (">", ">=")},
    **{f"time {op}": f"SELECT k, n, due FROM t WHERE due {op} now() + INTERVAL '5 seconds'" for op in ("<", "<=")},
    "a span of time": "SELECT k, count(*) FROM t WHERE due <= now() AND due > now() - INTERVAL '10 seconds' GROUP BY k",
    "a time beside another": "SELECT t.n, u.n FROM t JOIN u ON t.k = u.k WHERE t.due > now() AND u.due <= now()",
    "the time of a union": "SELECT k FROM (SELECT * FROM t UNION ALL SELECT * FROM u) WHERE due > now()",
}
KEPT = {**AGGREGATES, **SETS, **JOINS, **ASOF, **TOPS, **WINDOWS, **FILTERS}
"""Over kept relations: every row can be retracted."""

LOG = {
    "log, group": "SELECT k, count(*), sum(x), avg(x), min(x), max(n), latest(n), earliest(x) FROM events GROUP BY k",
    "log, grand": "SELECT count(*), sum(n), min(k), max(x), arg_max(k, n), bool_or(n > 0) FROM events",
    "log, having": "SELECT k, max(x) FROM events GROUP BY k HAVING max(x) > 0",
    "log, newest": "SELECT k, latest(n), latest(x) FILTER (WHERE n > 0), earliest(n) FROM events GROUP BY k",
    "log, counted": "SELECT k, count(*), sum(n), count(DISTINCT n) FROM events GROUP BY k",
    "log, distinct": "SELECT DISTINCT k, n FROM events",
    "log, top": "SELECT position, k FROM (SELECT * FROM events ORDER BY n DESC, position LIMIT 2 OFFSET 1)",
    "log, time >": "SELECT k, n, time FROM events WHERE time > now() - INTERVAL '5 seconds'",
    "log, time <=": "SELECT k, n, time FROM events WHERE time <= now() + INTERVAL '5 seconds'",
    "log, span": "SELECT k, count(*), sum(x), max(n) FROM events WHERE time > now() - INTERVAL '9 seconds' GROUP BY k",
    "log, join": "SELECT e.position, t.n FROM events e LEFT JOIN t ON e.k = t.k",
    "log, asof": "SELECT a.position, b.position FROM events a ASOF LEFT JOIN events b ON a.k = b.k AND a.time > b.time",
    "log, window": f"SELECT position, sum(n) {OVER}, lag(x) {OVER} FROM events",
}
"""Over the log: confirmed rows come in order of position; pending ones are held, then released."""
