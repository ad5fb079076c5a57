"""Builds a working studio from the settings: the one place where the parts are joined."""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from hailuo_mcp.client import HailuoClient
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError, JournalError
from hailuo_mcp.files.folder_storage import FolderBlobs, FolderStorage
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.files.private import close_to_others
from hailuo_mcp.files.storage import PRIVATE, Storage
from hailuo_mcp.journal import make_store
from hailuo_mcp.journal.store import Store
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.events import Changes
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.studio.reader import SUBMIT_SECONDS, OwnSettings, RemoteAccess, Wall, account_of
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.studio.timing import InFlight, RenderTimes
from hailuo_mcp.worker.worker import Worker

if TYPE_CHECKING:
    from hailuo_mcp.settings.tenants import Tenant
    from hailuo_mcp.transport.connections import HttpTransport
    from hailuo_mcp.transport.documents import DocumentReader
    from hailuo_mcp.transport.provider_api import Observe

_log = logging.getLogger(__name__)

SANDBOX_KEY = "free"
"""The sandbox needs a key, as the providers do; it accepts any."""


@asynccontextmanager
async def open_studio(  # noqa: PLR0913  # every one but the settings has a default
    settings: Settings,
    *,
    wire: HttpTransport | None = None,
    clock: Callable[[], float] | None = None,
    chance: Callable[[], float] = random.random,
    remote: RemoteAccess | None = None,
    own: OwnSettings | None = None,
    fenced: bool = True,
    works: bool = True,
    observe: Observe | None = None,
) -> AsyncGenerator[Studio]:
    """A studio whose worker runs until the block is left.

    Closing waits at most 1.8 s, and only while a paid request is being sent. Everything else is
    in the journal and continues in the next process. `remote`: what an HTTP server adds for callers
    on other computers. `fenced`: callers may name files only in the allowed folders, which is for
    agents; a person at their own shell needs no fence. `works`: what is due is sent, polled and
    saved meanwhile; a question alone needs none of that. `own`: what tenants have of their own.
    `observe` sees every request to the provider and its answer.

    Raises:
        JournalError: the state folder cannot be used.
    """
    close_to_others(settings.state_dir)
    store, owner = make_store(settings), f"{os.getpid()}-{secrets.token_hex(4)}"
    clock = clock or store.clock
    client = open_client(settings, wire=wire, fenced=fenced, observe=observe)
    try:
        await store.open()
        studio = join(settings, store, client, owner, clock, chance, remote, fenced=fenced)
        studio = replace(studio, own=own or _own_settings(settings))
        await store.register(
            owner,
            account=studio.account,
            provider=studio.provider.name,
            base_url=studio.base_url,
            pid=os.getpid(),
            now=clock(),
        )
        work: AbstractAsyncContextManager[None] = nullcontext()
        if works:
            work = Worker(studio).running()
        async with work:
            yield studio
    finally:
        with anyio.CancelScope(shield=True):
            await store.close(owner)
            await client.aclose()


def _own_settings(settings: Settings) -> OwnSettings:
    """What tenants have of their own, in a process that serves none but may work for them."""
    own = OwnSettings()
    if settings.tenants is not None:
        from hailuo_mcp.settings.tenants import folders_and_limits

        try:
            own.folders, own.rpm = folders_and_limits(settings.tenants, settings)
        except ConfigError as error:
            _log.warning("%s", error.what)
    return own


@asynccontextmanager
async def open_account(
    main: Studio, settings: Settings, *, wire: HttpTransport | None = None
) -> AsyncGenerator[Studio]:
    """Another account of this process: a client and a worker of its own, the same journal.

    Closing waits as open_studio does.

    Raises:
        JournalError: it cannot be registered.
    """
    # The worker's folder is the operator's: each tenant's is below it.
    settings = replace(settings, output_dir=main.settings.output_dir)
    client, owner = open_client(settings, wire=wire), f"{os.getpid()}-{secrets.token_hex(4)}"
    studio = replace(
        join(
            settings,
            main.store,
            client,
            owner,
            main.clock,
            main.chance,
            main.remote,
            storage=main.storage,
        ),
        changes=main.changes,
        callback_confirmed=main.callback_confirmed,
        lookup_limit=main.lookup_limit,
        own=main.own,
    )
    try:
        await main.store.register(
            owner,
            account=studio.account,
            provider=studio.provider.name,
            base_url=studio.base_url,
            pid=os.getpid(),
            now=main.clock(),
        )
        async with Worker(studio, keeps_house=False).running():
            yield studio
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(JournalError):
                await main.store.unregister(owner)
            await client.aclose()


def for_tenant(account: Studio, tenant: Tenant) -> Studio:
    """The studio of a tenant over the parts of its account."""
    settings = tenant.settings
    folders = Folders(settings.output_dir, settings.allowed_dirs)
    return replace(
        account,
        settings=settings,
        client=account.client.under(plan=settings.plan, folders=folders),
        folders=folders,
        storage=account.storage.below(tenant.folder) if tenant.folder else account.storage,
        tenant=tenant.caller,
        shared_wall=wall_of(tenant),
    )


def wall_of(tenant: Tenant) -> Wall | None:
    """The operator's budget, where it counts for this tenant's account."""
    shared = tenant.shared_budget
    return Wall(budget=shared[0], period=shared[1]) if shared else None


def join(  # noqa: PLR0913  # the parts of a studio
    settings: Settings,
    store: Store,
    client: HailuoClient,
    owner: str,
    clock: Callable[[], float],
    chance: Callable[[], float] = random.random,
    remote: RemoteAccess | None = None,
    *,
    fenced: bool = True,
    storage: Storage | None = None,
) -> Studio:
    """The studio over these parts; `owner` is this process, as the journal knows it."""
    provider, account = client.provider, account_of(settings)
    storage = storage or open_storage(settings)
    return Studio(
        settings=settings,
        provider=provider,
        account=account,
        owner=owner,
        store=store,
        client=client,
        folders=Folders(settings.output_dir, settings.allowed_dirs, fenced=fenced),
        storage=storage,
        pictures=Pictures(storage.pictures),
        changes=Changes(store),
        render_times=RenderTimes(store, provider, clock),
        in_flight=InFlight(store, account, clock),
        remote=remote or RemoteAccess(),
        clock=clock,
        chance=chance,
    )


def open_client(
    settings: Settings,
    *,
    wire: HttpTransport | None = None,
    fenced: bool = True,
    observe: Observe | None = None,
) -> HailuoClient:
    """The client of the provider in use; the sandbox starts with its first request."""
    provider = PROVIDERS[settings.provider]

    def serve() -> str:
        from hailuo_mcp.sandbox.options import SandboxOptions
        from hailuo_mcp.sandbox.serve import serve_in_thread

        return serve_in_thread(SandboxOptions(state_dir=settings.state_dir / "sandbox")).base_url

    return HailuoClient(
        settings.api_key or (SANDBOX_KEY if provider.is_sandbox else None),
        provider=settings.provider,
        base_url=settings.base_url,
        plan=settings.plan,
        folders=Folders(settings.output_dir, settings.allowed_dirs, fenced=fenced),
        private_hosts=settings.private_hosts,
        environ=settings.proxy_variables,
        wire=wire,
        serve=serve if provider.is_sandbox and not settings.base_url else None,
        submit_timeout=SUBMIT_SECONDS,
        observe=observe,
    )


def open_storage(settings: Settings) -> Storage:
    """Where clips, pictures and uploads are kept.

    Raises:
        ConfigError: the bucket needs an extra that is not installed, or other variables.
    """
    spool = settings.state_dir / "spool"
    if settings.bucket:
        from hailuo_mcp.files.bucket import Bucket
        from hailuo_mcp.files.bucket_storage import BucketStorage

        name, prefix = settings.bucket
        return BucketStorage(Bucket(name), prefix, spool)
    folder, shared = settings.output_dir, bool(settings.files)
    private, named_by = settings.state_dir, "HAILUO_STATE_DIR"
    if shared:
        private, named_by = folder / PRIVATE, "HAILUO_FILES"
    return FolderStorage(
        folder=folder,
        pictures=FolderBlobs(private / "inputs", named_by),
        uploads=FolderBlobs(private / "uploads", named_by),
        spool=spool if shared else None,
        variable="HAILUO_FILES" if shared else "HAILUO_OUTPUT_DIR",
    )


def open_documents(settings: Settings, *, named: Iterable[str]) -> DocumentReader:
    """Read documents under the rules for links; `named`: addresses of the operator's own.

    Their hosts may be private, as that of the base URL may.
    """
    from hailuo_mcp.transport.documents import DocumentReader
    from hailuo_mcp.transport.hosts import HostPolicy, place_of
    from hailuo_mcp.transport.proxies import Proxies

    return DocumentReader(
        HostPolicy(
            private=settings.private_hosts | {place_of(url) for url in named},
            proxy_to=Proxies.from_env(settings.proxy_variables).to,
        )
    )
