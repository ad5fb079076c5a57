"""Long work on the journal's file that is in nobody's way: it rests often, and stops when asked."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

WORK_ROWS = 200
"""Rows between two rests: some 3 ms of Python, which other threads have to wait for."""
REST_SECONDS = 0.005


class StoppedError(Exception):
    """The work was not finished, and nothing follows from it."""


class Background:
    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._busy: set[sqlite3.Connection] = set()
        self._thread: threading.Thread | None = None

    def run(self, work: Callable[[], None], *, after: float) -> None:
        """Run this in a thread of its own, so many seconds from now, unless stopped before."""

        def begin() -> None:
            if not self._stopped.wait(after):
                with suppress(StoppedError):
                    work()

        self._thread = threading.Thread(target=begin, name="journal check", daemon=True)
        self._thread.start()

    def rest(self) -> None:
        """Let others work.

        Raises:
            StoppedError: it is time to stop.
        """
        if self._stopped.wait(REST_SECONDS):
            raise StoppedError

    @contextmanager
    def using(self, *connections: sqlite3.Connection) -> Generator[None]:
        """stop() interrupts what runs on these.

        Raises:
            StoppedError: in place of whatever was found, when it was interrupted.
        """
        self._busy.update(connections)
        try:
            yield
        except Exception as exc:
            if self._stopped.is_set():
                raise StoppedError from exc
            raise
        finally:
            self._busy.difference_update(connections)
        if self._stopped.is_set():
            raise StoppedError

    def wait(self) -> None:
        """Wait for what run() began."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Stop whatever runs, for good; what run() began has ended when this returns."""
        self._stopped.set()
        while True:
            for db in tuple(self._busy):
                with suppress(sqlite3.ProgrammingError):  # it was just closed
                    db.interrupt()
            if self._thread is None or self._thread is threading.current_thread():
                return
            self._thread.join(0.05)
            if not self._thread.is_alive():
                return
