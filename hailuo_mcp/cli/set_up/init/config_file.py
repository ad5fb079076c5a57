"""A client's configuration file: find it, read it, change one entry, write it atomically."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hailuo_mcp.catalog.mcp_clients import ClientSetup
from hailuo_mcp.cli.set_up.init import json_edit
from hailuo_mcp.cli.set_up.init.json_edit import mapping
from hailuo_mcp.cli.set_up.system import System
from hailuo_mcp.cli.words import program
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.text import shown, system_reason

_BOM = "\ufeff"
_COMMANDS = ("hailuo-mcp", "hailuo_mcp")
NAME = "hailuo"
"""Under which name clients list this server."""


def config_path(app: ClientSetup, system: System) -> Path:
    """The file that a client reads on this computer, whether or not it exists."""
    for place in app.places.get(system.platform) or app.places.get("any", ()):
        if not place.sign or any(path.exists() for path in system.expand(place.sign)):
            found = system.expand(place.file)
            return next((path for path in found if path.exists()), found[0])
    raise ConfigError(
        f"It is not known where {app.title} keeps its configuration on this system.",
        Step(Do.TRY, f"print what to paste: {program()} init {app.name} --print"),
    )


def is_installed(app: ClientSetup, system: System) -> bool:
    """Whether the app seems to be installed: it has made the folder that its file is in.

    A folder that is the home folder itself says nothing; there the file has to exist.
    """
    file = config_path(app, system)
    return file.exists() or (file.parent != system.home and file.parent.is_dir())


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
        env = mapping(self.values.get("env"))
        return {name: _text(value) for name, value in env.items()}

    @property
    def is_ours(self) -> bool:
        words = " ".join((self.name, self.command.replace("\\", "/"), *self.args)).lower()
        return self.name.lower() == NAME or any(command in words for command in _COMMANDS)

    def can_start(self, app: ClientSetup, system: System) -> bool:
        """Whether this client finds the program that the entry names."""
        folders = system.app_path if app.gui else system.path
        return bool(self.command) and system.resolve(self.command, folders) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What a client's file says now."""

    app: ClientSetup
    path: Path
    text: str = ""
    commented: bool = False
    """JSON with comments or trailing commas, which a rewrite would lose."""
    document: Mapping[str, object]

    @property
    def entries(self) -> tuple[Entry, ...]:
        servers = mapping(self.document.get(self.app.key))
        return tuple(Entry(name=name, values=mapping(value)) for name, value in servers.items())

    @property
    def ours(self) -> Entry | None:
        found = [entry for entry in self.entries if entry.is_ours]
        return next((entry for entry in found if entry.name == NAME), found[0] if found else None)

    def with_entry(self, entry: Entry, question: Mapping[str, object] | None) -> str:
        """The text with the entry set, and with the question that VS Code asks for its key.

        Raises:
            ValueError: that cannot be done without touching more.
        """
        bom, text = (_BOM, self.text[1:]) if self.text.startswith(_BOM) else ("", self.text)
        key = self.app.key
        servers = {**mapping(self.document.get(key)), entry.name: entry.values}
        wanted = {**self.document, key: servers}
        if self.app.format == "toml":
            changed = _put_toml(text, key, entry)
        else:
            changed = json_edit.put(text, (key, entry.name), entry.values)
            inputs = self.document.get("inputs", [])
            asked: list[object] = inputs if isinstance(inputs, list) else []  # pyright: ignore[reportUnknownVariableType]
            if question and all(mapping(it).get("id") != question["id"] for it in asked):
                changed = json_edit.append(changed, "inputs", question)
                wanted["inputs"] = [*asked, question]
        if _parsed(self.app, changed) != wanted:
            raise ValueError("the change would touch other entries")
        return bom + changed


def read(app: ClientSetup, path: Path) -> ConfigFile:
    """Read a client's file; one that is missing or empty has no entries.

    Raises:
        ConfigError: it cannot be read, or is not what the client could read either.
    """
    try:
        # Bytes first: reading as text would change the ends of lines.
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path} is not UTF-8 text (Notepad and PowerShell can write such files). Nothing was "
            "changed.",
            Step(Do.TRY, "save it as UTF-8, then run this again"),
        ) from None
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be read ({system_reason(exc)}). Nothing was changed.",
            Step(Do.TRY, "allow yourself to read it, then run this again"),
        ) from exc
    body = text.removeprefix(_BOM)
    try:
        return ConfigFile(app=app, path=path, text=text, document=_parsed(app, body))
    except ValueError as exc:
        flaw = exc
    try:
        document = _parsed(app, json_edit.without_comments(body))
    except ValueError:
        # The parser's words about the place, without the text around it, which may hold a key.
        where = shown(str(flaw).split("\n", maxsplit=1)[0], 120)
        raise ConfigError(
            f"{path} is not valid {app.format.upper()}: {where[:1].lower()}{where[1:]}. "
            f"{app.title} cannot read it either. Nothing was changed.",
            Step(Do.TRY, "correct it (usually a missing or extra comma), then run this again"),
        ) from None
    return ConfigFile(app=app, path=path, text=text, commented=True, document=document)


def write(path: Path, text: str, *, stamp: str) -> Path | None:
    """Replace the file in one step; returns the backup of what was there.

    Raises:
        OSError: it may not be written; then nothing has changed.
    """
    target = path.resolve()  # a link stays a link
    if not _may_write(target):
        raise PermissionError("read-only")
    target.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    if target.exists():
        backup = _unused(path.with_name(f"{path.name}.{stamp}.backup"))
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


def pasted(app: ClientSetup, entry: Entry, question: Mapping[str, object] | None) -> str:
    """What to put into a client's file by hand."""
    if app.format == "toml":
        return _put_toml("", app.key, entry).rstrip()
    document: dict[str, object] = {app.key: {entry.name: entry.values}}
    if question is not None:
        document["inputs"] = [question]
    return json.dumps(document, ensure_ascii=False, indent=2)


def _put_toml(text: str, key: str, entry: Entry) -> str:
    import tomlkit

    document: Any = tomlkit.parse(text)
    servers = document.setdefault(key, tomlkit.table(is_super_table=True))
    _update(servers.setdefault(entry.name, tomlkit.table()), entry.values)
    changed = tomlkit.dumps(document)
    return re.sub(r"(?<!\r)\n", "\r\n", changed) if "\r\n" in text else changed


def _update(table: Any, values: Mapping[str, object]) -> None:  # noqa: ANN401  # tomlkit's own types
    """Change a table in place, so that what is equal keeps its comments and its layout."""
    for name in [name for name in table if name not in values]:
        del table[name]
    for name, value in sorted(values.items(), key=lambda item: isinstance(item[1], Mapping)):
        if isinstance(value, Mapping) and isinstance(table.get(name), dict):
            _update(table[name], cast("Mapping[str, object]", value))
        elif table.get(name) != value:
            table[name] = value


def _parsed(app: ClientSetup, text: str) -> Mapping[str, object]:
    document = tomllib.loads(text) if app.format == "toml" else json_edit.parse(text)
    if not isinstance(document, dict):
        raise ValueError("it is not an object in braces")  # noqa: TRY004  # for one handler
    whole = mapping(cast("object", document))
    if not isinstance(whole.get(app.key, {}), dict):
        raise ValueError(f"{app.key} is not an object in braces")  # noqa: TRY004
    return whole


def _may_write(target: Path) -> bool:
    """Whether the file may be written: a read-only file may not, even in a writable folder."""
    if target.exists():
        return bool(target.stat().st_mode & stat.S_IWUSR) and os.access(target, os.W_OK)
    folder = next(parent for parent in target.parents if parent.exists())
    return os.access(folder, os.W_OK)


def _unused(path: Path) -> Path:
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
