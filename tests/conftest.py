"""A green run is a quiet run: what a test leaves behind (threads, widgets, running timers) fails it."""

from __future__ import annotations

import gc
import os
import sys
import threading

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def no_leaked_threads():
    """Every thread that a test starts has ended when it is over."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    for thread in left:
        thread.join(timeout=2)
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"threads left running: {names}"


@pytest.fixture(autouse=True)
def no_leaked_widgets(request):
    """Every top-level widget that a test makes is gone, and no timer of Qt's is running, when it is over."""
    yield
    if "PySide6.QtWidgets" not in sys.modules or "qtbot" not in request.fixturenames:
        return
    from PySide6.QtCore import QEvent, QTimer
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    widgets = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    timers = [timer for timer in app.findChildren(QTimer) if timer.isActive()]
    assert not widgets, f"widgets left on screen: {widgets}"
    assert not timers, f"timers left running: {timers}"
