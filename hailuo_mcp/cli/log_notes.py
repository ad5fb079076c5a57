"""Errors of the background work, as lines beside what the command prints."""

from __future__ import annotations

import logging
from contextlib import suppress

from hailuo_mcp.cli.output.terminal import Terminal


class LogNotes(logging.Handler):
    """Shows background errors as one line; the rest is for --debug."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.ERROR)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # a terminal that is gone must not end the work
            self._terminal.note(f"Note: {record.getMessage()}")
