"""Where words go: results to stdout, the rest to stderr, and only what a terminal can show."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from hailuo_mcp.errors import InvalidRequestError

if TYPE_CHECKING:
    from rich.console import Console

    from hailuo_mcp.cli.progress import Watcher

_PLAIN = str.maketrans({"×": "x", "·": "-", "…": "...", "–": "-", "’": "'"})
_WIDEST = 100
_NARROWEST = 16
"""Characters that the column which may be cut keeps at least."""


class Terminal:
    """The two streams of this process; colours, bars and boxes only where a person looks."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = _tolerant(out or sys.stdout)
        self._err = _tolerant(err or sys.stderr)
        self.json = False
        """Results are for a machine."""

    @property
    def can_ask(self) -> bool:
        """A person sits here."""
        return not self.json and _is_terminal(sys.stdin) and _is_terminal(self._err)

    def give_stdout(self) -> None:
        """From now on standard output is for a clip's bytes, and everything else goes to stderr.

        Raises:
            InvalidRequestError: a person looks at it.
        """
        if _is_terminal(self._out):
            raise InvalidRequestError(
                "A clip is no text for a terminal. Nothing was sent or charged. Send it on, such "
                "as: … - > clip.mp4, or give a file in place of -."
            )
        self._out = self._err

    @staticmethod
    def pour(clip: str) -> None:
        """Write a clip to standard output."""
        with Path(clip).open("rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.buffer.flush()

    def say(self, text: str = "", *, style: str = "") -> None:
        """A line of the result. Never cut or wrapped here: it may be a path or a command."""
        self._write(self._out, text, style)

    def note(self, text: str = "", *, style: str = "") -> None:
        """A line about what is going on."""
        self._write(self._err, text, style)

    def paragraph(self, label: str, text: str, *, style: str = "", result: bool = False) -> None:
        """Sentences, wrapped to the width for a person and one line otherwise."""
        stream = self._out if result else self._err
        whole = _clean(f"{label} {text}".strip())
        if not _is_terminal(stream):
            self._write(stream, " ".join(whole.split()), "")
            return
        lines = textwrap.wrap(
            whole,
            min(_WIDEST, shutil.get_terminal_size().columns),
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._write(stream, "\n".join(lines), style, first=len(label))

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Labels and values, one line each."""
        width = max(len(label) for label, _ in rows) + 2
        for label, value in rows:
            self._write(self._out, f"{label:<{width}}{value}", "bold", first=len(label))

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, wide: int | None = None
    ) -> None:
        """A table for a person, lines with tabs for anything else; column `wide` may be cut."""
        if not _is_terminal(self._out):
            for row in (columns, *rows):
                cells = (cell.replace("\t", " ").replace("\n", " ") or "-" for cell in row)
                self._write(self._out, "\t".join(cells), "")
            return
        if not self._fits(columns, rows, wide):
            self._stack(columns, rows)
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for index, name in enumerate(columns):
            table.add_column(
                name,
                no_wrap=index != wide,  # the others keep their width
                justify="right" if index and _is_numeric(rows, index) else "left",
            )
        for row in rows:
            shown = (self._shown(cell, self._out) for cell in row)
            table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in shown))
        self._console(self._out).print(table)

    @staticmethod
    def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]], wide: int | None) -> bool:
        """Whether all but the column that may be cut can be shown whole."""
        from rich.cells import cell_len

        widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
        if wide is not None:
            widths[wide] = min(widths[wide], _NARROWEST)
        return sum(widths) + 2 * len(widths) <= shutil.get_terminal_size().columns

    def _stack(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Each row as lines of its own: an id that is cut cannot be copied."""
        for number, row in enumerate(rows):
            if number:
                self.say()
            self.facts([pair for pair in zip(columns, row, strict=True) if pair[1]])

    def data(self, answer: Mapping[str, object]) -> None:
        """What a tool would return, as one line of JSON."""
        text = json.dumps(answer, ensure_ascii=not _speaks_unicode(self._out))
        self._out.write(text + "\n")
        self._out.flush()

    def ask(self, question: str) -> bool:
        """Yes or no; anything that is not a yes is a no."""
        self.paragraph("", question, style="bold")
        self._err.write("[y/N] ")
        self._err.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextmanager
    def watching(self) -> Generator[Watcher]:
        """Shows how a task gets on, for as long as the block lasts."""
        from hailuo_mcp.cli.progress import Bar, Lines

        if not _is_terminal(self._err) or os.environ.get("TERM") == "dumb":
            yield Lines(self.note)
            return
        with Bar(self._console(self._err)) as bar:
            yield bar

    def _console(self, stream: TextIO) -> Console:
        from rich.console import Console

        return Console(file=stream, highlight=False, soft_wrap=False)

    def _write(self, stream: TextIO, text: str, style: str, *, first: int | None = None) -> None:
        """Write a line, or style its first characters."""
        shown = self._shown(text, stream)
        if style and _is_terminal(stream):
            from rich.text import Text

            line = Text(shown)
            line.stylize(style, 0, first)
            self._console(stream).print(line, soft_wrap=True)
            return
        stream.write(shown + "\n")
        stream.flush()

    @staticmethod
    def _shown(text: str, stream: TextIO) -> str:
        clean = _clean(text)
        return clean if _speaks_unicode(stream) else clean.translate(_PLAIN)


def _clean(text: str) -> str:
    """Without what would move the cursor or colour the screen: prompts are other people's text."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)


def _tolerant(stream: TextIO | None) -> TextIO:
    """A stream that shows a question mark for what its encoding lacks, instead of failing.

    A process that was started without the stream gets one that leads nowhere.
    """
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    reconfigure = getattr(stream, "reconfigure", None)  # a StringIO has none
    if reconfigure is not None:
        reconfigure(errors="replace")
    return stream


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _speaks_unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def _is_numeric(rows: Sequence[Sequence[str]], index: int) -> bool:
    cells = [row[index] for row in rows if row[index] not in ("", "-")]
    return bool(cells) and all(cell.replace(".", "").replace(",", "").isdigit() for cell in cells)
