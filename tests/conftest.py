"""A green run is a quiet run: what a test leaves behind (threads, widgets, timers, subscriptions) fails it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest_plugins = ["tests.bytecode", "tests.lengths", "tests.spread"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell: what tests start would ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    set_apart()


def pytest_unconfigure():
    gc.unfreeze()


def set_apart():
    """Take what is there from the garbage collector's sight: modules and tests, 400,000 objects."""
    gc.collect()
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
    if not gc.get_freeze_count():  # a window that closes gives back what it had set apart
        set_apart()
    before = {id(subject) for subject in observed_subjects(gc.get_objects())}
    yield
    from PySide6.QtCore import QEvent
    from PySide6.QtWidgets import QApplication

    QApplication.instance().sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    widgets = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert not widgets, f"widgets left on screen: {widgets}"
    objects = gc.get_objects()
    timers, subjects = running_timers(objects), [each for each in observed_subjects(objects) if id(each) not in before]
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
