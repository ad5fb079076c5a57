"""Camera commands in a prompt: read in both languages, put into the documented form."""

from __future__ import annotations

import re
from typing import NamedTuple

from hailuo_mcp.catalog import find_move, is_misnomer, limits, near_move, nearest_move, shown

_BRACKETS = re.compile(r"\[([^\[\]【】]*)\]|【([^\[\]【】]*)】")
_COMMAS = re.compile("[,，、]")
_CHINESE = re.compile("[㐀-鿿]")
_EVIDENTLY_NOT = re.compile(r"[:：\d]")
_MOST_WORDS, _MOST_CHINESE = 4, 12


class Commands(NamedTuple):
    """A prompt whose commands have been read."""

    text: str
    """With every known command in its documented spelling."""
    fixed: str
    """The same with every unknown one replaced by the nearest known one."""
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def _may_be_command(parts: list[str], *, obeyed: bool | None) -> bool:
    """Whether a bracket without any known move was nevertheless meant as one.

    People write other things in brackets too: speakers, notes, the sandbox's own orders.
    """
    for part in parts:
        if _EVIDENTLY_NOT.search(part) or not part.strip():
            return False
        if len(part.split()) > _MOST_WORDS or len(_CHINESE.findall(part)) > _MOST_CHINESE:
            return False
    return bool(obeyed) or any(near_move(part) for part in parts)


def _spelling(part: str) -> str:
    """Name the move as documented, in the language in which it was written."""
    move = find_move(part) or nearest_move(part)
    return move.chinese if _CHINESE.search(part) else move.english


def read_commands(prompt: str, *, model: str, obeyed: bool | None) -> Commands:
    """Find and spell the camera commands; `obeyed`: documented for this model (None: unknown)."""
    problems: list[str] = []
    warnings: list[str] = []
    used = False

    def read(match: re.Match[str]) -> str:
        nonlocal used
        inside = match[1] if match[2] is None else match[2]
        parts = _COMMAS.split(inside)
        known = [find_move(part) for part in parts]
        if not all(known):
            # 【…】 is common Chinese punctuation, so it counts only if it is a command throughout.
            if match[2] is not None or not (any(known) or _may_be_command(parts, obeyed=obeyed)):
                return match[0]
            problems.extend(
                f"[{shown(part.strip())}] is no camera command (the nearest is [{_spelling(part)}])"
                for part, move in zip(parts, known, strict=True)
                if move is None
            )
        used = True
        warnings.extend(
            f"[{part.strip()}] is not on MiniMax's list and was read as [{_spelling(part)}]."
            for part in parts
            if is_misnomer(part)
        )
        if len(parts) > limits().moves_together:
            warnings.append(
                f"{len(parts)} camera moves stand in one bracket; MiniMax recommends at most "
                f"{limits().moves_together} together."
            )
        return f"[{','.join(_spelling(part) for part in parts)}]"

    fixed = _BRACKETS.sub(read, prompt)
    if used and obeyed is False:
        warnings.append(f"Camera commands are not documented for {model}: it may ignore them.")
    return Commands(
        text=prompt if problems else fixed,
        fixed=fixed,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )
