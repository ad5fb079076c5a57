"""HailuoClient: submit, query, wait and download over any dialect."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from hailuo_mcp.catalog.video_models import find_model
from hailuo_mcp.client.preparing import Prepared, prepare, seller_of, working_folders
from hailuo_mcp.client.wording import for_programmers
from hailuo_mcp.dialects.dialect import NO_TASK, Dialect, HttpReply, HttpRequest, Provider
from hailuo_mcp.dialects.dialect_of import capabilities_of, dialect_of
from hailuo_mcp.dialects.providers import (
    CLIP_DOMAINS,
    DEFAULT_PROVIDER,
    PROVIDERS,
    clean_base_url,
    provider_for,
    provider_named,
    with_base_url,
)
from hailuo_mcp.domain.remote import Capabilities, Link, Phase, RemoteStatus, RemoteTasks, Submitted
from hailuo_mcp.domain.requests import AnyRequest, TemplateRequest
from hailuo_mcp.errors import (
    ConfigError,
    Do,
    DownloadError,
    InvalidRequestError,
    ProviderUnavailableError,
    RateLimitError,
    RemoteTaskNotFoundError,
    Step,
    UnexpectedResponseError,
)
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Observe, Transport
from hailuo_mcp.wording.programmer import status_text

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from hailuo_mcp.files.clip_file import SavedFile
    from hailuo_mcp.files.folders import Folders
    from hailuo_mcp.files.images import Frame
    from hailuo_mcp.files.references import SavedClip
    from hailuo_mcp.files.sources import Kind
    from hailuo_mcp.rules.judge import Seller
    from hailuo_mcp.text import SecretText
    from hailuo_mcp.transport.connections import HttpTransport
    from hailuo_mcp.transport.link_download import LinkResponse

_MOST_FAILED_POLLS = 10
"""In a row; after that wait() raises the error."""


class HailuoClient:
    """One provider; nothing is kept between runs. A paid request is never repeated.

    Use it in `async with`, or call aclose() at the end.

    Args:
        api_key: needed to buy; the sandbox takes any.
        provider: a name, as of the setting `HAILUO_PROVIDER`; empty: the provider that `base_url`
            identifies, or that setting's default.
        base_url: another address of the provider; empty: its own.
        plan: whose prices apply, as of the setting `HAILUO_PLAN`.
        folders: where pictures are read and clips are written; None: pictures from the working
            directory and the home folder, clips anywhere.
        private_hosts: loopback or private hosts that links may point to.
        environ: where the proxy variables are read from.
        serve: starts the sandbox in this process and returns its base URL.
        wire: replaces the network.
        rng: the source of chance, for tests.
        sleep: how to pause, for tests.
        clock: what measures the time of wait(), for tests.
        submit_timeout: how many seconds a paid request may take.
        read_timeout: how many seconds a status request may take.
        observe: sees every request to the provider and its answer.
    """

    def __init__(  # noqa: PLR0913  # every one has a default; tests inject the last six
        self,
        api_key: str | SecretText | None = None,
        *,
        provider: str = "",
        base_url: str = "",
        plan: str = "payg",
        folders: Folders | None = None,
        private_hosts: Iterable[str] = (),
        environ: Mapping[str, str] = os.environ,
        serve: Callable[[], str] | None = None,
        wire: HttpTransport | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
        submit_timeout: float = 60.0,
        read_timeout: float = 15.0,
        observe: Observe | None = None,
    ) -> None:
        self._private = frozenset(entry.strip().lower() for entry in private_hosts if entry.strip())
        with for_programmers():
            row = provider_named(provider) if provider else provider_for(base_url)
            self._use(row or PROVIDERS[DEFAULT_PROVIDER], base_url)
        self._api_key = api_key
        self._plan = plan
        self._folders = folders
        self._environ = None if wire else environ
        self._serve = serve
        self._sleep = sleep
        self._clock = clock
        self._connect = partial(
            Transport,
            wire=wire,
            rng=rng,
            sleep=sleep,
            submit_timeout=submit_timeout,
            read_timeout=read_timeout,
            observe=observe,
        )
        self._transport: Transport | None = None
        self._opening = anyio.Lock()
        self._origin: HailuoClient | None = None
        """The client whose connections this one uses."""

    def under(self, *, plan: str, folders: Folders) -> HailuoClient:
        """The same account by another plan; only this client, the original, is to be closed."""
        other = copy(self)
        other._plan, other._folders, other._origin = plan, folders, self  # noqa: SLF001  # its own
        return other

    @property
    def provider(self) -> Provider:
        """The provider's row, with the base URL in use."""
        return self._provider

    @property
    def capabilities(self) -> Capabilities:
        """What the provider's dialect can express."""
        return capabilities_of(self._provider)

    @property
    def seller(self) -> Seller:
        """What may be bought here, and at what price."""
        return seller_of(self._provider, self._plan)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; `async with` does it."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def submit(self, request: AnyRequest, *, callback_url: str = "") -> Submitted:
        """Check a request and buy it.

        The `remote_id` of the answer is what all other calls take: keep it.

        Raises:
            InvalidRequestError: refused here; nothing was sent.
            ProviderError: refused by the provider, certainly free of charge; for an upgrade by the
                source's id, SourceIdNotEnabledError says that the clip has to be sent instead.
            UnconfirmedSubmitError: sent, and perhaps bought: never send it again.
        """
        self.need_key()
        prepared = await self.prepare(request)
        return await self.send(prepared.request, callback_url=callback_url)

    async def query(
        self, remote_id: str, *, template: bool = False, model: str = ""
    ) -> RemoteStatus:
        """Read a task's status once, by any of its ids at the provider.

        `model`, in any spelling, is needed for those that are on MiniMax's v2 API, such as
        MiniMax-H3: each API knows its own tasks only.
        """
        with for_programmers():
            dialect = self._dialect_for(model)
            asked = dialect.status(remote_id, template=template)
            return dialect.read_status(await self._read(asked))

    async def cancel(self, remote_id: str, *, model: str) -> bool:
        """Cancel a task that is still queued, which is free; False if it already runs.

        The provider deletes its record of a task that has ended: read the status just before, and
        send this only for a queued one. It is sent once and never repeated.

        Raises:
            InvalidRequestError: the provider has no way to cancel tasks of this model.
            UnconfirmedCancelError: it was sent, and the answer is lost or does not say what was
                done: the status does.
            RecordDeletedError: the task had just ended, and the provider has deleted its record.
            RemoteTaskNotFoundError: the provider knows no such task.
            ProviderError: it was not sent, or refused: nothing has changed.
        """
        with for_programmers():
            asked = self._dialect_for(model).cancel(remote_id)
            if asked is None:
                raise self._cannot("cancel tasks")
            transport = await self._open()
            return self._dialect_for(model).read_cancel(await transport.change(asked))

    async def newest(self, *, model: str, page: int = 1) -> RemoteTasks:
        """Read a page of the provider's list of this account's tasks, newest first.

        `model`, in any spelling, selects the API as well as the tasks; `page` counts from 1. The
        list holds seven days, and may be minutes behind.

        Raises:
            InvalidRequestError: the provider has no such list for this model.
            UnexpectedResponseError: the page, or a row of it, cannot be read.
        """
        with for_programmers():
            known = find_model(model)
            dialect = self._dialect_for(model)
            asked = dialect.list_tasks(page, model=known.name if known else model)
            if asked is None:
                raise self._cannot("list tasks")
            return dialect.read_tasks(await self._read(asked))

    def explain(self, status: RemoteStatus) -> str:
        """Say what a status means; for a failure, the reason and what to do."""
        return status_text(status, self._provider)

    async def wait(
        self,
        remote_id: str,
        *,
        template: bool = False,
        model: str = "",
        timeout: float | None = 1200,  # noqa: ASYNC109  # a wait is what this is
        poll_seconds: float = 10,
    ) -> RemoteStatus:
        """Return when the task is final; after a TimeoutError the id is still valid.

        `model` as in query(). `timeout` and `poll_seconds` in seconds; no `timeout` waits for ever.
        """
        began, failed = self._clock(), 0
        while True:
            pause = poll_seconds
            try:
                status = await self.query(remote_id, template=template, model=model)
            except (ProviderUnavailableError, RateLimitError, UnexpectedResponseError) as error:
                failed += 1
                if failed >= _MOST_FAILED_POLLS:
                    raise
                asked = error.retry_after if isinstance(error, RateLimitError) else None
                pause = max(poll_seconds, asked or 0.0)
            else:
                failed = 0
                if status.phase.is_final:
                    return status
            if timeout is not None and self._clock() - began + pause > timeout:
                raise TimeoutError(
                    f"The clip was not ready after {timeout:g} s. The provider still works on it; "
                    "wait for the same id again. Nothing more is charged."
                )
            await self._sleep(pause)

    async def download(
        self,
        remote_id: str,
        path: str | Path,
        *,
        template: bool = False,
        model: str = "",
        overwrite: bool = False,
    ) -> SavedFile:
        """Wait for a clip, check it and save it to a file or in a folder.

        `model` as in query(). A folder is one that exists or ends in a slash; the clip's name
        there contains its id.
        """
        from hailuo_mcp.files.download import save

        status = await self.wait(remote_id, template=template, model=model)

        async def link(fresh: bool) -> Link:  # noqa: FBT001  # the downloader's signature
            # Only another status read renews a link that came with the status.
            if fresh:
                return await self.link(await self.query(remote_id, template=template, model=model))
            return await self.link(status)

        with for_programmers():
            if status.phase is not Phase.SUCCEEDED:
                raise InvalidRequestError(
                    f"There is no clip to save: the task ended as {status.phase}.",
                    Step(Do.TRY, "send a new request"),
                )
            target = self._target(str(path), remote_id)
            return await save(link, self.stream, target, overwrite=overwrite)

    async def submit_template(
        self, request: TemplateRequest, *, callback_url: str = ""
    ) -> Submitted:
        """Check a template's request and buy it, as submit()."""
        return await self.submit(request, callback_url=callback_url)

    async def query_template(self, remote_id: str) -> RemoteStatus:
        """Read the status of a template's task, as query() with `template=True`."""
        return await self.query(remote_id, template=True)

    async def wait_template(
        self,
        remote_id: str,
        *,
        timeout: float | None = 1200,  # noqa: ASYNC109  # as wait
        poll_seconds: float = 10,
    ) -> RemoteStatus:
        """Wait for a template's task, as wait() with `template=True`."""
        return await self.wait(remote_id, template=True, timeout=timeout, poll_seconds=poll_seconds)

    async def download_template(
        self, remote_id: str, path: str | Path, *, overwrite: bool = False
    ) -> SavedFile:
        """Save a template's clip, as download() with `template=True`."""
        return await self.download(remote_id, path, template=True, overwrite=overwrite)

    async def check_key(self) -> None:
        """Raise whatever prevents buying; costs nothing."""
        self.read_probe(await self.probe())

    def need_key(self) -> str:
        """Return the key, or raise a ConfigError that says where to put it."""
        key = self._api_key
        text = key if isinstance(key, str) else key.get_secret_value() if key else ""
        if text.strip():
            return text.strip()
        if self._provider.is_sandbox:
            return "sandbox"
        with for_programmers():
            raise ConfigError(
                f"There is no API key for {self._provider.name}. Keys come from "
                f"{self._provider.console}; the sandbox is free and needs none.",
                Step(Do.SET, "HAILUO_API_KEY"),
                Step(Do.SET, "HAILUO_PROVIDER=sandbox"),
                Step(Do.LOG_IN),
            )

    async def prepare(
        self,
        request: AnyRequest,
        *,
        local: bool = True,
        upload: Callable[[str], Awaitable[bytes | None]] | None = None,
        frame: Frame | None = None,
        clip: SavedClip | None = None,
        promised: Collection[str] = (),
    ) -> Prepared:
        """Open pictures and references, check and price. Free, without contacting the provider.

        `promised`: arguments whose pictures do not exist yet; they will be valid.
        """
        with for_programmers():
            return await prepare(
                request,
                self.seller,
                folders=(self._folders or working_folders()) if local else None,
                fetch=self.fetch,
                upload=upload,
                frame=frame,
                clip=clip,
                promised=promised,
            )

    async def send(
        self,
        request: AnyRequest,
        *,
        callback_url: str = "",
        leaving: Callable[[], None] = lambda: None,
    ) -> Submitted:
        """Make the one paid call, once, for a request from prepare().

        `leaving` is called just before it is sent; if cancelled earlier, nothing was sent.
        """
        with for_programmers():
            if callback_url and not self.capabilities.callback:
                raise InvalidRequestError(
                    f"{self._provider.name} does not support callbacks.",
                    Step(Do.TRY, "leave the callback URL out, and wait for the clip instead"),
                )
            dialect = self._dialect_for(getattr(request, "model", ""))
            asked = dialect.submit(request, callback_url=callback_url)
            transport = await self._open()
            return dialect.read_submit(await transport.pay(asked, leaving=leaving))

    async def link(self, status: RemoteStatus) -> Link:
        """Return where the finished clip can be fetched."""
        with for_programmers():
            asked = self._dialect.file(status)
            if asked is None:
                if status.url:
                    return Link(url=status.url, expires_at=status.url_expires_at)
                raise DownloadError(f"{self._provider.name} gave no link for this clip.")
            try:
                return self._dialect.read_file(await self._read(asked), status)
            except (RemoteTaskNotFoundError, ProviderUnavailableError, UnexpectedResponseError):
                if (fallback := self._dialect.file_fallback(status)) is None:
                    raise
                return fallback

    @asynccontextmanager
    async def stream(
        self, link: Link, *, start: int = 0, etag: str = ""
    ) -> AsyncGenerator[LinkResponse]:
        """Open a clip from a byte offset, as files.download needs it."""
        with for_programmers():
            transport = await self._open()
            async with transport.links.open(link, start=start, etag=etag) as answer:
                yield answer

    async def fetch(self, url: str, kind: Kind | None = None) -> bytes:
        """Read an input file from a link, checked like every link; a picture, if not said else."""
        from hailuo_mcp.files.images import PICTURE

        kind = kind or PICTURE
        with for_programmers():
            transport = await self._open()
            return await transport.links.fetch(
                url, limit=kind.most_bytes, seconds=kind.fetch_seconds, noun=kind.noun
            )

    async def probe(self) -> HttpReply:
        """Send a free request that shows whether the key is valid."""
        with for_programmers():
            reply = await self._read(self._dialect.probe())
            if reply.status == HTTPStatus.NOT_FOUND:  # not every provider of the dialect has it
                reply = await self._read(self._dialect.status(NO_TASK))
            return reply

    async def exchange(self, request: HttpRequest) -> HttpReply:
        """Send a request as it stands: a GET like every read, anything else once.

        Raises:
            UnconfirmedSubmitError: it was sent, or may have been, and no answer came.
            ProviderError: a GET found no answer, or the rest was certainly not sent.
        """
        with for_programmers():
            transport = await self._open()
            send = transport.read if request.method == "GET" else transport.pay
            return await send(request)

    def read_probe(self, reply: HttpReply) -> None:
        """Raise whatever prevents buying, according to the answer to probe()."""
        with for_programmers():
            self._dialect.read_probe(reply)

    def _use(self, row: Provider, base_url: str) -> None:
        url = base_url.strip()
        url = url and clean_base_url(row, url, private_hosts=self._private)
        self._provider = with_base_url(row, url)
        self._dialect = dialect_of(self._provider)

    def _cannot(self, what: str) -> InvalidRequestError:
        return InvalidRequestError(
            f"{self._provider.name} has no way to {what} of this model.",
            Step(Do.TRY, "ask for one task by its id"),
        )

    def _dialect_for(self, model: str) -> Dialect:
        return dialect_of(self._provider, model) if model else self._dialect

    async def _read(self, request: HttpRequest) -> HttpReply:
        return await (await self._open()).read(request)

    async def _open(self) -> Transport:
        """Return the transport; start the sandbox if that is the provider."""
        if self._origin is not None:
            return await self._origin._open()  # noqa: SLF001  # its own
        async with self._opening:
            if self._transport is None:
                if not self._provider.base_url:
                    await self._start_sandbox()
                parts = urlsplit(self._provider.base_url)
                port = parts.port or (443 if parts.scheme == "https" else 80)
                from hailuo_mcp.transport.proxies import Proxies

                proxies = Proxies() if self._environ is None else Proxies.from_env(self._environ)
                self._transport = self._connect(
                    f"{self._provider.base_url}{self._provider.prefix}",
                    self.need_key,
                    HostPolicy(
                        private=self._private,
                        own=frozenset({f"{parts.hostname}:{port}"}),
                        known=CLIP_DOMAINS,
                        proxy_to=proxies.to,
                    ),
                    host=self._provider.host,
                )
            return self._transport

    async def _start_sandbox(self) -> None:
        if self._serve is None:
            raise ConfigError(
                f"The provider {self._provider.name} is not running.",
                Step(Do.ARRANGE, "start it with `hailuo-mcp sandbox`, and use its address"),
                Step(Do.SET, "HAILUO_BASE_URL"),
            )
        self._use(self._provider, await anyio.to_thread.run_sync(self._serve))

    def _target(self, path: str, remote_id: str) -> Path:
        from pathlib import Path

        from hailuo_mcp.files.naming import file_name

        name = file_name(time.time(), "", remote_id)
        if self._folders is not None:
            return self._folders.target(path, default_name=name)
        target = Path(path).expanduser()
        # A Path knows no separator at its end, so the text is asked.
        return target / name if path.endswith(("/", os.sep)) or target.is_dir() else target
