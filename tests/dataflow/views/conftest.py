from __future__ import annotations

import pytest

from tests.dataflow.views.stage import Stage


@pytest.fixture
def stage(tmp_path):
    """Makes a stage; closes its store."""
    made = []

    def make(events=(), **given):
        made.append(Stage(tmp_path, events, **given))
        return made[-1]

    yield make
    for each in made:
        each.views.close()
        each.database.close()
