"""What every client plays: list, buy, wait, save, be refused; give up; be asked; wait for long.

Each case meets a server that has seen no other, so that none teaches it anything. Runs inside the
client's own environment, so it needs nothing but Python.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SLOW = 40
"""Seconds until the slow clip is ready: longer than any client waits by default."""
IMPATIENT = 3.0
"""The time limit of a client that gives up."""
DROPPED = "the unknown argument was dropped by the client"
_PROMPT = "A paper boat on a rainy street [sandbox:seconds={seconds}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to reach hailuo-mcp: a command, or a URL."""

    command: str
    args: list[str]
    env: dict[str, str]
    url: str
    variant: str
    asks: bool = False
    """The client is to say that it can ask a person, if it can, and to say yes for them."""

    def wait_at_most(self, seconds: float) -> None:
        """What docs/clients.md advises for a client that starts the server for each call.

        Such a server cannot remember that its client gave up.
        """
        self.env["HAILUO_WAIT_SECONDS"] = str(seconds)

    @classmethod
    def from_environment(cls) -> Server:
        return cls(**json.loads(os.environ["MATRIX_SERVER"]))


@dataclass(slots=True, kw_only=True)
class Host:
    """A connected client, as its own code shows it to a model."""

    names: Callable[[], Awaitable[Iterable[str]]]
    call: Callable[[str, dict[str, Any]], Awaitable[str]]
    """The text that a model would read; raises, or gives a Refused, where the tool failed."""
    shown: Callable[[], Mapping[str, Iterable[str]]] | None = None
    """What its converter makes of the schemas: each tool with its parameters."""
    converter: str = ""
    can_ask: bool = False
    """It was told to ask a person, and knows how to."""


class Refused(str):  # noqa: SLOT000  it is a text with a mark
    """A tool error that the client hands over as a text."""


Connect = Callable[[Server, float | None], AbstractAsyncContextManager[Host]]
"""Start the client; with a number, as a user who sets that time limit, in seconds."""


class UnfitError(Exception):
    """What the client gave is not what hailuo-mcp said."""


class CannotSetError(Exception):
    """This client has no such setting."""


class Report:
    """The cells of one row of the table, written down as they become known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cells: dict[str, dict[str, Any]] = {}

    def put(self, cell: str, *, ok: bool | None, said: str) -> None:
        self._cells[cell] = {"ok": ok, "said": said}
        self._path.write_text(json.dumps(self._cells))

    async def act(self, cell: str, step: Awaitable[str]) -> bool:
        """Play one step; whatever it raises is the client's answer to it."""
        try:
            said = await step
        except CannotSetError as why:
            self.put(cell, ok=None, said=str(why))
        except Exception as error:  # noqa: BLE001  # the row goes on
            self.put(cell, ok=False, said=_reason(error))
            return False
        else:
            self.put(cell, ok=True, said=said)
        return True


@dataclass(slots=True, kw_only=True)
class Stage:
    """One connected client and what it knows so far."""

    host: Host
    longest: float = 0.0

    async def ask(self, tool: str, **arguments: Any) -> str:
        began = time.monotonic()
        text = await self.host.call(tool, arguments)
        self.longest = max(self.longest, time.monotonic() - began)
        if isinstance(text, Refused):
            raise UnfitError(text)
        return plain(text)

    async def list(self) -> str:
        names = set(await self.host.names())
        if missing := set(expected()) - names:
            raise UnfitError(f"not listed: {', '.join(sorted(missing))}")
        return str(len(names))

    async def convert(self) -> str:
        if self.host.shown is None:
            raise CannotSetError("passed on as they are")
        shown = self.host.shown()
        for name, parameters in expected().items():
            if name not in shown:
                raise UnfitError(f"{name} was lost")
            if lost := set(parameters) - set(shown[name]):
                raise UnfitError(f"{name} lost {', '.join(sorted(lost))}")
        return f"{len(shown)} {self.host.converter}".strip()

    async def buy(self, seconds: int) -> str:
        text = await self.ask("generate_video", prompt=_PROMPT.format(seconds=seconds), duration=6)
        return value(text, "task_id")

    async def until_saved(self, task_id: str) -> str:
        """As a model would: query again while it is told to."""
        calls = read = 0
        self.longest = 0.0
        last = ""
        give_up = time.monotonic() + 150
        while time.monotonic() < give_up:
            last = await self.ask("query_task", task_id=task_id)
            calls += 1
            read += len(last.encode())
            if value(last, "status") == "failed":
                raise UnfitError(f"the clip failed: {last[:120]}")
            if place := _place(last):
                _must_be_a_clip(place)
                return f"{calls} calls, {self.longest:.1f} s, {read // 4} tokens"
        raise UnfitError(f"never saved: {last[:120]}")

    async def download(self, task_id: str, *, remote: bool) -> str:
        # A caller over HTTP cannot choose a place on the server's disk, and gets a link instead.
        where = {} if remote else {"output_path": "copies/"}
        text = await self.ask("download_video", task_id=task_id, **where)
        if value(text, "status") != "saved":
            raise UnfitError(f"not saved: {text[:120]}")
        return f"{_must_be_a_clip(_place(text)) // 1024} kB"

    async def refusals(self) -> str:
        """The reasons must reach the model, and as failures."""
        wrong: dict[str, dict[str, Any]] = {
            "length": {"prompt": "A cat", "duration": 7},
            "argument": {"prompt": "A cat", "aspect_ratio": "16:9"},
            "moderation": {"prompt": "A cat [sandbox:1026]"},
        }
        words = {"length": "6 s or 10 s", "argument": "aspect_ratio", "moderation": "1026"}
        own: list[str] = []
        untold: list[str] = []
        dropped: list[str] = []
        for name, arguments in wrong.items():
            try:
                text = await self.host.call("generate_video", arguments)
                failed = isinstance(text, Refused)
            except Exception as error:  # noqa: BLE001  # that is how most clients tell
                text, failed = _reason(error, whole=True), True
            text = plain(text)
            if name == "argument" and "charged" in text and words[name] not in text:
                dropped.append(name)  # the run checks on the wire that it was never sent
                continue
            if not failed:
                untold.append(name)
            if "charged" not in text:
                if name != "argument" or words[name] not in text:
                    raise UnfitError(f"{name}: the reason is lost: {text[:120]}")
                own.append(name)  # the client's own validation was faster, and says which argument
            elif words[name] not in text:
                raise UnfitError(f"{name}: the reason is lost: {text[:120]}")
        notes = ["argument: by the client itself"] * bool(own)
        notes += [DROPPED] * bool(dropped)
        notes += ["told as plain text"] * bool(untold)  # the client drops isError
        return f"{3 - len(dropped)} refused" + (f" ({'; '.join(notes)})" if notes else "")

    async def consent(self) -> str:
        """A clip above the price at which the person wants to be asked."""
        wanted = {"prompt": _PROMPT.format(seconds=1), "duration": 6}
        try:
            text = await self.host.call("generate_video", wanted)
            failed = isinstance(text, Refused)
        except Exception as error:  # noqa: BLE001  # each client has its own
            text, failed = _reason(error, whole=True), True
        text = plain(text)
        if self.host.can_ask:
            value(text, "task_id")
            return "asks"
        code = re.search(r"confirm=\W*([0-9a-f]{8})", text)
        if code is None:
            raise UnfitError(f"no code in: {text[:160]}")
        value(await self.ask("generate_video", **wanted, confirm=code[1]), "task_id")
        return "code" if failed else "code (told as plain text)"

    async def give_up(self, task_id: str, server: Server) -> str:
        """A call that times out, and the next one, which must not."""
        began = time.monotonic()
        try:
            text = await self.host.call("query_task", {"task_id": task_id})
        except Exception:  # noqa: BLE001  # each client has its own
            pass
        else:
            if not isinstance(text, Refused):
                how = server.env.get("HAILUO_WAIT_SECONDS")
                with_ = f" with HAILUO_WAIT_SECONDS={how}" if how else ""
                return f"answered in {time.monotonic() - began:.1f} s{with_}"
        gone = time.monotonic() - began
        began = time.monotonic()
        await self.ask("query_task", task_id=task_id)
        return f"{gone:.1f} s, then answered in {time.monotonic() - began:.1f} s"


def play(connect: Connect) -> None:
    """Play the whole scene and leave; a client that hangs on leaving is left behind."""
    asyncio.run(_play(connect, Server.from_environment()))
    os._exit(0)


async def _play(connect: Connect, server: Server) -> None:
    report = Report(Path(os.environ["MATRIX_REPORT"]))
    case = {
        "scene": _scene,
        "gives up": _gives_up,
        "consent": _consent,
        "slow clip": _slow_clip,
    }[os.environ["MATRIX_CASE"]]
    await case(connect, report, server)


async def _scene(connect: Connect, report: Report, server: Server) -> None:
    async with _on(connect, report, server, None) as stage:
        if not await report.act("list", stage.list()):
            return
        await report.act("schemas", stage.convert())
        task_id = ""

        async def generate() -> str:
            nonlocal task_id
            task_id = await stage.buy(3)
            return f"{stage.longest:.1f} s"

        if await report.act("generate", generate()):
            await report.act("wait", stage.until_saved(task_id))
            await report.act("download", stage.download(task_id, remote=bool(server.url)))
        await report.act("error", stage.refusals())


async def _gives_up(connect: Connect, report: Report, server: Server) -> None:
    bought = False
    for _ in range(2):  # on a busy machine the server's start can take longer than such a client
        try:
            async with _on(connect, report, server, IMPATIENT) as stage:
                task_id = await stage.buy(SLOW)
                bought = True
                await report.act("gives up", stage.give_up(task_id, server))
        except CannotSetError as why:
            report.put("gives up", ok=None, said=str(why))
        except Exception as error:  # noqa: BLE001  # some tell of the time-out again when left
            if not bought:
                report.put("gives up", ok=False, said=_reason(error))
                continue
        break


async def _consent(connect: Connect, report: Report, server: Server) -> None:
    said: list[str] = []

    async def both() -> str:
        async with _on(connect, report, server, None) as stage:
            said.append(await stage.consent())
        asking = replace(server, asks=True)
        async with _on(connect, report, asking, None) as stage:
            if stage.host.can_ask:
                said.append(await stage.consent())
        return ", ".join(said)

    await report.act("consent", both())


async def _slow_clip(connect: Connect, report: Report, server: Server) -> None:
    async with _on(connect, report, server, None) as stage:
        await report.act("slow clip", stage.until_saved(await stage.buy(SLOW)))


@asynccontextmanager
async def _on(
    connect: Connect, report: Report, server: Server, within: float | None
) -> AsyncIterator[Stage]:
    try:
        context = connect(server, within)
        host = await context.__aenter__()
    except CannotSetError:
        raise
    except Exception as error:
        if within is None:
            report.put("list", ok=False, said=_reason(error))
        raise
    try:
        yield Stage(host=host)
    finally:
        try:
            # Not wait_for: a client's cancel scopes have to be left in the task that entered them.
            async with asyncio.timeout(20):
                await context.__aexit__(None, None, None)
        except Exception as error:  # noqa: BLE001  # worth a note, not a row
            report.put("leave", ok=False, said=_reason(error))


def expected() -> dict[str, list[str]]:
    """The tools and their parameters, as the server itself has them."""
    tools: dict[str, list[str]] = json.loads(os.environ["MATRIX_TOOLS"])
    return tools


def value(text: str, key: str) -> str:
    """One value out of an answer, however the client dresses it."""
    found = re.search(rf"""['"]{key}['"]\s*:\s*['"]([^'"]*)['"]""", text)
    if not found:
        raise UnfitError(f"no {key} in: {text[:160]}")
    return found[1]


def plain(text: str) -> str:
    """Some clients put the JSON into another JSON's string."""
    while '\\"' in text:
        text = text.replace('\\\\"', '\\"').replace('\\"', '"')
    return text


def parameters(schema: Mapping[str, Any]) -> list[str]:
    """Names of a JSON schema's parameters."""
    return list(schema.get("properties", {}))


def _place(text: str) -> str:
    """Where the answer says that the clip is: a path, or a link of the server's; empty: not yet."""
    for key in ("file", "url"):
        with suppress(UnfitError):
            return value(text, key)
    return ""


def _must_be_a_clip(place: str) -> int:
    if place.startswith("http://127.0.0.1:"):
        with urllib.request.urlopen(place) as reply:
            clip = reply.read()
    else:
        clip = Path(place).read_bytes()
    if clip[4:8] != b"ftyp":
        raise UnfitError(f"{place} is no mp4")
    return len(clip)


def _reason(error: BaseException, *, whole: bool = False) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = f"{type(error).__name__}: {error}"
    return text if whole else " ".join(text.split())[:200]
