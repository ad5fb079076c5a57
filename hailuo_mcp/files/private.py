"""Keeps the state folder private: it holds prompts, pictures and purchases."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDERS = ("backups", "inputs", "processes", "spool", "uploads", "sandbox")
_FILES = ("journal", "links.key", "mark")
"""Prefixes of our files' names; a folder that a person chose may contain other files, too."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter.

    Raises:
        OSError: it cannot be made.
    """
    if not path.parent.exists():
        private_folder(path.parent)  # mkdir sets the mode only on the last one
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def private_opener(path: str, flags: int) -> int:
    """For open(): makes a new file readable and writable only by its owner."""
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)


def write_once(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; FileExistsError where another process was faster."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(part, "xb", opener=private_opener) as file:
            file.write(data)
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:
            # Some network folders have no hard links: take the name with an empty file first.
            os.close(private_opener(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def exposed(state_dir: Path) -> list[Path]:
    """Return what other users may read of the state, the folder first."""
    if os.name == "nt":
        return []  # there, the user's own folder is already private
    return [path for path in _ours(state_dir) if _mode(path) & _OTHERS]


def close_to_others(state_dir: Path) -> None:
    """Remove the access that earlier versions gave to other users."""
    for path in exposed(state_dir):
        with suppress(OSError):  # owned by another user: the doctor reports it
            path.chmod(_mode(path) & ~_OTHERS)


def _ours(state_dir: Path) -> Iterator[Path]:
    try:
        inside = list(state_dir.iterdir())
    except OSError:
        return
    ours = [path for path in inside if path.name in FOLDERS or path.name.startswith(_FILES)]
    if len(ours) == len(inside):
        yield state_dir
    for path in ours:
        if not path.is_symlink():
            yield path
            if path.is_dir() and _mode(path) & _OTHERS:  # a private folder protects what is in it
                yield from (below for below in path.rglob("*") if not below.is_symlink())


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
