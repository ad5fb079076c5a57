"""Pictures in the terminal, or in the system's viewer: which way there is, and how it is used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

Encoder = Callable[[bytes, int, int], str]
"""From a JPEG and the terminal's width in columns and pixels to escape sequences."""

_REPLY_SECONDS = 1.0
"""A terminal answers within milliseconds; a far one takes as long as the way."""
_KITTY_TERMS = frozenset({"xterm-kitty", "xterm-ghostty"})
_ITERM_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "mintty"})
_SIXEL = "4"
"""Among the numbers with which a terminal says what it can do."""


def encoder(
    environ: Mapping[str, str] = os.environ, ask: Callable[[], str] | None = None
) -> Encoder | None:
    """How this terminal shows pictures; None if it does not. `ask` reads its abilities."""
    from hailuo_mcp.media import terminal_picture

    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if term == "dumb":
        return None
    # A multiplexer passes its terminal's variables on, but only its own kind of pictures.
    if not _is_multiplexed(environ, term):
        if term in _KITTY_TERMS or (environ.get("KITTY_WINDOW_ID") and not program):
            return terminal_picture.kitty
        if program in _ITERM_PROGRAMS or environ.get("LC_TERMINAL") == "iTerm2":
            return terminal_picture.iterm
    abilities = (ask or _abilities)()
    return terminal_picture.sixel if _SIXEL in abilities.split(";") else None


def _is_multiplexed(environ: Mapping[str, str], term: str) -> bool:
    return term.startswith(("screen", "tmux")) or "TMUX" in environ or "ZELLIJ" in environ


def _abilities() -> str:
    """The terminal's own answer (DA1) such as 62;4;22; empty if it must not or cannot be asked."""
    if os.name == "nt" or not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    import select
    import termios
    import tty

    source, target = sys.stdin.fileno(), sys.stdout.fileno()
    try:
        # In the background it would be stopped; and what a person has typed is not ours to read.
        if os.tcgetpgrp(source) != os.getpgrp() or select.select([source], [], [], 0)[0]:
            return ""
        before = termios.tcgetattr(source)
    except (OSError, termios.error):
        return ""
    reply, ends = b"", time.monotonic() + _REPLY_SECONDS
    try:
        tty.setcbreak(source, termios.TCSANOW)
        os.write(target, b"\x1b[c")
        while not reply.endswith(b"c") and (left := ends - time.monotonic()) > 0:
            if not select.select([source], [], [], left)[0] or not (more := os.read(source, 64)):
                break
            reply += more
    except (OSError, termios.error):
        return ""
    finally:
        with suppress(termios.error):
            termios.tcsetattr(source, termios.TCSANOW, before)
    start, mark, numbers = reply.decode("ascii", "replace").rpartition("\x1b[?")
    del start
    return numbers.removesuffix("c") if mark and numbers.endswith("c") else ""


def width_of_terminal() -> tuple[int, int]:
    """Columns and pixels; 0 pixels if it does not tell."""
    columns = shutil.get_terminal_size().columns
    if os.name == "nt":
        return columns, 0
    import fcntl
    import struct
    import termios

    try:
        size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    except (OSError, ValueError):
        return columns, 0
    return columns, int(struct.unpack("HHHH", size)[2])


def viewer(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> list[str]:
    """The command that opens a file with the system's viewer; empty where nobody would see it."""
    if "SSH_CONNECTION" in environ and not environ.get("DISPLAY"):
        return []
    if platform == "darwin":
        return ["open"]
    if platform == "win32":
        return ["explorer"]
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return [found] if (found := shutil.which("xdg-open")) else []
    return []


def open_with(command: list[str], file: str) -> bool:
    """Start the viewer, which stays when this process ends; False if it cannot be started."""
    try:
        subprocess.Popen(  # noqa: S603  # our own words and our own file
            [*command, file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    return True
