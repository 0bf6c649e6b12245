"""How what needs attention is said: pure functions of a board's labels, units and zone. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dataflow.board import Board, EventType, Field
from dataflow.session import Attention, Told
from dataflow.times import local_day, local_text
from gui.text.values import NARROW, formatter, sentence
from storage.event import WITHDRAWN

NOTHING = "–"


class FieldText(NamedTuple):
    """One field of an entry. `meanwhile`: what others say of it by now; empty where nothing else."""

    name: str
    label: str
    text: str
    meanwhile: str


class Words:
    """One board's words."""

    def __init__(self, board: Board) -> None:
        self.events = board.events
        self._zone = ZoneInfo(board.timezone)

    def may_enter(self, type: str) -> bool:
        """Whether operators may enter such an event on the board as it is now."""
        return type in self.events and self.events[type].entry

    def label(self, told: Told) -> str:
        """"Hold a flight": what kind of event it is."""
        return self._event(told).label or ("Withdraw an entry" if told.type == WITHDRAWN else told.type)

    def name(self, told: Told) -> str:
        """"Hold a flight · AA753": what it is, and about what."""
        return f"{self.label(told)} · {short(told.subject)}" if told.subject else self.label(told)

    def title(self, item: Attention) -> str:
        """One line for an item of the list."""
        return self.name(item.entry) if item.entry else short_sentence(item.reason)

    def detail(self, item: Attention) -> str:
        """A second line."""
        if item.entry is None:
            return f"{self.moment(item.time)} · {short(item.origin)}" if item.origin else self.moment(item.time)
        what = "Changed meanwhile" if item.stale else "Refused"
        return f"{what} · {self.moment(item.entry.time)} · {short(item.entry.author)}"

    def reason(self, item: Attention) -> str:
        """Why it is here, as a sentence."""
        return f"{short_sentence(item.reason).rstrip('.')}."

    def fields(self, entry: Told, events: Sequence[Told] = ()) -> list[FieldText]:
        """Each field of an entry, and what came over it meanwhile."""
        declared = self._event(entry).fields
        changed = self.differences(entry, events)
        extra = {name: Field() for name in (*entry.fields, *changed) if name not in declared and name in entry.fields}
        return [self._field_text(name, field, entry, changed) for name, field in (declared | extra).items()]

    def differences(self, entry: Told, events: Sequence[Told]) -> dict[str, tuple[Any, str]]:
        """The entry's fields of which others said something else last: field → (value, author).

        A note of another kind of event is another note, whatever its name.
        """
        last = {
            name: (value, told.author)
            for told in events
            for name, value in told.fields.items()
            if told.type == entry.type or not self._is_note(told, name)
        }
        return {name: said for name, said in last.items() if said[0] != entry.fields.get(name)}

    def remarks(self, entry: Told, events: Sequence[Told]) -> dict[str, str]:
        """By field, what others say of it by now."""
        return {said.name: said.meanwhile for said in self.fields(entry, events) if said.meanwhile}

    def line(self, told: Told) -> str:
        """An event's fields in one line, but for its entity: "Reason Weather · Until 8 Feb 15:40"."""
        event = self._event(told)
        shown = ((name, event.fields.get(name, Field()), value) for name, value in told.fields.items())
        return " · ".join(
            f"{label(name, field)} {self._text(field, value)}" for name, field, value in shown if name != event.subject
        )

    def moment(self, time: int, beside: int | None = None) -> str:
        """A time in the board's zone: without its day where that of `beside` is the same."""
        clock = local_text(time, self._zone, "%H:%M:%S")
        if beside is not None and local_day(beside, self._zone) == local_day(time, self._zone):
            return clock
        return f"{local_text(time, self._zone, '%d %b').removeprefix('0')} {clock}"

    def _is_note(self, told: Told, name: str) -> bool:
        field = self._event(told).fields.get(name)
        return field is None or (field.type in {"text", "json"} and not field.choices)

    def _field_text(self, name: str, field: Field, entry: Told, changed: Mapping[str, tuple[Any, str]]) -> FieldText:
        value, author = changed.get(name, (None, ""))
        meanwhile = f"{self._text(field, value)} · {author}" if author else ""
        return FieldText(name, label(name, field), self._text(field, entry.fields.get(name)), meanwhile)

    def _text(self, field: Field, value: Any) -> str:
        unit = f"{NARROW}{field.unit}" if field.unit and value is not None else ""
        return formatter(field.type, None, self._zone, null=NOTHING)(value) + unit

    def _event(self, told: Told) -> EventType:
        return self.events.get(told.type) or EventType()

def filling(told: Told, event: EventType) -> dict[str, Any]:
    """What an entry form is filled with."""
    return {
        name: msgspec.json.encode(value).decode() if event.fields[name].type == "json" else value
        for name, value in told.fields.items()
        if name in event.fields
    }


def label(name: str, field: Field) -> str:
    """As the form has it."""
    return field.label or name.replace("_", " ").capitalize()


def short_sentence(text: str) -> str:
    """With a capital at its beginning, in one line, and not too long to be read."""
    return sentence(short(" ".join(text.split()), 400))


def short(text: str, most: int = 80) -> str:
    """At most so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"
