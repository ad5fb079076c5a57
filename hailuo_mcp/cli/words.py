"""Words of the command line: commands to paste, and the tools' sentences in its own terms."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SETTINGS = ("provider", "base_url", "plan", "budget", "output_dir", "state_dir")
"""The settings that are options too. The key is not: command lines are seen by other processes."""

_SPOKEN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\bcall query_task with task_id \"?(\w+)\"?"), r"run: hailuo-mcp query \1"),
    (re.compile(r"\bdownload_video with task_id \"?(\w+)\"?"), r"hailuo-mcp download \1"),
    (
        re.compile(r"\brepeat this call unchanged with confirm='(\w+)'"),
        r"repeat this command with --confirm \1 (or --yes)",
    ),
    (re.compile(r"\bgenerate_from_template\b"), "hailuo-mcp template"),
    (re.compile(r"\bgenerate_video\b"), "hailuo-mcp generate"),
    (re.compile(r"\bquery_task\b"), "hailuo-mcp query"),
    (re.compile(r"\blist_tasks\b"), "hailuo-mcp tasks"),
    (re.compile(r"\bdownload_video\b"), "hailuo-mcp download"),
    (re.compile(r"\bestimate_cost\b"), "hailuo-mcp estimate"),
    (re.compile(r"\bcancel_task\b"), "hailuo-mcp cancel"),
    (
        re.compile(
            r"\b(first_frame_image|last_frame_image|subject_image|fast_pretreatment|request_key"
            r"|max_cost)\b"
        ),
        lambda found: "--" + found[1].replace("_", "-"),
    ),
    (re.compile(r"\bprompt_optimizer\b"), "the prompt optimizer"),
    (re.compile(r"\boutput_path\b"), "OUTPUT"),
    (re.compile(r"\bthis server\b"), "hailuo-mcp"),
)

_COMMAND = re.compile(
    r"\bhailuo-mcp (?=(?:generate|template|query|tasks|download|estimate|settle)\b)"
)


def spoken(message: str) -> str:
    """A sentence written for an agent, in the command line's words."""
    for pattern, words in _SPOKEN:
        message = pattern.sub(words, message)
    return _COMMAND.sub(lambda _: f"{program()} ", message)


def program() -> str:
    """How this program was called, so that a pasted command finds it again."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{_quoted([_short(sys.executable)])} -m hailuo_mcp"
    if called.stem != "hailuo-mcp":
        return "hailuo-mcp"
    return _quoted([_short(str(called))])


def _short(path: str) -> str:
    """The bare name where the shell would find the same file."""
    found = shutil.which(name := Path(path).name)
    try:
        return name if found and Path(found).samefile(path) else path
    except OSError:
        return path


def command(args: Namespace, *words: str) -> str:
    """A command to paste, with the settings that were given as options."""
    given = [
        part
        for name in SETTINGS
        if (value := getattr(args, name, None)) is not None
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    return f"{program()} {_quoted([*words, *given])}"


def once_more(args: Namespace, *, take: int, provider: str = "") -> str:
    """The command that was typed, for another take of the same or another provider."""
    kept = _without(args.argv, (*_PER_PURCHASE, *(_PER_PROVIDER if provider else ())))
    kept += ["--take", str(take)] if take > 1 else []
    kept += ["--provider", provider] if provider else []
    return f"{program()} {_quoted(kept)}"


_PER_PURCHASE = ("--take", "--confirm", "--request-key", "--output", "-o")
_PER_PROVIDER = ("--provider", "--base-url")


def _without(argv: Sequence[str], options: Sequence[str]) -> list[str]:
    kept, skip = list[str](), False
    for word in argv:
        name, equals, _ = word.partition("=")
        if skip:
            skip = False
            continue
        if name in options:
            skip = not equals
            continue
        if word.startswith("-o"):
            continue
        kept.append(word)
    return kept


def _quoted(words: Sequence[str]) -> str:
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline(words)
    return " ".join(_double(word) for word in words)


def _double(word: str) -> str:
    """Double quotes read better round a sentence, where nothing in it means anything to a shell."""
    if any(c.isspace() for c in word) and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def exports(variables: Mapping[str, str]) -> list[str]:
    """Lines to paste that set variables, in the shell's own words."""
    if os.name == "nt":
        return [f'$env:{name} = "{value}"' for name, value in variables.items()]
    return ["export " + " ".join(f"{name}={shlex.quote(it)}" for name, it in variables.items())]
