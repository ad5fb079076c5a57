"""Reads small documents that another service publishes, such as the keys of a token issuer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.transport.connections import Connections, TooLargeError, whole_body
from hailuo_mcp.transport.encoding import EncodedError
from hailuo_mcp.transport.hosts import HostPolicy, RefusedLinkError
from hailuo_mcp.transport.link_download import content_length, get_from
from hailuo_mcp.transport.proxies import ProxyError

if TYPE_CHECKING:
    from hailuo_mcp.transport.connections import HttpTransport

_LARGEST = 256 * 1024


class UnreadDocumentError(Exception):
    """The document could not be read; the text is a clause, in our own words.

    `status` is what the host answered, 0 if it did not answer.
    """

    def __init__(self, reason: str, *, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class DocumentReader:
    """Reads documents from the hosts that links may point to; a redirect is not followed."""

    def __init__(self, hosts: HostPolicy, *, wire: HttpTransport | None = None) -> None:
        self._hosts = hosts
        self._connections = Connections(wire)

    async def read(self, url: str, *, seconds: float) -> bytes:
        """Read a document of at most 256 KiB within so many seconds.

        Raises:
            UnreadDocumentError: it is not there, too large, too slow, or may not be asked for.
        """
        import httpx

        try:
            parts = urlsplit(url)
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                raise UnreadDocumentError("its address is not https")
            with anyio.fail_after(seconds):
                target = await self._hosts.check(url)
                response = await get_from(self._connections, target, {}, seconds)
                try:
                    if response.status_code != HTTPStatus.OK:
                        status = response.status_code
                        raise UnreadDocumentError(f"its host answered HTTP {status}", status=status)
                    if (content_length(response.headers) or 0) > _LARGEST:
                        raise TooLargeError
                    return await whole_body(response, _LARGEST)
                finally:
                    await response.aclose()
        except RefusedLinkError as refused:
            raise UnreadDocumentError(refused.reason) from None
        except TooLargeError:
            raise UnreadDocumentError(f"it is larger than {_LARGEST >> 10} KiB") from None
        except EncodedError as fault:
            raise UnreadDocumentError(str(fault)) from None
        except (TimeoutError, httpx.TimeoutException):
            raise UnreadDocumentError("its host did not answer in time") from None
        except ProxyError as fault:
            raise UnreadDocumentError(str(fault)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            raise UnreadDocumentError("its host could not be reached") from None

    async def aclose(self) -> None:
        await self._connections.aclose()
