"""A file of requests: a prompt a line, or a JSON object with options. Every flaw is named."""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_type_hints

from hailuo_mcp.cli import arguments
from hailuo_mcp.cli.arguments import MOST_TAKES, STANDARD
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.domain.requests import AnyRequest, VideoRequest
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.text import shown, system_reason

_LONGEST_FILE = 10_000_000
"""Bytes."""
_LONGEST_LINE = 100_000
"""Characters; far more than any prompt has."""
MOST_CLIPS = 1000
_ENDS = re.compile("\r\n|\n|\r")
"""Only these end a line: prompts that were pasted have rarer ones inside."""
_LIKE_OPTION = re.compile(r"-[A-Za-z](\s|$)|--[A-Za-z]")
_TABLE = "save the column of prompts as a .txt file, a prompt on each line"
_NOT_LINES = {
    **dict.fromkeys((".csv", ".tsv", ".xlsx", ".xls", ".ods"), ("a table", _TABLE)),
    ".json": ("one JSON value", "write it as .jsonl, an object with options on each line"),
}
"""Endings of files whose lines are no prompts, what they are, and what to do."""
_SHORT = {
    "image": "first_frame_image",
    "last": "last_frame_image",
    "subject": "subject_image",
    "reference_image": "reference_images",
    "reference_video": "reference_videos",
    "reference_audio": "reference_audios",
    "output_path": "output",
}
"""Short names of options, as on the command line."""
_OF_ALL = {
    "request_key": "each line has a request key of its own",
    "confirm": "agree to all lines at once, with --yes",
    "max_cost": "give it on the command line, where it holds for the sum",
    "wait_seconds": "give it on the command line, where it holds for all",
}
"""Arguments of the tool that a line cannot have, and why."""
_LONG = 10
"""Digits, more than any number has here."""
_EXAMPLE = '{"prompt": "A fox", "duration": 10}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip to buy."""

    line: int
    """Where its request stands, from 1; 0 for the command line."""
    request: AnyRequest
    take: int
    output: str = ""
    """Where its copy goes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line cannot be made."""

    line: int
    error: HailuoError


@dataclass(slots=True)
class _Flaws:
    """What is wrong with a line, all of it."""

    said: list[str] = field(default_factory=list[str])

    def add(self, what: str) -> None:
        self.said.append(what)


def read_clips(args: Namespace, terminal: Terminal) -> tuple[list[Clip], list[Refused]]:
    """The clips of a file, and every line that cannot be read; options given are defaults.

    Raises:
        InvalidRequestError: there is no such file, or nothing in it.
    """
    _need_lines(args.file)
    data = _bytes(args.file, terminal)
    clips, refused = list[Clip](), list[Refused]()
    lines = list(_lines(data, args.file))
    _need_few(args, len(lines))
    for number, line in lines:
        if isinstance(line, InvalidRequestError):
            refused.append(Refused(number, line))
            continue
        try:
            clips += _clips_of(args, number, line)
        except InvalidRequestError as exc:
            refused.append(Refused(number, exc))
    if not (clips or refused):
        raise InvalidRequestError(
            f"There is no prompt in {_name(args.file)}.",
            Step(Do.TRY, "write a prompt on each line, without a # before it"),
        )
    _need_few(args, len(clips))
    return clips, refused


def _need_lines(file: str) -> None:
    """Refuse a file whose lines would each be paid for as a prompt that nobody meant."""
    ending = Path(file).suffix.lower() if file != STANDARD else ""
    if ending in _NOT_LINES:
        what, instead = _NOT_LINES[ending]
        raise InvalidRequestError(
            f"{_name(file)} ends with {ending}, so it is {what}, and no file of prompts.",
            Step(Do.TRY, instead),
        )


def _need_few(args: Namespace, clips: int) -> None:
    if clips > MOST_CLIPS:
        raise InvalidRequestError(
            f"{_name(args.file)} has {clips:,} clips; {MOST_CLIPS:,} are the most at once.",
            Step(Do.TRY, "make several files of it"),
        )


def takes_of(args: Namespace, line: int, request: AnyRequest) -> list[Clip]:
    """The takes that are asked for of one request, each a clip."""
    first, count = args.take, args.count or 1
    return [
        Clip(line=line, request=request, take=take, output=args.output)
        for take in range(first, first + count)
    ]


def _name(file: str) -> str:
    return "standard input" if file == STANDARD else shown(file, 200)


def _bytes(file: str, terminal: Terminal) -> bytes:
    try:
        if file == STANDARD:
            if sys.stdin is None:
                return b""
            if sys.stdin.isatty():
                terminal.note("Type a prompt a line, then Ctrl-D (on Windows Ctrl-Z and Enter).")
            data = sys.stdin.buffer.read(_LONGEST_FILE + 1)
        else:
            with Path(file).expanduser().open("rb") as source:
                data = source.read(_LONGEST_FILE + 1)
    except (OSError, ValueError, RuntimeError) as exc:
        why = system_reason(exc) if isinstance(exc, OSError) else "it is no path"
        raise InvalidRequestError(
            f"{_name(file)} cannot be read: {why}.",
            Step(Do.TRY, "name a text file that has a prompt on each line"),
        ) from None
    if len(data) > _LONGEST_FILE:
        raise InvalidRequestError(
            f"{_name(file)} has more than {_LONGEST_FILE // 1_000_000} MB.",
            Step(Do.TRY, "give pictures by their path, or make several files of it"),
        )
    return data


def _lines(data: bytes, file: str) -> Iterator[tuple[int, str | InvalidRequestError]]:
    """The lines that say something, with their numbers; an error for one that is not text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InvalidRequestError(
            f"{_name(file)} is text in UTF-16.", Step(Do.TRY, "save it as UTF-8")
        )
    # Bytes that are not UTF-8 become surrogates, which only such a line then has.
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for number, raw in enumerate(_ENDS.split(text), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        yield number, _flaw_of(line) or line


def _flaw_of(line: str) -> InvalidRequestError | None:
    if len(line) > _LONGEST_LINE:
        return InvalidRequestError(
            f"The line has {len(line):,} characters; {_LONGEST_LINE:,} are the most.",
            Step(Do.TRY, "give pictures by their path, and write a prompt on each line"),
        )
    try:
        line.encode()
    except UnicodeEncodeError:
        return InvalidRequestError("It is not text in UTF-8.", Step(Do.TRY, "save it as UTF-8"))
    if "\0" in line:
        return InvalidRequestError("It is not text.", Step(Do.TRY, "save it as UTF-8"))
    return None


def _clips_of(args: Namespace, number: int, line: str) -> list[Clip]:
    _need_prompt(line)
    given = _options(line) if line.startswith("{") else {"prompt": line}
    mine = Namespace(**{**vars(args), **given})
    pictures = (mine.first_frame_image, mine.subject_image, *mine.reference_images)
    if not (mine.prompt.strip() or any(pictures)):
        raise InvalidRequestError("There is no prompt and no picture.")
    request = arguments.request(mine, VideoRequest)
    _need_lasting_names(request)
    clips = takes_of(mine, number, request)
    if mine.output == STANDARD:
        raise InvalidRequestError("Standard output cannot take the clips of a file.")
    return clips


def _need_prompt(line: str) -> None:
    """Refuse a line that was hardly meant to be sent to a model as it is."""
    if _LIKE_OPTION.match(line):
        raise InvalidRequestError(
            f"It begins like an option: {shown(line.split(maxsplit=1)[0], 40)}.",
            Step(Do.TRY, f"write options as JSON, for example {_EXAMPLE}"),
        )
    if line.startswith("{"):
        return
    if not line.strip("[]{}, "):
        what = "a bracket"
    else:
        try:
            found: object = json.loads(line.rstrip(", "))
        except (ValueError, RecursionError):
            return
        kinds = ((str, "a text in quotes"), (list, "a list"), ((bool, type(None)), "a JSON word"))
        what = next((name for kind, name in kinds if isinstance(found, kind)), "a number")
    raise InvalidRequestError(
        f"It is {what}, and no prompt: {shown(line, 40)}.",
        Step(Do.TRY, f"write the prompt as it is, without quotes, or an object such as {_EXAMPLE}"),
    )


def _need_lasting_names(request: VideoRequest) -> None:
    """Refuse a picture that would be of another clip each time the same file is made."""
    for name in (it.name for it in fields(request)):
        value: object = getattr(request, name)
        several = cast("Sequence[object]", value) if isinstance(value, tuple) else (value,)
        if name != "prompt" and any(str(it).strip().lower().startswith("task:@") for it in several):
            raise InvalidRequestError(
                f"{name} names another clip each time: {shown(str(several[0]))}.",
                Step(Do.TRY, "name the clip by its id"),
            )


def _options(line: str) -> dict[str, Any]:
    """The options of a line of JSON, by the names that the command line has for them."""
    flaws = _Flaws()
    values = dict[str, Any]()
    for key, value in _pairs(line):
        name = _SHORT.get(key.replace("-", "_").lower(), key.replace("-", "_").lower())
        if name in values:
            flaws.add(f"{shown(key)} is given twice")
        elif name in _READ:
            try:
                # As on the command line, what is empty is not given: the default holds.
                if (read := _READ[name](value)) not in (None, "", 0, []) or read is False:
                    values[name] = read
            except ValueError as exc:
                flaws.add(f"{shown(key)} must be {exc}, not {_kind(value)}")
        else:
            flaws.add(_unknown(key, name))
    if flaws.said:
        raise InvalidRequestError(f"{'; '.join(flaws.said)}.")
    return values


def _pairs(line: str) -> list[tuple[str, Any]]:
    def pairs(found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return found

    try:
        found: object = json.loads(line, object_pairs_hook=pairs)
        line.encode()
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidRequestError("It has half a character (a lone surrogate).") from None
    except (ValueError, RecursionError) as exc:
        why = f" ({exc.msg}, column {exc.colno})" if isinstance(exc, json.JSONDecodeError) else ""
        raise InvalidRequestError(
            f"It begins with {{ and is not a JSON object{why}.",
            Step(Do.TRY, f"write for example {_EXAMPLE}"),
        ) from None
    return cast("list[tuple[str, Any]]", found)


def _unknown(key: str, name: str) -> str:
    if name in _OF_ALL:
        return f"{shown(key)} cannot be given on a line: {_OF_ALL[name]}"
    from difflib import get_close_matches

    from hailuo_mcp.server.tools.argument_names import our_name

    near = get_close_matches(name, _READ, n=1)
    meant = our_name(name, list(_READ)) or (near[0] if near else "")
    hint = f"; did you mean {meant}?" if meant else f" (there are: {', '.join(_READ)})"
    return f"unknown option {shown(key)!r}{hint}"


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError("text in quotes")


def _resolution(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value else None  # 768 is read as 768P
    return _text(value) or None


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    several = cast("list[object]", value) if isinstance(value, list) else None
    if value is None or (several is not None and all(isinstance(it, str) for it in several)):
        return [str(it) for it in several or []]
    raise ValueError('a list of texts, such as ["a.jpg", "b.jpg"]')


def _number(least: int, most: int) -> Any:  # noqa: ANN401  # a reader, as those above
    def read(value: object) -> int | None:
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < _LONG:
            value = int(value)
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if value is None or (whole and not isinstance(value, bool) and value == 0):
            return None
        if isinstance(value, bool) or not whole or not least <= cast("float", value) <= most:
            raise ValueError(f"a whole number from {least} to {most:,}")
        return int(cast("float", value))

    return read


def _switch(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _kind(value: object) -> str:
    if isinstance(value, str):
        return f"the text {shown(value)!r}"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"the number {shown(str(value))}"
    return "a list" if _is_list(value) else "an object"


def _is_list(value: object) -> bool:
    """An object is read as a list of pairs."""
    several = cast("list[object]", value) if isinstance(value, list) else []
    return not all(isinstance(it, tuple) for it in several) or not several


def _readers() -> Mapping[str, Any]:
    hints = get_type_hints(VideoRequest)
    by_type: list[tuple[object, Any]] = [
        (str, _text),
        (str | None, _resolution),
        (int | None, _number(1, 3600)),
        (bool | None, _switch),
    ]
    found = {
        one.name: next((read for kind, read in by_type if hints[one.name] == kind), _texts)
        for one in fields(VideoRequest)
    }
    return {
        **found,
        "take": _number(1, 1_000_000),
        "count": _number(1, MOST_TAKES),
        "output": _text,
    }


_READ = _readers()
"""How the value of each option is read; ValueError says what it must be."""
