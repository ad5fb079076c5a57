"""config: show, set and unset the settings that are kept for this computer."""

from __future__ import annotations

import difflib
import os
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hailuo_mcp.cli import exits, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.setting_options import SETTING_OPTIONS
from hailuo_mcp.errors import ConfigError, Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.settings.config_file import Configuration, Section
    from hailuo_mcp.settings.sources import Sources

ACTIONS = ("list", "get", "set", "unset", "path", "profiles")
_OTHER_WORDS = {"ls": "list", "show": "list", "add": "set", "rm": "unset", "remove": "unset"}
_SECRETS = frozenset({"api_key", "database_url", "http_tokens", "proxies"})
_NOT_KEPT = frozenset({"profile", "proxies"})
"""The first chooses what is read; the proxies are the system's variables."""
_NUMBERS = frozenset({"budget", "unpriced_cost", "confirm_above", "rpm", "poll_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    name: str
    value: str
    """Empty for none; "set" for a secret."""
    source: str
    """option · variable · configuration · default"""
    origin: str
    """The same with its name, for a person."""


def config_options(parser: ArgumentParser) -> None:
    # What is needed is required of the parser: only then may options stand between the words.
    given: list[str] = parser.get_default("argv") or []
    action = next((it for it in map(_meant, given[1:]) if it in ACTIONS), "")
    needs = {"get": 1, "unset": 1, "set": 2}.get(action, 0)
    if action == "set" and any("=" in word for word in given[2:] if word[:1] != "-"):
        needs = 1  # budget=10; a value with that sign, as an address may have it, is read as well
    maybe: dict[str, Any] = {"nargs": "?", "default": None}
    by_default: dict[str, Any] = {"nargs": "?", "default": "list"}
    add = parser.add_argument
    add(
        "action",
        metavar="ACTION",
        help="list: every setting, its value and where it comes from (the default); get NAME; "
        "set NAME VALUE; unset NAME; profiles; path: where the file is",
        **({} if needs else by_default),
    )
    what = "a setting, as budget, HAILUO_BUDGET or output-dir"
    add("name", metavar="NAME", help=what, **({} if needs else maybe))
    what = "with set: the value to keep"
    add("value", metavar="VALUE", help=what, **({} if needs > 1 else maybe))


def config(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.settings.config_file import config_path, read_configuration

    action = _action(args)
    if action == "path":
        path = str(config_path())
        if terminal.json:
            exists = Path(path).exists()
            said = f"The configuration is {path}{'' if exists else ' (not there yet)'}."
            terminal.data({"message": said, "file": path, "exists": exists})
        else:
            terminal.say(path)
        return exits.DONE
    if action == "list":
        return _list(args, terminal)
    if action == "profiles":
        return _profiles(args, terminal)
    setting = _setting_named(args.name)
    if action == "get":
        return _get(args, setting, terminal)
    configuration = read_configuration()
    if action == "set":
        return _set(args, setting, configuration, terminal)
    return _unset(args, setting, configuration, terminal)


def _action(args: Namespace) -> str:
    given = str(args.action)
    action = _meant(given)
    if action not in ACTIONS:
        near = difflib.get_close_matches(action, ACTIONS, n=1)
        meant = f"did you mean {near[0]}?" if near else f"choose from {', '.join(ACTIONS)}."
        raise InvalidRequestError(
            f"config has no {shown(given)!r}; {meant}",
            Step(Do.TRY, f"for one setting: {words.program()} config get NAME"),
        )
    expected = {"list": 0, "path": 0, "profiles": 0, "get": 1, "unset": 1, "set": 2}[action]
    if action == "set" and args.value is None and "=" in (args.name or ""):
        args.name, _, args.value = args.name.partition("=")
    came = (args.name is not None) + (args.value is not None)
    if came != expected:
        usage = {0: "", 1: " NAME", 2: " NAME VALUE"}[expected]
        raise InvalidRequestError(
            f"That is not how config {action} is written.",
            Step(Do.TRY, f"write it as: {words.program()} config {action}{usage}"),
        )
    return action


def _meant(word: str) -> str:
    return _OTHER_WORDS.get(word.lower(), word.lower())


def _settings_by_key() -> dict[str, str]:
    """The settings that the file may have, by the names they have in it."""
    from hailuo_mcp.settings.sources import key_of
    from hailuo_mcp.settings.table import variables

    found = variables().items()
    return {key_of(variable): setting for setting, variable in found if setting not in _NOT_KEPT}


def names(*, to_change: bool) -> list[str]:
    """The settings' names in the file; a key is not changed here, but by login and logout."""
    return [key for key in _settings_by_key() if not (to_change and key == "api_key")]


def _setting_named(name: str) -> str:
    """The setting of that name: in lower case, with dashes, or as its variable."""
    wanted = name.strip().lower().replace("-", "_").removeprefix("hailuo_")
    keys = _settings_by_key()
    if setting := keys.get(wanted) or next((it for it in keys.values() if it == wanted), ""):
        return setting
    if wanted == "profile":
        raise InvalidRequestError(
            "Which profile is used is chosen for each command or server, not in the file.",
            Step(Do.TRY, "use --profile NAME, or set HAILUO_PROFILE"),
        )
    near = difflib.get_close_matches(wanted, keys, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise InvalidRequestError(
        f"{shown(name)!r} is not a setting.{meant} The settings are {', '.join(keys)}."
    )


def _gathered(args: Namespace) -> Sources:
    """The settings of this command as text, from everywhere.

    Raises:
        ConfigError: the file is broken, or who is paid cannot be said.
    """
    from hailuo_mcp.settings.config_file import read_configuration
    from hailuo_mcp.settings.table import sources_of

    given = setting_sources.given_settings(args)
    environ = setting_sources.environ_for(given, os.environ)
    try:
        return sources_of(environ, read_configuration(), given, to_show=True)
    except ConfigError as exc:
        raise setting_sources.by_option(exc, given) from None


def _list(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.settings.config_file import read_configuration

    configuration = read_configuration()
    found = _gathered(args)
    rows = _rows(found)
    unknown = unknown_keys_of(configuration)
    profile = found.section.profile
    if terminal.json:
        terminal.data(
            {
                "message": f"{_profiles_text(configuration, profile)}.",
                "file": str(configuration.path),
                "profile": profile,
                "profiles": list(configuration.profiles),
                "settings": [
                    {"name": it.name, "value": it.value, "source": it.source, "from": it.origin}
                    for it in rows
                ],
                "unknown": [place for place, _ in unknown],
            }
        )
    else:
        # Settings that nobody has touched come last: a person looks for their own.
        rows.sort(key=lambda row: row.source == "default")
        cells = [(row.name, row.value or "none", row.origin) for row in rows]
        terminal.table(("Setting", "Value", "From"), cells, wide=1, wraps=True)
        terminal.say()
        exists = configuration.path is not None and configuration.path.exists()
        terminal.say(f"File: {configuration.path}{'' if exists else ' (not there yet)'}")
        terminal.say(_profiles_text(configuration, profile))
        for place, near in unknown:
            meant = f"; did you mean {near}?" if near else "."
            terminal.paragraph("Note:", f"{place} in the file is not a setting{meant}")
    setting_sources.settings(args)  # what cannot be used is said after all is shown
    return exits.DONE


def _profiles(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.settings.config_file import read_configuration

    configuration, profile = read_configuration(), setting_sources.profile(args)
    said = _profiles_text(configuration, profile)
    if terminal.json:
        profiles = list(configuration.profiles)
        terminal.data({"message": said, "profile": profile, "profiles": profiles})
    else:
        terminal.say(said)
    return exits.DONE


def _profiles_text(configuration: Configuration, used: str) -> str:
    """Which there are, and which one this command uses."""
    if not configuration.profiles:
        return "Profiles: none"
    names = ", ".join(configuration.profiles)
    return f"Profiles: {names}; {used or 'none of them'} is used here"


def _rows(found: Sources) -> list[_Row]:
    from hailuo_mcp.settings.sources import key_of

    rows = list[_Row]()
    for setting, variable in found.variables.items():
        if setting == "proxies":
            continue
        origin = found.origin(setting)
        text = found.texts.get(setting, "")
        value = text or _default(setting, found)
        if setting in _SECRETS and text:
            value = "set"
        said = f"{origin.kind} {origin.name}"
        if origin.kind == "option":
            said = f"option {SETTING_OPTIONS[setting].flag}"
        elif origin.kind != "variable":
            in_profile = origin.name.startswith("profiles.")
            said = (
                f"{origin.kind} [profiles.{found.section.profile}]" if in_profile else origin.kind
            )
            if setting == "api_key" and text and found.section.in_keyring:
                value = "set, in the keyring"
        name = key_of(variable)
        rows.append(_Row(name=name, value=value, source=origin.kind, origin=said))
    return rows


def _default(setting: str, found: Sources) -> str:
    """The value of a setting that nobody has set."""
    from hailuo_mcp.settings.table import default_of

    if setting == "allowed_dirs":
        out = found.texts.get("output_dir") or str(default_of("output_dir"))
        return os.pathsep.join((out, str(Path.home())))
    value = default_of(setting)
    if setting == "wait_seconds":
        return "auto"
    if setting == "rpm":
        return "the plan's"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value in ("", (), frozenset()):
        return ""
    return str(value)


def unknown_keys_of(configuration: Configuration) -> list[tuple[str, str]]:
    """What is in the file and is no setting, each with the setting that was probably meant."""
    from hailuo_mcp.settings.sources import PREFIX, key_of, nearest, unknown_keys
    from hailuo_mcp.settings.table import variables

    known = tuple(variables().values())
    found = list[tuple[str, str]]()
    for profile, keys in configuration.keys().items():
        prefix = f"profiles.{profile}." if profile else ""
        for key in unknown_keys(keys, known):
            near = nearest(f"{PREFIX}{key.upper().replace('-', '_')}", known)
            found.append((f"{prefix}{shown(key)}", key_of(near)))
    return found


def _get(args: Namespace, setting: str, terminal: Terminal) -> int:
    found = _gathered(args)
    key = _key(setting)
    row = next(row for row in _rows(found) if row.name == key)
    if terminal.json:
        said = f"{row.name} is {row.value or 'not set'} ({row.origin})."
        facts = {"name": row.name, "value": row.value, "source": row.source, "from": row.origin}
        terminal.data({"message": said, **facts})
    else:
        terminal.say(row.value)
    return exits.DONE


def _set(args: Namespace, setting: str, configuration: Configuration, terminal: Terminal) -> int:
    from hailuo_mcp.cli.set_up.kept import changing_section
    from hailuo_mcp.settings.config_file import read_configuration

    if setting == "api_key":
        raise InvalidRequestError(
            "A key on a command line can be seen by others, and stays in the shell's history.",
            Step(Do.TRY, f"run {words.program()} login, which asks for it and tries it"),
        )
    section = _section(args, configuration, new=True)
    text = args.value.strip()
    if not text:
        raise InvalidRequestError(
            "An empty value counts as unset.",
            Step(Do.TRY, f"remove it: {words.program()} config unset {_key(setting)}"),
        )
    if setting in ("output_dir", "state_dir", "tenants") and not text.startswith("~"):
        text = str(Path(text).absolute())  # as with options: from the working directory
    text = _checked(setting, text, section)
    _keep_key_at_home(setting, text, section)
    key = _key(setting)
    with changing_section(section.profile) as table:
        # Again, now that nothing else changes the file: a login may have kept a key meanwhile.
        _keep_key_at_home(setting, text, _section(args, read_configuration(), new=True))
        table[key] = _as_toml(setting, text)
    new = " (new)" if section.profile and section.profile not in configuration.profiles else ""
    where = f" in profile {section.profile}{new}" if section.profile else ""
    shown_value = "set" if setting in _SECRETS else text
    _say_changed(terminal, args, setting, f"{key} is now {shown_value}{where}.", value=shown_value)
    return exits.DONE


def _unset(args: Namespace, setting: str, configuration: Configuration, terminal: Terminal) -> int:
    from hailuo_mcp.cli.set_up.kept import changing_section
    from hailuo_mcp.settings.config_file import read_configuration

    key, section = _key(setting), _section(args, configuration)
    if setting == "api_key":
        raise InvalidRequestError(
            "A key is forgotten by logging out, in the system's keyring too.",
            Step(Do.TRY, f"run {words.program()} logout"),
        )
    own = section.own if section.profile else section.texts.keys()
    if key in own:
        _keep_key_at_home(setting, "", section)
        with changing_section(section.profile) as table:
            _keep_key_at_home(setting, "", _section(args, read_configuration()))
            table.pop(key, None)
        said = f"{key} is no longer set in {section.name}."
    else:
        said = f"{key} was not set in {section.name}."
    _say_changed(terminal, args, setting, said, value="")
    return exits.DONE


def _say_changed(
    terminal: Terminal, args: Namespace, setting: str, said: str, *, value: str
) -> None:
    """What was changed, and whether something else comes before it in this shell."""
    try:
        origin = _gathered(args).origin(setting)
    except HailuoError:
        origin = None
    variable = origin.name if origin is not None and origin.kind == "variable" else ""
    if terminal.json:
        answer = {"message": said, "name": _key(setting), "value": value}
        terminal.data(answer | ({"overridden_by": variable} if variable else {}))
        return
    terminal.say(said)
    if variable:
        terminal.paragraph("Note:", f"{variable} in this shell comes first.")


def _section(args: Namespace, configuration: Configuration, *, new: bool = False) -> Section:
    """The part of the file that is changed; a profile is made, unless its name seems misspelt."""
    name = setting_sources.profile(args)
    if name and name not in configuration.profiles and configuration.nearest_profile(name):
        new = False
    try:
        return configuration.section(name, new=new)
    except ConfigError as exc:
        raise setting_sources.by_option(exc, setting_sources.given_settings(args)) from None


def _checked(setting: str, text: str, section: Section) -> str:
    """The value as it is kept.

    Raises:
        ConfigError: the setting's own type refuses it; the error names the setting.
    """
    from hailuo_mcp.dialects.providers import provider_named
    from hailuo_mcp.settings.sources import base_url_of, kept_provider
    from hailuo_mcp.settings.table import Settings, UnusableError

    try:
        if setting == "provider":
            return provider_named(text).name
        if setting == "base_url":
            private = section.texts.get("allowed_hosts_private", "")
            return base_url_of(kept_provider(section.texts), text, private)
    except ConfigError as exc:
        raise InvalidRequestError(exc.what) from None
    try:
        read = Settings.read({"provider": "sandbox", "base_url": "", setting: text})
    except UnusableError as exc:
        why = exc.flaws.get(setting) or next(iter(exc.flaws.values()))
        raise InvalidRequestError(f"This value of {_key(setting)} {why}.") from None
    return str(getattr(read, setting)) if setting in ("plan", "budget_period") else text


def _keep_key_at_home(setting: str, text: str, section: Section) -> None:
    """Refuse to make a kept key another provider's: it would be sent to a foreign host."""
    from hailuo_mcp.cli.set_up.kept import account_of

    if setting not in ("provider", "base_url") or not section.has_key:
        return
    changed = {**section.texts, setting: text}
    if account_of(section.texts) != account_of(changed):
        provider = text if setting == "provider" and text else "NAME"
        raise InvalidRequestError(
            f"The key in {section.name} belongs to the provider and address that it is kept with, "
            "so that is not changed.",
            Step(
                Do.TRY,
                f"log in there: {words.program()} login --provider {provider}; or keep both, with "
                "--profile NAME",
            ),
        )


def _as_toml(setting: str, text: str) -> object:
    """Numbers as numbers, with the digits that were typed; the rest as text."""
    import tomlkit

    if setting == "auto_download":
        return text.lower() in ("true", "1", "yes", "on", "y", "t")
    if setting in _NUMBERS:
        from decimal import Decimal

        return tomlkit.value(f"{Decimal(text):f}")
    return text


def _key(setting: str) -> str:
    from hailuo_mcp.settings import variable_of
    from hailuo_mcp.settings.sources import key_of

    return key_of(variable_of(setting))
