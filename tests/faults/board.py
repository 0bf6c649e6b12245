"""The board of the fault tests: jobs that are opened, moved and done, and queries of all kinds that an engine keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from storage.event import Event
from storage.ids import uuid7

ID = "faults"
PLACES = ("EWR", "JFK", "LGA", "nowhere")
TYPES = ("job.opened", "job.moved", "job.done")
CSV = "code,name,rank\nEWR,Newark,1\nJFK,Kennedy,2\nLGA,LaGuardia,3\n"
BOARD = """
id = "faults"
title = "Jobs"
timezone = "America/New_York"

[events."job.opened"]
subject = "job"
entry = true
fields.job = { required = true }
fields.place = { required = true }
fields.weight = { type = "int", min = 0 }
[events."job.moved"]
subject = "job"
entry = true
fields.job = { required = true }
fields.place = { required = true }
[events."job.done"]
subject = "job"
entry = true
fields.job = { required = true }

[tables.places]
csv = "places.csv"

[views.jobs]
sql = '''
SELECT subject AS job, latest(place) AS place, earliest(authid) AS opener, sum(weight) AS weight, count(*) AS events,
  min(time) AS since, max(position) AS last, bool_or(type = 'job.done') AS done, bool_or(pending) AS pending
FROM events GROUP BY subject
'''

[[panels]]
kind = "table"
title = "Where"
at = [0, 0, 1, 1]
sql = '''
SELECT coalesce(p.name, j.place, 'unknown') AS place, count(*) AS jobs, sum(j.weight) AS weight, max(j.last) AS last
FROM jobs j LEFT JOIN places p ON j.place = p.code WHERE NOT j.done GROUP BY 1 ORDER BY 1
'''

[[panels]]
kind = "table"
title = "Who, of late"
at = [0, 1, 1, 1]
sql = '''
SELECT authid, type, count(*) AS events, count(DISTINCT subject) AS jobs FROM events
WHERE time > now() - INTERVAL '5 minutes' GROUP BY authid, type ORDER BY authid, type
'''

[[panels]]
kind = "table"
title = "Newest in the log"
at = [1, 0, 1, 1]
sql = "SELECT position, id, type, subject, authid, pending FROM events ORDER BY position DESC LIMIT 25"

[[panels]]
kind = "table"
title = "Newest by the clock"
at = [1, 1, 1, 1]
sql = "SELECT time, id, place, weight FROM events ORDER BY time DESC, id LIMIT 25"

[[panels]]
kind = "value"
title = "All"
at = [2, 0, 1, 2]
sql = "SELECT count(*) AS value, count(DISTINCT id) AS ids, sum(weight) AS weight, median(weight) AS middle FROM events"
"""


def write(folder: Path, board: str = BOARD) -> Path:
    """The board's files in a folder; the board's own path."""
    (folder / "places.csv").write_text(CSV)
    path = folder / "board.toml"
    path.write_text(board)
    return path


def fields(number: int) -> tuple[str, dict[str, Any]]:
    """The type of the entry with this number, and its fields."""
    type = TYPES[number % 7 % 3]
    data: dict[str, Any] = {"job": f"J{number * 7919 % 211}"}
    if type != "job.done":
        data["place"] = PLACES[number % 4]
    if type == "job.opened":
        data["weight"] = number % 10
    return type, data


def event(number: int, time: int) -> Event:
    """An event as another producer makes it, at a time in µs."""
    type, data = fields(number)
    return Event(
        id=uuid7(time), source="/other", type=type, time=time, subject=data["job"], data=msgspec.json.encode(data)
    )
