"""What the tests of the window share: the application in the dark theme, an account."""

from __future__ import annotations

import pytest

from gui.theme.theme import Theme


@pytest.fixture
def account(tmp_path, monkeypatch):
    """An account of its own, with its folder for data, caches, state and settings; where they are."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


@pytest.fixture
def theme(qapp):
    """The dark theme, applied."""
    dark = Theme.load("dark")
    dark.apply(qapp)
    return dark
