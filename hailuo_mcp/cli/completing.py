"""What the Tab key offers: commands, options and their values, in a tenth of a second.

The shell starts the program with _ARGCOMPLETE set and reads what it writes on descriptor 8. Nothing
else is written: whatever goes wrong, the shell offers nothing.
"""

from __future__ import annotations

import os
import threading
from argparse import Action, Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hailuo_mcp.cli.command import COMMANDS, command_named
from hailuo_mcp.cli.setting_options import SETTING_OPTIONS

if TYPE_CHECKING:
    from hailuo_mcp.cli.parsing import Parser
    from hailuo_mcp.journal.recent import Recent

_LONGEST_SECONDS = 0.8
"""After this time a person waits for the key: a database that is far away completes nothing."""
_FILES = frozenset(
    {"output", "script", "file", "csv", "base_video", "output_dir", "state_dir", "media_inputs"}
)
_PICTURES = frozenset(
    {
        *("first_frame_image", "last_frame_image", "subject_image", "images"),
        *("reference_images", "reference_videos", "media_inputs"),
    }
)
_IDS = frozenset({"task_id", "task_ids", "others", "compare_with", "film_id"})
_NEEDED_STATES: Mapping[str, tuple[str, ...]] = {
    "settle": ("unconfirmed",),
    "cancel": ("pending", "submitting", "queued", "running", "film"),
    "upgrade": ("saved", "unsaved"),
    "preview": ("saved", "saved film", "unsaved", "film"),
}
"""By command: the states in which a task is worth naming; all others take any."""
_OF_CONFIG = frozenset(("config", dest) for dest in ("action", "name", "value"))
_OF_MODEL = frozenset({"resolution", "duration", "durations"})
_WITH_CLIP = ("saved", "unsaved")
_NAMED_PLACES = 5
"""How many of @last, @-2 … are offered."""

Found = Mapping[str, str] | Iterable[str]
"""Values with what they mean, or without."""


def complete() -> None:
    """Answer the shell and end the process."""
    watchdog = threading.Timer(_LONGEST_SECONDS, os._exit, (0,))
    watchdog.daemon = True
    watchdog.start()
    if "_ARC_DEBUG" not in os.environ:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with suppress(Exception):
        from argcomplete.completers import SuppressCompleter
        from argcomplete.finders import CompletionFinder
        from argcomplete.lexers import split_line

        line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
        words = split_line(line, point)[3][int(os.environ["_ARGCOMPLETE"]) :]

        class Finder(CompletionFinder):
            """Offers each option in one spelling: another one only where it was begun."""

            def _include_options(self, action: Action, cword_prefix: str) -> list[str]:
                begun = [it for it in action.option_strings if it.startswith(cword_prefix)]
                return begun if action.nargs == 0 else begun[:1]

            def quote_completions(
                self, completions: list[str], cword_prequote: str, last_wordbreak_pos: int | None
            ) -> list[str]:
                # Bash breaks words at @ as well, but keeps one that begins a word.
                whole = all(it.startswith("@") for it in completions)
                pos = None if whole else last_wordbreak_pos
                quoted = super().quote_completions(completions, cword_prequote, pos)
                if len(quoted) == 1 or not _only_lists():
                    return quoted
                told = self._display_completions
                return [f"{it}  ({why})" if (why := told.get(it, "")) else it for it in quoted]

        finder = Finder()
        finder(_parser(words), always_complete_options=False, default_completer=SuppressCompleter())
    os._exit(0)


def _only_lists() -> bool:
    """Whether bash shows the values and inserts none: at the second Tab, which is 63 ("?")."""
    asked = os.environ.get("_ARGCOMPLETE_SHELL"), os.environ.get("COMP_TYPE")
    return asked == ("bash", "63")


def _parser(words: list[str]) -> Parser:
    """All commands, and the options of the one that is named."""
    from hailuo_mcp.cli.arguments import add_settings
    from hailuo_mcp.cli.parsing import Parser
    from hailuo_mcp.cli.suggestions import PROGRAM, place_of_command

    top = Parser(prog=PROGRAM, allow_abbrev=False)
    top.add_argument("-V", "--version", action="version", help="show the version")
    for row in SETTING_OPTIONS.values():
        option = top.add_argument(row.flag, metavar=row.metavar, help=row.help)
        _add_completer(option, "")
    place = place_of_command(words)
    typed = words[place] if place is not None else ""
    commands: Any = top.add_subparsers(metavar="COMMAND", parser_class=Parser)
    commands.add_parser("help", help="show the help of a command").add_argument(
        "command", choices=[command.name for command in COMMANDS]
    )
    for command in COMMANDS:
        one: Parser = commands.add_parser(command.name, help=command.summary, allow_abbrev=False)
        if command is not command_named(typed):
            continue
        if typed != command.name:
            one = commands.add_parser(typed, help=command.summary, allow_abbrev=False)
        one.set_defaults(argv=words)
        command.options(one)
        add_settings(one, shown=command.settings)
        for action in one.actions():
            _add_completer(action, command.name)
    return top


def _add_completer(action: Action, command: str) -> None:
    if action.choices is None and (find := _finder(action.dest, command)):
        action.completer = find  # type: ignore[attr-defined]  # where argcomplete looks


def _finder(dest: str, command: str) -> Callable[..., Found] | None:
    """What completes an argument of this name."""

    def ids(prefix: str, parsed_args: Namespace, **_: object) -> Found:
        return _ids(prefix, _recent(parsed_args), command, films_only=dest == "film_id")

    def pictures(prefix: str, parsed_args: Namespace, **_: object) -> Found:
        if not prefix.startswith("task:"):
            return _files(prefix)
        tasks = [it for it in _recent(parsed_args) if it.state in _WITH_CLIP]
        frame = "" if dest == "reference_videos" else "#last"
        return {f"task:{it.known_as}{frame}": _about(it) for it in tasks}

    def of_line(prefix: str, parsed_args: Namespace, **_: object) -> Found:
        if command == "config":
            return _of_config(dest, prefix, parsed_args)
        return _sizes_and_lengths(parsed_args)[0 if dest == "resolution" else 1]

    if (command, dest) == ("models", "name"):
        dest = "model"

    def plain(prefix: str, **_: object) -> Found:
        return _files(prefix) if dest in _FILES else _VALUES[dest](prefix)

    kinds: list[tuple[Callable[..., Found], bool]] = [
        (of_line, (command, dest) in _OF_CONFIG or dest in _OF_MODEL),
        (ids, dest in _IDS),
        (pictures, dest in _PICTURES),
        (plain, dest in _FILES or dest in _VALUES),
    ]
    return next((find for find, fits in kinds if fits), None)


def _ids(prefix: str, found: list[Recent], command: str, *, films_only: bool) -> Found:
    states = _NEEDED_STATES.get(command, ())
    fitting = [
        it for it in found if (not states or it.state in states) and (it.is_film or not films_only)
    ]
    named = {it.known_as: _about(it) for it in fitting}
    if prefix and not prefix.startswith("@"):
        return named
    places = {it.known_as: place for place, it in enumerate(found[:_NAMED_PLACES], 1)}
    known = [it for it in fitting if it.known_as in places]
    at = {places[it.known_as]: _about(it) for it in known}
    return named | {"@last" if place == 1 else f"@-{place}": what for place, what in at.items()}


def _about(it: Recent) -> str:
    return f"{it.state}: {it.prompt}" if it.prompt else it.state


def _recent(args: Namespace) -> list[Recent]:
    """The newest tasks of the journal that the command would use."""
    from hailuo_mcp.journal.recent import recent_in_database, recent_in_file

    kept = _configuration(args)
    if url := os.environ.get("HAILUO_DATABASE_URL", "") or str(kept.get("database_url", "")):
        return recent_in_database(url)
    given = getattr(args, "state_dir", None) or os.environ.get("HAILUO_STATE_DIR", "")
    folder = given or str(kept.get("state_dir", ""))
    if not folder:
        from platformdirs import user_state_path

        folder = str(user_state_path("hailuo-mcp", appauthor=False))
    return recent_in_file(Path(folder).expanduser() / "journal.sqlite3")


def _configuration(args: Namespace) -> dict[str, Any]:
    """What config.toml says at the top, and in the profile that is chosen over that."""
    table = _config_file()
    profiles: dict[str, Any] = table.get("profiles", {})
    chosen = getattr(args, "profile", None) or os.environ.get("HAILUO_PROFILE", "")
    return {**table, **profiles.get(chosen, {})}


def _config_file() -> dict[str, Any]:
    from platformdirs import user_config_path

    path = user_config_path("hailuo-mcp", appauthor=False) / "config.toml"
    if not path.is_file():
        return {}
    import tomllib

    with path.open("rb") as file:
        return tomllib.load(file)


def _files(prefix: str) -> list[str]:
    """Files and folders as a shell completes them."""
    folder, begun = os.path.split(prefix)
    with suppress(OSError), os.scandir(Path(folder or ".").expanduser()) as entries:
        shown = [it for it in entries if it.name.startswith(begun)]
        return sorted(
            os.path.join(folder, it.name) + ("/" if it.is_dir() else "")  # noqa: PTH118  keeps ~
            for it in shown
            if begun or not it.name.startswith(".")
        )
    return []


def _moves(prefix: str) -> Found:
    """Camera moves, in a bracket that is open within a prompt."""
    begin, bracket, begun = prefix.rpartition("[")
    if not bracket or "]" in begun:
        return []
    from hailuo_mcp.catalog.camera_moves import moves

    before, comma, _ = begun.rpartition(",")
    lead = f"{begin}[{before}{comma}{' ' if comma else ''}"
    return {f"{lead}{move.english}]": move.group for move in moves()}


def _models(prefix: str) -> Found:
    """Models by their names, and as people call them where such a name was begun."""
    from hailuo_mcp.catalog.video_models import models

    found = dict[str, str]()
    for model in models():
        modes = ", ".join(mode.value for mode in model.modes)
        found[model.name] = modes
        short = model.name.removeprefix("MiniMax-")
        for name in (short, *model.aliases) if prefix else ():
            if " " not in name and name.lower().startswith(prefix.lower()):
                found[prefix + name[len(prefix) :]] = f"{model.name}: {modes}"
    return found


def _sizes_and_lengths(args: Namespace) -> tuple[list[str], list[str]]:
    """What the model of this command line makes, or any model."""
    from hailuo_mcp.catalog.video_models import find_model, lengths, resolutions

    model = find_model(getattr(args, "model", None) or "")
    if model is None:
        return resolutions(), [str(seconds) for seconds in lengths()]
    size = str(getattr(args, "resolution", None) or "").upper()
    sizes, found = set[str](), set[int]()
    for rules in model.modes.values():
        sizes |= rules.sizes.keys()
        for name, seconds in rules.sizes.items():
            found |= set(seconds) if size in ("", name.upper()) else set()
    return [it for it in resolutions() if it in sizes], [str(it) for it in sorted(found)]


def _sums(prefix: str) -> Found:
    """What an account book is summed by, several with commas between them."""
    from hailuo_mcp.cli.follow.account import BY

    before, comma, _ = prefix.rpartition(",")
    return [f"{before}{comma}{name}" for name in BY if name not in before.split(",")]


def _of_config(dest: str, prefix: str, args: Namespace) -> Found:
    from hailuo_mcp.cli.set_up.config import ACTIONS, names

    action = str(getattr(args, "action", "")).lower()
    if dest == "action":
        return ACTIONS
    if dest == "name":
        return names(to_change=action != "get") if action in ("get", "set", "unset") else []
    if action != "set":
        return []
    setting = str(getattr(args, "name", "") or "").lower().replace("-", "_")
    setting = setting.removeprefix("hailuo_")
    if setting.endswith("_dir"):
        return _files(prefix)
    find = _SETTING_VALUES.get(setting)
    return find(prefix) if find else []


def _templates(_: str) -> Found:
    from hailuo_mcp.catalog.video_templates import REGIONS, templates

    return {it.template_id: it.title for region in REGIONS for it in templates(region)}


def _providers(_: str) -> Found:
    from hailuo_mcp.dialects.providers import PROVIDERS

    return list(PROVIDERS)


def _plans(_: str) -> Found:
    from hailuo_mcp.catalog.prices import plans

    return [plan.name for plan in plans()]


def _statuses(_: str) -> Found:
    from hailuo_mcp.domain.task import STATUS_WORDS

    return [str(word) for word in STATUS_WORDS]


def _modes(_: str) -> Found:
    from hailuo_mcp.domain.requests import Mode

    return [mode.value for mode in Mode]


def _clients(_: str) -> Found:
    from hailuo_mcp.catalog.mcp_clients import client_setups

    return {app.name: app.title for app in client_setups()}


def _profiles(_: str) -> Found:
    return list(_config_file().get("profiles", {}))


_VALUES: Mapping[str, Callable[[str], Found]] = {
    "prompt": _moves,
    "model": _models,
    "by": _sums,
    "template_id": _templates,
    "provider": _providers,
    "plan": _plans,
    "status": _statuses,
    "mode": _modes,
    "client": _clients,
    "profile": _profiles,
    "image_fit": lambda _: ["crop", "pad"],
    "aspect_ratio": lambda _: ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"],
}
"""By argument; task ids, pictures, sizes and files are found otherwise."""
_SETTING_VALUES: Mapping[str, Callable[[str], Found]] = {
    "provider": _providers,
    "plan": _plans,
    "budget_period": lambda _: ["day", "month", "total"],
    "auto_download": lambda _: ["true", "false"],
    "wait_seconds": lambda _: ["auto"],
}
"""What config set offers, by setting."""
