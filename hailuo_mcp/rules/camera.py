"""Camera commands in a prompt: read in both languages, put into the documented form."""

from __future__ import annotations

import re
from typing import NamedTuple

from hailuo_mcp.catalog.camera_moves import Move, find_move, is_misnomer, near_move
from hailuo_mcp.catalog.video_models import limits
from hailuo_mcp.text import shown

_BRACKETS = re.compile(r"\[([^\[\]【】]*)\]|【([^\[\]【】]*)】")
_COMMAS = re.compile("[,，、]")
_CHINESE = re.compile("[㐀-鿿]")
_EVIDENTLY_NOT = re.compile(r"[:：\d]")
_SANDBOX = re.compile(r"\s*sandbox\s*[:：]", re.IGNORECASE)
"""An order to the sandbox, which is no part of the picture."""
_MOST_NAMED = 3


class Commands(NamedTuple):
    """A prompt whose commands have been read."""

    text: str
    """With every known command in its documented spelling."""
    fixed: str
    """The same with every unknown one replaced by the nearest known one."""
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def read_commands(prompt: str, *, model: str, obeyed: bool | None) -> Commands:
    """Find and spell the camera commands; `obeyed`: documented for this model (None: unknown).

    People write other things in brackets too. Only what is nearly a move is a mistake.
    """
    seen = _Reading()
    fixed = _BRACKETS.sub(seen.bracket, prompt)
    warnings = seen.warnings
    if seen.used and obeyed is False:
        warnings.append(f"Camera commands are not documented for {model}: it may ignore them.")
    if seen.others:
        warnings.append(_no_moves(list(dict.fromkeys(seen.others))))
    return Commands(
        text=prompt if seen.problems else fixed,
        fixed=fixed,
        problems=tuple(seen.problems),
        warnings=tuple(warnings),
    )


class _Reading:
    """What was found in the brackets of one prompt."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.others: list[str] = []
        """What is neither a move nor nearly one."""
        self.used = False

    def bracket(self, match: re.Match[str]) -> str:
        """Return one bracket as it is to be sent, near misses mended."""
        inside = match[1] if match[2] is None else match[2]
        parts = [part.strip() for part in _COMMAS.split(inside) if part.strip()]
        # 【…】 is common Chinese punctuation, so it counts only if it is a command throughout.
        if _SANDBOX.match(inside) or (match[2] is not None and not all(map(find_move, parts))):
            return match[0]
        moves = [find_move(part) or _meant(part) for part in parts]
        if not any(moves):
            self.others += [match[0]] if parts else []
            return match[0]
        self.used = True
        together = sum(move is not None for move in moves)
        if together > limits().moves_together:
            self.warnings.append(
                f"{together} camera moves stand in one bracket; MiniMax recommends at most "
                f"{limits().moves_together} together."
            )
        return f"[{','.join(map(self._part, parts, moves))}]"

    def _part(self, part: str, move: Move | None) -> str:
        if move is None:
            self.others.append(f"[{part}]")
            return part
        # The language stays the one in which it was written.
        right = move.chinese if _CHINESE.search(part) else move.english
        if find_move(part) is None:
            self.problems.append(f"[{shown(part)}] is no camera command (the nearest is [{right}])")
        elif is_misnomer(part):
            self.warnings.append(f"[{part}] is not on MiniMax's list and was read as [{right}].")
        return right


def _meant(part: str) -> Move | None:
    return None if _EVIDENTLY_NOT.search(part) else near_move(part)


def _no_moves(others: list[str]) -> str:
    """Say in one sentence what stands in brackets and is no command."""
    named = ", ".join(shown(other) for other in others[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"Not a camera move, so sent as plain text: {named}{more}."
