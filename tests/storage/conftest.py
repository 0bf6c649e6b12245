"""An open store for each test, closed afterwards."""

from __future__ import annotations

import pytest

from storage.database import Database


@pytest.fixture
def store(tmp_path):
    with Database.open(tmp_path / "board.db") as database:
        yield database
