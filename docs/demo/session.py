"""Play the session of docs/cli.md in real shells, and draw what a person sees.

    pip install ".[media]" pyte
    python docs/demo/session.py
    python docs/demo/session.py --columns 60 80 140 --frames /tmp/frames

Types each ```bash, ```zsh and ```fish block of the page into that shell under a terminal, with a new
home folder, against the sandbox on this computer. A comment says what a person does meanwhile:
"# type TEXT", "# press Ctrl-C", "# press Tab: WHAT IT SHOWS". Exits with 0 if each command ended with
0 (130 after Ctrl-C) and each Tab showed what it should. With --frames, the screens are drawn as pictures, in light
and dark. It runs for about two minutes; shells that are not installed are left out.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pyte
from draw import Line, draw_pages, lines_of

PAGE = Path(__file__).parents[1] / "cli.md"
ROWS = 62
"""A little more than the longest help has."""
SECONDS = 120.0
"""The longest that a command may take."""
QUIET_SECONDS = 0.8
"""Without output for so long, a program waits for the person."""
FRAME_SECONDS = 2.5
"""Between two pictures of a program at work."""
_BLOCK = re.compile(r"^```(bash|zsh|fish)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ACT = re.compile(r" # (type|press) ([^\s:]+)(?:: (.*))?$")
"""A second space before it is part of what is typed."""
_DONE = re.compile(rb"\x1b\]777;(\d+)\x07")
_PART_OF_DONE = re.compile(rb"\x1b(?:\](?:7(?:7(?:7(?:;\d*)?)?)?)?)?\Z")
INTERRUPTED = 130
START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        r"bind 'set enable-bracketed-paste off'; PS2=''; PS1='$ \[\e]777;$?\a\]'",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        r"unset zle_bracketed_paste; unsetopt prompt_sp; autoload -U compinit; compinit -u; "
        r"PS2=''; PS1=$'%% %{\e]777;%?\a%}'",
    ),
    "fish": (
        ["fish", "--no-config", "--interactive"],
        r"function fish_prompt; printf '> \e]777;%d\a' $status; end",
    ),
}
"""How each shell begins, and what makes it say that a command has ended, and how."""
PROMPTS = {"bash": b"$ ", "zsh": b"% ", "fish": b"> "}


class NotPlayedError(Exception):
    """A command did not do what the page says."""


@dataclass(frozen=True)
class Command:
    """What is typed, and what the person does while it runs."""

    text: str
    act: str = ""
    """"type", "press" or nothing."""
    what: str = ""
    """The text, or the key: Tab or Ctrl-C."""
    shows: str = ""
    """What the Tab key must bring onto the screen."""


def blocks(page: str) -> list[tuple[str, list[Command]]]:
    """The shell and the commands of each block that is played."""
    return [(shell, _commands(text)) for shell, text in _BLOCK.findall(page)]


def _commands(text: str) -> list[Command]:
    found, typed = list[Command](), ""
    for line in text.splitlines():
        typed += line
        if typed.endswith("\\") or typed.count("'") % 2:  # it goes on in the next line
            typed += "\n"
            continue
        if typed.strip():
            act = _ACT.search(typed)
            more = (act[1], act[2], act[3] or "") if act else ()
            found.append(Command(typed[: act.start()] if act else typed, *more))
        typed = ""
    return found


class Terminal:
    """A shell in a terminal of so many columns."""

    def __init__(self, shell: str, columns: int, environ: dict[str, str]) -> None:
        argv, begin = START[shell]
        self._prompt = PROMPTS[shell]
        self._rest = b""
        self.screen = pyte.Screen(columns, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        self._process = subprocess.Popen(
            argv, stdin=far, stdout=far, stderr=far, env=environ, cwd=environ["HOME"],
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(far)
        self.frames: list[list[Line]] = []
        """What stood there while a command ran, and at its end."""
        self.type(begin + "\n")
        self._until_done()

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGHUP)
        os.close(self._near)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def type(self, text: str) -> None:
        os.write(self._near, text.encode())

    def run(self, command: Command) -> int:
        """Type it, do what the person does, and wait for its end; returns its exit code."""
        self._stream.feed(b"\x1b[0m\x1b[H\x1b[2J" + self._prompt)
        self.frames = []
        if (command.act, command.what) == ("press", "Tab"):
            return self._complete(command)
        self.type(command.text + "\n")
        if command.act:
            self.until_quiet(after=command.text)
            self.type(f"{command.what}\n" if command.act == "type" else "\x03")
        code = self._until_done()
        self._keep()
        return code

    def _complete(self, command: Command) -> int:
        """Press Tab twice, as whoever wants to see all does; 0 if it shows what it should."""
        self.type(command.text)
        self.until_quiet(after=command.text)
        shown = False
        for _ in range(2):
            self.type("\t")
            self.until_quiet()
            self._keep()
            shown = shown or command.shows in self.text()
        self.type("\x03")
        self._until_done()
        return 0 if shown else 1

    def until_shown(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not any(text in line for line in self.screen.display):
            self._read(deadline)

    def until_quiet(self, after: str = "") -> None:
        """Until nothing has come for a moment; `after`: what was typed comes first, as an echo."""
        deadline, since = time.monotonic() + SECONDS, time.monotonic()
        least = len(after.encode())
        while least > 0 or time.monotonic() - since < QUIET_SECONDS:
            if got := len(self._read(deadline)):
                least, since = least - got, time.monotonic()

    def _until_done(self) -> int:
        deadline, kept = time.monotonic() + SECONDS, time.monotonic()
        while not (ended := _DONE.search(self._read(deadline))):
            if time.monotonic() - kept > FRAME_SECONDS:
                self._keep()
                kept = time.monotonic()
        return int(ended[1])

    def _read(self, deadline: float) -> bytes:
        if time.monotonic() > deadline:
            raise NotPlayedError("it took too long; on the screen:\n" + self.text())
        ready, _, _ = select.select([self._near], [], [], 0.05)
        data = self._rest + (os.read(self._near, 65_536) if ready else b"")
        cut = part.start() if (part := _PART_OF_DONE.search(data)) else len(data)
        data, self._rest = data[:cut], data[cut:]
        self._stream.feed(_DONE.sub(b"", data))
        return data

    def _keep(self) -> None:
        picture = lines_of(self.screen)
        if picture and picture not in self.frames:
            self.frames.append(picture)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()


def play(page: str, columns: int, program: Path) -> list[list[Line]]:
    """Play all blocks of the page; what stood on the screen, in order.

    Raises:
        NotPlayedError: a command did not do what the page says.
    """
    home = Path(tempfile.mkdtemp(prefix="mia-"))
    environ = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    shown: list[list[Line]] = []
    terminals: dict[str, Terminal] = {}
    others: list[Terminal] = []
    try:
        for shell, commands in blocks(page):
            if not shutil.which(shell):
                say(f"({shell} is not installed)")
                continue
            if commands[0].text.startswith("hailuo-mcp sandbox"):  # "in another terminal"
                others.append(other := Terminal(shell, columns, environ))
                other.type(commands[0].text + "\n")
                other.until_shown("Ctrl-C stops it")
                shown.append(lines_of(other.screen))
                continue
            terminal = terminals.setdefault(shell, Terminal(shell, columns, environ))
            for command in commands:
                began = time.monotonic()
                code = terminal.run(command)
                shown += terminal.frames
                say(f"{time.monotonic() - began:5.1f} s  exit {code}  {shell}: {command.text}")
                wanted = INTERRUPTED if command.what == "Ctrl-C" else 0
                if code != wanted:
                    raise NotPlayedError(
                        f"{command.text!r} ended with {code}, not {wanted}:\n{terminal.text()}"
                    )
    finally:
        for one in (*terminals.values(), *others):
            one.close()
        shutil.rmtree(home, ignore_errors=True)
    return shown


def main() -> int:
    """Run it; 0 if everything worked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--columns", type=int, nargs="+", default=[80])
    parser.add_argument("--frames", type=Path, help="the folder for the pictures")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--program", type=Path, default=Path(sys.executable).with_name("hailuo-mcp"))
    chosen = parser.parse_args()
    for columns in chosen.columns:
        say(f"== {columns} columns")
        try:
            shown = play(chosen.page.read_text(encoding="utf-8"), columns, chosen.program)
        except NotPlayedError as error:
            say(f"\nFAILED: {error}")
            return 1
        if chosen.frames:
            chosen.frames.mkdir(parents=True, exist_ok=True)
            say(f"{draw_pages(shown, columns, chosen.frames)} pictures in {chosen.frames}")
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
