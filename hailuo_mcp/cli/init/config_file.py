"""A client's configuration file: read as it is, changed in one place, never half written."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hailuo_mcp.cli.init import json_edit, toml_edit
from hailuo_mcp.cli.init.client_apps import ClientApp
from hailuo_mcp.errors import ConfigError

_BOM = "\ufeff"
_COMMANDS = ("hailuo-mcp", "hailuo_mcp")
NAME = "hailuo"
"""Under which name clients list this server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One server in a client's list."""

    name: str
    values: Mapping[str, object]

    @property
    def command(self) -> str:
        return _text(self.values.get("command"))

    @property
    def args(self) -> tuple[str, ...]:
        args = self.values.get("args")
        return tuple(str(arg) for arg in args) if isinstance(args, list) else ()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]

    @property
    def env(self) -> dict[str, str]:
        env = json_edit.mapping(self.values.get("env"))
        return {name: _text(value) for name, value in env.items()}

    @property
    def is_ours(self) -> bool:
        told = " ".join((self.name, self.command.replace("\\", "/"), *self.args)).lower()
        return self.name.lower() == NAME or any(command in told for command in _COMMANDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What stands in a client's file now."""

    app: ClientApp
    path: Path
    text: str
    commented: bool
    """JSON with comments or last commas: legible, but not to be rewritten by a program."""
    document: Mapping[str, object]

    @property
    def entries(self) -> tuple[Entry, ...]:
        servers = json_edit.mapping(self.document.get(self.app.key))
        return tuple(
            Entry(name=name, values=json_edit.mapping(value)) for name, value in servers.items()
        )

    @property
    def ours(self) -> Entry | None:
        found = [entry for entry in self.entries if entry.is_ours]
        return next((entry for entry in found if entry.name == NAME), found[0] if found else None)

    def with_entry(self, entry: Entry, ask: Mapping[str, object] | None) -> str:
        """The text with the entry set; `ask` is a question of VS Code's that it needs.

        Raises:
            ValueError: that cannot be done without touching more.
        """
        bom, text = (_BOM, self.text[1:]) if self.text.startswith(_BOM) else ("", self.text)
        path = (self.app.key, entry.name)
        if self.app.is_toml:
            return bom + toml_edit.put(text, path, entry.values)
        changed = json_edit.put(text, path, entry.values)
        if ask is not None and not self._asks(ask):
            changed = json_edit.append(changed, "inputs", ask)
        wanted = {
            **self.document,
            self.app.key: {
                **json_edit.mapping(self.document.get(self.app.key)),
                entry.name: entry.values,
            },
        }
        written = json_edit.mapping(json_edit.parse(changed))
        if {**written, "inputs": None} != {**wanted, "inputs": None}:
            raise ValueError("the change would touch other entries")
        return bom + changed

    def _asks(self, ask: Mapping[str, object]) -> bool:
        inputs = self.document.get("inputs")
        given: list[object] = inputs if isinstance(inputs, list) else []  # pyright: ignore[reportUnknownVariableType]
        return any(json_edit.mapping(item).get("id") == ask["id"] for item in given)


def read(app: ClientApp, path: Path) -> ConfigFile:
    """Read a client's file; one that is missing or empty has no entries.

    Raises:
        ConfigError: it cannot be read, or is not what the client could read either.
    """
    try:
        # Bytes first: reading as text would change the ends of lines.
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path} is not UTF-8 text (Notepad and PowerShell can save such files). Nothing was "
            "changed. Save it as UTF-8, then run this again."
        ) from None
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be read ({(exc.strerror or 'the system refuses').lower()}). Nothing "
            "was changed. Give yourself the right to read it, then run this again."
        ) from exc
    body = text.removeprefix(_BOM)
    commented = False
    try:
        document = _parsed(app, body)
    except ValueError as exc:
        try:
            document = _parsed(app, json_edit.without_comments(body))
        except ValueError:
            raise ConfigError(
                f"{path} is not valid {'TOML' if app.is_toml else 'JSON'}: {_where(exc)}. "
                f"{app.title} cannot read it either. Nothing was changed. Mend it (a comma too "
                "many or too few is the usual cause), then run this again."
            ) from None
        commented = True
    return ConfigFile(app=app, path=path, text=text, commented=commented, document=document)


def write(path: Path, text: str, *, stamp: str) -> Path | None:
    """Replace the file in one step; returns the backup of what was there.

    Raises:
        OSError: it may not be written; then nothing has changed.
    """
    target = path.resolve()  # a link stays a link
    if not _may_write(target):
        raise PermissionError(f"{path} is read-only")
    target.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    if target.exists():
        backup = _free(path.with_name(f"{path.name}.{stamp}.backup"))
        shutil.copy2(target, backup)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return backup


def _parsed(app: ClientApp, text: str) -> Mapping[str, object]:
    if app.is_toml:
        return toml_edit.parse(text)
    document = json_edit.parse(text)
    if not isinstance(document, dict):
        raise ValueError("it is not an object in braces")  # noqa: TRY004  # for one handler
    whole = json_edit.mapping(cast("object", document))
    if not isinstance(whole.get(app.key, {}), dict):
        raise ValueError(f"{app.key} is not an object in braces")  # noqa: TRY004
    return whole


def _where(exc: ValueError) -> str:
    """The parser's words about the place, without the text around it, which may hold a key."""
    said = str(exc).split("\n", maxsplit=1)[0]
    return said[:1].lower() + said[1:120]


def _may_write(target: Path) -> bool:
    """Whether the file is meant to be written: its own mark counts even where the folder allows."""
    if target.exists():
        return bool(target.stat().st_mode & stat.S_IWUSR) and os.access(target, os.W_OK)
    folder = next(parent for parent in target.parents if parent.exists())
    return os.access(folder, os.W_OK)


def _free(path: Path) -> Path:
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
