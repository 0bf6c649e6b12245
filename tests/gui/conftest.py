"""What the tests of the window share: the application in the dark theme, an account, an event loop."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from gui.theme.stylesheet import stylesheet
from gui.theme.theme import Theme


@pytest.fixture
def account(tmp_path, monkeypatch):
    """An account of its own, with its folder for data, caches, state and settings; where they are."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


@pytest.fixture
def theme(qapp):
    """The dark theme, applied; anew only where a test has applied another, as that takes 70 ms."""
    dark = Theme.load("dark")
    if qapp.styleSheet() != stylesheet(dark.roles) or qapp.palette() != dark.palette():
        dark.apply(qapp)
    return dark


@pytest.fixture
def run(qtbot):
    """Run a coroutine on an event loop that is Qt's, too."""

    def run(main):
        loop = QEventLoop(app)
        asyncio.set_event_loop(loop)
        with loop:
            loop.run_until_complete(main)
        asyncio.set_event_loop(None)

    app = QApplication.instance()
    app.setQuitOnLastWindowClosed(False)  # a desk closes its connection after its window
    yield run
    app.setQuitOnLastWindowClosed(True)
