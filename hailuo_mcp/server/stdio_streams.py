"""Answers every line of a stdio client, and writes nothing once the client has left.

The SDK (2.3.0) drops a line that it cannot read, so its sender waits forever; and it answers the
calls in progress when stdin ends, which breaks clients on the Python SDK 1.x while they close.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable
from typing import Protocol, cast

from anyio import EndOfStream
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

_LONGEST_NUMBER = 40
"""Digits; the SDK reads no much longer number, and no id has more."""
_NO_REQUEST = "This is not a JSON-RPC request."
_NOTHING_DONE = "Nothing was done or charged."


class _Source(Protocol):
    async def receive(self) -> SessionMessage | Exception: ...
    async def aclose(self) -> None: ...


class _Sink(Protocol):
    async def send(self, item: SessionMessage, /) -> None: ...
    async def aclose(self) -> None: ...


def stdin_watch() -> Callable[[], bool]:
    """Tell whether the client has closed its end, even if not all that it sent is read yet.

    Call this before the SDK replaces stdin. Where the system cannot tell, the end is known only
    when it is read.
    """
    if sys.platform == "win32":  # which has no poll()
        return lambda: False
    try:
        poll = select.poll()
        closed = select.POLLHUP | getattr(select, "POLLRDHUP", 0)  # the latter for sockets
        poll.register(os.dup(sys.stdin.fileno()), closed)
    except (AttributeError, OSError, ValueError):
        return lambda: False
    return lambda: any(event & closed for _, event in poll.poll(0))


class Outgoing(ObjectSendStream[SessionMessage]):
    """Messages to the client, for as long as it is there."""

    def __init__(self, stream: _Sink, has_left: Callable[[], bool] = lambda: False) -> None:
        self._stream = stream
        self._has_left = has_left
        self.client_has_left = False

    async def send(self, item: SessionMessage) -> None:
        self.client_has_left = self.client_has_left or self._has_left()
        if not self.client_has_left:
            await self._stream.send(item)

    async def aclose(self) -> None:
        await self._stream.aclose()


class Incoming(ObjectReceiveStream[SessionMessage]):
    """Messages from the client; lines that are not messages are answered here."""

    def __init__(self, stream: _Source, answers: Outgoing) -> None:
        self._stream = stream
        self._answers = answers

    async def receive(self) -> SessionMessage:
        while True:
            try:
                item = await self._stream.receive()
            except EndOfStream:
                self._answers.client_has_left = True
                raise
            if isinstance(item, SessionMessage):
                return item
            if isinstance(item, ValidationError) and (error := _answer(item)):
                await self._answers.send(SessionMessage(error))

    async def aclose(self) -> None:
        await self._stream.aclose()


def _answer(wrong: ValidationError) -> JSONRPCError | None:
    """The error that a line gets; None for what JSON-RPC leaves unanswered."""
    mistakes = wrong.errors(include_url=False, include_context=False)
    if mistakes[0]["type"] == "json_invalid":
        line = str(mistakes[0]["input"])
        if not line.strip():
            return None
        return _error(_read(line), PARSE_ERROR, "The line cannot be read as JSON.")
    # Where something is missing, the input is the whole message, except in a reply.
    whole = [_object(it["input"]) for it in mistakes if it["type"] == "missing"]
    message = (whole[0] if whole else None) or {}
    if "method" not in message:
        is_reply = "result" in message or "error" in message
        return None if is_reply else _error(message, INVALID_REQUEST, _NO_REQUEST)
    if "id" not in message:
        return None  # a notification
    if _object(message.get("params", {})) is None:
        return _error(message, INVALID_PARAMS, "params must be an object.")
    return _error(message, INVALID_REQUEST, _NO_REQUEST)


def _object(value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _error(message: dict[str, object], code: int, said: str) -> JSONRPCError:
    return JSONRPCError(
        jsonrpc="2.0",
        id=_id(message.get("id")),
        error=ErrorData(code=code, message=f"{said} {_NOTHING_DONE}"),
    )


def _id(given: object) -> str | int | None:
    """The id, if it can be sent back."""
    if isinstance(given, str):
        return None if any("\ud800" <= mark <= "\udfff" for mark in given) else given
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _read(line: str) -> dict[str, object]:
    """Read more leniently than the SDK: unpaired surrogates, long numbers, deep nesting."""
    try:
        return _object(json.loads(line, parse_int=_number)) or {}
    except (ValueError, RecursionError):
        return {}


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None
