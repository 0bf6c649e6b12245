"""The garbage collector at moments of our choosing.

Python's own choice falls in the middle of a frame, and a full collection of a large engine takes longer than several
(70 ms at 250 MB, measured). So automatic collection is off while a board is open. The young generation is looked at ten
times a second, which takes well under a millisecond, the middle one five times a second, the old one every ten minutes;
what is still there then is set apart (`gc.freeze`), so that each time only what has come since is looked at. Most of
what an engine holds is freed by reference counts and needs none of this; cycles that live longer than that stay.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

YOUNG_MS = 100
MIDDLE_EVERY = 2
OLD_EVERY = 6000
SOON_MS = 1000


class GarbageCollector(QObject):
    """Collects while it lives. Close it to let Python choose again."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(YOUNG_MS)
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._set_apart)
        gc.disable()

    def settle(self) -> None:
        """History has been read and shown: what is there in a moment is likely to stay."""
        self._soon.start()

    def close(self) -> None:
        self._timer.stop()
        self._soon.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        self._count += 1
        if self._count % OLD_EVERY == 0:
            gc.collect()
            gc.freeze()
        else:
            gc.collect(1 if self._count % MIDDLE_EVERY == 0 else 0)

    def _set_apart(self) -> None:
        """Without a look at the old generation: after a million events that takes half a second."""
        gc.collect(1)
        gc.freeze()
