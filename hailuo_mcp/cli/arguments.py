"""Options that several commands share, and what their values may be."""

from __future__ import annotations

import math
import os
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.cli.words import SETTINGS
from hailuo_mcp.errors import ConfigError, InvalidRequestError
from hailuo_mcp.text import is_number

if TYPE_CHECKING:
    from hailuo_mcp.cli.terminal import Terminal
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.views import Terms

_ELSEWHERE = ("data:", "http:", "https:", "file:", "~")


def whole(least: int, most: int = 1_000_000) -> Callable[[str], int]:
    """A whole number in a range."""

    def read(text: str) -> int:
        try:
            number = int(_written(text))
        except ValueError:
            raise ArgumentTypeError(f"{text[:40]!r} is not a whole number") from None
        if not least <= number <= most:
            raise ArgumentTypeError(f"must lie between {least} and {most:,}")
        return number

    return read


def seconds(text: str) -> float:
    try:
        number = float(_written(text))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ArgumentTypeError(f"{text[:40]!r} is not a number of seconds")
    return number


def money(text: str) -> Decimal:
    try:
        amount = Decimal(_written(text))
    except (ValueError, InvalidOperation):
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ArgumentTypeError(f"{text[:40]!r} is not an amount such as 2 or 0.5")
    return amount


def _written(text: str) -> str:
    if not is_number(text):
        raise ValueError
    return text


def plain(text: str) -> str:
    """Text of any language; bytes that are no text at all could not be stored or sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("has bytes that are not text in this terminal's encoding") from None
    return text


_LONGEST_PROMPT = 100_000
"""Characters; far more than any prompt has, so that an endless input ends."""


def standard_input(terminal: Terminal) -> str:
    """The prompt that another program writes, or a person types.

    Raises:
        InvalidRequestError: nothing came, or nothing that is text.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        terminal.note("Type the prompt, then Enter and Ctrl-D (on Windows Ctrl-Z and Enter).")
    try:
        text = plain(sys.stdin.read(_LONGEST_PROMPT)) if sys.stdin else ""
    except (UnicodeDecodeError, ArgumentTypeError):
        raise InvalidRequestError(
            "What came on standard input is not text in this terminal's encoding. Nothing was "
            "sent or charged. Write it as UTF-8."
        ) from None
    if not (text := text.strip().removeprefix("\ufeff")):
        raise InvalidRequestError(
            "There was no prompt on standard input. Nothing was sent or charged. Write for "
            'example: echo "A fox in the snow" | hailuo-mcp generate -'
        )
    return text


def add_subject(
    parser: ArgumentParser, *names: str, metavar: str, what: str, needed: bool = False
) -> None:
    """What a command is about: by its place, or by a name, such as the tool's for it."""
    named = [name for name in names if name.startswith("-")]
    long, short = ({n for n in named if n.startswith("--") is so} for so in (True, False))
    given: list[str] = parser.get_default("argv") or []
    if any(text.partition("=")[0] in long or text[:2] in short for text in given):
        parser.add_argument(*named, dest=names[0], type=plain, metavar=metavar, help=what)
    elif needed:
        parser.add_argument(names[0], type=plain, metavar=metavar, help=what)
    else:
        parser.add_argument(names[0], nargs="?", default="", type=plain, metavar=metavar, help=what)


def add_settings(parser: ArgumentParser) -> None:
    """The settings that a command line may overrule, --json and --debug."""
    group = parser.add_argument_group(
        "settings",
        "Each wins over its variable, HAILUO_PROVIDER and so on. Keys are only variables.",
    )
    group.add_argument("--provider", metavar="NAME", help="who is paid; sandbox is free")
    group.add_argument("--base-url", metavar="URL", help="where the provider is")
    group.add_argument("--plan", metavar="PLAN", help="payg, basic, advanced, plus, enterprise …")
    group.add_argument("--budget", metavar="AMOUNT", help="the most that may be spent per period")
    group.add_argument("--output-dir", metavar="FOLDER", help="where clips go")
    group.add_argument("--state-dir", metavar="FOLDER", help="where the journal is")
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print the tool's own result")
    group.add_argument(
        "--debug",
        action="store_true",
        help="show the log, and the traceback of an unexpected error",
    )


def add_terms(parser: ArgumentParser) -> None:
    """What a buyer says beside what is bought."""
    group = parser.add_argument_group("purchase")
    group.add_argument(
        "--take", type=whole(1), default=1, metavar="N", help="2, 3 … buy another clip of the same"
    )
    group.add_argument(
        "--request-key", type=plain, default="", metavar="KEY", help="names one purchase for good"
    )
    group.add_argument(
        "--max-cost", type=money, metavar="AMOUNT", help="refuse if it costs more than this"
    )
    group.add_argument(
        "--confirm", type=plain, default="", metavar="CODE", help="the code of a refusal that asked"
    )
    group.add_argument(
        "--yes", action="store_true", help="agree to a price above HAILUO_CONFIRM_ABOVE"
    )
    group.add_argument("--dry-run", action="store_true", help="check and price it, and buy nothing")
    group = parser.add_argument_group("result")
    group.add_argument(
        "-o",
        "--output",
        "--output-path",
        type=plain,
        default="",
        metavar="PATH",
        help="copy the clip here as well; - is standard output",
    )
    group.add_argument("--overwrite", action="store_true", help="replace what is there")
    group.add_argument(
        "--no-wait", action="store_true", help="come back as soon as the provider has it"
    )
    group.add_argument(
        "--wait-seconds",
        type=seconds,
        metavar="SECONDS",
        help="come back after so long, whatever it has come to by then",
    )


def terms(args: Namespace, *, approved: bool) -> Terms:
    from hailuo_mcp.views import Terms

    return Terms(
        take=args.take,
        request_key=args.request_key,
        max_cost=args.max_cost or None,
        confirm=args.confirm,
        approved=approved,
        at_hand=approved,
    )


def settings(args: Namespace, environ: Mapping[str, str] = os.environ) -> Settings:
    """The environment's settings with the command line's on top."""
    from hailuo_mcp.settings import Settings

    given: dict[str, str | None] = {name: getattr(args, name, None) for name in SETTINGS}
    for name in ("output_dir", "state_dir"):
        if folder := given[name]:
            given[name] = str(Path(folder).expanduser().absolute())
    if _changes_provider(given, environ):
        environ = {name: text for name, text in environ.items() if name != "HAILUO_BASE_URL"}
    try:
        return Settings.from_env(environ, **given)
    except ConfigError as exc:
        raise ConfigError(_by_option(str(exc), given)) from None


def _by_option(message: str, given: Mapping[str, str | None]) -> str:
    """What is said of a variable, said of the option that was typed in its place."""
    for name in [name for name, value in given.items() if value is not None]:
        option = f"--{name.replace('_', '-')}"
        message = re.sub(rf"\bHAILUO_{name.upper()}\b( \(or {option}\))?", option, message)
    return message


def _changes_provider(given: Mapping[str, str | None], environ: Mapping[str, str]) -> bool:
    """Whether the environment's address belongs to another provider than the one asked for.

    Otherwise --provider sandbox would buy at a real provider's address, under the name of a free
    one. An address of this computer is no provider's: whoever set it tries all of them there.
    """
    provider = (given["provider"] or "").strip().lower()
    if not provider or given["base_url"]:
        return False
    address = environ.get("HAILUO_BASE_URL", "").strip()
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname
    except ValueError:
        host = None
    here = host in ("localhost", "127.0.0.1", "::1")
    return not here and provider != environ.get("HAILUO_PROVIDER", "").strip().lower()


def picture(text: str) -> str:
    """A picture's path as it is meant here: relative to where the person stands, if it is there."""
    here = _here()
    if not text or here is None or text.lower().startswith(_ELSEWHERE):
        return text
    try:
        return str(here / text) if (here / text).exists() else text
    except (OSError, ValueError):
        return text


def place(text: str) -> str:
    """Where a clip is to go: relative to where the person stands; an ending slash says folder."""
    here = _here()
    if not text or here is None or text.lower().startswith(_ELSEWHERE):
        return text
    return os.path.join(here, text)  # noqa: PTH118  # pathlib would drop the slash


def _here() -> Path | None:
    """The working directory; not the root of everything, and not one that is gone."""
    try:
        here = Path.cwd()
    except OSError:
        return None
    return None if here == here.parent else here
