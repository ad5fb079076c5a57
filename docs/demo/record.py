"""Record the terminal demo: run real commands under a terminal, and draw what it showed as SVG.

    pip install ".[media]" pyte
    python docs/demo/record.py

Writes beside itself: terminal.svg (animated), terminal-still.svg (its last
picture) and frames.jpg (six frames of the clip that it made). The provider is the sandbox.
"""

from __future__ import annotations

import fcntl
import html
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pyte

HERE = Path(__file__).parent
HOME = Path("/tmp/mia")  # noqa: S108  what the recorded paths start with
PROGRAM = Path(sys.executable).with_name("hailuo-mcp")
COLUMNS, ROWS = 104, 34
COMMANDS = (
    "hailuo-mcp estimate --resolution 1080P --count 5",
    'hailuo-mcp generate "A red fox runs through fresh snow [Tracking shot]" --provider sandbox',
    "hailuo-mcp tasks --provider sandbox",
)
TYPING_SECONDS, READING_SECONDS, LAST_SECONDS = 0.035, 1.6, 5.0
LEAST_SECONDS = 0.2  # between two pictures of a program at work
RGB = 6  # digits of a colour that has no name
CELL, LINE, MARGIN = 8.4, 18, 14
FONT = (
    'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" '
    'font-size="14" xml:space="preserve"'
)
COLOURS = {
    "default": "#d6deeb",
    "red": "#ef5350",
    "green": "#22da6e",
    "brown": "#e6c07b",
    "yellow": "#e6c07b",
    "blue": "#82aaff",
    "magenta": "#c792ea",
    "cyan": "#21c7a8",
    "white": "#ffffff",
    "black": "#7f8ea3",
}


@dataclass(frozen=True)
class Run:
    """Characters of one colour beside each other."""

    column: int
    text: str
    colour: str
    bold: bool


Picture = tuple[tuple[Run, ...], ...]


class Recorder:
    """A terminal with a clock that skips nothing but silence."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.pictures: list[tuple[float, Picture]] = []
        self.now = 0.0

    def show(self, text: bytes, seconds: float) -> None:
        self.stream.feed(text)
        picture = self._picture()
        if not self.pictures or self.pictures[-1][1] != picture:
            self.pictures.append((self.now, picture))
        self.now += seconds

    def type(self, command: str) -> None:
        self.show(b"\r\n\x1b[32m$\x1b[0m ", 0.6)
        for at in range(0, len(command), 3):
            self.show(command[at : at + 3].encode(), TYPING_SECONDS * 3)
        self.show(b"\r\n", 0.1)

    def run(self, command: str, environ: dict[str, str]) -> None:
        """Run it under a pseudo-terminal; pictures are taken a few times a second."""
        near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = subprocess.Popen(  # noqa: S603  the commands above
            ["/bin/bash", "-c", command], stdin=far, stdout=far, stderr=far, env=environ, cwd=HOME
        )
        os.close(far)
        heard, since = b"", time.monotonic()
        while True:
            ready, _, _ = select.select([near], [], [], 0.05)
            try:
                data = os.read(near, 65_536) if ready else b""
            except OSError:  # the other end is closed: the program has ended
                break
            heard += data
            passed = time.monotonic() - since
            if heard and passed > LEAST_SECONDS:
                self.show(heard, passed)
                heard, since = b"", time.monotonic()
            if not ready and process.poll() is not None:
                break
        self.show(heard, READING_SECONDS)
        if process.wait():
            raise SystemExit(f"{command!r} ended with {process.returncode}")

    def _picture(self) -> Picture:
        rows = []
        for number in range(ROWS):
            runs: list[Run] = []
            line = self.screen.buffer[number]
            for column in range(COLUMNS):
                cell = line[column]
                if not cell.data.strip():
                    continue
                last = runs[-1] if runs else None
                # One space inside a text is a text still; more begins another run.
                gap = column - (last.column + len(last.text)) if last else 0
                same = last and last.colour == cell.fg and last.bold == cell.bold and gap in (0, 1)
                if last and same:
                    runs[-1] = Run(
                        last.column, last.text + " " * gap + cell.data, cell.fg, cell.bold
                    )
                else:
                    runs.append(Run(column, cell.data, cell.fg, cell.bold))
            rows.append(tuple(runs))
        return tuple(rows)


def draw(pictures: list[tuple[float, Picture]], whole: float) -> str:
    """Each different line is drawn once and shown while it stood there."""
    height = ROWS * LINE + 2 * MARGIN + 20
    width = COLUMNS * CELL + 2 * MARGIN
    shown: dict[tuple[int, tuple[Run, ...]], list[tuple[float, float]]] = {}
    ends = [began for began, _ in pictures[1:]] + [whole]
    for (began, picture), ended in zip(pictures, ends, strict=True):
        for number, runs in enumerate(picture):
            if not runs:
                continue
            times = shown.setdefault((number, runs), [])
            if times and times[-1][1] == began:
                times[-1] = (times[-1][0], ended)
            else:
                times.append((began, ended))
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" {FONT}>',
        '<rect width="100%" height="100%" rx="8" fill="#101826"/>',
        *(
            f'<circle cx="{18 + 18 * at}" cy="16" r="5" fill="{colour}"/>'
            for at, colour in enumerate(("#ef5350", "#e6c07b", "#22da6e"))
        ),
    ]
    for (number, runs), times in shown.items():
        text = "".join(
            f'<tspan x="{MARGIN + run.column * CELL:.1f}" textLength="{len(run.text) * CELL:.1f}" '
            f'fill="{_colour(run.colour)}"'
            f"{' font-weight=' + chr(34) + 'bold' + chr(34) if run.bold else ''}>"
            f"{html.escape(run.text)}</tspan>"
            for run in runs
        )
        line = f'<text y="{MARGIN + 20 + (number + 0.8) * LINE:.1f}">{text}'
        body.append(f"{line}{_shown_at(times, whole)}</text>")
    return "\n".join([*body, "</svg>"])


def _shown_at(times: list[tuple[float, float]], whole: float) -> str:
    """SMIL, which also moves inside an <img>; nothing for what is there all the time."""
    if times == [(0.0, whole)]:
        return ""
    values, keys = ["none"], [0.0]
    for began, ended in times:
        for value, at in (("inline", began / whole), ("none", ended / whole)):
            if at == keys[-1]:
                values[-1] = value
            elif at < 1:
                values.append(value)
                keys.append(at)
    return (
        f'<animate attributeName="display" dur="{whole:.1f}s" repeatCount="indefinite" '
        f'calcMode="discrete" values="{";".join(values)}" '
        f'keyTimes="{";".join(f"{key:.4f}".rstrip("0").rstrip(".") for key in keys)}"/>'
    )


def _colour(name: str) -> str:
    if name in COLOURS:
        return COLOURS[name]
    bright = name.removeprefix("bright")
    return COLOURS.get(bright, f"#{name}" if len(name) == RGB else COLOURS["default"])


def contact_sheet(clip: Path, target: Path) -> None:
    """Six frames of the clip, three beside each other."""
    import av
    from PIL import Image

    with av.open(str(clip)) as opened:
        frames = [frame.to_image() for frame in opened.decode(video=0)]
    chosen = [frames[round(at * (len(frames) - 1) / 5)] for at in range(6)]
    width, height = 400, 225
    sheet = Image.new("RGB", (3 * width + 2 * 6, 2 * height + 6), "white")
    for at, frame in enumerate(chosen):
        place = (at % 3 * (width + 6), at // 3 * (height + 6))
        sheet.paste(frame.resize((width, height), Image.Resampling.LANCZOS), place)
    sheet.save(target, quality=82, optimize=True)


def main() -> None:
    """Record, draw, clear up."""
    HOME.mkdir()
    try:
        environ = {
            "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(HOME),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        recorder = Recorder()
        for command in COMMANDS:
            recorder.type(command)
            recorder.run(command, environ)
        whole = recorder.now + LAST_SECONDS
        (HERE / "terminal.svg").write_text(draw(recorder.pictures, whole), encoding="utf-8")
        last = [(0.0, recorder.pictures[-1][1])]
        (HERE / "terminal-still.svg").write_text(draw(last, 1.0), encoding="utf-8")
        [clip] = (HOME / "Videos").rglob("*.mp4")
        contact_sheet(clip, HERE / "frames.jpg")
    finally:
        shutil.rmtree(HOME)
    for name in ("terminal.svg", "terminal-still.svg", "frames.jpg"):
        sys.stdout.write(f"{name}: {(HERE / name).stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
