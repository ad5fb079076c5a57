"""The connection to one provider, opened at the first call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import anyio.to_thread

from hailuo_mcp.dialects.links import CLIP_DOMAINS
from hailuo_mcp.dialects.providers import (
    DEFAULT_PROVIDER,
    PROVIDERS,
    clean_base_url,
    dialect_of,
    provider_for,
    provider_named,
    reached_at,
)
from hailuo_mcp.dialects.wire import Dialect, HttpReply, HttpRequest, Provider
from hailuo_mcp.domain import Link, RemoteStatus
from hailuo_mcp.errors import (
    ConfigError,
    DownloadError,
    ProviderUnavailableError,
    RemoteTaskNotFoundError,
    UnexpectedResponseError,
)
from hailuo_mcp.transport import HostPolicy, Transport

if TYPE_CHECKING:
    from pydantic import SecretStr

    from hailuo_mcp.transport.proxies import Proxies


KEY_ADVICE = (
    "Give api_key to HailuoClient, or try everything free without one: run `hailuo-mcp sandbox` "
    'and give provider="sandbox" and its address as base_url.'
)


class Connect(Protocol):
    """Transport, with everything but the address given."""

    def __call__(
        self, base_url: str, key: Callable[[], str], hosts: HostPolicy, *, host: str
    ) -> Transport: ...


class Connection:
    """A provider's row with the base URL in use, its dialect, its key and its transport."""

    def __init__(
        self,
        api_key: str | SecretStr | None,
        *,
        provider: str,
        base_url: str,
        private_hosts: Iterable[str],
        environ: Mapping[str, str] | None,
        serve: Callable[[], str] | None,
        connect: Connect,
        key_advice: str,
    ) -> None:
        row = provider_named(provider) if provider else provider_for(base_url)
        row = row or PROVIDERS[DEFAULT_PROVIDER]
        self._private = frozenset(entry.strip().lower() for entry in private_hosts if entry.strip())
        url = base_url.strip()
        url = url and clean_base_url(row, url, private_hosts=self._private)
        self.provider: Provider = reached_at(row, url)
        self.dialect: Dialect = dialect_of(self.provider)
        self._environ = environ
        self._api_key = api_key
        self._serve = serve
        self._connect = connect
        self._key_advice = key_advice
        self._transport: Transport | None = None
        self._opening = anyio.Lock()

    def need_key(self) -> str:
        """Return the key, or say where it goes and how to go without."""
        key = self._api_key
        text = key if isinstance(key, str) else key.get_secret_value() if key else ""
        if text.strip():
            return text.strip()
        if self.provider.embedded:
            return "sandbox"
        raise ConfigError(
            f"There is no API key for {self.provider.name}; keys come from {self.provider.console}."
            f" Nothing was sent or charged. {self._key_advice}"
        )

    async def open(self) -> Transport:
        """Return the transport, starting the imitation where that is the provider."""
        async with self._opening:
            if self._transport is None:
                if not self.provider.base_url:
                    await self._start()
                parts = urlsplit(self.provider.base_url)
                port = parts.port or (443 if parts.scheme == "https" else 80)
                self._transport = self._connect(
                    f"{self.provider.base_url}{self.provider.prefix}",
                    self.need_key,
                    HostPolicy(
                        private=self._private,
                        own=frozenset({f"{parts.hostname}:{port}"}),
                        known=CLIP_DOMAINS,
                        proxy_to=self._proxies().to,
                    ),
                    host=self.provider.host,
                )
            return self._transport

    async def read(self, request: HttpRequest) -> HttpReply:
        """Ask something that costs nothing."""
        return await (await self.open()).read(request)

    async def link(self, status: RemoteStatus) -> Link:
        """Return where the finished clip can be fetched."""
        asked = self.dialect.file(status)
        if asked is None:
            if not status.url:
                raise DownloadError(
                    f"{self.provider.name} gave no link for this clip. It is paid for if it is "
                    "finished; asking again costs nothing. Ask again in a minute."
                )
            return Link(url=status.url, expires_at=status.url_expires_at)
        try:
            return self.dialect.read_file(await self.read(asked), status)
        except (RemoteTaskNotFoundError, ProviderUnavailableError, UnexpectedResponseError):
            fallback = self.dialect.file_fallback(status)
            if fallback is None:
                raise
            return fallback

    def _proxies(self) -> Proxies:
        from hailuo_mcp.transport.proxies import Proxies

        return Proxies() if self._environ is None else Proxies.from_env(self._environ)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def _start(self) -> None:
        if self._serve is None:
            raise ConfigError(
                f"The provider {self.provider.name} is not running. Nothing was sent or charged. "
                "Start it with `hailuo-mcp sandbox` and give its address as base_url."
            )
        url = await anyio.to_thread.run_sync(self._serve)
        self.provider = reached_at(self.provider, clean_base_url(self.provider, url))
        self.dialect = dialect_of(self.provider)
