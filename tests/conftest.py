"""A green run is a quiet run: what a test leaves behind (threads, widgets, timers, subscriptions) fails it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from weakref import WeakSet

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
MANY = 40_000
"""Objects in the collector's sight: a window that closes gives back all that was set apart."""
APART = WeakSet()
"""The subjects that were observed when they were set apart: no test that a window gives them back to has left them."""
pytest_plugins = ["tests.bytecode", "tests.lengths", "tests.spread"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell: what tests start would ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    set_apart()


def pytest_unconfigure():
    gc.unfreeze()


def set_apart():
    """Take what is there from the garbage collector's sight: modules and tests, and what earlier tests have left."""
    gc.collect()
    APART.update(observed_subjects(gc.get_objects()))
    gc.freeze()


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
def no_leaked_window(request):
    """After a test of the window no widget is on the screen, no timer runs, and nobody is subscribed to anything."""
    if "qtbot" not in request.fixturenames:
        yield
        return
    objects = gc.get_objects()
    if len(objects) > MANY:
        set_apart()
        objects = gc.get_objects()
    before = {id(subject) for subject in observed_subjects(objects)}
    del objects
    yield
    from PySide6.QtCore import QEvent
    from PySide6.QtWidgets import QApplication

    QApplication.instance().sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    widgets = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert not widgets, f"widgets left on screen: {widgets}"
    objects = gc.get_objects()
    timers = running_timers(objects)
    subjects = [each for each in observed_subjects(objects) if id(each) not in before and each not in APART]
    assert not timers, f"timers left running: {timers}"
    assert not subjects, f"subscriptions left open: {subjects}"


def running_timers(objects):
    """The timers of Qt's among them that run; pytest-qt's own are no leak."""
    from PySide6.QtCore import QTimer
    from shiboken6 import isValid

    found = [each for each in objects if isinstance(each, QTimer) and isValid(each) and each.isActive()]
    return [(timer.interval(), timer.isSingleShot(), timer.parent()) for timer in found]


def observed_subjects(objects):
    """The subjects of reactivex's among them that still have observers."""
    subject = sys.modules.get("reactivex.subject.subject")
    if subject is None:
        return []
    return [each for each in objects if subject.Subject in type(each).__mro__ and each.observers]
