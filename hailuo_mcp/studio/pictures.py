"""Keeps the bytes of input images as long as a process may have to send them."""

from __future__ import annotations

import base64
import os
import re
import time
from pathlib import Path

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.private import private_folder, private_opener

_NAME = re.compile(r"[0-9a-f]{64}")
_FRESH_SECONDS = 900.0
"""A picture this young may belong to a purchase that is being recorded at this moment."""


class Pictures:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, sha256: str, data: bytes) -> None:
        """Write once, atomically."""
        target = self._folder / sha256
        try:
            if target.exists():
                os.utime(target)
                return
            private_folder(self._folder)
            part = target.with_name(f"{sha256}.{os.getpid()}.part")
            with open(part, "wb", opener=private_opener) as file:  # takes an opener
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as exc:
            raise JournalError(
                f"The picture could not be stored in {self._folder}, so the purchase cannot be "
                "recorded.",
                Step(Do.ARRANGE, "free some disk space, or make the folder writable"),
                Step(Do.SET, "HAILUO_STATE_DIR"),
                detail=str(exc),
            ) from exc

    def data_url(self, sha256: str, mime: str) -> str:
        """Raises KeyError where the bytes are gone."""
        try:
            data = (self._folder / sha256).read_bytes()
        except OSError as exc:
            raise KeyError(sha256) from exc
        return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"

    def sweep(self, in_use: str) -> None:
        """Delete what no unfinished task needs."""
        try:
            found = list(self._folder.iterdir())
        except OSError:
            return  # none was ever kept, or the folder is not readable
        for path in found:
            name = path.name[:64]
            try:
                old = time.time() - path.stat().st_mtime > _FRESH_SECONDS
                if _NAME.fullmatch(name) and old and name not in in_use:
                    path.unlink(missing_ok=True)
            except OSError:
                continue  # another process was faster
