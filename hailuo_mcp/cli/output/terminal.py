"""Output: results to stdout, the rest to stderr, and only what a terminal can show."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from hailuo_mcp.cli.output.styles import HEADING, Cell, Styled, text_of
from hailuo_mcp.cli.output.table import NONE

if TYPE_CHECKING:
    from rich.console import Console

    from hailuo_mcp.cli.output.progress import Bar, Lines
    from hailuo_mcp.cli.output.screen import Screen

_PLAIN = str.maketrans(
    {"×": "x", "·": "-", "…": "...", "–": "-", "’": "'", "→": "->", "✓": "=", "≠": "!", "✗": "x"}
)
_BEYOND = re.compile("[\x7f-\x9f\u2028\u2029]")
"""What JSON may have as it is, but some terminals obey, or some readers take for a line's end."""
_PLACE = re.compile(r"[/~]|[A-Za-z]:[\\/]|\w+://")
"""The beginning of a path or an address."""
_WIDEST = 100
_NARROWEST = 16


class _Stream:
    """One of the two streams; styles and wraps only on a terminal."""

    def __init__(self, file: TextIO | None) -> None:
        if (
            file is None
        ):  # a process that was started without the stream gets one that leads nowhere
            file = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        if reconfigure := getattr(file, "reconfigure", None):  # a StringIO has none
            reconfigure(errors="replace")
        self.file = file
        self.is_terminal = _is_terminal(file)
        self.has_colours = self.is_terminal and colours_wanted()
        self.has_bar = False
        """Whether a bar moves below what is written."""
        self.unicode = (getattr(file, "encoding", None) or "utf-8").lower().startswith("utf")

    @cached_property
    def console(self) -> Console:
        from rich.console import Console

        if not self.has_colours:
            return Console(file=self.file, highlight=False, color_system=None)
        return Console(file=self.file, highlight=False)

    def clean(self, text: str) -> str:
        """Remove control characters: prompts are foreign text."""
        clean = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
        return clean if self.unicode else clean.translate(_PLAIN)

    def pieces(self, *pieces: Cell) -> None:
        """A line of several pieces, never cut or wrapped."""
        if self.has_bar or self.has_colours:
            from rich.text import Text

            from hailuo_mcp.cli.output.table import rich_text

            self.console.print(Text.assemble(*map(rich_text, self.cleaned(pieces))), soft_wrap=True)
        else:
            self.file.write("".join(self.clean(text_of(piece)) for piece in pieces) + "\n")
            self.file.flush()

    def cleaned(self, cells: Sequence[Cell]) -> list[Cell]:
        """The same cells without control characters."""
        return [
            cell._replace(text=self.clean(cell.text))
            if isinstance(cell, Styled)
            else self.clean(cell)
            for cell in cells
        ]

    def line(self, text: str, style: str = "", *, styled: int | None = None) -> None:
        """A line, never cut or wrapped: it may be a path or a command.

        `styled`: how many of its characters have the style; None for all.
        """
        count = len(text) if styled is None else styled
        self.pieces(Styled(text[:count], style), text[count:])

    def paragraph(self, label: str, text: str, style: str, indent: int) -> None:
        """Sentences, wrapped for a person; with an indent they stand in a column beside the label.

        A word that is too long is not cut: it may be a path.
        """
        lead = f"{label:<{indent}}" if indent else f"{label} " if label else ""
        lines = [lead + " ".join(text.split())]
        if self.is_terminal:
            import textwrap

            lines = textwrap.wrap(
                self.clean(lines[0][len(lead) :]),
                max(_NARROWEST, min(_WIDEST, self.console.width)),
                initial_indent=lead,
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        self.line("\n".join(lines), style, styled=len(label) or None)


class Terminal:
    """The two streams of this process; colours, bars and tables only on a terminal."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = _Stream(out or sys.stdout)
        self._err = _Stream(err or sys.stderr)
        self.json = False
        """Results are for a machine."""
        self.follows = False
        """With `json`: a line for each change while waiting."""
        self.quiet = False
        """Nothing but the paths of the clips, and errors."""

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer a question."""
        return not self.json and _is_terminal(sys.stdin) and self._err.is_terminal

    @property
    def is_for_person(self) -> bool:
        """Whether results are read on a terminal."""
        return not self.json and self._out.is_terminal

    def reserve_stdout(self) -> None:
        """Keep standard output for a clip's bytes; everything else goes to stderr from now on.

        Raises:
            InvalidRequestError: standard output is a terminal.
        """
        if self._out.is_terminal:
            from hailuo_mcp.errors import Do, InvalidRequestError, Step

            raise InvalidRequestError(
                "A clip cannot be shown as text in a terminal.",
                Step(Do.TRY, "redirect it, such as: … - > clip.mp4, or name a file in place of -"),
            )
        self._out = self._err

    @staticmethod
    def write_clip(clip: str) -> None:
        """Write a clip's bytes to standard output.

        Raises:
            DownloadError: they cannot be written there.
        """
        import shutil

        try:
            with Path(clip).open("rb") as source:
                shutil.copyfileobj(source, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as exc:
            from hailuo_mcp.errors import Do, DownloadError, Step
            from hailuo_mcp.text import system_reason

            # What is left in the buffer would be tried again, and complained about, at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise DownloadError(
                f"Standard output cannot be written to ({system_reason(exc)}). The clip is saved "
                f"at {clip}.",
                Step(Do.TRY, "copy it from there, or download it to a file, free"),
            ) from None

    @staticmethod
    def write_bytes(data: bytes) -> None:
        """Write to standard output what is no text."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def shows(self, jpeg: bytes) -> bool:
        """Show a picture, if this is a terminal that can."""
        if not self._out.is_terminal:
            return False
        from hailuo_mcp.cli.output.pictures import encoder, width_of_terminal

        encode = encoder()
        if encode is None:
            return False
        self._out.file.write(encode(jpeg, *width_of_terminal()) + "\n")
        self._out.file.flush()
        return True

    @property
    def note_width(self) -> int:
        """Columns for what is told on stderr."""
        return min(_WIDEST, self._err.console.width) if self._err.is_terminal else 2 * _WIDEST

    def open(self, file: str) -> bool:
        """Open a file with the system's viewer; False where nobody sits before a screen."""
        from hailuo_mcp.cli.output.pictures import open_with, viewer

        command = viewer()
        return bool(command) and open_with(command, file)

    def notify(self, text: str) -> None:
        """Tell a person who looks elsewhere: the terminal or the system shows it, and it rings."""
        from hailuo_mcp.cli.output import notify

        told = notify.sequence(text) if self._err.is_terminal else ""
        if not told and (program := notify.command(text)):
            notify.start(program, text)
        if self._err.is_terminal:
            self._err.file.write(f"{told}\a")
            self._err.file.flush()

    def show_cursor(self) -> None:
        """Undo what a bar that was interrupted may have left hidden."""
        if self._err.is_terminal and os.environ.get("TERM") != "dumb":
            self._err.file.write("\x1b[?25h")
            self._err.file.flush()

    def flush(self) -> None:
        """Before something else writes to the terminal."""
        self._out.file.flush()
        self._err.file.flush()

    def say(self, text: str = "", *, style: str = "") -> None:
        """A line of the result."""
        self._out.line(text, style)

    def line(self, *pieces: Cell) -> None:
        """A line of the result, in pieces that may each have a style."""
        self._out.pieces(*pieces)

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees the results at once."""
        return self._out.is_terminal

    def script(self, text: str) -> None:
        """Text for another program, exactly as it is."""
        self._out.file.write(text)
        self._out.file.flush()

    def note(self, text: str = "") -> None:
        """A line about what is being done."""
        self._err.line(text)

    def paragraph(
        self, label: str, text: str, *, style: str = "", result: bool = False, indent: int = 0
    ) -> None:
        """Sentences, wrapped to the width for a person and one line otherwise."""
        (self._out if result else self._err).paragraph(label, text, style, indent)

    @property
    def width(self) -> int:
        """Columns that a result can take."""
        return self._out.console.width

    def facts(self, rows: Sequence[tuple[str, Cell]]) -> None:
        """Labels and values, one line each; only sentences go on below, never a path."""
        width = max(len(label) for label, _ in rows) + 2
        for label, value in rows:
            text = text_of(value)
            too_long = self._out.is_terminal and width + len(text) > self.width
            if too_long and " " in text and not _PLACE.match(text):
                self._out.paragraph(label, text, HEADING, width)
                continue
            self._out.pieces(Styled(f"{label:<{width}}", HEADING), value)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        wide: int | None = None,
        wraps: bool = False,
    ) -> None:
        """A table for a person, lines with tabs for anything else.

        Column `wide` may be cut to fit, or with `wraps` goes on below between its words, as all
        others do. Where words would have to be cut, each row is a few lines of its own.
        """
        if not self._out.is_terminal:
            for row in (columns, *rows):
                texts = (text_of(cell) for cell in row)
                cells = (text.replace("\t", " ").replace("\n", " ") or "-" for text in texts)
                self._out.line("\t".join(cells))
            return
        from hailuo_mcp.cli.output.table import fitted, table

        shown = [self._out.cleaned(row) for row in rows]
        widths = fitted(columns, shown, self.width, wide=wide, wraps=wraps)
        if widths is not None:
            cut = None if wraps else wide
            self._out.console.print(table(columns, shown, widths, cut=cut))
            return
        for number, row in enumerate(rows):
            if number:
                self.say()
            pairs = zip(columns, row, strict=True)
            self.facts([pair for pair in pairs if text_of(pair[1]) not in NONE])

    @contextmanager
    def redrawn(self) -> Generator[Screen]:
        """A table that is drawn again in its place for the length of the block."""
        from hailuo_mcp.cli.output.screen import Screen

        with Screen(self._out.console, self._out.cleaned) as screen:
            yield screen

    @property
    def can_redraw(self) -> bool:
        """Whether results go to a terminal that can move its cursor."""
        return self._out.is_terminal and os.environ.get("TERM") != "dumb"

    def data(self, answer: Mapping[str, object]) -> None:
        """What a tool would return, as one line of JSON."""
        import json

        text = json.dumps(answer, ensure_ascii=not self._out.unicode)
        self._out.file.write(_BEYOND.sub(lambda it: f"\\u{ord(it[0]):04x}", text) + "\n")
        self._out.file.flush()

    def records(
        self, key: str, columns: Sequence[str], rows: Sequence[Sequence[object]], **more: object
    ) -> None:
        """Rows of a table as JSON objects."""
        self.data({**more, key: [dict(zip(columns, row, strict=True)) for row in rows]})

    def ask(self, question: str, *, refused: str) -> bool:
        """Ask yes or no; anything but yes is no, and `refused` is then printed."""
        from rich.text import Text

        asked = Text(self._err.clean(f"{question} [y/N] "), style="bold")
        try:
            self._err.console.print(asked, end="", soft_wrap=True)
            self._err.file.flush()
            agreed = sys.stdin.readline().strip().lower() in ("y", "yes")
        except KeyboardInterrupt:
            self.note(f"\n{refused}")
            raise
        if not agreed:
            self.note(refused)
        return agreed

    @contextmanager
    def progress(self) -> Generator[Bar | Lines]:
        """Show the progress of what is being made for the length of the block."""
        from hailuo_mcp.cli.output.progress import Bar, Lines, Records

        if self.json and self.follows:
            yield Records(self.data)
        elif self.quiet:
            yield Lines(lambda _text: None)
        elif not self._err.is_terminal or os.environ.get("TERM") == "dumb":
            yield Lines(self.note)
        else:
            with Bar(self._err.console, unicode=self._err.unicode) as bar:
                self._err.has_bar = True
                try:
                    yield bar
                finally:
                    self._err.has_bar = False


def colours_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a person has not switched them off: no-color.org, and terminals that cannot."""
    return not environ.get("NO_COLOR") and environ.get("TERM") not in ("dumb", "unknown")


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
