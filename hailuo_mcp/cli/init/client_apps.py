"""The MCP clients that can be set up: where each keeps its servers and how they stand there."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from hailuo_mcp.cli.machine import Machine
from hailuo_mcp.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    file: str
    sign: str = ""
    """What exists where this place is the one that counts; empty for a place that always does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientApp:
    name: str
    title: str
    key: str
    """Under which the servers stand in its file."""
    is_toml: bool
    gui: bool
    """Started from the desktop, so that it has not the PATH of a shell."""
    asks: bool
    """Asks for secrets itself and keeps them better than a file would."""
    wants: Mapping[str, object]
    """What its entries say beside command, args and env."""
    places: Mapping[str, tuple[Place, ...]]
    restart: str
    source: str
    checked: str

    def file(self, machine: Machine) -> Path:
        """The file that it reads on this computer, whether or not it is there yet."""
        for place in self._places(machine):
            if not place.sign:
                break
            if next(_expanded(place.sign, machine), None):
                return next(_expanded(place.file, machine, whole=True))
        else:
            raise ConfigError(
                f"{self.title} keeps its configuration in no known place on this system. Nothing "
                f"was changed. Print what to paste: hailuo-mcp init {self.name} --print."
            )
        return next(_expanded(place.file, machine, whole=True))

    def is_here(self, machine: Machine) -> bool:
        """Whether the app seems to be installed: it has made the folder that its file is in.

        A folder that is the home folder itself says nothing; there the file has to exist.
        """
        file = self.file(machine)
        folder = file.parent
        return file.exists() or (folder != machine.home and folder.is_dir())

    def _places(self, machine: Machine) -> tuple[Place, ...]:
        return self.places.get(machine.platform) or self.places.get("any", ())


@cache
def client_apps() -> tuple[ClientApp, ...]:
    text = (files("hailuo_mcp.cli") / "client_apps.toml").read_text("utf-8")
    return tuple(_app(row) for row in tomllib.loads(text)["client"])


def client_app(name: str) -> ClientApp:
    """The client of that name.

    Raises:
        ConfigError: nobody knows it; the message has the nearest and the list.
    """
    wanted = name.strip().lower().replace(" ", "-").replace("_", "-")
    wanted = _ALIASES.get(wanted, wanted)
    names = [app.name for app in client_apps()]
    for app in client_apps():
        if app.name == wanted:
            return app
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise ConfigError(
        f"{name[:40]!r} is no client that is known here. Nothing was changed. {hint}"
        f"There are: {', '.join(names)}. docs/install.md shows what others want."
    )


_ALIASES = {
    "claude": "claude-desktop",
    "desktop": "claude-desktop",
    "code": "vscode",
    "vs-code": "vscode",
    "copilot": "vscode",
    "gemini": "gemini-cli",
    "codex-cli": "codex",
}


def _app(row: Mapping[str, Any]) -> ClientApp:
    return ClientApp(
        name=row["name"],
        title=row["title"],
        key=row["key"],
        is_toml=row.get("format") == "toml",
        gui=row["gui"],
        asks=row.get("asks", False),
        wants=row.get("wants", {}),
        places={
            platform: tuple(Place(**place) for place in places)
            for platform, places in row["places"].items()
        },
        restart=row["restart"],
        source=row["source"],
        checked=str(row["checked"]),
    )


def _expanded(template: str, machine: Machine, *, whole: bool = False) -> Iterator[Path]:
    """Existing paths that a template stands for; `whole`: the first may be one yet to be made."""
    values = _folders(machine)
    parts = template.split("/")
    root = values.get(parts[0][1:-1]) if parts[0].startswith("{") else Path(parts[0])
    if root is None:
        return
    found = _walk(root, parts[1:])
    existing = [path for path in found if path.exists()]
    yield from existing
    if whole and not existing:
        yield from _walk(root, parts[1:])


def _walk(folder: Path, parts: Sequence[str]) -> list[Path]:
    """The paths below a folder, with * for the names that are there."""
    if not parts:
        return [folder]
    name, *rest = parts
    if "*" not in name:
        return _walk(folder / name, rest)
    newest = sorted(folder.glob(name), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path for found in newest for path in _walk(found, rest)]


def _folders(machine: Machine) -> dict[str, Path]:
    home = machine.home
    folders = {
        "home": home,
        "appdata": _folder(machine, "APPDATA") or home / "AppData" / "Roaming",
        "localappdata": _folder(machine, "LOCALAPPDATA") or home / "AppData" / "Local",
        "config": _folder(machine, "XDG_CONFIG_HOME") or home / ".config",
    }
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        if folder := _folder(machine, name):
            folders[name] = folder
    return folders


def _folder(machine: Machine, variable: str) -> Path | None:
    text = machine.variable(variable).strip()
    path = Path(text.replace("~", str(machine.home), 1) if text.startswith("~") else text)
    return path if text and path.is_absolute() else None
