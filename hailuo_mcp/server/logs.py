"""What a server may log: never a prompt, the name of a file or a link."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import cast

_OURS = "hailuo_mcp"


def log_to_stderr(lines: logging.Formatter) -> None:
    """Before MCPServer(), which would log everything from INFO on in its own way."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(lines)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(_OURS).handlers.clear()  # notes for a person at a command


class PlainLines(logging.Formatter):
    """For a client's log of its servers."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname} {record.name}: {message_of(record)}"
        if record.exc_info and record.exc_info[1]:
            line = "\n  ".join([line, *places(record.exc_info[1])])
        return line


def message_of(record: logging.LogRecord) -> str:
    """Our own messages, which name tasks by id; of a library's message only where it was logged.

    Some libraries log what a client has sent.
    """
    if record.name.partition(".")[0] == _OURS:
        return record.getMessage()
    return f"{record.filename}:{record.lineno} {record.funcName}"


def places(exc: BaseException, depth: int = 5) -> list[str]:
    """An exception's type and where it was raised: its message may contain what somebody sent."""
    lines = [type(exc).__name__]
    if isinstance(exc, OSError) and exc.errno is not None:
        lines = [f"{lines[0]}: {os.strerror(exc.errno)}"]
    if isinstance(exc, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", exc)
        lines += [line for one in group.exceptions for line in places(one, depth)]
    else:
        frames = traceback.extract_tb(exc.__traceback__)[-20:]
        lines += [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if exc.__cause__ and depth:
        lines += ["caused by", *places(exc.__cause__, depth - 1)]
    return lines[:100]
