"""What a proxy can do wrong: a leaf, so that everything here can know it without loading proxies."""

from __future__ import annotations


class ProxyError(ConnectionError):
    """A proxy opened no way, so nothing has left; the text is a clause that names the proxy."""
