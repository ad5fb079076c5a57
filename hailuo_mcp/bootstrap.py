"""The one place where parts are joined: settings in, a working studio out."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from hailuo_mcp.client import HailuoClient
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain import Link, Task
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.private import close_to_others
from hailuo_mcp.journal import make_store
from hailuo_mcp.journal.store import Store
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.changes import Changes
from hailuo_mcp.studio.desk import SUBMIT_SECONDS, Desk, Rules, Uploads
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.worker import ProcessLocks, Worker

if TYPE_CHECKING:
    from hailuo_mcp.transport import HttpTransport

SANDBOX_KEY = "free"
"""The imitation asks for a key as the providers do; any will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What a server for callers elsewhere adds: links to clips, pictures handed in, figures.

    Only where there is one are callbacks asked for: it is who hears them.
    """

    link: Callable[[Task], Link | None]
    uploads: Uploads
    observe: Callable[[str, float], None]


@asynccontextmanager
async def open_studio(
    settings: Settings,
    *,
    wire: HttpTransport | None = None,
    clock: Callable[[], float] = time.time,
    chance: Callable[[], float] = random.random,
    front: Front | None = None,
    fenced: bool = True,
    works: bool = True,
) -> AsyncGenerator[Studio]:
    """A studio whose worker runs until the block is left.

    Leaving waits at most 1.8 s, and only while a paid request is on its way. Everything else is
    in the journal and goes on in the next process. `fenced`: callers may name files only in the
    allowed folders, which is for agents; a person at their own shell needs no fence. `works`: what
    is due is sent, polled and saved meanwhile; a question alone needs none of that.

    Raises:
        JournalError: the state folder cannot be used.
    """
    close_to_others(settings.state_dir)
    processes = ProcessLocks(settings.state_dir / "processes")
    processes.sign_in()
    journal = make_store(settings.state_dir)
    client = open_client(settings, wire=wire, fenced=fenced)
    try:
        await journal.open()
        desk = _desk(settings, processes, journal, client, clock, fenced=fenced)
        await journal.register(
            desk.owner,
            account=desk.account,
            provider=desk.provider.name,
            base_url=desk.base_url,
            pid=os.getpid(),
            now=clock(),
        )
        if front is not None:
            desk.link, desk.uploads, desk.observe = front.link, front.uploads, front.observe
            desk.rules = replace(desk.rules, callback_url=settings.callback_url)
        worker = Worker(desk, processes, chance=chance)
        trouble: Exception | None = None
        desk.wake = worker.wake
        async with anyio.create_task_group() as work:
            if works:
                work.start_soon(worker.run)
            try:
                yield Studio(desk)
            except Exception as exc:  # noqa: BLE001  # raised below: the group would wrap it
                trouble = exc
            finally:
                with anyio.CancelScope(shield=True):
                    await worker.finish()
                work.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await worker.put_back_unsent()
        if trouble is not None:
            raise trouble
    finally:
        with anyio.CancelScope(shield=True):
            await journal.close(processes.owner)
            await client.aclose()
        processes.sign_out()


def open_client(
    settings: Settings, *, wire: HttpTransport | None = None, fenced: bool = True
) -> HailuoClient:
    """The client of the provider in use; the sandbox starts with its first request."""
    embedded = PROVIDERS[settings.provider].embedded and not settings.base_url

    def serve() -> str:
        from hailuo_mcp.sandbox.options import SandboxOptions
        from hailuo_mcp.sandbox.serve import serve_in_thread

        return serve_in_thread(SandboxOptions(state_dir=settings.state_dir / "sandbox")).base_url

    return HailuoClient(
        settings.api_key or (SANDBOX_KEY if PROVIDERS[settings.provider].embedded else None),
        provider=settings.provider,
        base_url=settings.base_url,
        plan=settings.plan,
        folders=Folders(settings.output_dir, settings.allowed_dirs, fenced=fenced),
        private_hosts=settings.private_hosts,
        environ=settings.proxy_variables,
        wire=wire,
        serve=serve if embedded else None,
        key_advice="Set HAILUO_API_KEY, or set HAILUO_PROVIDER=sandbox to try everything free, "
        "without a key.",
        submit_timeout=SUBMIT_SECONDS,
    )


def account_of(settings: Settings) -> str:
    """Whose money it is: provider, base URL and a fingerprint of the key."""
    fingerprint = hashlib.sha256(b"hailuo-mcp account " + settings.key.encode()).hexdigest()[:12]
    return f"{settings.provider} {settings.address or 'embedded'} {fingerprint}"


def _desk(
    settings: Settings,
    processes: ProcessLocks,
    journal: Store,
    client: HailuoClient,
    clock: Callable[[], float],
    *,
    fenced: bool = True,
) -> Desk:
    return Desk(
        rules=Rules(
            plan=settings.plan,
            rpm=settings.rpm,
            budget=settings.budget,
            budget_period=settings.budget_period,
            unpriced_cost=settings.unpriced_cost,
            confirm_above=settings.confirm_above,
            poll_seconds=settings.poll_seconds,
            auto_download=settings.auto_download,
        ),
        provider=client.provider,
        account=account_of(settings),
        base_url=settings.address or "embedded",
        owner=processes.owner,
        journal=journal,
        client=client,
        folders=Folders(settings.output_dir, settings.allowed_dirs, fenced=fenced),
        pictures=Pictures(settings.state_dir / "inputs"),
        changes=Changes(journal.data_version),
        clock=clock,
    )
