"""Options that several commands share, and what their values may be."""

from __future__ import annotations

import math
import os
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hailuo_mcp.cli.setting_options import SETTING_OPTIONS
from hailuo_mcp.text import is_number, shown

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.terminal import Terminal
    from hailuo_mcp.domain.requests import AnyRequest
    from hailuo_mcp.views import Terms

Request = TypeVar("Request", bound="AnyRequest")
Number = TypeVar("Number", int, float, Decimal)
Add = Callable[..., object]

STANDARD = "-"
"""Standard input or output, in place of a text or a file."""
FOREVER = 10 * 365 * 86_400.0
_ELSEWHERE = ("data:", "http:", "https:", "file:", "~")
_LONGEST_PROMPT = 100_000
"""Characters; far more than any prompt has, so that an endless input ends."""


def whole(least: int, most: int = 1_000_000) -> Callable[[str], int]:
    """A whole number in a range."""

    def read(text: str) -> int:
        minus = text.strip().startswith("-")
        number = -1 if minus and is_number(text) else _number(int, text, "a whole number")
        if not least <= number <= most:
            raise ArgumentTypeError(f"must be between {least} and {most:,}")
        return number

    return read


def length(text: str) -> int:
    """A clip's length in seconds, such as 6 or 6s."""
    return whole(0, 3600)(text.strip().lower().removesuffix("s"))


def seconds(text: str) -> float:
    return _number(float, text, "a number of seconds")


def money(text: str) -> Decimal:
    return _number(Decimal, text, "an amount such as 2 or 0.5")


def _number(kind: Callable[[str], Number], text: str, what: str) -> Number:
    try:
        if is_number(text) and 0 <= (number := kind(text)) < math.inf:
            return number
    except (ValueError, InvalidOperation):
        pass
    raise ArgumentTypeError(f"{shown(text)!r} is not {what}")


def plain(text: str) -> str:
    """Text of any language; bytes that are not text could not be stored or sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("is not text in this terminal's encoding") from None
    return text


def _if_given(read: Callable[[str], object]) -> Callable[[str], object]:
    """The same, where an empty text and 0 count as not given."""
    return lambda text: read(text) or None


def standard_input(terminal: Terminal, *, what: str = "prompt", command: str = "generate") -> str:
    """The prompt, or the script, that another program writes or a person types.

    Raises:
        InvalidRequestError: nothing came, or nothing that is text.
    """
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    if sys.stdin is not None and sys.stdin.isatty():
        terminal.note(f"Type the {what}, then Enter and Ctrl-D (on Windows Ctrl-Z and Enter).")
    try:
        text = plain(sys.stdin.read(_LONGEST_PROMPT)) if sys.stdin else ""
    except (UnicodeDecodeError, ArgumentTypeError):
        raise InvalidRequestError(
            "Standard input is not text in this terminal's encoding.",
            Step(Do.TRY, "write it as UTF-8"),
        ) from None
    if not (text := text.strip().removeprefix("\ufeff")):
        raise InvalidRequestError(
            f"There was no {what} on standard input.",
            Step(Do.TRY, f'write for example: echo "A fox in the snow" | hailuo-mcp {command} -'),
        )
    return text


TASK = "the id of a task or film, its first characters, @last, or @-2 for the one before it"
"""What names a task; each command takes all of these."""
PICTURE = "a path, a URL or task:ID#last"
"""What names a picture."""
_TEXT: Mapping[str, Any] = {"type": plain, "default": ""}
_TEXT_OR_NONE: Mapping[str, Any] = {"type": _if_given(plain)}
_TEXTS: Mapping[str, Any] = {"type": plain, "action": "append", "default": []}
_ON: Mapping[str, Any] = {"action": "store_const", "const": True}
VIDEO_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "prompt": {
        "metavar": "PROMPT",
        "help": "what the clip shows; - reads standard input",
    },
    "model": {
        **_TEXT,
        "flags": ("-m",),
        "metavar": "MODEL",
        "help": "chosen by the inputs; see hailuo-mcp models",
    },
    "first_frame_image": {
        **_TEXT,
        "flags": ("-i", "--image"),
        "metavar": "PICTURE",
        "help": f"first frame: {PICTURE}",
    },
    "last_frame_image": {
        **_TEXT,
        "flags": ("--last",),
        "metavar": "PICTURE",
        "help": "last frame, named likewise",
    },
    "subject_image": {
        **_TEXT,
        "flags": ("--subject",),
        "metavar": "PICTURE",
        "help": "a person who appears in the clip",
    },
    "reference_images": {
        **_TEXTS,
        "flags": ("--reference-image",),
        "metavar": "PICTURE",
        "help": "MiniMax-H3: what shall appear; repeatable",
    },
    "reference_videos": {
        **_TEXTS,
        "flags": ("--reference-video",),
        "metavar": "CLIP",
        "help": "MiniMax-H3: a clip to follow; repeatable",
    },
    "reference_audios": {
        **_TEXTS,
        "flags": ("--reference-audio",),
        "metavar": "SOUND",
        "help": "MiniMax-H3: a voice or sound; repeatable",
    },
    "aspect_ratio": {**_TEXT, "metavar": "W:H", "help": "MiniMax-H3: 16:9, 9:16, 1:1 …"},
    "duration": {
        "type": _if_given(length),
        "flags": ("-d",),
        "metavar": "SECONDS",
        "help": "6 or 10; MiniMax-H3: 4 to 15",
    },
    "resolution": {
        **_TEXT_OR_NONE,
        "flags": ("-r",),
        "metavar": "SIZE",
        "help": "512P, 768P, 1080P, 2K …",
    },
    "image_fit": {
        **_TEXT,
        "metavar": "crop|pad",
        "help": "cut a picture that does not fit, or add bars",
    },
    "prompt_optimizer": {
        "action": BooleanOptionalAction,
        "help": "let the provider improve the wording, or not",
    },
    "fast_pretreatment": {**_ON, "help": "improve the wording faster"},
    "watermark": {**_ON, "help": "put the provider's watermark on the clip"},
}
"""An option for each field of a VideoRequest; the first may also be positional."""
TEMPLATE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "template_id": {
        "metavar": "TEMPLATE",
        "help": "an id or a name; without one, the templates are listed, free",
    },
    "text_inputs": {
        **_TEXTS,
        "flags": ("--text",),
        "metavar": "TEXT",
        "help": "a text for the template; repeat it in the template's order",
    },
    "media_inputs": {
        **_TEXTS,
        "flags": ("--media",),
        "metavar": "PICTURE",
        "help": "a picture for the template; repeat it in the same way",
    },
}
"""An option for each field of a TemplateRequest."""


def add_request(parser: ArgumentParser, options: Mapping[str, Mapping[str, Any]]) -> None:
    """The options of a request; the first may also be positional."""
    first, *rest = options
    subject = options[first]
    add_subject(parser, first, _flag(first), metavar=subject["metavar"], what=subject["help"])
    group = parser.add_argument_group("clip")
    for name in rest:
        more = dict(options[name])
        group.add_argument(*more.pop("flags", ()), _flag(name), dest=name, **more)


def request(args: Namespace, kind: type[Request]) -> Request:
    """The request that the options describe; relative paths start at the working directory."""
    from dataclasses import fields

    from hailuo_mcp.domain.requests import IMAGE_FIELDS, REFERENCE_FIELDS

    values: dict[str, Any] = {field.name: getattr(args, field.name) for field in fields(kind)}
    for name, value in values.items():
        if name in IMAGE_FIELDS:
            values[name] = picture(value)
        elif name == "media_inputs":
            values[name] = tuple(picture(text) for text in value)
        elif name in REFERENCE_FIELDS:
            values[name] = tuple(picture(text) for text in value if text.strip())
        elif isinstance(value, list):
            values[name] = tuple(cast("list[str]", value))
    return kind(**values)


def add_subject(
    parser: ArgumentParser, *names: str, metavar: str, what: str, needed: bool = False
) -> None:
    """The main argument of a command: positional, or an option named as the tool's argument."""
    name, *flags = names
    given: list[str] = parser.get_default("argv") or []
    named = {text.partition("=")[0] if text.startswith("--") else text[:2] for text in given}
    more: dict[str, Any] = {} if needed else {"nargs": "?", "default": ""}
    if named & set(flags):
        name, more = flags[0], {"dest": name}
    others = flags[1:] if "dest" in more else ()
    parser.add_argument(name, *others, type=plain, metavar=metavar, help=what, **more)


def id_option(parser: ArgumentParser) -> None:
    what = f"{TASK}, or the provider's id"
    add_subject(parser, "task_id", "--task-id", metavar="ID", what=what, needed=True)


def add_text(add: Add, *flags: str, what: str, metavar: str | None = None) -> None:
    """An option for any text; `add` is the add_argument of a parser or a group."""
    add(*flags, type=plain, default="", metavar=metavar, help=what)


def add_flag(add: Add, flag: str | tuple[str, str], what: str) -> None:
    """An option without a value; of two names, the first is the short one."""
    names = (flag,) if isinstance(flag, str) else flag
    add(*names, action="store_true", help=what)


def add_wait(add: Add, what: str) -> None:
    """--wait, with or without a number of seconds."""
    add(
        "--wait",
        "--wait-seconds",
        nargs="?",
        type=seconds,
        const=FOREVER,
        metavar="SECONDS",
        help=what,
    )


def add_settings(parser: ArgumentParser, shown: Sequence[str] = ()) -> None:
    """The settings that the command line can override, --json and --debug.

    `shown`: those that the help of this command shows; it understands all of them.
    """
    group = parser.add_argument_group("settings and output")
    for name, option in SETTING_OPTIONS.items():
        told = option.help if name in shown else SUPPRESS
        group.add_argument(option.flag, dest=name, metavar=option.metavar, help=told)
    add = group.add_argument
    add_flag(add, "--json", "print JSON, for scripts")
    add_flag(add, "--debug", "show the log, and tracebacks")


MOST_TAKES = 100
"""Of one request by one command."""


def add_count(parser: ArgumentParser, *, file: bool = False) -> None:
    """--count and, for prompts, --file."""
    add = parser.add_argument_group("purchase").add_argument
    add(
        "-n",
        "--count",
        type=whole(1, MOST_TAKES),
        metavar="N",
        help="so many takes; the same command again goes on",
    )
    if not file:
        return
    what = "a prompt a line, or JSON; the same file goes on"
    add_text(add, "--file", metavar="FILE", what=what)
    add_flag(add, "--skip-refused", "make the other lines if some are refused")


def add_terms(parser: ArgumentParser, *, of_film: bool = False, takes: bool = True) -> None:
    """The terms of a purchase, and what happens to its result."""
    add = parser.add_argument_group("purchase").add_argument
    if takes and not of_film:
        add(
            "--take",
            type=whole(1),
            default=1,
            metavar="N",
            help="2, 3 … buy another clip of the request",
        )
    add_text(add, "--request-key", metavar="KEY", what="your own name for this one purchase")
    add("--max-cost", type=money, metavar="AMOUNT", help="refuse if all of it costs more than this")
    what = "the code from a refusal that asks for one"
    add_text(add, "--confirm", metavar="CODE", what=what)
    yes = "buy at the shown price, without a question"
    add("-y", "--yes", action="store_true", help=yes)
    add_flag(add, "--dry-run", "check and price it, and buy nothing")
    add = parser.add_argument_group("result").add_argument
    flags = ("-o", "--output", "--output-path")
    what = "also copy the clip here; - is standard output"
    add_text(add, *flags, metavar="PATH", what=what)
    add_flag(add, "--overwrite", "replace an existing file")
    add_no_keep(add)
    add_flag(add, "--no-wait", "return as soon as the provider has it")
    add("--wait-seconds", type=seconds, metavar="SECONDS", help="return after at most this long")
    add_when_done(add)


def add_when_done(add: Add) -> None:
    """What happens while a clip is made, and when it is done."""
    add_flag(add, "--open", "show the clip in a viewer when it is done")
    add_flag(add, "--preview", "show or save its contact sheet when it is done")
    add_follow(add)
    add("-q", "--quiet", action="store_true", help="print nothing but the clip's path, and errors")


def add_follow(add: Add) -> None:
    """What happens during a long wait."""
    add_flag(add, "--notify", "a desktop notification after a long wait")
    add_flag(add, "--follow", "with --json: a line for each change")


def add_no_keep(add: Add) -> None:
    add_flag(add, "--no-keep", "with -o: move the clip, keep no second copy")


def check_no_keep(args: Namespace) -> None:
    """Raise InvalidRequestError if the clip shall be moved, but not to a file."""
    if args.no_keep and args.output in ("", STANDARD):
        from hailuo_mcp.errors import Do, InvalidRequestError, Step

        where = "standard output" if args.output else "no --output"
        raise InvalidRequestError(
            f"--no-keep moves the clip to another file, but there is {where}.",
            Step(Do.TRY, "add -o and a file or a folder, or leave --no-keep out"),
        )


def terms(args: Namespace, *, approved: bool) -> Terms:
    from hailuo_mcp.views import Terms

    return Terms(
        take=getattr(args, "take", 1),
        request_key=args.request_key,
        max_cost=args.max_cost or None,
        confirm=args.confirm,
        approved=approved,
        at_hand=approved,
    )


def check_result(args: Namespace, terminal: Terminal) -> None:
    """Make room for a clip on standard output, and read --no-wait as a wait of no seconds.

    Raises:
        InvalidRequestError: what is wanted of the result contradicts itself.
    """
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    check_no_keep(args)
    if args.output == STANDARD:
        terminal.reserve_stdout()
    if args.no_wait:
        args.wait_seconds = 0.0
    if args.wait_seconds == 0 and args.output:
        raise InvalidRequestError(
            "--output cannot be combined with --no-wait or --wait-seconds 0.",
            Step(Do.TRY, "leave one of them out"),
        )


def picture(text: str) -> str:
    """A picture's path, or a reference's, from the working directory if it exists there."""
    try:
        return path if (path := output_path(text)) and Path(path).exists() else text
    except (OSError, ValueError):
        return text


def output_path(text: str) -> str:
    """A path from the working directory; a trailing slash marks a folder."""
    here = _here()
    if not text or here is None or text.lower().startswith(_ELSEWHERE):
        return text
    return os.path.join(here, text)  # noqa: PTH118  # pathlib would drop the slash


def _here() -> Path | None:
    """The working directory; None for the root folder and for one that was deleted."""
    try:
        here = Path.cwd()
    except OSError:
        return None
    return None if here == here.parent else here


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
