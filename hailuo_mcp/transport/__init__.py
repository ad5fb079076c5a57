"""Access to the network: the only package that imports httpx, and only when it is used."""

from typing import TYPE_CHECKING

from hailuo_mcp.transport.hosts import HostPolicy, RefusedLinkError, Target, system_resolve
from hailuo_mcp.transport.link_download import LinkResponse, OpenLink, RefusedDownloadError
from hailuo_mcp.transport.provider_api import Transport

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport as HttpTransport

__all__ = [
    "HostPolicy",
    "HttpTransport",
    "LinkResponse",
    "OpenLink",
    "RefusedDownloadError",
    "RefusedLinkError",
    "Target",
    "Transport",
    "system_resolve",
]
