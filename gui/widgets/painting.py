"""The guard of all painting: what Qt calls while it lays out and paints never raises, and leaves no painter open.

An exception in such a call would come out wherever Python runs next, out of `show()` or the event loop; with a painter
open, Qt ends the process. Each class of ours that overrides one of `CALLS` inherits `Guarded` before its Qt class, and
a test holds all of them to it. Where a call fails, the guard gives Qt what it can go on with, draws the reason in the
place of what could not be drawn, and tells the panel around it, which shows the reason as its error. What failed is not
tried again before `RETRY_S` have passed, or before its panel has other data.

While something of a panel is laid out or painted, `mark` holds the panel's own: if the process dies there, the next one
knows which panel it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from time import monotonic
from traceback import walk_tb
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from PySide6.QtCore import QObject, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from gui.reporting.crash_report import report_once
from gui.reporting.terminal import say

RETRY_S = 1.0
_SIZE = QSize(80, 26)
_WORDS = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
_ROW = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class Mark(Protocol):
    """Where it is kept which panel is being painted."""

    def set(self, own: bytes) -> bytes:
        """It is this one from now on; which it was before."""


class Failure(NamedTuple):
    """Why something could not be drawn, and when that was tried."""

    words: str
    at: float

    def rests(self) -> bool:
        """Whether it is too early to try again."""
        return monotonic() - self.at < RETRY_S


def _draw_instead(widget: QWidget, failure: Failure, *_: Any) -> None:
    """The reason, over all of the widget. Uses nothing of ours: neither theme nor fonts."""
    with QPainter(widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget) as painter:
        _draw_words(painter, widget.rect(), widget.palette(), failure.words, _WORDS)


def _draw_row_instead(delegate: QObject, failure: Failure, painter: QPainter, option: Any, *_: Any) -> None:
    """The reason in a row of a list; the painter is the list's own, and stays open."""
    painter.save()
    _draw_words(painter, option.rect, option.palette, failure.words, _ROW)
    painter.restore()


def _draw_words(painter: QPainter, box: QRect, palette: QPalette, words: str, flags: int) -> None:
    painter.fillRect(box, palette.color(QPalette.ColorRole.Button))
    painter.setPen(palette.color(QPalette.ColorRole.BrightText))
    painter.drawText(box.adjusted(6, 2, -6, -2), flags, words)


def _nothing(*_: Any) -> None:
    return None


CALLS: Mapping[str, Callable[..., Any]] = {
    "paintEvent": _draw_instead,
    "paint": _draw_row_instead,
    **dict.fromkeys(("sizeHint", "minimumSizeHint", "sectionSizeFromContents"), lambda *_: _SIZE),
    **dict.fromkeys(("heightForWidth", "widthForHeight"), lambda *_: -1),
    **dict.fromkeys(("data", "headerData", "displayText", "initStyleOption"), _nothing),
    **dict.fromkeys(("paintSection", "drawRow", "drawBranches", "updateEditorGeometry"), _nothing),
    **dict.fromkeys(("showEvent", "hideEvent", "moveEvent", "resizeEvent", "changeEvent"), _nothing),
}
"""What Qt calls on its way to a picture, and what it gets where that fails.

Not how many rows a model has: Qt asks that hundreds of times a frame, and the answer is a length.
"""


class Guarded:
    """A mixin: what a subclass overrides of `CALLS` runs under the guard. `failures`: by the call's name."""

    failures: Mapping[str, Failure] = MappingProxyType({})
    _host: Host | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in CALLS.keys() & cls.__dict__.keys():
            setattr(cls, name, _guarded(name, cls.__dict__[name]))


class Host(Guarded):
    """What shows the failures of all that is drawn within it: a card."""

    mark: tuple[Mark, bytes] | None = None

    def show_failure(self, words: str | None) -> None:
        """Something within could not be drawn, and why; None: it is tried again."""
        raise NotImplementedError


def host_of(thing: Any) -> Host | None:
    """The card that something belongs to, if to any."""
    if thing._host is None:
        place = thing
        while place is not None and not isinstance(place, Host):
            place = place.parent()
        thing._host = place
    found: Host | None = thing._host
    return found


def run_marked(mark: tuple[Mark, bytes] | None, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call it, with the mark saying for which card this is done."""
    if mark is None:
        return call(*args, **kwargs)
    kept, own = mark
    before = kept.set(own)
    try:
        return call(*args, **kwargs)
    finally:
        kept.set(before)


def fail(thing: Any, name: str, error: Exception) -> Failure:
    """Keep why a call failed, report it if that is new, and tell its card as soon as Qt has done painting."""
    host: Any = host_of(thing)
    title = type(thing).__name__ if host is None else f"the panel “{host.accessibleName()}”"
    line, new = report_once(error, sys.argv[1:], title)
    failure = Failure(f"This panel can't be drawn: {line}", monotonic())
    thing.failures = {**thing.failures, name: failure}
    if new:
        say(f"{title[:1].upper()}{title[1:]} can't be drawn: {line}", err=True)
    if host is not None:
        QTimer.singleShot(0, host, lambda: host.show_failure(failure.words))
    return failure


def failures_in(host: QObject) -> Iterator[Failure]:
    """What within a card could not be drawn."""
    for thing in _guarded_in(host):
        yield from thing.failures.values()


def forget_failures(host: QObject) -> None:
    """All that is drawn within a card is tried again."""
    for thing in _guarded_in(host):
        thing.failures = {}


def _guarded_in(host: QObject) -> Iterator[Guarded]:
    return (thing for thing in (host, *host.findChildren(QObject)) if isinstance(thing, Guarded))


def _end_painters(error: BaseException, given: tuple[Any, ...]) -> None:
    """End what was begun and not ended where it failed, the last one first; those that were handed in stay open."""
    for frame, _ in reversed(list(walk_tb(error.__traceback__))):
        for value in frame.f_locals.values():
            if isinstance(value, QPainter) and value.isActive() and all(value is not each for each in given):
                value.end()


_RUNNING: list[Any] = []


def _guarded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method under the guard. Where a subclass calls its base's, the outermost call is the one that fails."""
    instead = CALLS[name]

    @wraps(method)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _RUNNING and _RUNNING[-1] is self:
            return method(self, *args, **kwargs)
        failures = self.failures
        failure = failures.get(name) if failures else None
        if failure is None or not failure.rests():
            _RUNNING.append(self)
            try:
                host = self._host or host_of(self)
                if host is None or host.mark is None:
                    return method(self, *args, **kwargs)
                return run_marked(host.mark, method, self, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  whatever it is: the window goes on
                _end_painters(error, args)
                failure = fail(self, name, error)
            finally:
                _RUNNING.pop()
        return instead(self, failure, *args)

    guarded.guard = True  # type: ignore[attr-defined]
    return guarded
