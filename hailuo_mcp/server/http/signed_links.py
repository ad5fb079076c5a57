"""Links that carry their own permission: for what, until when, and a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.private import private_folder, write_once

FILE_SECONDS = 3600
UPLOAD_SECONDS = 900
DERIVED = 24
"""Characters of a name that is derived from another one."""
_KEY_BYTES = 32
_SHAPE = re.compile(r"([0-9a-z]{8,40})\.(\d{1,12})\.([A-Za-z0-9_-]{43})")


def link_key(path: Path) -> bytes:
    """The key of this state folder; processes that start at the same moment agree on one."""
    try:
        if not path.exists():
            private_folder(path.parent)
            with suppress(FileExistsError):
                write_once(path, secrets.token_bytes(_KEY_BYTES))
        path.chmod(0o600)
        key = path.read_bytes()
    except OSError as exc:
        raise JournalError(
            f"The key that signs links cannot be stored in {path.parent}.",
            Step(Do.SET, "HAILUO_STATE_DIR"),
            detail=str(exc),
        ) from exc
    if len(key) != _KEY_BYTES:
        raise JournalError(
            f"{path} is damaged.",
            Step(
                Do.ARRANGE,
                "delete it: a new one is made, and only links given out before stop working",
            ),
        )
    return key


class SignedLinks:
    def __init__(self, key: bytes = b"", *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def open(self, path: Path) -> None:
        """Raises JournalError. Until it is called, every link is invalid."""
        self._key = link_key(path)

    def sign(self, purpose: str, subject: str, seconds: int) -> tuple[str, float]:
        """The last part of a link's path, and when it ends."""
        until = int(self._clock()) + seconds
        return f"{subject}.{until}.{self._signature(purpose, subject, until)}", float(until)

    def read(self, purpose: str, text: str) -> str | None:
        """The subject of a valid link; None for every other."""
        found = _SHAPE.fullmatch(text)
        if found is None or not self._key:
            return None
        subject, until = found[1], int(found[2])
        good = hmac.compare_digest(self._signature(purpose, subject, until), found[3])
        return subject if good and self._clock() < until else None

    def derive(self, purpose: str, subject: str) -> str:
        """Another name for a subject, which cannot be guessed from it."""
        digest = hmac.digest(self._key, f"{purpose}\0{subject}".encode(), hashlib.sha256)
        return base64.b32encode(digest[:15]).decode().lower()

    def _signature(self, purpose: str, subject: str, until: int) -> str:
        text = f"{purpose}\0{subject}\0{until}".encode()
        digest = hmac.digest(self._key, text, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
