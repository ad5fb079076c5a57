"""Links that carry their own permission: for what, until when, and a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable

FILE_SECONDS = 3600
UPLOAD_SECONDS = 900
DERIVED = 24
"""Characters of a name that is derived from another one."""
_SHAPE = re.compile(r"([0-9a-z]{8,40})\.(\d{1,12})\.([A-Za-z0-9_-]{43})")


def looks_signed(text: str) -> bool:
    """Whether a text has a link's form; only `SignedLinks.read` says whether it is one."""
    return _SHAPE.fullmatch(text) is not None


class SignedLinks:
    def __init__(self, key: bytes = b"", *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def open(self, key: bytes, clock: Callable[[], float]) -> None:
        """Sign with what all processes of the journal share; until then every link is invalid."""
        self._key, self._clock = key, clock

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
