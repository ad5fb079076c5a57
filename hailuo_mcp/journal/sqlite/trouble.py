"""What keeps the journal from working, as a sentence that says what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from hailuo_mcp.errors import JournalError

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def trouble(path: Path, exc: Exception) -> JournalError:
    text = str(exc).lower()
    if "full" in text or (isinstance(exc, OSError) and exc.errno in _FULL):
        what = f"the disk of {path.parent} is full: free some space"
    elif "readonly" in text or "read-only" in text or isinstance(exc, OSError):
        what = f"{path.parent} cannot be written: set HAILUO_STATE_DIR to a folder that can"
    elif "locked" in text or "busy" in text:
        what = f"another program keeps {path.name} locked: close it, or wait a moment"
    elif "unable to open" in text:
        what = f"{path} cannot be opened: check the folder's permissions, or set HAILUO_STATE_DIR"
    else:
        what = f"{path} could not be used: run `hailuo-mcp doctor`"
    return JournalError(
        f"The journal, without which nothing is bought, is out of reach; {what}. "
        "Nothing was sent or charged by this call; try it again after that.",
        detail=str(exc),
    )
