"""What the tests of the window share: the application in the dark theme."""

from __future__ import annotations

import pytest

from gui.theme import Theme


@pytest.fixture
def theme(qapp):
    """The dark theme, applied."""
    dark = Theme.load("dark")
    dark.apply(qapp)
    return dark
