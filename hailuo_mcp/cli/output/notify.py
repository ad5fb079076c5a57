"""A desktop notification: by the terminal where it can, else by a program of the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

LONG_SECONDS = 10.0
"""Of a wait that is shorter, nobody needs to be told."""
_TITLE = "hailuo-mcp"
_LONGEST = 120
_OSC_9 = frozenset({"iTerm.app", "WezTerm", "ghostty"})
"""Values of TERM_PROGRAM; their documents name OSC 9."""
_OSC_777 = ("foot", "rxvt-unicode")
"""What TERM begins with."""
_APPLE = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_WINDOWS = (
    "$m=[Windows.UI.Notifications.ToastNotificationManager,Windows.UI.Notifications,"
    "ContentType=WindowsRuntime];"
    "$x=$m::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02);"
    "$t=$x.GetElementsByTagName('text');"
    "$t[0].InnerText=$env:HAILUO_NOTE_TITLE;$t[1].InnerText=$env:HAILUO_NOTE_TEXT;"
    "$m::CreateToastNotifier('{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}"
    "\\WindowsPowerShell\\v1.0\\powershell.exe')"
    ".Show([Windows.UI.Notifications.ToastNotification]::new($x))"
)
"""The text comes in variables: it is foreign, and must not be read as a command."""


def sequence(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The escape sequence by which this terminal notifies; empty if it knows none."""
    term, said = environ.get("TERM", ""), _plain(text)
    if "TMUX" in environ or "ZELLIJ" in environ or term.startswith(("screen", "tmux")):
        return ""  # a multiplexer keeps it for itself
    if environ.get("TERM_PROGRAM") in _OSC_9 or term in ("xterm-kitty", "xterm-ghostty"):
        return f"\x1b]9;{_TITLE}: {said}\x1b\\"
    if term.startswith(_OSC_777):
        return f"\x1b]777;notify;{_TITLE};{said.replace(';', ',')}\x1b\\"
    return ""


def command(
    text: str, environ: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> list[str]:
    """The program that notifies; empty where there is none, or nobody would see it."""
    said = _plain(text)
    if "SSH_CONNECTION" in environ and not environ.get("DISPLAY"):
        return []
    if platform == "darwin":
        lines = [word for line in _APPLE for word in ("-e", line)]
        return ["osascript", *lines, _TITLE, said]
    if platform == "win32":
        return ["powershell", "-NoProfile", "-NonInteractive", "-Command", _WINDOWS]
    has_desktop = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    program = shutil.which("notify-send", path=environ.get("PATH")) if has_desktop else None
    return [program, f"--app-name={_TITLE}", "--", _TITLE, said] if program else []


def start(program: list[str], text: str) -> None:
    """Run it without waiting; what goes wrong with it is nobody's concern."""
    from contextlib import suppress

    with suppress(OSError):
        subprocess.Popen(  # noqa: S603  # our own words; the text is an argument or a variable
            program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HAILUO_NOTE_TITLE": _TITLE, "HAILUO_NOTE_TEXT": _plain(text)},
        )


def _plain(text: str) -> str:
    """One short line: a prompt is foreign text, which must not end the sequence."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(clean.split())[:_LONGEST]
