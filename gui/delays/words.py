"""Delays in words: pure functions, no Qt."""

from __future__ import annotations

from dataflow.session import DelayBar, DelayReport, StageDelay
from gui.text.status_text import delay_text

NOTHING = (
    "Nothing measured yet.\nEnter something: how long it takes until the log has it and your screen shows it is "
    "measured for each entry, stage by stage, and kept here."
)
STAGES = {
    "outbox commit": "On this disk", "publish and log": "Through the log", "store": "Back on this disk",
    "views": "In the views", "paint": "On the screen",
}  # fmt: skip
MEANINGS = {
    "outbox commit": "from the key to this desk's own disk: from here on nothing is lost",
    "publish and log": "to the log, which gives it a position, and back",
    "store": "until what came back is on this desk's disk",
    "views": "until every query holds it",
    "paint": "until the frame that shows it was handed to the screen",
}


def find(stages: tuple[StageDelay, ...], name: str) -> StageDelay | None:
    """The stage of that name, if any entry came through it."""
    return next((each for each in stages if each.stage == name), None)


def parts(stages: tuple[StageDelay, ...]) -> list[StageDelay]:
    """The stages of which the total is made."""
    return [each for each in stages if each.stage in STAGES]


def entries_text(count: int) -> str:
    """"1 entry", "12 entries"."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def within_text(stage: StageDelay) -> str:
    """"half within 12 ms, 99 % within 41 ms, the slowest 80 ms"."""
    half, most, slowest = map(delay_text, (stage.p50_ms, stage.p99_ms, stage.most_ms))
    return f"half within {half}, 99 % within {most}, the slowest {slowest}"


def waited_text(report: DelayReport) -> str:
    """Of those that met an outage; nothing where none did."""
    waited = find(report.all, "waited")
    if waited is None:
        return ""
    those = "1 entry waited" if waited.count == 1 else f"{waited.count:,} entries waited"
    longest = f"for {delay_text(waited.most_ms)}" if waited.count == 1 else f"the longest {delay_text(waited.most_ms)}"
    return f"{those} for the log to be reached or caught up with, {longest}; that is no delay and not counted here."


def bar_text(bar: DelayBar) -> str:
    """"10 ms to 13 ms: 4 entries, 1 of them today"."""
    of_day = f", {bar.today:,} of them today" if bar.today else ""
    return f"{delay_text(bar.from_ms)} to {delay_text(bar.to_ms)}: {entries_text(bar.count)}{of_day}"
