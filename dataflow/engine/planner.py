"""SQL to plans, by way of a cache where there is one, so that a warm start needs no SQL parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from dataflow.board import ENVELOPE
from dataflow.sql.plan.codec import decode, encode
from dataflow.sql.plan.nodes import Query
from dataflow.sql.plan_key import digest

if TYPE_CHECKING:
    from dataflow.engine.plan_cache import Plans
    from dataflow.sql.compile import Compiler


class Planner:
    """Plans queries over `columns`, event types of these `kinds`, and `views`. `plans` are kept between runs."""

    def __init__(
        self, columns: Mapping[str, Mapping[str, str]], kinds: Mapping[str, Sequence[str]], views: Mapping[str, str],
        plans: Plans | None,
    ) -> None:  # fmt: skip
        self._columns = columns
        self.kinds = {kind: tuple(own) for kind, own in kinds.items()}
        self._views = dict(views)
        self._plans = plans

    @cached_property
    def compiler(self) -> Compiler:
        """The compiler, whose import takes long."""
        from dataflow.sql.compile import Compiler

        envelope = sum(1 for name in self._columns.get("events", ()) if name in ENVELOPE)
        return Compiler(self._columns, self.kinds, envelope, self._views)

    def plan(self, sql: str) -> Query:
        """Return the plan of a query, and keep it. Raises SqlError."""
        if self._plans is None:
            return self.compiler.query(sql)
        key = digest(sql, self._columns, self.kinds, self._views)
        kept = self._plans.get(key)
        if kept is not None:
            with suppress(ValueError):  # it is none of ours: as good as absent
                return decode(kept)
        plan = self.compiler.query(sql)
        with suppress(OverflowError):  # a constant beyond 64 bits
            self._plans.put(key, encode(plan))
        return plan
