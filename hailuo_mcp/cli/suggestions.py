"""What a person probably meant: other programs' words, near misses, a prompt alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hailuo_mcp.cli.command import COMMANDS, command_named
from hailuo_mcp.cli.setting_options import SETTING_OPTIONS

PROGRAM = "hailuo-mcp"
MEANT: Mapping[str, tuple[str, ...]] = {
    "generate": ("create", "make", "run", "new", "buy", "gen", "video", "clip", "prompt", "render"),
    "cancel ID": ("rm", "delete", "del", "remove", "kill", "stop", "abort"),
    "estimate": ("price", "prices", "cost", "costs", "quote"),
    "tasks": ("history", "log", "logs", "jobs", "queue"),
    "tasks --watch": ("watch", "top", "follow", "tail"),
    "query ID --wait": ("wait", "resume"),
    "show ID": ("describe", "inspect"),
    "download ID": ("fetch", "save", "pull", "copy"),
    "download ID --open": ("open", "play"),
    "preview ID": ("look", "frames", "sheet"),
    "gallery": ("browser", "browse", "web", "ui", "gui"),
    "template": ("templates",),
    "models": ("model",),
    "moves": ("move", "camera"),
    "account": ("bill", "billing", "book", "spending", "usage", "balance", "budget"),
    "login": ("auth", "auth login", "signin", "key", "setup", "configure"),
    "logout": ("auth logout", "signout"),
    "config list": ("whoami", "profiles", "profile"),
    "init": ("install", "mcp", "client", "clients"),
    "doctor": ("check", "diagnose", "test", "auth status"),
    "completion bash": ("completions", "complete"),
    "serve": ("server", "start", "http"),
}
"""By command: words that other programs have for it. ID: the task, or what stands for one."""
_UPDATES = ("update", "self-update")
_UPDATE = (
    "the program is updated as it was installed: pip install -U hailuo-mcp, "
    "pipx upgrade hailuo-mcp, or uv tool upgrade hailuo-mcp"
)
_NEAR = 0.7
_SWITCHES = frozenset({"--json", "--debug", "--quiet", "-q", "--yes", "-y", "--dry-run"})
"""Options without a value that may stand before the command."""
_WORDS_OF_A_PROMPT = 3


def with_command_first(argv: Sequence[str]) -> list[str]:
    """The same words with the command first, where options stand before it; `help X` as X --help.

    The alias of a command becomes its name. What has no command stays as it is.
    """
    given = list(argv)
    if given[:1] == ["help"]:
        given = [*given[1:], "--help"]
    elif given[:1] == ["version"]:
        given = ["--version", *given[1:]]
    found = place_of_command(given)
    if found is None:
        return given
    before, name, after = given[:found], given[found], given[found + 1 :]
    if after == ["help"]:  # one would not pay for a clip of that
        after = ["--help"]
    if before:
        end = after.index("--") if "--" in after else len(after)
        after = [*after[:end], *before, *after[end:]]
    command = command_named(name)
    return [command.name if command else name, *after]


def place_of_command(argv: Sequence[str]) -> int | None:
    """Where the first word is that is no option, and no option's value."""
    place = 0
    while place < len(argv):
        word = argv[place]
        if not word.startswith("-"):
            return place
        is_setting = any(word == option.flag for option in SETTING_OPTIONS.values())
        is_alone = word in _SWITCHES or "=" in word
        has_value = is_setting or (not is_alone and _is_value(argv, place + 1))
        place += 2 if has_value else 1
    return None


def _is_value(argv: Sequence[str], place: int) -> bool:
    """Whether the word is the value of the unknown option before it: a command comes later."""
    if place >= len(argv) or argv[place].startswith("-") or command_named(argv[place]):
        return False
    return any(command_named(word) for word in argv[place + 1 :])


def unknown_command(argv: Sequence[str], is_readable: Callable[[Sequence[str]], bool]) -> str:
    """A sentence about the first word, which is no command, and what was probably meant.

    What it tells to type can be read, by the command that is named; where the other words would
    prevent that, they are left out.
    """
    from difflib import get_close_matches

    from hailuo_mcp.cli.words import line

    word = argv[0]
    others = {other: name for name, all_of_it in MEANT.items() for other in all_of_it}
    others |= dict.fromkeys(_UPDATES, "")
    known = {it.name: it.name for it in COMMANDS}
    known |= {alias: it.name for it in COMMANDS for alias in it.aliases} | others
    for count in (2, 1):
        if (said := " ".join(argv[:count]).lower()) in others:
            return _instead(word, others[said], argv[count:], is_readable)
    end = next((i for i, it in enumerate(argv) if it.startswith("-")), len(argv))
    if not word.isascii() or any(map(str.isspace, word)) or end >= _WORDS_OF_A_PROMPT:
        typed = line([PROGRAM, "generate", " ".join(argv[:end]), *argv[end:]])
        return f"a command comes first; did you mean: {typed}"
    if near := get_close_matches(word.lower(), known, n=1, cutoff=_NEAR):
        return _instead(word, known[near[0]], argv[1:], is_readable)
    return f"unknown command {_named(word)}"


def _instead(
    word: str, meant: str, rest: Sequence[str], is_readable: Callable[[Sequence[str]], bool]
) -> str:
    from hailuo_mcp.cli.words import line

    if not meant:
        return f"unknown command {_named(word)}; {_UPDATE}"
    words, left = meant.split(), list(rest)
    if "ID" in words and left and not left[0].startswith("-"):
        words[words.index("ID")] = left.pop(0)
    typed = next((it for it in ([*words, *left], words) if is_readable(it)), meant.split())
    deleted = "; nothing that was bought is deleted" if meant.startswith("cancel") else ""
    return f"unknown command {_named(word)}{deleted}; did you mean: {line([PROGRAM, *typed])}"


def is_moment(word: str) -> bool:
    """Whether it is a date or a time, such as --since takes."""
    from argparse import ArgumentTypeError

    from hailuo_mcp.cli.dates import since

    try:
        return since(word) is not None
    except ArgumentTypeError:
        return False


def unknown_option(word: str, options: Sequence[str]) -> str:
    """The option that has this name elsewhere (the tools' table), or nearly this spelling."""
    from difflib import get_close_matches

    name = word.partition("=")[0]
    if not name.startswith("--"):
        return ""
    from hailuo_mcp.server.tools.argument_names import our_name

    begun = [option for option in options if option.startswith(name)]
    ends = [option.removeprefix("--") for option in options]
    ours = our_name(name.removeprefix("--"), [end.replace("-", "_") for end in ends])
    near = get_close_matches(name.removeprefix("--"), ends, n=1)
    if ours:
        return f"--{ours.replace('_', '-')}"
    return next(iter((*begun, *(f"--{it}" for it in near))), "")


def _named(word: str) -> str:
    from hailuo_mcp.text import shown

    return repr(shown(word))
