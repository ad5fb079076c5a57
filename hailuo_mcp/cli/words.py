"""Commands to paste, quoted for the shell, and the reasons that the system gives."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from hailuo_mcp.cli.setting_options import SETTING_OPTIONS
from hailuo_mcp.text import expanded


def program() -> str:
    """How this program was called, so that a pasted command finds it again."""
    called = Path(sys.argv[0])
    if called.match("hailuo_mcp/__main__.py"):
        return f"{line([_short(sys.executable)])} -m hailuo_mcp"
    if called.stem != "hailuo-mcp":
        return "hailuo-mcp"
    return line([_short(str(called))])


def _short(path: str) -> str:
    """The bare name where the shell would find the same file."""
    found = shutil.which(name := Path(path).name)
    try:
        return name if found and Path(found).samefile(path) else path
    except OSError:
        return path


def command(args: Namespace, *words: str) -> str:
    """A command to paste, with the settings that were given as options."""
    options = list[str]()
    for name, option in SETTING_OPTIONS.items():
        if (value := getattr(args, name, None)) is not None:
            options += [option.flag, str(value)]
    return f"{program()} {line([*words, *options])}"


_PER_PURCHASE = {
    "confirm": "",
    "request_key": "",
    "wait_seconds": None,
    "overwrite": False,
    "no_wait": False,
    "yes": False,
}
"""Options that concern one purchase and not the next."""


def another_take(args: Namespace, *, take: int, provider: str = "") -> str:
    """The command that was typed, for another take or another provider."""
    changes: dict[str, object] = {**_PER_PURCHASE, "take": take}
    if args.output:
        changes["output"] = _beside(args.output, provider or str(take))
    if provider:
        changes |= {"provider": provider, "base_url": None}
    return retyped(args, **changes)


def retyped(args: Namespace, **changes: object) -> str:
    """The command that was typed, with other values."""
    return f"{program()} {line(args.parser.typed({**vars(args), **changes}))}"


def needs_sandbox(args: Namespace) -> bool:
    """Whether the command makes sense in the sandbox only.

    It asks for a fault, in words that a provider would refuse, or starts from a clip of its own.
    """
    from hailuo_mcp.domain.requests import IMAGE_FIELDS, REFERENCE_FIELDS

    pictures = [getattr(args, name, "") for name in IMAGE_FIELDS]
    for name in ("media_inputs", *REFERENCE_FIELDS):
        pictures += getattr(args, name, [])
    of_clip = any(text.strip().lower().startswith("task:") for text in pictures if text)
    return of_clip or "[sandbox:" in str(vars(args)).lower()


def _beside(output: str, tag: str) -> str:
    """Where another clip can go: the same folder, or a new file beside the last one."""
    path = expanded(output)
    if output == "-" or output.endswith(("/", "\\")) or path.is_dir():
        return output
    tags = itertools.chain((tag,), (f"{tag}-{number}" for number in itertools.count(2)))
    names = (path.with_name(f"{path.stem}-{tag}{path.suffix}") for tag in tags)
    return str(next(name for name in names if not name.with_suffix(".mp4").exists()))


def line(words: Sequence[str]) -> str:
    """Words as one line to paste into the shell."""
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline(words)
    return " ".join(_double(word) for word in words)


def _double(word: str) -> str:
    """Double quotes, easier to read, around text without characters special to a shell."""
    if any(c.isspace() for c in word) and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def exports(variables: Mapping[str, str]) -> list[str]:
    """Lines to paste that set variables in the shell."""
    if os.name == "nt":
        return [f'$env:{name} = "{value}"' for name, value in variables.items()]
    return ["export " + " ".join(f"{name}={shlex.quote(it)}" for name, it in variables.items())]


def count(number: int, noun: str) -> str:
    """Such as "1 task" or "3 tasks"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
