"""A secret that the processes of one state folder share: made once, private to its owner."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.private import private_folder, write_once
from hailuo_mcp.journal.facts import SECRET_BYTES


def secret_in(path: Path) -> bytes:
    """The secret in this file; processes that start at the same moment agree on one.

    Raises:
        JournalError: it cannot be stored, or the file is damaged.
    """
    try:
        if not path.exists():
            private_folder(path.parent)
            with suppress(FileExistsError):
                write_once(path, secrets.token_bytes(SECRET_BYTES))
        path.chmod(0o600)
        secret = path.read_bytes()
    except OSError as exc:
        raise JournalError(
            f"The key that signs links cannot be stored in {path.parent}.",
            Step(Do.SET, "HAILUO_STATE_DIR"),
            detail=str(exc),
        ) from exc
    if len(secret) != SECRET_BYTES:
        raise JournalError(
            f"{path} is damaged.",
            Step(
                Do.ARRANGE,
                "delete it: a new one is made, and only links given out before stop working",
            ),
        )
    return secret
