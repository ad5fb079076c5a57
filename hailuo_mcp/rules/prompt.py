"""The prompt: length, characters that cannot be sent, and its camera commands."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.rules.camera import read_commands


class CheckedPrompt(NamedTuple):
    text: str
    """As it will be sent."""
    fixed: str
    """The nearest prompt that passes; empty where there was none to mend."""
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


_JOINERS = "\u200c\u200d"
_NONCHARACTERS = range(0xFDD0, 0xFDF0)
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs"})


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _is_invisible(character: str) -> bool:
    if character in "\n\r\t":
        return False
    code = ord(character)
    if code in _NONCHARACTERS or code & 0xFFFE == 0xFFFE:  # noqa: PLR2004  a pair per plane
        return True
    return unicodedata.category(character) in _INVISIBLE


def _count_invisible(text: str) -> int:
    count, visible_before = 0, False
    for character in text:
        # A joiner is part of visible writing (emoji, Persian, Hindi) while it follows some of it.
        joins = character in _JOINERS and visible_before
        hidden = _is_invisible(character) and not joins
        count += hidden
        visible_before = not (hidden or joins or character.isspace())
    return count


def _visible(text: str) -> str:
    return "".join(c for c in text if not _is_invisible(c))


def check_prompt(prompt: str, *, needed_by: str, model: str, camera: bool | None) -> CheckedPrompt:
    """Read the prompt; `needed_by` says who needs one ("" where it may be empty)."""
    problems: list[str] = []
    text = prompt if prompt.strip() else ""
    if not text and needed_by:
        problems.append(f"prompt is empty, and {needed_by} needs one")
    if any(map(_is_surrogate, text)):
        problems.append("prompt has broken characters (lone surrogates) that no request can carry")
    invisible = _count_invisible(text)
    percent = limits().invisible_percent
    if invisible * 100 > len(text) * percent:
        problems.append(
            f"{invisible} of the prompt's {len(text)} characters are invisible or illegal; "
            f"MiniMax refuses more than {percent} % (1042)"
        )
    read = read_commands(text, model=model, obeyed=camera)
    problems += read.problems
    most = limits().prompt_characters
    if len(read.text) > most:
        problems.append(f"prompt has {len(read.text):,} characters, and {most:,} is the limit")
    fixed = read.text
    if problems:
        fixed = read_commands(_visible(text), model=model, obeyed=camera).fixed.strip()[:most]
    return CheckedPrompt(
        text=read.text, fixed=fixed, problems=tuple(problems), warnings=tuple(read.warnings)
    )
