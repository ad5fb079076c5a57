"""The computer as an app started from its desktop sees it: folders, variables, programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Platform = Literal["darwin", "win32", "linux"]

_LOGIN_LESS = {
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
class Machine:
    """Everything that is asked of the computer, so that a test can be another one."""

    platform: Platform
    home: Path
    environ: Mapping[str, str]
    executable: str = sys.executable
    """The Python that runs this."""
    called: str = ""
    """How this program was called: sys.argv[0]."""
    version: tuple[int, int, int] = (3, 11, 0)
    has_media: bool = False
    login_less: tuple[str, ...] | None = None
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
        if self.login_less is not None:
            return self.login_less
        return _LOGIN_LESS.get(self.platform) or self.path

    def variable(self, name: str) -> str:
        """A variable; on Windows, as Windows reads it, in any case."""
        if name in self.environ or self.platform != "win32":
            return self.environ.get(name, "")
        return next((v for k, v in self.environ.items() if k.upper() == name.upper()), "")

    def find(self, name: str, folders: Sequence[str]) -> Path | None:
        """The program of that name in the first folder that has it."""
        for folder in folders:
            for candidate in self._spellings(Path(folder) / name):
                if self.starts(candidate):
                    return candidate
        return None

    def starts(self, program: Path) -> bool:
        """Whether it is a file that may be run."""
        try:
            if not program.is_file():
                return False
        except OSError:
            return False
        return self.platform == "win32" or os.access(program, os.X_OK)

    def resolve(self, command: str, folders: Sequence[str]) -> Path | None:
        """The program that a command names, by its place or by its name in the folders."""
        text = os.path.expanduser(command) if command.startswith("~") else command  # noqa: PTH111
        if "/" in text or (self.platform == "win32" and "\\" in text):
            spellings = self._spellings(Path(text))
            return next((path for path in spellings if self.starts(path)), None)
        return self.find(command, folders)

    def _spellings(self, program: Path) -> tuple[Path, ...]:
        if self.platform != "win32" or program.suffix.lower() in (".exe", ".cmd", ".bat"):
            return (program,)
        return tuple(program.with_name(program.name + end) for end in (".exe", ".cmd", ".bat"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """How an app starts hailuo-mcp."""

    command: str
    args: tuple[str, ...] = ()
    lasts: bool = True
    """Not in a cache that is emptied some day."""


def launcher(machine: Machine) -> Launcher:
    """The command that starts this very installation, by absolute paths."""
    found = _installed(machine)
    runner = _temporary(f"{found or ''}\n{machine.executable}")
    if runner:
        program = machine.find(runner, (*machine.path, str(machine.home / ".local" / "bin")))
        if program is not None:
            return Launcher(command=str(program), args=_again(runner, media=machine.has_media))
    if found is not None:
        return Launcher(command=str(found), lasts=not runner)
    return Launcher(command=machine.executable, args=("-m", "hailuo_mcp"), lasts=not runner)


def _installed(machine: Machine) -> Path | None:
    """The hailuo-mcp that was called, or the one beside this Python, or a shell's."""
    called = Path(machine.called)
    absolute = called.stem == "hailuo-mcp" and called.is_absolute()
    if absolute and (found := machine.resolve(str(called), ())):
        return found
    beside = machine.find("hailuo-mcp", (str(Path(machine.executable).parent),))
    if beside or called.stem != "hailuo-mcp":
        return beside
    return machine.find("hailuo-mcp", machine.path)


def _temporary(places: str) -> str:
    """The runner in whose cache a path lies."""
    told = places.replace("\\", "/")
    return next((runner for runner, sign in _TEMPORARY if sign in told), "")


def _again(runner: str, *, media: bool) -> tuple[str, ...]:
    if runner == "uvx":
        return ("--from", "hailuo-mcp[media]", "hailuo-mcp") if media else ("hailuo-mcp",)
    return ("run", "--spec", "hailuo-mcp[media]", "hailuo-mcp") if media else ("run", "hailuo-mcp")


def this_machine() -> Machine:
    """The computer that this runs on."""
    from importlib.util import find_spec

    platform: Platform = "linux"
    if sys.platform in ("darwin", "win32"):
        platform = sys.platform
    called = Path(sys.argv[0])
    return Machine(
        platform=platform,
        home=Path.home(),
        environ=dict(os.environ),
        executable=sys.executable,
        called=str(called if called.is_absolute() else Path.cwd() / called),
        version=sys.version_info[:3],
        has_media=find_spec("av") is not None,
    )
