"""The computer as shells and apps see it: folders, variables, programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Platform = Literal["darwin", "win32", "linux"]

_APP_PATH = {
    # What launchd gives to apps (checked 2026-11: modelcontextprotocol/servers#760).
    "darwin": ("/usr/bin", "/bin", "/usr/sbin", "/sbin"),
    # What display managers give; shells' own files are not read.
    "linux": ("/usr/local/bin", "/usr/bin", "/bin"),
}
_TEMPORARY = (
    ("uvx", "/archive-v0/"),  # uv's cache, emptied by `uv cache clean`
    ("uvx", "/uv/cache/"),
    ("pipx", "/pipx/.cache/"),  # `pipx run` forgets after two weeks
    ("pipx", "/.cache/pipx/"),
    ("pipx", "/pipx/Cache/"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Everything that init and doctor ask of the computer, so that a test can imitate another."""

    platform: Platform
    home: Path
    environ: Mapping[str, str]
    executable: str = sys.executable
    """The Python that runs this."""
    called: str = ""
    """The path by which this program was started: sys.argv[0]."""
    version: tuple[int, int, int] = (3, 11, 0)
    has_media: bool = False
    gui_path: tuple[str, ...] | None = None
    """The folders in which an app without a login shell looks; None: this platform's."""

    @property
    def path(self) -> tuple[str, ...]:
        """Where a shell finds programs."""
        separator = ";" if self.platform == "win32" else ":"
        text = self.variable("PATH")
        return tuple(part.strip('"') for part in text.split(separator) if part)

    @property
    def app_path(self) -> tuple[str, ...]:
        """Where an app finds programs that it starts by name.

        Windows gives everybody the same; elsewhere an app knows nothing of a shell's PATH.
        """
        if self.gui_path is not None:
            return self.gui_path
        return _APP_PATH.get(self.platform) or self.path

    def variable(self, name: str) -> str:
        """A variable; on Windows, as Windows reads it, in any case."""
        if name in self.environ or self.platform != "win32":
            return self.environ.get(name, "")
        return next((v for k, v in self.environ.items() if k.upper() == name.upper()), "")

    def expand(self, template: str) -> list[Path]:
        """The paths that match a template such as "{home}/x*/y", the newest folder first."""
        root, *parts = template.split("/")
        default = {
            "{home}": self.home,
            "{appdata}": self._folder("APPDATA") or self.home / "AppData" / "Roaming",
            "{localappdata}": self._folder("LOCALAPPDATA") or self.home / "AppData" / "Local",
            "{config}": self._folder("XDG_CONFIG_HOME") or self.home / ".config",
        }
        folder = default.get(root) or self._folder(root.strip("{}"))
        paths = [folder] if folder else []
        for part in parts:
            paths = [path for parent in paths for path in _children(parent, part)]
        return paths

    def _folder(self, variable: str) -> Path | None:
        text = self.variable(variable).strip()
        path = Path(text.replace("~", str(self.home), 1) if text.startswith("~") else text)
        return path if text and path.is_absolute() else None

    def find(self, name: str, folders: Sequence[str]) -> Path | None:
        """The program of that name in the first folder that has it."""
        candidates = (path for folder in folders for path in self._spellings(Path(folder) / name))
        return next((path for path in candidates if self._is_program(path)), None)

    def resolve(self, command: str, folders: Sequence[str]) -> Path | None:
        """The program that a command names, by its place or by its name in the folders."""
        text = os.path.expanduser(command) if command.startswith("~") else command  # noqa: PTH111
        if "/" in text or (self.platform == "win32" and "\\" in text):
            return self.find(text, [""])
        return self.find(command, folders)

    def _is_program(self, path: Path) -> bool:
        try:
            return path.is_file() and (self.platform == "win32" or os.access(path, os.X_OK))
        except OSError:
            return False

    def _spellings(self, program: Path) -> tuple[Path, ...]:
        if self.platform != "win32" or program.suffix.lower() in (".exe", ".cmd", ".bat"):
            return (program,)
        return tuple(program.with_name(program.name + end) for end in (".exe", ".cmd", ".bat"))


def _children(folder: Path, name: str) -> list[Path]:
    if "*" not in name:
        return [folder / name]
    return sorted(folder.glob(name), key=lambda path: path.stat().st_mtime, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """How an app starts hailuo-mcp."""

    command: str
    args: tuple[str, ...] = ()
    lasts: bool = True
    """It is not in a cache, which may be emptied at any time."""


def launcher(system: System, *, keyring: bool = False) -> Launcher:
    """The command that starts this very installation, by absolute paths.

    `keyring`: the server will need that extra, since the key is in the system's keyring.
    """
    found = _installed(system)
    places = f"{found or ''}\n{system.executable}".replace("\\", "/")
    runner = next((runner for runner, sign in _TEMPORARY if sign in places), "")
    if runner:
        program = system.find(runner, (*system.path, str(system.home / ".local" / "bin")))
        if program is not None:
            extras = ("media",) * system.has_media + ("keyring",) * keyring
            return Launcher(command=str(program), args=_runner_args(runner, extras))
    if found is not None:
        return Launcher(command=str(found), lasts=not runner)
    return Launcher(command=system.executable, args=("-m", "hailuo_mcp"), lasts=not runner)


def _installed(system: System) -> Path | None:
    """The hailuo-mcp that was called, or the one beside this Python, or a shell's."""
    called = Path(system.called)
    ours = called.stem == "hailuo-mcp"
    if ours and called.is_absolute() and (found := system.resolve(str(called), ())):
        return found
    beside = system.find("hailuo-mcp", (str(Path(system.executable).parent),))
    return beside or (system.find("hailuo-mcp", system.path) if ours else None)


def _runner_args(runner: str, extras: tuple[str, ...]) -> tuple[str, ...]:
    package = f"hailuo-mcp[{','.join(extras)}]"
    if runner == "uvx":
        return ("--from", package, "hailuo-mcp") if extras else ("hailuo-mcp",)
    return ("run", "--spec", package, "hailuo-mcp") if extras else ("run", "hailuo-mcp")


def this_system() -> System:
    """The computer that this runs on."""
    from importlib.util import find_spec

    platform: Platform = "linux"
    if sys.platform in ("darwin", "win32"):
        platform = sys.platform
    called = Path(sys.argv[0])
    return System(
        platform=platform,
        home=Path.home(),
        environ=dict(os.environ),
        called=str(called if called.is_absolute() else Path.cwd() / called),
        version=sys.version_info[:3],
        has_media=find_spec("av") is not None,
    )
