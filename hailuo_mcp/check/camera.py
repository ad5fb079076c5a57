"""Camera commands in a prompt: understood in both languages, put into the form that is documented."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hailuo_mcp.catalog import find_move, is_misnomer, limits, near_move, nearest_move, shown

_BRACKETS = re.compile(r"\[([^\[\]【】]*)\]|【([^\[\]【】]*)】")
_COMMAS = re.compile("[,，、]")
_CHINESE = re.compile("[㐀-鿿]")
_EVIDENTLY_NOT = re.compile(r"[:：\d]")
_MOST_WORDS, _MOST_CHINESE = 4, 12


@dataclass(slots=True, kw_only=True)
class Commands:
    """A prompt whose commands have been read."""

    text: str = ""
    """With every known command in its documented spelling."""
    fixed: str = ""
    """The same with every unknown one replaced by the nearest known one."""
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


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
    """The documented name, in the language in which it was written."""
    move = find_move(part) or nearest_move(part)
    return move.chinese if _CHINESE.search(part) else move.english


def read_commands(prompt: str, *, model: str, obeyed: bool | None) -> Commands:
    """Find and spell the camera commands; `obeyed`: documented for this model (None: unknown)."""
    seen = Commands()
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
            seen.problems.extend(
                f"[{shown(part.strip())}] is no camera command; the nearest is [{_spelling(part)}]"
                for part, move in zip(parts, known, strict=True)
                if move is None
            )
        used = True
        seen.warnings.extend(
            f"[{part.strip()}] is not in MiniMax's list of moves and was read as [{_spelling(part)}]."
            for part in parts
            if is_misnomer(part)
        )
        if len(parts) > limits().moves_together:
            seen.warnings.append(
                f"{len(parts)} camera moves stand in one bracket; MiniMax recommends at most "
                f"{limits().moves_together} together."
            )
        return f"[{','.join(_spelling(part) for part in parts)}]"

    seen.fixed = _BRACKETS.sub(read, prompt)
    seen.text = prompt if seen.problems else seen.fixed
    if used and obeyed is False:
        seen.warnings.append(
            f"Camera commands are not documented for {model}: it may ignore them."
        )
    return seen
