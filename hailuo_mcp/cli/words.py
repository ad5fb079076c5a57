"""Commands to paste, in the words of the shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path

SETTINGS = ("provider", "base_url", "plan", "budget", "output_dir", "state_dir")
"""The settings that are options too. The key is not: command lines are seen by other processes."""

SHORT = 48
"""Characters of a prompt that tell a clip from others."""


def program() -> str:
    """How this program was called, so that a pasted command finds it again."""
    called = Path(sys.argv[0])
    if called.match("hailuo_mcp/__main__.py"):
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
    kept += ["-o", _beside(args.output, provider or str(take))] if args.output else []
    kept += ["--take", str(take)] if take > 1 else []
    kept += ["--provider", provider] if provider else []
    return f"{program()} {_quoted(kept)}"


def for_real(args: Namespace) -> str:
    """The command that was typed, without --dry-run."""
    return f"{program()} {_quoted([word for word in args.argv if word != '--dry-run'])}"


def troubled(args: Namespace) -> bool:
    """Whether the command asks the sandbox for trouble, in words that a provider would refuse."""
    return any("[sandbox:" in word.lower() for word in args.argv)


def with_prompt(argv: Sequence[str], prompt: str) -> list[str]:
    """The command line as it would be with the prompt in it that came from standard input."""
    given = f"--prompt={prompt}" if prompt.startswith("-") else prompt
    kept = list[str]()
    for word in argv:
        is_output = bool(kept) and kept[-1] in _OUTPUT
        if word not in (STANDARD, f"--prompt={STANDARD}") or is_output:
            kept.append(word)
            continue
        if kept[-1:] == ["--prompt"]:
            kept.pop()
        kept.append(given)
    return kept


def _beside(output: str, tag: str) -> str:
    """Where another clip can go: the same folder, or a file beside the last one."""
    path = Path(output).expanduser()
    if output == STANDARD or output.endswith(("/", "\\")) or path.is_dir():
        return output
    tags = chain((tag,), (f"{tag}-{number}" for number in count(2)))
    names = (path.with_name(f"{path.stem}-{tag}{path.suffix}") for tag in tags)
    return str(next(name for name in names if not name.with_suffix(".mp4").exists()))


STANDARD = "-"
"""Standard input or output, in place of a text or a file."""
_OUTPUT = ("-o", "--output", "--output-path")
_PER_PURCHASE = (*_OUTPUT, "--take", "--confirm", "--request-key", "--wait-seconds")
_FLAGS_PER_PURCHASE = ("--overwrite", "--no-wait", "--yes")
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
        if word.startswith("-o") or word in _FLAGS_PER_PURCHASE:
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
