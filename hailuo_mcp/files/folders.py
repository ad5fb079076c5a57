"""Which folders may be used: an agent's pictures and clips stay within them."""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.text import shown, system_reason

_LONGEST = 4096
"""Characters; no system allows a longer path, and longer text is usually pasted base64."""
_SHOWN = 80
_JOINERS = "\u200c\u200d"
"""Invisible, but part of ordinary Persian, Hindi and emoji file names."""
_RESERVED = frozenset('<>:"|?*\\')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)
"""Names that Windows reads as devices, with any extension (Microsoft, Naming Files, 2026-11)."""
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_EXTENSION = re.compile(r"\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,5}")
_READ_FLAGS: int = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    # Non-blocking, so that a pipe created there since the check cannot block us.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True)
class Folders:
    """Checks every path that a caller gives."""

    output_dir: Path
    allowed: tuple[Path, ...] = ()
    """Empty: the home folder. The output folder is always allowed."""
    fenced: bool = True
    """False for a person at their own shell, who may use whatever the system allows."""
    home: Path | None = None
    """Whose Downloads, Desktop and Pictures are searched; None: this user's."""

    def readable(self, text: str) -> Path:
        """Return the regular file that the text names, symlinks resolved.

        Outside the allowed folders, the error is the same whether the file exists or not.
        """
        # "Screenshot 12:30.png" is an ordinary name except on Windows.
        given = self._path(text, portable=os.name == "nt")
        places = [given] if given.is_absolute() else [at / given for at in self._searched(given)]
        real = [self._resolved(place, text) for place in places]
        inside = [place for place in real if self._contains(place)]
        for place in inside:
            if stat.S_ISREG(mode := _mode(place)):
                return place
            if mode:
                raise _refused(text, f"is {_kind(mode)}", "give the path of one file")
        if len(inside) < len(real):
            raise self._outside(text)
        searched = ", ".join(str(at) for at in self._searched(given))
        missing = InvalidRequestError(
            f"There is no file {_shown(text)}"
            + ("." if given.is_absolute() else f" in {searched}.")
        )
        missing.no_such_file = True
        raise missing

    def read(self, text: str, *, limit: int, noun: str = "picture") -> bytes:
        """Return the whole file, if it is a regular one of at most `limit` bytes."""
        path = self.readable(text)
        try:
            descriptor = os.open(path, _READ_FLAGS)
        except OSError as trouble:
            raise _refused(text, f"cannot be read: {system_reason(trouble)}") from trouble
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or not _is_still(path, facts):
                raise _refused(text, "changed while it was opened")
            # The size is checked first, but the read is bounded, too: the file may grow.
            data = file.read(limit + 1) if facts.st_size <= limit else b""
        if (size := max(facts.st_size, len(data))) > limit:
            why = f"has {size / 10**6:.1f} MB, and the limit is {(limit + 1) / 10**6:.0f} MB"
            raise _refused(text, why, f"make the {noun} smaller")
        return data

    def target(self, text: str, *, default_name: str) -> Path:
        """Return where a clip goes: `text` is a folder or a file, relative to the output folder."""
        if not text.strip():
            return self._writable(self.output_dir / default_name, default_name)
        # A clip may be synchronised to a computer with another operating system.
        given = self._path(text, portable=True)
        place = self.output_dir / given
        if (
            text.rstrip().endswith(("/", "\\"))
            or given.name in {"", ".", ".."}
            or stat.S_ISDIR(_mode(self._resolved(place, text)))
        ):
            return self._writable(place / default_name, text)
        if place.suffix.lower() != ".mp4":
            if _EXTENSION.fullmatch(place.suffix):
                how = "end a file name with .mp4 and a folder name with a slash"
                raise _refused(text, "does not end in .mp4, and clips are MP4 files", how)
            place = place.with_name(place.name + ".mp4")
        return self._writable(place, text)

    @cached_property
    def _home(self) -> Path:
        return self.home or Path.home()

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        roots = (self.output_dir, *(self.allowed or (self._home,)))
        return tuple(dict.fromkeys(Path(os.path.realpath(root)) for root in roots))

    def _contains(self, real: Path) -> bool:
        return not self.fenced or any(real.is_relative_to(root) for root in self._roots)

    def _outside(self, text: str) -> InvalidRequestError:
        roots = ", ".join(map(str, self._roots))
        return InvalidRequestError(
            f"{_shown(text)} is outside the allowed folders: {roots}.",
            Step(Do.TRY, "choose a path in one of them"),
            Step(Do.CHECK, "HAILUO_ALLOWED_DIRS"),
        )

    def _path(self, text: str, *, portable: bool) -> Path:
        try:
            plain = plain_path(text, windows=os.name == "nt")
        except ValueError as problem:
            raise _refused(text, str(problem)) from None
        tilde = plain == "~" or plain.startswith(("~/", "~\\"))
        path = self._home / plain[2:] if tilde else Path(plain)
        for name in (path.parts[1:] if path.anchor else path.parts) if portable else ():
            if why := odd_on_windows(name):
                raise _refused(text, why)
        return path

    def _searched(self, given: Path) -> list[Path]:
        """Return the folders in which a relative path is looked for."""
        found = dict.fromkeys(self._usual_places(bare=len(given.parts) == 1))
        return [place for place in found if self._contains(Path(os.path.realpath(place)))]

    def _usual_places(self, *, bare: bool) -> Iterator[Path]:
        if not self.fenced:
            with suppress(OSError):  # it was deleted
                yield Path.cwd()
        yield self.output_dir
        yield self._home
        if bare:
            yield from (self._home / name for name in ("Downloads", "Desktop", "Pictures"))
        if bare and self.home is None:
            import platformdirs

            # They are elsewhere on localised desktops, or if OneDrive moved them.
            yield Path(platformdirs.user_downloads_dir())
            yield Path(platformdirs.user_desktop_dir())
            yield Path(platformdirs.user_pictures_dir())

    def _resolved(self, path: Path, text: str) -> Path:
        try:
            return Path(os.path.realpath(path))
        except (OSError, ValueError) as trouble:
            raise _refused(text, "cannot be resolved") from trouble

    def _writable(self, place: Path, text: str) -> Path:
        real = self._resolved(place, text)
        if not self._contains(real):
            raise self._outside(text)
        if (mode := _mode(real)) and not stat.S_ISREG(mode):
            raise _refused(text, f"is {_kind(mode)}", "choose another name for the clip")
        return real


def plain_path(text: str, *, windows: bool) -> str:
    """Remove quotes and file:// from a person's or model's text; ValueError names a flaw."""
    plain = text.strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'":
        plain = plain[1:-1]
    if plain[:5].lower() == "file:":
        plain = _without_file_scheme(plain[5:], windows=windows)
    if not plain:
        raise ValueError("is empty")
    if len(plain) > _LONGEST:
        raise ValueError("is too long for a path (base64 needs data:image/png;base64, before it)")
    if any(_is_invisible(character) for character in plain):
        raise ValueError("has invisible, control or right-to-left characters")
    if plain.startswith(("\\\\", "//", "\\/", "/\\")):
        raise ValueError("is a network or device path")
    if not windows:
        if _DRIVE.match(plain):
            raise ValueError("is a Windows path, and this computer does not run Windows")
        if "\\" in plain:
            raise ValueError("has a backslash; folders are separated by / here")
    return plain


def _without_file_scheme(rest: str, *, windows: bool) -> str:
    from urllib.parse import unquote

    try:
        plain = unquote(rest, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("has percent escapes that are not UTF-8") from None
    if plain.startswith("//") and not _DRIVE.match(plain[2:]):
        host, slash, path = plain[2:].partition("/")
        if host.lower() not in {"", "localhost", "127.0.0.1"}:
            raise ValueError("names a file on another computer")
        plain = slash + path
    elif plain.startswith("//"):
        plain = plain[2:]
    return plain[1:] if windows and _DRIVE.match(plain[1:]) else plain


def odd_on_windows(name: str) -> str:
    """Say why this name cannot be used on Windows; empty if it can."""
    if name in {".", ".."}:
        return ""
    if name.split(".", maxsplit=1)[0].rstrip(" ").upper() in _DEVICES:
        return "is the name of a device on Windows"
    if name.endswith((".", " ")):
        return "has a name that ends in a dot or a space"
    if any(c in _RESERVED for c in name):
        return 'has one of < > : " | ? * in a name'
    return ""


def _refused(text: str, why: str, how: str = "give another path") -> InvalidRequestError:
    return InvalidRequestError(f"{_shown(text)} {why}.", Step(Do.TRY, how))


def _shown(text: str) -> str:
    return repr(shown(text, _SHOWN))


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] == "C" or category in {"Zl", "Zp"}) and character not in _JOINERS


def _is_still(path: Path, facts: os.stat_result) -> bool:
    """Tell whether the open file is the one allowed: no folder became a symlink meanwhile."""
    try:
        return os.path.realpath(path) == str(path) and os.path.samestat(path.stat(), facts)
    except OSError:
        return False


def _mode(path: Path) -> int:
    """Return the file's mode; 0 if there is none or it is not accessible."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
