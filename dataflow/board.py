"""What a board is: event types, sources, tables, views and panels. The TOML file that says it is read by `boards/`.

Every struct here is one section of the file, so a key that is not here is an error there. Colours are always *roles* of
the theme: "text", "dim", "accent", "pending", "ok", "warning", "critical", "series1" …, never literals.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dataflow.text.slugs import distinct, slug

FieldType = Literal["text", "int", "float", "bool", "timestamp", "json"]
Role = Literal[
    "text", "dim", "faint", "accent", "pending", "ok", "warning", "critical", "series1", "series2", "series3"
]  # fmt: skip

Duration = Annotated[
    str | float,
    Meta(description='Seconds, or a number with a unit: "90s", "5m", "2h", "1d"', examples=["5m", 90]),
]
PanelId = Annotated[
    str,
    Meta(
        description="The panel's name: small letters, digits, - and _; without it one is made from title and query",
        extra_json_schema={"pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
    ),
]
StaleBy = Annotated[str, Meta(description="The timestamp column of the query that says how new a row is")]

ENVELOPE: dict[str, str] = {
    "position": "int",
    "id": "text",
    "source": "text",
    "type": "text",
    "subject": "text",
    "time": "timestamp",
    "authid": "text",
    "causationid": "text",
    "seen": "int",
    "pending": "bool",
}
"""The columns that every event has in SQL, in order, before the declared fields."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of a board file."""


class Field(Section, frozen=True, kw_only=True):
    """One declared field of an event type."""

    type: FieldType = "text"
    label: str | None = None        # on forms; None: the name, with spaces
    unit: str | None = None
    choices: list[Any] | None = None
    default: Any = None             # "auto" (the subject's field): a fresh id; "now": the board's clock
    required: bool = False
    min: float | None = None
    max: float | None = None
    help: str | None = None
    multiline: bool = False


class EventType(Section, frozen=True, kw_only=True):
    """`[events."flight.held"]`."""

    label: str | None = None        # "Hold a flight": the form's title
    subject: str | None = None      # the field that names the entity
    entry: bool = False             # operators may enter it
    guard: bool = False
    submit: str | None = None       # the button's words; `{field}` is filled in: "Hold {flight}"
    fields: dict[str, Field] = {}


class Source(Section, frozen=True, kw_only=True):
    """`[sources.rooms]`: plain JSON messages of devices (MQTT, NATS) that become events of one type.

    A path is the keys on the way down, joined by dots (`AM2301.Temperature`); `.` is the message itself. `fields` maps
    event field to path; what it leaves out stands at the top of the message, by its own name.
    """

    topic: str                      # an MQTT topic filter: "tele/+/SENSOR"
    type: str                       # the event type
    subject: str | None = None      # "{1}": what the first wildcard stands for; "{Id}": a path; or plain text
    time: str | None = None         # a path to RFC 3339 text or seconds or milliseconds since 1970; None: when it came
    fields: dict[str, str] = {}


class Table(Section, frozen=True, kw_only=True):
    """`[tables.airlines]`: a CSV file beside the board, a regular one of at most 64 MB; column types are told from its
    values.
    """

    csv: str


class View(Section, frozen=True, kw_only=True):
    """`[views.flights]`: a named live query."""

    sql: str


class Threshold(Section, frozen=True, kw_only=True):
    """From `at` upwards (or down to `below`) a value is shown in `role`."""

    role: Role
    at: float | None = None
    below: float | None = None


class ColumnSpec(Section, frozen=True, kw_only=True):
    """How one result column is shown."""

    label: str | None = None
    format: str | None = None       # Python format spec for numbers (",.0f", "+.0f"); strftime for timestamps ("%H:%M")
    unit: str | None = None
    width: int | None = None        # pixels; None: told from the content once
    align: Literal["left", "right", "center"] | None = None
    role: Role | None = None
    bold: bool = False
    tone: str | None = None         # the column whose text names a role for this cell
    hidden: bool = False


class Action(Section, frozen=True, kw_only=True):
    """A row action: opens the entry form of `event`, filled from the row. `fields` maps event field to column."""

    label: str
    event: str
    key: str | None = None          # a shortcut while the row is selected: "H"
    fields: dict[str, str] = {}


UNNAMED = "\0"
"""The id of a panel whose section gives none, until its board makes one."""


class PanelBase(Section, frozen=True, kw_only=True):
    """What every panel has. `at` is [row, column, height, width] on the board's grid. `id` is unique on a board."""

    id: PanelId = msgspec.field(default_factory=lambda: UNNAMED)
    title: str
    at: tuple[int, int, int, int]
    note: str | None = None         # small text at the title's right end, in place of the default (row count …)


class DataPanel(PanelBase, frozen=True, kw_only=True):
    """A panel of a query. Where its newest row is older than `stale_after`, it says so: "No data for 12 min". A row is
    as old as its column `stale_by`; where that is not named, `time`, on a line panel its `x`.
    """

    stale_after: Duration | None = None
    stale_by: StaleBy | None = None


class ValuePanel(DataPanel, tag_field="kind", tag="value", frozen=True, kw_only=True):
    """One number. Columns by name: `value`; optional `caption` (text) and `pending`. `spark` is a query of (x, y)."""

    sql: str
    unit: str | None = None
    format: str | None = None
    spark: str | None = None
    role: Role = "text"
    thresholds: list[Threshold] = []


class TablePanel(DataPanel, tag_field="kind", tag="table", frozen=True, kw_only=True):
    """Rows. A bool column named `pending` marks the row and is not shown."""

    sql: str
    columns: dict[str, ColumnSpec] = {}
    actions: list[Action] = []
    empty: str | None = None        # what to say where there are no rows


class LinePanel(DataPanel, tag_field="kind", tag="line", frozen=True, kw_only=True):
    """Lines over time: columns x (timestamp or number), y (number) and, for several lines, series (text)."""

    sql: str
    x: str = "x"
    y: str = "y"
    series: str | None = None
    unit: str | None = None
    empty: str | None = None


class BarPanel(DataPanel, tag_field="kind", tag="bar", frozen=True, kw_only=True):
    """Horizontal bars in the query's order: columns label (text) and value (number), optional `pending`."""

    sql: str
    label: str = "label"
    value: str = "value"
    role: Role = "accent"
    format: str | None = None
    empty: str | None = None


class LogPanel(DataPanel, tag_field="kind", tag="log", frozen=True, kw_only=True):
    """What happened, newest first: columns `time`, `title`; optional `detail`, `tone` (a role) and `pending`."""

    sql: str | None = None          # None: every event, with its type, subject and author
    empty: str | None = None


class FormPanel(PanelBase, tag_field="kind", tag="form", frozen=True, kw_only=True):
    """Entry forms, one at a time."""

    events: list[str]


Panel = ValuePanel | TablePanel | LinePanel | BarPanel | LogPanel | FormPanel


class Board(Section, frozen=True, kw_only=True):
    """A board file, decoded. `timezone` is an IANA name: how times are shown (data is UTC throughout)."""

    id: str
    title: str
    timezone: str = "UTC"
    admins: list[str] = []          # who may withdraw what others entered, by the names under which they enter
    events: dict[str, EventType] = {}
    sources: dict[str, Source] = {}
    tables: dict[str, Table] = {}
    views: dict[str, View] = {}
    panels: list[Panel] = []

    def __post_init__(self) -> None:
        """Give an id to each panel that has none."""
        if any(panel.id == UNNAMED for panel in self.panels):
            msgspec.structs.force_setattr(self, "panels", named_panels(self.panels))


EVERY_EVENT = """
SELECT position, time, coalesce(subject || ' ', '') || type AS title, coalesce(authid, source) AS detail, pending
FROM events ORDER BY position DESC LIMIT 200
"""


def stale_column(panel: DataPanel) -> str:
    """The result column that says how new a row is."""
    return panel.stale_by or (panel.x if isinstance(panel, LinePanel) else "time")


def queries(panel: Panel) -> dict[str, str]:
    """The live queries of a panel: "main", and "spark" where a value panel has one. A form has none."""
    match panel:
        case FormPanel():
            return {}
        case ValuePanel(spark=str() as spark):
            return {"main": panel.sql, "spark": spark}
        case LogPanel():
            return {"main": panel.sql or EVERY_EVENT}
        case _:
            return {"main": panel.sql}


def named_panels(panels: Sequence[Panel]) -> list[Panel]:
    """Return the panels, each with an id that no other has, unless the file gives one twice. Those that show the same
    under the same title are told apart by their order.
    """
    made = distinct((made_id(panel) for panel in panels if panel.id == UNNAMED), {panel.id for panel in panels})
    return [msgspec.structs.replace(panel, id=next(made)) if panel.id == UNNAMED else panel for panel in panels]


def made_id(panel: Panel) -> str:
    """Return a panel's id where its section gives none: its title, and a digest of title, kind and what it shows.

    It rests on nothing else of the board, so that it stays when other panels come, go or move.
    """
    shown = panel.events if isinstance(panel, FormPanel) else queries(panel)
    whole = ascii((panel.title, type(panel).__struct_config__.tag, shown)).encode()
    return f"{slug(panel.title, 40) or 'panel'}-{blake2b(whole, digest_size=3).hexdigest()}"
