"""The settings of one command: options, then variables, then the configuration."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli.setting_options import SETTING_OPTIONS
from hailuo_mcp.text import expanded

if TYPE_CHECKING:
    from hailuo_mcp.errors import ConfigError, HailuoError
    from hailuo_mcp.settings import Settings


def given_settings(args: Namespace) -> dict[str, str]:
    """The settings given as options; relative folders start at the working directory."""
    given = {name: getattr(args, name, None) for name in SETTING_OPTIONS}
    return {
        name: str(_absolute(text)) if text and name.endswith("_dir") else text
        for name, text in given.items()
        if text is not None and (text or name != "filename")
    }


def _absolute(folder: str) -> Path:
    path = expanded(folder)
    return path if folder.startswith("~") else path.absolute()  # the setting refuses ~nobody


def settings(args: Namespace, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this computer, overridden by the command line's; read once for a command.

    A person agrees to a price at one provider: a file that is changed while they think must not
    make it another purchase.
    """
    from hailuo_mcp.errors import ConfigError
    from hailuo_mcp.settings import read_settings

    read: Settings | None = getattr(args, "read_settings", None)
    if read is None:
        given = given_settings(args)
        try:
            read = read_settings(environ_for(given, environ), **given)
        except ConfigError as exc:
            raise by_option(exc, given) from None
        args.read_settings = read
    return read


def profile(args: Namespace, environ: Mapping[str, str] = os.environ) -> str:
    """The profile that the command is for; empty for the top of the configuration."""
    given: str = args.profile or ""
    text = given or environ.get("HAILUO_PROFILE", "").strip()
    return "" if text.startswith("${") else text


def environ_for(given: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment beside these options: an address of another provider is left out."""
    if not _changes_provider(given, environ):
        return environ
    return {name: text for name, text in environ.items() if name != "HAILUO_BASE_URL"}


def by_option(error: ConfigError, given: Mapping[str, str]) -> ConfigError:
    """The error with the options that were typed, in place of their variables."""
    from hailuo_mcp.errors import ConfigError, Step
    from hailuo_mcp.settings import variable_of

    options = {variable_of(name): SETTING_OPTIONS[name].flag for name in given}
    parts = [(step.do, *step.about.partition("=")) for step in error.then]
    then = [Step(do, f"{options.get(name, name)}{rest}{it}") for do, name, rest, it in parts]
    return ConfigError(error.what, *then)


def by_place(error: HailuoError, args: Namespace) -> HailuoError:
    """The error with the file's keys, where it names variables that the person never set.

    A kept key is changed by logging in.
    """
    if not any(step.about.startswith("HAILUO_") for step in error.then):
        return error
    from hailuo_mcp.cli.words import program
    from hailuo_mcp.errors import Do, HailuoError, Step
    from hailuo_mcp.settings.config_file import read_configuration
    from hailuo_mcp.settings.table import sources_of, variables

    given = given_settings(args)
    try:
        found = sources_of(
            environ_for(given, os.environ), read_configuration(), given, to_show=True
        )
    except HailuoError:
        return error
    settings = {variable: name for name, variable in variables().items()}
    then = list[Step]()
    for step in error.then:
        setting = settings.get(step.about, "")
        kind = found.origin(setting).kind if setting else ""
        if setting == "api_key" and kind == "configuration" and step.do is Do.CHECK:
            profile = found.section.profile
            used = f" --profile {profile}" if profile else ""
            then.append(Step(Do.TRY, f"run {program()} login{used} with another key"))
        elif kind == "configuration" and step.do in (Do.CHECK, Do.RAISE):
            then.append(Step(step.do, found.place(setting)))
        elif kind == "option" and step.do in (Do.CHECK, Do.RAISE):
            then.append(Step(step.do, SETTING_OPTIONS[setting].flag))
        else:
            then.append(step)
    error.then = tuple(then)
    return error


def _changes_provider(given: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Whether the environment's address belongs to another provider than the one asked for.

    Otherwise --provider sandbox would buy at a real provider's address, under the name of a free
    one. An address of this computer is no provider's: it serves to try all of them.
    """
    from urllib.parse import urlsplit

    from hailuo_mcp.loopback import is_loopback

    provider = given.get("provider", "").strip().lower()
    if not provider or given.get("base_url"):
        return False
    address = environ.get("HAILUO_BASE_URL", "").strip()
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname
    except ValueError:
        host = None
    current = environ.get("HAILUO_PROVIDER", "").strip().lower()
    return not (host and is_loopback(host)) and provider != current
