"""What a proxy can do wrong: a leaf, so that nobody loads proxies only to know of it."""

from __future__ import annotations


class ProxyError(ConnectionError):
    """A proxy opened no way, so nothing has left; the text is a clause that names the proxy."""
