"""Changes the file of tenants: in place, whole or not at all, one change at a time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.files.private import private_opener
from hailuo_mcp.settings.tenants import parse_tables, read_tables
from hailuo_mcp.text import system_reason

_WAIT_SECONDS = 10.0

Document = dict[str, Any]
"""tomlkit's own, which is a dict and keeps comments."""


@contextmanager
def changing(path: Path, *, create: bool = False) -> Generator[Document]:
    """The file's document, comments included; what the block changes in it is then written.

    Raises:
        ConfigError: the file cannot be read or written, or is, or would be, unusable.
    """
    import tomlkit
    from filelock import FileLock, Timeout

    path = Path(os.path.realpath(path))
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_WAIT_SECONDS, mode=0o600):
            content = b""
            if path.exists() or not create:
                content, _ = read_tables(path)
            document: Document = tomlkit.parse(content.decode())
            yield document
            changed = tomlkit.dumps(document).encode()
            parse_tables(changed)
            _replace(path, changed)
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


def put(document: Document, name: str, values: Mapping[str, object]) -> None:
    """Add a table at the end."""
    import tomlkit

    tenants: Any = document.setdefault("tenants", tomlkit.table(is_super_table=True))
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = value
    tenants[name] = table


def _replace(path: Path, content: bytes) -> None:
    """In one step, and for whom the old one was: a server may run as another user."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(part, "xb", opener=private_opener) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            facts = path.stat()
            part.chmod(facts.st_mode & 0o777)
            with suppress(PermissionError, AttributeError):  # not root; Windows has no owners
                os.chown(part, facts.st_uid, facts.st_gid)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
