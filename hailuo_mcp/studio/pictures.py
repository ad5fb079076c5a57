"""Keeps the bytes of input pictures, clips and sounds: to send them, and pictures to compare."""

from __future__ import annotations

import base64
import re
import time
from contextlib import suppress

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.storage import Blobs

_NAME = re.compile(r"[0-9a-f]{64}")
KEPT_SECONDS = 86_400.0
"""How long they stay after their last use. It also protects those of a purchase that is being
recorded at this moment."""


class Pictures:
    def __init__(self, kept: Blobs) -> None:
        self._kept = kept
        self._used = dict[str, float]()
        """When a sweep last found it in use, by its sha256."""

    async def keep(self, sha256: str, data: bytes) -> None:
        """Write once, whole or not at all."""
        try:
            await self._kept.keep(sha256, data)
        except OSError as exc:
            raise JournalError(
                f"An input file could not be stored in {self._kept.place}, so the purchase cannot "
                "be recorded.",
                Step(Do.ARRANGE, "make room there, or make it writable"),
                Step(Do.CHECK, self._kept.variable),
                detail=str(exc),
            ) from exc

    async def kept(self, sha256: str) -> bool:
        """Whether the bytes are there; raises OSError where that cannot be found out now."""
        return await self._kept.exists(sha256)

    async def read(self, sha256: str) -> bytes | None:
        """Return the bytes; None where they are gone. Raises OSError as `kept` does."""
        return await self._kept.read(sha256)

    async def data_url(self, sha256: str, mime: str) -> str:
        """Raises KeyError where the bytes are gone, OSError where they cannot be read now."""
        data = await self.read(sha256)
        if data is None:
            raise KeyError(sha256)
        return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"

    async def sweep(self, in_use: str) -> None:
        """Delete what no unfinished task has needed for a day."""
        now = time.time()
        with suppress(OSError):  # the storage is away: the next time
            for blob in await self._kept.all():
                name = blob.name[:64]
                if not _NAME.fullmatch(name):
                    continue
                if name in in_use:
                    self._used[name] = now
                elif now - max(blob.modified, self._used.get(name, 0.0)) > KEPT_SECONDS:
                    with suppress(OSError):
                        await self._kept.delete(blob.name)
                        self._used.pop(name, None)
