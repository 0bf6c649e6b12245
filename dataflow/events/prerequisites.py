"""What an event rests on: the entry that has to be in the log before it, or it would have no effect there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dataflow.events.withdrawals import target_id
from storage.event import WITHDRAWN, Event

BY_TYPE: Mapping[str, Callable[[Event], str | None]] = {WITHDRAWN: target_id}


def prerequisite(event: Event) -> str | None:
    """Return the id of the event that this one rests on; None where it rests on none."""
    find = BY_TYPE.get(event.type)
    return None if find is None else find(event)
