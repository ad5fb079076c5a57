"""Camera commands in a prompt: read in both languages, put into the documented form."""

from __future__ import annotations

import re
from typing import NamedTuple

from hailuo_mcp.catalog import Move, find_move, is_misnomer, limits, near_move, shown

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


def _spelling(part: str, move: Move) -> str:
    """Name the move as documented, in the language in which it was written."""
    return move.chinese if _CHINESE.search(part) else move.english


def read_commands(prompt: str, *, model: str, obeyed: bool | None) -> Commands:
    """Find and spell the camera commands; `obeyed`: documented for this model (None: unknown).

    People write other things in brackets too. Only what is nearly a move is a mistake.
    """
    problems: list[str] = []
    warnings: list[str] = []
    others: list[str] = []
    used = False

    def read(match: re.Match[str]) -> str:
        nonlocal used
        inside = match[1] if match[2] is None else match[2]
        parts = [part.strip() for part in _COMMAS.split(inside) if part.strip()]
        known = {part: find_move(part) for part in parts}
        # 【…】 is common Chinese punctuation, so it counts only if it is a command throughout.
        if _SANDBOX.match(inside) or (match[2] is not None and not all(known.values())):
            return match[0]
        meant = {
            part: near_move(part)
            for part, move in known.items()
            if move is None and not _EVIDENTLY_NOT.search(part)
        }
        spelt = {part: move for part, move in (known | meant).items() if move}
        if not spelt:
            others.extend([match[0]] if parts else [])
            return match[0]
        used = True
        for part in parts:
            move = spelt.get(part)
            if move is None:
                others.append(f"[{part}]")
            elif known[part] is None:
                problems.append(
                    f"[{shown(part)}] is no camera command "
                    f"(the nearest is [{_spelling(part, move)}])"
                )
            elif is_misnomer(part):
                right = _spelling(part, move)
                warnings.append(f"[{part}] is not on MiniMax's list and was read as [{right}].")
        together = sum(part in spelt for part in parts)
        if together > limits().moves_together:
            warnings.append(
                f"{together} camera moves stand in one bracket; MiniMax recommends at most "
                f"{limits().moves_together} together."
            )
        words = [_spelling(part, spelt[part]) if part in spelt else part for part in parts]
        return f"[{','.join(words)}]"

    fixed = _BRACKETS.sub(read, prompt)
    if used and obeyed is False:
        warnings.append(f"Camera commands are not documented for {model}: it may ignore them.")
    if others:
        warnings.append(_no_moves(list(dict.fromkeys(others))))
    return Commands(
        text=prompt if problems else fixed,
        fixed=fixed,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def _no_moves(others: list[str]) -> str:
    """Say in one sentence what stands in brackets and is no command."""
    named = ", ".join(shown(other) for other in others[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"Not a camera move, so sent as plain text: {named}{more}."
