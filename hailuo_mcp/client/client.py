"""Buy, ask, wait and fetch over any dialect."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

import anyio

from hailuo_mcp.client.connection import KEY_ADVICE, Connection
from hailuo_mcp.client.preparing import Prepared, prepare, seller_of, working_folders
from hailuo_mcp.client.saving import save_clip
from hailuo_mcp.client.wording import for_programmers
from hailuo_mcp.dialects.wire import NO_TASK, HttpReply, Provider
from hailuo_mcp.domain import (
    AnyRequest,
    Capabilities,
    Link,
    RemoteStatus,
    Submitted,
    TemplateRequest,
)
from hailuo_mcp.errors import (
    InvalidRequestError,
    ProviderUnavailableError,
    RateLimitError,
    UnexpectedResponseError,
)
from hailuo_mcp.transport import Transport

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from pydantic import SecretStr

    from hailuo_mcp.files.clip_file import SavedFile
    from hailuo_mcp.files.folders import Folders
    from hailuo_mcp.rules.judge import Seller
    from hailuo_mcp.transport import HttpTransport, LinkResponse

_PICTURE_SECONDS = 3.0
_PATIENCE = 10
"""Polls in a row that may fail before wait() gives the trouble to its caller."""


class HailuoClient:
    """Buy, ask, wait and fetch. Nothing paid is ever repeated.

    `provider` is a name of the table in dialects/providers.py. `serve` starts the imitation for a
    provider that is served by this process and returns its base URL. `key_advice` is what people
    without a key are told. `environ` tells the proxies, `wire` replaces the network.
    """

    def __init__(  # noqa: PLR0913  # every one has a default; tests inject the last six
        self,
        api_key: str | SecretStr | None = None,
        *,
        provider: str = "",
        base_url: str = "",
        plan: str = "payg",
        folders: Folders | None = None,
        private_hosts: Iterable[str] = (),
        environ: Mapping[str, str] = os.environ,
        serve: Callable[[], str] | None = None,
        key_advice: str = KEY_ADVICE,
        wire: HttpTransport | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
        submit_timeout: float = 60.0,
        read_timeout: float = 15.0,
    ) -> None:
        with for_programmers():
            self._connection = Connection(
                api_key,
                provider=provider,
                base_url=base_url,
                private_hosts=private_hosts,
                environ=None if wire else environ,
                serve=serve,
                key_advice=key_advice,
                connect=partial(
                    Transport,
                    wire=wire,
                    rng=rng,
                    sleep=sleep,
                    submit_timeout=submit_timeout,
                    read_timeout=read_timeout,
                ),
            )
        self._plan = plan
        self._folders = folders
        self._sleep = sleep
        self._clock = clock

    @property
    def provider(self) -> Provider:
        """The provider's row, with the base URL in use."""
        return self._connection.provider

    @property
    def capabilities(self) -> Capabilities:
        return self._connection.dialect.capabilities

    @property
    def seller(self) -> Seller:
        """What may be bought here, and at what price."""
        return seller_of(self.provider, self._plan)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._connection.aclose()

    def need_key(self) -> str:
        """Return the key, or raise a ConfigError that says where it goes."""
        return self._connection.need_key()

    async def prepare(
        self,
        request: AnyRequest,
        *,
        local: bool = True,
        upload: Callable[[str], bytes | None] | None = None,
    ) -> Prepared:
        """Open the pictures, check and price. Costs nothing, and asks nothing of the provider."""
        with for_programmers():
            return await prepare(
                request,
                self.seller,
                folders=(self._folders or working_folders()) if local else None,
                fetch=self.fetch,
                upload=upload,
            )

    async def send(
        self,
        request: AnyRequest,
        *,
        callback_url: str = "",
        leaving: Callable[[], None] = lambda: None,
    ) -> Submitted:
        """Make the one paid call, once, for a request as prepare() returns it.

        `leaving` is called just before it leaves: cancelled earlier, nothing was sent.
        """
        if callback_url and not self.capabilities.callback:
            raise InvalidRequestError(
                f"{self.provider.name} calls nobody back. Nothing was sent or charged. Leave "
                "callback_url out, and use wait() to learn when the clip is ready."
            )
        with for_programmers():
            asked = self._connection.dialect.submit(request, callback_url=callback_url)
            transport = await self._connection.open()
            return self._connection.dialect.read_submit(await transport.pay(asked, leaving=leaving))

    async def submit(self, request: AnyRequest, *, callback_url: str = "") -> Submitted:
        """Check a request and buy it."""
        self.need_key()
        prepared = await self.prepare(request)
        return await self.send(prepared.request, callback_url=callback_url)

    async def query(self, remote_id: str, *, template: bool = False) -> RemoteStatus:
        """Read a task's status once, by any id that the provider knows it by."""
        with for_programmers():
            asked = self._connection.dialect.status(remote_id, template=template)
            return self._connection.dialect.read_status(await self._connection.read(asked))

    async def link(self, status: RemoteStatus) -> Link:
        """Return where the finished clip can be fetched."""
        with for_programmers():
            return await self._connection.link(status)

    @asynccontextmanager
    async def stream(
        self, link: Link, *, start: int = 0, etag: str = ""
    ) -> AsyncGenerator[LinkResponse]:
        """Open a clip from a byte on; what the downloader takes."""
        with for_programmers():
            transport = await self._connection.open()
            async with transport.links.open(link, start=start, etag=etag) as answer:
                yield answer

    async def wait(
        self,
        remote_id: str,
        *,
        template: bool = False,
        timeout: float | None = 1200,  # noqa: ASYNC109  # a wait is what this is
        poll_seconds: float = 10,
    ) -> RemoteStatus:
        """Return when the task is final; TimeoutError loses nothing, the id stays good."""
        begun, troubles = self._clock(), 0
        while True:
            pause = poll_seconds
            try:
                status = await self.query(remote_id, template=template)
            except (ProviderUnavailableError, RateLimitError, UnexpectedResponseError) as trouble:
                troubles += 1
                if troubles >= _PATIENCE:
                    raise
                asked = trouble.retry_after if isinstance(trouble, RateLimitError) else None
                pause = max(poll_seconds, asked or 0.0)
            else:
                troubles = 0
                if status.phase.is_final:
                    return status
            if timeout is not None and self._clock() - begun + pause > timeout:
                raise TimeoutError(
                    f"The clip was not final after {timeout:g} s. It goes on at the provider; "
                    "wait for the same id again. Nothing more is charged."
                )
            await self._sleep(pause)

    async def download(
        self,
        remote_id: str,
        path: str | Path,
        *,
        template: bool = False,
        overwrite: bool = False,
    ) -> SavedFile:
        """Wait for a clip and save it, checked, at a path or in a folder."""
        status = await self.wait(remote_id, template=template)

        async def link(fresh: bool) -> Link:  # noqa: FBT001  # the downloader's signature
            # Only another status read renews a link that came with the status.
            current = await self.query(remote_id, template=template) if fresh else status
            return await self.link(current)

        with for_programmers():
            return await save_clip(
                status,
                link,
                self.stream,
                path,
                name=remote_id,
                folders=self._folders,
                overwrite=overwrite,
            )

    async def submit_template(
        self, request: TemplateRequest, *, callback_url: str = ""
    ) -> Submitted:
        return await self.submit(request, callback_url=callback_url)

    async def query_template(self, remote_id: str) -> RemoteStatus:
        return await self.query(remote_id, template=True)

    async def wait_template(
        self,
        remote_id: str,
        *,
        timeout: float | None = 1200,  # noqa: ASYNC109  # as wait
        poll_seconds: float = 10,
    ) -> RemoteStatus:
        return await self.wait(remote_id, template=True, timeout=timeout, poll_seconds=poll_seconds)

    async def download_template(
        self, remote_id: str, path: str | Path, *, overwrite: bool = False
    ) -> SavedFile:
        return await self.download(remote_id, path, template=True, overwrite=overwrite)

    async def check_key(self) -> None:
        """Ask something that costs nothing; raises what stands in the way of buying."""
        if (reply := await self.probe()) is not None:
            self.read_probe(reply)

    async def probe(self) -> HttpReply | None:
        """Ask something that costs nothing; None where the provider has no such question."""
        if (asked := self._connection.dialect.probe()) is None:
            return None
        with for_programmers():
            reply = await self._connection.read(asked)
            if reply.status == HTTPStatus.NOT_FOUND:  # not everybody who speaks the dialect has it
                reply = await self._connection.read(self._connection.dialect.status(NO_TASK))
            return reply

    def read_probe(self, reply: HttpReply) -> None:
        """Raise what the answer to probe() says stands in the way of buying."""
        with for_programmers():
            self._connection.dialect.read_probe(reply)

    async def fetch(self, url: str) -> bytes:
        """Read a picture from a link, guarded as every link is."""
        from hailuo_mcp.files.images import most_bytes

        with for_programmers():
            transport = await self._connection.open()
            return await transport.links.fetch(url, limit=most_bytes(), seconds=_PICTURE_SECONDS)
