"""The pattern of clips' names, such as {date}_{prompt:.24}_{task_id}: checked, and filled in.

A pattern may have folders, as in {date:%Y-%m}/{prompt}; they are below the output folder. What a
field is filled with never has a separator in it, and no name is one that Windows refuses.
"""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from hailuo_mcp.files.folders import odd_on_windows
from hailuo_mcp.text import shown

DEFAULT = "{date}_{prompt:.24}_{task_id}"
_ENDING = ".mp4"
_LONGEST = 200
"""Bytes of a name; most systems take 255, and .part.lock and a copy's number must fit too."""
_LONGEST_FOLDER = 100
"""Bytes."""
_MOST_FOLDERS = 6
_LONGEST_PATTERN = 300
"""Characters."""
_LONGEST_ID = 80
_UNKNOWN = "unknown"
"""What stands for a fact that a clip does not have."""
_RESERVED = frozenset('<>:"|?*\\')
_PRECISION = re.compile(r"\.([1-9]\d{0,2})")
_WIDTH = re.compile(r"0?[1-9]?d?")
_DIRECTIVES = frozenset("aAbBdfGHIjmMpSuUVWyY")
_OTHER_NAMES = {
    **dict.fromkeys(("id", "uuid", "video_id"), "task_id"),
    **dict.fromkeys(("title", "text", "description"), "prompt"),
    **dict.fromkeys(("number", "index", "n", "version", "revision"), "take"),
    **dict.fromkeys(("size", "quality"), "resolution"),
    **dict.fromkeys(("length", "seconds"), "duration"),
    **dict.fromkeys(("day", "month", "year", "timestamp", "created_at"), "date"),
}
"""What other programs call the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts:
    """What the name of a clip or a film can be made of."""

    created_at: float
    prompt: str
    task_id: str
    take: int = 1
    model: str = ""
    mode: str = ""
    provider: str = ""
    resolution: str = ""
    duration: int | None = None
    """Seconds."""
    remote_id: str = ""


_Field = tuple[str, str]
"""A field's name and what follows its colon."""
_TEXT: Mapping[str, Callable[[NameFacts], str]] = {
    "prompt": lambda facts: facts.prompt,
    "task_id": lambda facts: _plain_id(facts.task_id) or "task",
    "model": lambda facts: _plain(facts.model),
    "mode": lambda facts: _plain(facts.mode),
    "provider": lambda facts: _plain(facts.provider),
    "resolution": lambda facts: _plain(facts.resolution),
    "remote_id": lambda facts: _plain_id(facts.remote_id),
}
_NUMBERS: Mapping[str, Callable[[NameFacts], int | None]] = {
    "take": lambda facts: facts.take,
    "duration": lambda facts: facts.duration,
}
_MOMENTS = {"date": "%Y-%m-%d", "time": "%H%M%S"}
FIELDS = (
    *("date", "time", "prompt", "task_id", "take", "model", "mode", "provider", "resolution"),
    *("duration", "remote_id"),
)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A checked pattern."""

    parts: tuple[str | _Field, ...]

    def fill(self, facts: NameFacts) -> str:
        """The path of a clip below the output folder, with "/" between folders, ending in .mp4."""
        components: list[list[str | int]] = [[]]
        for part in self.parts:
            if isinstance(part, str):
                _add(components, part)
            elif part[0] == "prompt":  # fitted to the room that the others leave
                components[-1].append(int(part[1][1:] or len(facts.prompt) or 1))
            else:
                _add(components, _filled(*part, facts))
        *folders, name = components
        made = [_fitted(folder, facts.prompt, "", _LONGEST_FOLDER) for folder in folders]
        return "/".join([*made, _fitted(name, facts.prompt, _ENDING, _LONGEST)])


@lru_cache(maxsize=32)
def name_pattern(text: str) -> NamePattern:
    """Read a pattern.

    Raises:
        ValueError: why it cannot be used, as the end of a sentence that begins with its name.
    """
    text = text.strip()
    if text.lower().endswith(_ENDING):
        text = text[: -len(_ENDING)]
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(f"has more than {_LONGEST_PATTERN} characters")
    try:
        found = list(string.Formatter().parse(text))
    except ValueError:
        raise ValueError("has a brace without its partner; write for example {date}") from None
    parts = list[str | _Field]()
    skeleton = ""
    for literal, name, spec, conversion in found:
        if literal:
            _check_literal(literal)
            parts.append(literal)
            skeleton += literal
        if name is None:
            continue
        _check_field(name, spec or "", conversion)
        parts.append((name, spec or ""))
        skeleton += re.sub("%.", "x", spec or "") if name in _MOMENTS and spec else "x"
    _check_folders(skeleton)
    return NamePattern(tuple(parts))


def _check_literal(text: str) -> None:
    if "%" in text:
        raise ValueError("has a % outside of braces; fields are written like {prompt}")
    odd = next((it for it in text if it in _RESERVED or not it.isprintable()), "")
    if odd:
        said = repr(odd) if odd.isprintable() else "an invisible character"
        raise ValueError(f"has {said}, which some systems do not allow in names")


def _check_field(name: str, spec: str, conversion: str | None) -> None:
    if name not in FIELDS:
        near = _OTHER_NAMES.get(name.lower(), "") or next(
            iter(difflib.get_close_matches(name.lower(), FIELDS, n=1)), ""
        )
        meant = f"; the nearest is {{{near}}}" if near else ""
        every = " ".join(f"{{{field}}}" for field in FIELDS)
        raise ValueError(f"has no field {{{shown(name, 30)}}}{meant}. The fields are: {every}")
    if conversion:
        raise ValueError(f"has an ! in {{{name}}}, which means nothing here")
    if not spec:
        return
    if name in _MOMENTS:
        directives = re.findall(r"%(.?)", spec)
        # Only ASCII may be passed to strftime everywhere.
        if not directives or not _DIRECTIVES.issuperset(directives) or not spec.isascii():
            raise ValueError(f"has a form of {{{name}}} that is not like {{{name}:%Y-%m-%d}}")
        _check_literal(re.sub(r"%.|:", "", spec))
    elif name in _NUMBERS:
        if not _WIDTH.fullmatch(spec):
            raise ValueError(f"has a form of {{{name}}} that is not like {{{name}:02}}")
    elif not _PRECISION.fullmatch(spec):
        raise ValueError(
            f"has a form of {{{name}}} that is not like {{{name}:.24}}, its first 24 characters"
        )


def _check_folders(skeleton: str) -> None:
    names = skeleton.split("/")
    if skeleton.startswith(("/", "~")):
        raise ValueError("begins with / or ~; folders are below the output folder")
    if len(names) > _MOST_FOLDERS + 1:
        raise ValueError(f"has more than {_MOST_FOLDERS} folders")
    if not all(name.strip() for name in names):
        raise ValueError("has a folder or a file without a name")
    if any(name.strip().startswith(".") for name in names):
        raise ValueError("has a name that begins with a dot, which would be hidden")


def _add(components: list[list[str | int]], text: str) -> None:
    first, *more = text.split("/")
    components[-1].append(first)
    components.extend([one] for one in more)


def _filled(name: str, spec: str, facts: NameFacts) -> str:
    if name in _MOMENTS:
        # By this computer's clock, as a person reads it.
        moment = datetime.fromtimestamp(facts.created_at, tz=UTC).astimezone()
        return moment.strftime(spec or _MOMENTS[name]).replace(":", "-")
    if name in _NUMBERS:
        value = _NUMBERS[name](facts)
        return _UNKNOWN if value is None else format(value, spec)
    return (_TEXT[name](facts) or _UNKNOWN)[: int(spec[1:]) if spec else None]


def _fitted(parts: Sequence[str | int], prompt: str, ending: str, longest: int) -> str:
    """One name of a path; a number stands for so many characters of the prompt."""
    prompts = sum(isinstance(part, int) for part in parts)
    fixed = sum(len(part.encode()) for part in parts if isinstance(part, str))
    room = max(0, (longest - fixed - len(ending)) // (prompts or 1))
    made = ""
    for part in parts:
        if isinstance(part, str):
            made += part
            continue
        words = _words(unicodedata.normalize("NFC", prompt.strip())[:part])
        made += words.encode()[:room].decode(errors="ignore").rstrip("-") or "clip"
    made = _cut(made, longest - len(ending)) or "clip"
    if odd_on_windows(made + ending):
        made = _cut(f"clip-{made}", longest - len(ending))
    return made + ending


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore").strip(" .")


def _plain_id(text: str) -> str:
    kept = "".join(c for c in text if c.isascii() and (c.isalnum() or c in "-_"))
    return kept.strip("-_")[:_LONGEST_ID]


def _plain(text: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in text)
    return kept.strip("-_.")[:_LONGEST_ID]


def _words(text: str) -> str:
    """Keep letters of any script, digits and pictographs; the rest separates words or goes."""
    out: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "LMN" or category == "So":
            out.append(character)
        elif (category[0] in "ZPS" or character in "\t\r\n") and character not in "'’":
            out.append("-")
    return "-".join(word for word in "".join(out).split("-") if word)
