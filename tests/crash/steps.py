"""Every named step of a task's life at which the crash test kills, wrapped from outside.

Nothing in the product knows about this: functions are replaced in the process that is to die.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

Only = Callable[[tuple[Any, ...], Any], bool]
Install = Callable[[Callable[[], None]], None]


def always(_args: tuple[Any, ...], _result: Any) -> bool:
    return True


def _status(name: str) -> Only:
    return lambda args, _result: any(
        isinstance(arg, dict) and str(arg.get("status")) == name for arg in args
    )


def _file(args: tuple[Any, ...], _result: Any) -> bool:
    return any(isinstance(arg, dict) and arg.get("file") for arg in args)


def _wrap(
    owner: Any, name: str, die: Callable[[], None], *, after: bool, only: Only = always
) -> None:
    inner = getattr(owner, name)

    if inspect.iscoroutinefunction(inner):

        @functools.wraps(inner)
        async def waited(*args: Any, **kwargs: Any) -> Any:
            if not after and only(args, None):
                die()
            result = await inner(*args, **kwargs)
            if after and only(args, result):
                die()
            return result

        setattr(owner, name, waited)
        return

    @functools.wraps(inner)
    def called(*args: Any, **kwargs: Any) -> Any:
        if not after and only(args, None):
            die()
        result = inner(*args, **kwargs)
        if after and only(args, result):
            die()
        return result

    setattr(owner, name, called)


def _trace(event: str) -> Install:
    """Die when httpx reports this event of a POST."""

    def install(die: Callable[[], None]) -> None:
        import httpx

        send = httpx.AsyncHTTPTransport.handle_async_request

        async def traced(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            known = request.extensions.get("trace")

            async def trace(name: str, info: Any) -> None:
                if known is not None:
                    await known(name, info)
                if name.endswith(event):
                    die()

            if request.method == "POST":
                request.extensions = {**request.extensions, "trace": trace}
            return await send(self, request)

        httpx.AsyncHTTPTransport.handle_async_request = traced  # type: ignore[method-assign]

    return install


def _step(place: Callable[[], Any], name: str, *, after: bool, only: Only = always) -> Install:
    return lambda die: _wrap(place(), name, die, after=after, only=only)


STORE = "sqlite"
"""Which one the processes use; the crash run sets it."""


def _journal() -> Any:
    if STORE == "postgres":
        from hailuo_mcp.journal.postgres.store import PostgresStore

        return PostgresStore
    from hailuo_mcp.journal.sqlite.store import SqliteStore

    return SqliteStore


def _uncommitted(name: str, only: Only = always) -> Install:
    """Die when the operation of this name is done and its transaction is still open."""

    def install(die: Callable[[], None]) -> None:
        from hailuo_mcp.journal.sql.store import writes

        step = getattr(getattr(_journal(), name), "__wrapped__", None)
        if step is None:  # a method of the store's own, which calls the operation
            _wrap(_module("journal.sql.purchases")(), name, die, after=True, only=only)
            return

        def stepped(db: Any, *args: Any, **kwargs: Any) -> Any:
            result = step(db, *args, **kwargs)
            if only(args, result):
                die()
            return result

        setattr(_journal(), name, writes(stepped))

    return install


def _module(name: str) -> Callable[[], Any]:
    def load() -> Any:
        from importlib import import_module

        return import_module(f"hailuo_mcp.{name}")

    return load


def _client() -> Any:
    from hailuo_mcp.client import HailuoClient

    return HailuoClient


def _part() -> Any:
    from hailuo_mcp.files.partial_file import PartialFile

    return PartialFile


def _pictures() -> Any:
    from hailuo_mcp.studio.pictures import Pictures

    return Pictures


STEPS: dict[str, Install] = {
    "signed in": _step(_journal, "register", after=True),
    "picture kept": _step(_pictures, "keep", after=True),
    "before it is written down": _step(_journal, "record", after=False),
    "written, not committed": _uncommitted("record"),
    "written down": _step(_journal, "record", after=True),
    "recovering, not committed": _uncommitted("recover"),
    "claimed, not committed": _step(_module("journal.sql.leases"), "claim", after=True),
    "claimed": _step(_journal, "claim", after=True, only=lambda _a, got: bool(got.steps)),
    "before it is sent": _step(_client, "send", after=False),
    "headers begun": _trace("send_request_headers.started"),
    "request sent": _trace("send_request_body.complete"),
    "answer begun": _trace("receive_response_headers.complete"),
    "answered": _step(_client, "send", after=True),
    "answer written, not committed": _uncommitted("change", _status("queued")),
    "answer recorded": _step(_journal, "change", after=True, only=_status("queued")),
    "before a poll": _step(_client, "query", after=False),
    "poll answered": _step(_client, "query", after=True),
    "poll recorded": _step(_journal, "change", after=True, only=_status("running")),
    "success written, not committed": _uncommitted("change", _status("succeeded")),
    "success recorded": _step(_journal, "change", after=True, only=_status("succeeded")),
    "link known": _step(_client, "link", after=True),
    "part opened": _step(_part, "__init__", after=True),
    "part written": _step(_part, "append", after=True),
    "before the part is finished": _step(_part, "finish", after=False),
    "before the rename": _step(_module("files.clip_file"), "put_in_place", after=False),
    "in the middle of the rename": _step(lambda: Path, "hardlink_to", after=True),
    "renamed, not recorded": _step(_module("files.clip_file"), "put_in_place", after=True),
    "file written, not committed": _uncommitted("change", _file),
    "file recorded": _step(_journal, "change", after=True, only=_file),
    "sidecar written": _step(_module("files.folder_storage"), "write_beside", after=True),
    "list read": _step(_client, "newest", after=True),
    "adopted, not committed": _uncommitted("bring_home"),
    "adopted": _step(_journal, "bring_home", after=True),
}
OF_ORPHANS = ("list read", "adopted, not committed", "adopted")
"""Only on v2, where the provider lists its tasks."""


def arm(step: str, occasion: int) -> None:
    """Kill this process when it reaches the step for the nth time."""
    seen = 0

    def die() -> None:
        nonlocal seen
        seen += 1
        if seen == occasion:
            os.kill(os.getpid(), signal.SIGKILL)

    STEPS[step](die)
