"""Which places on disk may be touched: an agent's pictures and clips stay within these."""

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hailuo_mcp.errors import ConfigError, InvalidRequestError

_LONGEST = 4096
"""Characters; no system takes a longer path, and what is longer is usually pasted base64."""
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
_LETTERS_SUFFIX = re.compile(r"\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,5}")


def shown(text: str) -> str:
    """Make the text fit for a message: one line, printable, not long."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean if len(clean) <= _SHOWN else clean[: _SHOWN - 1] + "…"


@dataclass(frozen=True)
class Folders:
    """Every path that a caller names passes through here."""

    output_dir: Path
    allowed: tuple[Path, ...] = ()
    """Empty: the home folder. The output folder is always allowed."""
    fenced: bool = True
    """False for a person at their own shell, who may do here what the system lets them."""
    home: Path | None = None
    """Whose Downloads, Desktop and Pictures are searched; None: this user's."""

    def readable(self, text: str) -> Path:
        """Return the regular file that the text names, symlinks resolved."""
        given = self._path(text)
        _refuse_windows_names(given, text, self, always=os.name == "nt")
        outside = False
        for candidate in self._candidates(given):
            real = self._resolved(candidate, text)
            if not self._contains(real):
                outside = True
            elif stat.S_ISREG(mode := _mode(real)):
                return real
            elif mode:
                raise InvalidRequestError(
                    f"{shown(text)!r} is {_kind(mode)}; give the path of one picture file."
                )
        if outside:
            raise self.refusal(f"{shown(text)!r} is outside the folders that may be read")
        places = "" if given.is_absolute() else f" in {_named(self._searched(given))}"
        missing = InvalidRequestError(f"There is no file {shown(text)!r}{places}.")
        missing.no_such_file = True
        raise missing

    def read(self, text: str, *, limit: int) -> bytes:
        """Return the whole file, if it is a regular one of at most `limit` bytes."""
        path = self.readable(text)
        try:
            # Non-blocking, so that a pipe put there since the check cannot hold us.
            descriptor = os.open(path, _READ_FLAGS)
        except OSError as trouble:
            raise InvalidRequestError(
                f"{shown(text)!r} cannot be read: {_reason(trouble)}."
            ) from trouble
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or not self._still(path, facts):
                raise self.refusal(f"{shown(text)!r} changed while it was opened")
            # The size comes first, and the read is bounded all the same: the file may grow.
            data = file.read(limit + 1) if facts.st_size <= limit else b""
        if facts.st_size > limit or len(data) > limit:
            raise InvalidRequestError(
                f"{shown(text)!r} has {max(facts.st_size, len(data)) / 10**6:.1f} MB, and only less"
                f" than {(limit + 1) / 10**6:.0f} MB may be sent; make the picture smaller."
            )
        return data

    def target(self, text: str, *, default_name: str) -> Path:
        """Return where a clip goes: `text` is a folder or a file, relative to the output folder."""
        if not text.strip():
            return self._writable(self.output_dir / default_name, default_name)
        given = self._path(text)
        _refuse_windows_names(given, text, self, always=True)
        place = self.output_dir / given
        real = self._resolved(place, text)
        if (
            text.rstrip().endswith(("/", "\\"))
            or given.name in {"", ".", ".."}
            or stat.S_ISDIR(_mode(real))
        ):
            return self._writable(place / default_name, text)
        if place.suffix.lower() != ".mp4":
            if _LETTERS_SUFFIX.fullmatch(place.suffix):
                raise InvalidRequestError(
                    f"{shown(text)!r} does not end in .mp4, and clips are MP4 files;"
                    " end a file's name in .mp4 and a folder's in a slash."
                )
            place = place.with_name(place.name + ".mp4")
        return self._writable(place, text)

    def need_output(self) -> None:
        """Raise ConfigError if no clip can be written, while it is still time not to buy one."""
        import tempfile

        try:
            self.output_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.output_dir, prefix=".hailuo-mcp-"):
                pass
        except OSError as trouble:
            raise ConfigError(
                f"Clips cannot be written to {self.output_dir} ({_reason(trouble)}). Nothing was "
                "sent or charged. Set HAILUO_OUTPUT_DIR to a folder that can be written."
            ) from trouble

    def refusal(self, what: str) -> InvalidRequestError:
        """Say no, and which places are open."""
        if not self.fenced:
            return InvalidRequestError(f"{what}.")
        return InvalidRequestError(
            f"{what}; files may be read and written only in {_named(self._roots)}"
            " (HAILUO_ALLOWED_DIRS sets which)."
        )

    @cached_property
    def _home(self) -> Path:
        return self.home or Path.home()

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        roots = (self.output_dir, *(self.allowed or (self._home,)))
        return tuple(dict.fromkeys(Path(os.path.realpath(root)) for root in roots))

    def _contains(self, real: Path) -> bool:
        return not self.fenced or any(real.is_relative_to(root) for root in self._roots)

    def _path(self, text: str) -> Path:
        try:
            plain = plain_path(text, windows=os.name == "nt")
        except ValueError as problem:
            raise self.refusal(f"{shown(text)!r} {problem}") from None
        if plain == "~" or plain.startswith(("~/", "~\\")):
            return self._home / plain[2:]
        return Path(plain)

    def _searched(self, given: Path) -> Iterator[Path]:
        yield self.output_dir
        yield self._home
        if len(given.parts) == 1:
            yield from (self._home / name for name in ("Downloads", "Desktop", "Pictures"))
            if self.home is None:
                import platformdirs

                # Elsewhere where the desktop speaks another language or OneDrive moved them.
                yield Path(platformdirs.user_downloads_dir())
                yield Path(platformdirs.user_desktop_dir())
                yield Path(platformdirs.user_pictures_dir())

    def _candidates(self, given: Path) -> Iterator[Path]:
        if given.is_absolute():
            yield given
        else:
            for folder in self._searched(given):
                if self._contains(Path(os.path.realpath(folder))):
                    yield folder / given

    def _resolved(self, path: Path, text: str) -> Path:
        try:
            return Path(os.path.realpath(path))
        except (OSError, ValueError) as trouble:
            raise self.refusal(f"{shown(text)!r} cannot be resolved") from trouble

    def _still(self, path: Path, facts: os.stat_result) -> bool:
        """Tell whether the open file is the one allowed: no folder became a symlink meanwhile."""
        try:
            return os.path.realpath(path) == str(path) and os.path.samestat(path.stat(), facts)
        except OSError:
            return False

    def _writable(self, place: Path, text: str) -> Path:
        real = self._resolved(place, text)
        if not self._contains(real):
            raise self.refusal(f"{shown(text)!r} is outside the folders that may be written to")
        if (mode := _mode(real)) and not stat.S_ISREG(mode):
            raise InvalidRequestError(
                f"{shown(text)!r} is {_kind(mode)}, so no clip can go there; choose another name."
            )
        return real


_READ_FLAGS: int = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def plain_path(text: str, *, windows: bool) -> str:
    """Take quotes and file:// off what a person or a model wrote; ValueError names a flaw."""
    plain = text.strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'":
        plain = plain[1:-1]
    if plain[:5].lower() == "file:":
        plain = _without_file_scheme(plain[5:], windows=windows)
    if not plain:
        raise ValueError("is empty")
    if len(plain) > _LONGEST:
        raise ValueError("is too long for a path (base64 needs data:image/png;base64, before it)")
    if any(_is_odd(unicodedata.category(c)) and c not in _JOINERS for c in plain):
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
    if windows and _DRIVE.match(plain[1:]):
        plain = plain[1:]
    return plain


def odd_on_windows(name: str) -> str:
    """Say why this one name cannot be used on Windows; empty where it can."""
    if name in {".", ".."}:
        return ""
    if name.split(".", maxsplit=1)[0].rstrip(" ").upper() in _DEVICES:
        return "is the name of a device on Windows"
    if name.endswith((".", " ")):
        return "ends in a dot or a space"
    if any(c in _RESERVED for c in name):
        return 'has one of < > : " | ? * in a name'
    return ""


def _refuse_windows_names(given: Path, text: str, folders: Folders, *, always: bool) -> None:
    # Reading elsewhere than on Windows is free of this: "Screenshot 12:30.png" is an ordinary
    # name there. A clip that we write may be synchronised to anywhere.
    if always:
        for name in given.parts[1:] if given.anchor else given.parts:
            if problem := odd_on_windows(name):
                raise folders.refusal(f"{shown(text)!r} {problem}")


def _is_odd(category: str) -> bool:
    return category[0] == "C" or category in {"Zl", "Zp"}


def _named(folders: Iterable[Path]) -> str:
    return ", ".join(str(folder) for folder in dict.fromkeys(folders))


def _mode(path: Path) -> int:
    """Return what kind of thing is there; 0 where nothing is or may be seen."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"


def _reason(trouble: OSError) -> str:
    return (os.strerror(trouble.errno) if trouble.errno else "the system refuses").lower()
