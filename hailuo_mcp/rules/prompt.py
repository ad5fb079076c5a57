"""The prompt: its length, characters that cannot be sent, and camera moves in brackets."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from hailuo_mcp.catalog.camera_moves import Move, find_move, is_misnomer, leading_move, near_move
from hailuo_mcp.catalog.video_models import api_of, limits
from hailuo_mcp.text import shown

SURROGATE = "contains an unpaired surrogate (invalid Unicode)"
_JOINERS = "\u200c\u200d"
_NONCHARACTERS = range(0xFDD0, 0xFDF0)
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs"})

_BRACKETS = re.compile(r"\[([^\[\]【】]*)\]|【([^\[\]【】]*)】")
_UNCLOSED = re.compile(r"\[([^\[\]【】]+)(?=\[|【|$)")
_COMMAS = re.compile("[,，、]")
_CHINESE = re.compile("[㐀-鿿]")
_EVIDENTLY_NOT = re.compile(r"[:：\d]")
_SANDBOX = re.compile(r"\s*sandbox\s*[:：]", re.IGNORECASE)
"""A marker for the sandbox, not part of the picture."""
_MOST_NAMED = 3


class CheckedPrompt(NamedTuple):
    text: str
    """As it will be sent, with every known camera move in its documented spelling."""
    fixed: str
    """The nearest valid prompt; empty if there is none."""
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def check_prompt(prompt: str, *, needed_by: str, model: str, camera: bool | None) -> CheckedPrompt:
    """Read the prompt; `needed_by` says what needs one ("" if it may be empty)."""
    problems: list[str] = []
    text = prompt if prompt.strip() else ""
    if not text and needed_by:
        problems.append(f"the prompt is empty, and {needed_by} needs one")
    if has_surrogate(text):
        problems.append(f"the prompt {SURROGATE}")
    invisible = _count_invisible(text)
    percent = limits().invisible_percent
    if invisible * 100 > len(text) * percent:
        problems.append(
            f"{invisible} of the prompt's {len(text)} characters are invisible or illegal; "
            f"MiniMax refuses more than {percent} % (1042)"
        )
    read = read_moves(text, model=model, obeyed=camera)
    problems += read.problems
    most = limits(api_of(model)).prompt_characters
    if len(read.text) > most:
        problems.append(f"the prompt has {len(read.text):,} characters; the limit is {most:,}")
    fixed = read.text
    if problems:
        fixed = read_moves(_visible(text), model=model, obeyed=camera).fixed.strip()[:most]
    return read._replace(fixed=fixed, problems=tuple(problems))


def has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


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


def read_moves(prompt: str, *, model: str, obeyed: bool | None) -> CheckedPrompt:
    """Find and spell the camera moves; `obeyed`: documented for this model (None: unknown).

    People write other things in brackets, too. Only something close to a move is a mistake.
    """
    seen = _Reading()
    fixed = _BRACKETS.sub(seen.bracket, prompt)
    warnings = seen.warnings
    for part in _UNCLOSED.findall(prompt):
        if move := leading_move(part):
            warnings.append(
                f"[{shown(part.strip())} has no closing bracket, so it is sent as plain text; the "
                f"camera move is [{_spelt(move, part)}]."
            )
    if seen.used and obeyed is False:
        warnings.append(f"Camera moves are not documented for {model}: it may ignore them.")
    if seen.others:
        others = list(dict.fromkeys(seen.others))
        named = ", ".join(shown(other) for other in others[:_MOST_NAMED])
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        warnings.append(f"Not a camera move, so sent as plain text: {named}{more}.")
    return CheckedPrompt(
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
        """Text that is neither a move nor close to one."""
        self.used = False

    def bracket(self, match: re.Match[str]) -> str:
        """Return one bracket as it will be sent, with misspelt moves corrected."""
        inside = match[1] if match[2] is None else match[2]
        parts = [part.strip() for part in _COMMAS.split(inside) if part.strip()]
        # 【…】 is common Chinese punctuation, so it counts only if all of it is moves.
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
                f"{together} camera moves are in one bracket; MiniMax recommends at most "
                f"{limits().moves_together} together."
            )
        return f"[{','.join(map(self._part, parts, moves))}]"

    def _part(self, part: str, move: Move | None) -> str:
        if move is None:
            self.others.append(f"[{part}]")
            return part
        right = _spelt(move, part)
        if find_move(part) is None:
            self.problems.append(f"unknown camera move [{shown(part)}] (nearest: [{right}])")
        elif is_misnomer(part):
            self.warnings.append(f"[{part}] is not on MiniMax's list and was read as [{right}].")
        return right


def _spelt(move: Move, part: str) -> str:
    """The move's name in the language of the prompt."""
    return move.chinese if _CHINESE.search(part) else move.english


def _meant(part: str) -> Move | None:
    return None if _EVIDENTLY_NOT.search(part) else near_move(part)
