"""Seals what the protocol has clients carry to their next call, which may reach another process."""

from __future__ import annotations

import os

from mcp.server.request_state import AESGCMRequestStateCodec


class SharedSeal:
    """A codec of the SDK whose key comes with the journal, and that is after the server is made."""

    def __init__(self) -> None:
        self._codec = AESGCMRequestStateCodec([os.urandom(32)])

    def open(self, key: bytes) -> None:
        """Use the key that all processes of the journal share; before that nothing is sealed."""
        self._codec = AESGCMRequestStateCodec([key])

    def seal(self, payload: bytes) -> str:
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        return self._codec.unseal(token)
