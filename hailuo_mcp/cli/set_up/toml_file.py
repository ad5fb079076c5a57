"""Changes a TOML file: in place, whole or not at all, one change at a time, comments kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.files.private import private_folder, private_opener
from hailuo_mcp.text import system_reason

_WAIT_SECONDS = 10.0

Document = dict[str, Any]
"""tomlkit's own, which is a dict and keeps comments."""


@contextmanager
def changing(
    path: Path,
    *,
    check: Callable[[bytes], object],
    create: bool = False,
    private: bool = False,
) -> Generator[Document]:
    """The file's document, comments included; what the block changes in it is then written.

    `check` raises ConfigError for a content that is, or would be, unusable. `create`: it need not
    exist. `private`: it holds secrets, so only its owner may read it, whatever it was before.

    Raises:
        ConfigError: the file cannot be read or written, or `check` refuses it.
    """
    import tomlkit
    from filelock import FileLock, Timeout

    path = Path(os.path.realpath(path))
    try:
        if private:
            private_folder(path.parent)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_WAIT_SECONDS, mode=0o600):
            content = path.read_bytes() if path.exists() or not create else b""
            check(content)
            document: Document = tomlkit.parse(content.decode("utf-8-sig"))
            yield document
            changed = tomlkit.dumps(document).encode()
            check(changed)
            _replace(path, changed, private=private)
    except Timeout as exc:
        raise ConfigError(
            f"{path} is being changed by another process. Nothing was changed.",
            Step(Do.TRY, "run this again"),
        ) from exc
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be written ({system_reason(exc)}). Nothing was changed.",
            Step(Do.ARRANGE, "run this as the user who owns it, or choose another place"),
        ) from exc


def _replace(path: Path, content: bytes, *, private: bool) -> None:
    """In one step, and for whom the old one was: a server may run as another user.

    The draft has one name, so that the next change removes what a killed process left, its key
    included; the lock is held.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with open(part, "xb", opener=private_opener) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            facts = path.stat()
            part.chmod(facts.st_mode & (0o600 if private else 0o777))
            if sys.platform != "win32":  # which has no owners of this kind
                with suppress(PermissionError):  # not root
                    os.chown(part, facts.st_uid, facts.st_gid)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
