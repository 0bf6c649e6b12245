"""The one writer of a store: a thread that commits what waits in groups.

A job is a function of the connection. All jobs that wait go into one transaction, each under a savepoint, so
that a bad job fails alone; one fsync makes them durable; only then are their futures done. If the whole
transaction is lost (the disk is full at commit, say), each job is tried again in a transaction of its own. So
a job may run more than once, and must do nothing but work on its connection. A process that ends without
closing loses what was not yet acknowledged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection

from storage.errors import StoreBusy

T = TypeVar("T")
Job = Callable[[Connection], T]
_Waiting = tuple[Job[Any], "Future[Any]"]
_GROUP = 500  # jobs in one transaction at the most


class Writer:
    """Takes jobs from any thread. `translate` makes this layer's errors of the driver's."""

    def __init__(
        self,
        connection: Connection,
        translate: Callable[[BaseException], BaseException],
        committed: Callable[[], None],
        closed: Callable[[], BaseException],
    ) -> None:
        self._connection = connection
        self._translate = translate
        self._committed = committed
        self._closed = closed
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="watchfloor-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Future[T]:
        """Done when the job's transaction is on disk."""
        future: Future[T] = Future()
        with self._gate:
            if self._open:
                self._queue.put((job, future))
                return future
        future.set_exception(self._closed())
        return future

    def close(self) -> None:
        """Finish what waits, then stop. Closing twice is fine."""
        with self._gate:
            if self._open:
                self._open = False
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            group, going = self._take()
            group = [each for each in group if each[1].set_running_or_notify_cancel()]
            if group:
                self._commit(group)
        self._connection.close()

    def _take(self) -> tuple[list[_Waiting], bool]:
        """Wait for one job, then take all that wait; False with the last ones."""
        group: list[_Waiting] = []
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            if len(group) == _GROUP:
                return group, True
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._transact(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the jobs' futures
            self._recover(group, error)
            return
        self._committed()
        for (_, future), (result, failure) in zip(group, outcomes, strict=True):
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _recover(self, group: list[_Waiting], error: Exception) -> None:
        failure = self._translate(error)
        if len(group) > 1 and not isinstance(failure, StoreBusy):
            for each in group:
                self._commit([each])
            return
        for _, future in group:
            future.set_exception(failure)

    def _transact(self, group: list[_Waiting]) -> list[tuple[Any, BaseException | None]]:
        execute = self._connection.exec_driver_sql
        execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._attempt(job, len(group) > 1) for job, _ in group]
            execute("COMMIT")
        except BaseException:
            self._rollback()
            raise
        return outcomes

    def _attempt(self, job: Job[Any], among_others: bool) -> tuple[Any, BaseException | None]:
        if not among_others:
            return job(self._connection), None
        execute = self._connection.exec_driver_sql
        execute("SAVEPOINT job")
        try:
            result = job(self._connection)
        except Exception as error:  # noqa: BLE001 - it belongs to the job's future
            execute("ROLLBACK TO job")  # fails if the whole transaction is gone: see _recover
            execute("RELEASE job")
            return None, self._translate(error)
        execute("RELEASE job")
        return result, None

    def _rollback(self) -> None:
        driver = self._connection.connection.dbapi_connection
        if driver is not None and driver.in_transaction:
            self._connection.exec_driver_sql("ROLLBACK")
