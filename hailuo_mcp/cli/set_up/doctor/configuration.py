"""Whether the configuration file can be used, who may read it, and whose key is in use."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from hailuo_mcp.cli.set_up.config import unknown_keys_of
from hailuo_mcp.cli.set_up.doctor.result import Result, note, of_error, ok, problem
from hailuo_mcp.cli.words import count, program
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings.config_file import Configuration, is_open_to_others, read_configuration
from hailuo_mcp.settings.sources import LIMITS, Sources
from hailuo_mcp.settings.table import NO_FILE, sources_of

_CHECK = "configuration"


def read_for_check(path: Path | None = None) -> tuple[Configuration, list[Result]]:
    """The configuration, empty if it is broken, and what is wrong with it as a file."""
    try:
        configuration = read_configuration(path)
    except ConfigError as exc:
        return NO_FILE, [of_error(_CHECK, exc)]
    file = configuration.path
    if file is None or not file.exists():
        return configuration, [ok(_CHECK, f"none kept ({file}); {program()} login keeps a key")]
    results = list(_about(configuration, file))
    return configuration, results


def _about(configuration: Configuration, file: Path) -> Iterator[Result]:
    profiles = configuration.profiles
    named = f", with {count(len(profiles), 'profile')}: {', '.join(profiles)}" if profiles else ""
    yield ok(_CHECK, f"{file}{named}")
    if is_open_to_others(file):
        yield problem(
            _CHECK,
            f"Other users of this computer can read {file}, which may hold your key.",
            f"Run: chmod 600 {shlex.quote(str(file))}",
        )
    for place, near in unknown_keys_of(configuration):
        said = f"{place} in {file} is not a setting and does nothing"
        if near in LIMITS:
            yield problem(_CHECK, f"{said}; did you mean {near}?", f"Rename it to {near}.")
        elif near:
            yield note(_CHECK, f"{said}; did you mean {near}?", f"Rename it to {near}.")
        else:
            yield note(_CHECK, f"{said}.", f"Remove it; {program()} config lists the settings.")


def check_account(
    configuration: Configuration, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> Iterator[Result]:
    """Which profile is in use, and where the key comes from; nothing where settings are flawed."""
    try:
        found = sources_of(environ, configuration, overrides, to_show=True)
    except ConfigError:
        return  # the settings' own check says so
    section = found.section
    if section.profile:
        yield ok("profile", f"{section.profile}, by {_by(found)}")
    if found.texts["provider"] == "sandbox":
        return
    origin = found.origin("api_key")
    if origin.kind == "variable":
        yield ok("key", f"from {origin.name}")
        if section.has_key:
            yield note(
                "key",
                f"{origin.name} comes before the key in {section.name}, which is not used.",
                f"Remove {origin.name} to use that one.",
            )
    elif origin.kind == "configuration":
        kept = "the system's keyring" if section.in_keyring else str(section.path)
        yield ok("key", f"from {kept}")
    elif section.has_key:
        chosen = [found.origin(it) for it in ("provider", "base_url")]
        names = " and ".join(it.name for it in chosen if it.kind in ("option", "variable"))
        yield note(
            "key",
            f"The key in {section.name} is of another provider or address than {names} chooses, "
            "so it is not used.",
        )


def login_of(
    configuration: Configuration, environ: Mapping[str, str], overrides: Mapping[str, object]
) -> str:
    """The command that keeps another key, if the key in use is a kept one."""
    try:
        found = sources_of(environ, configuration, overrides, to_show=True)
    except ConfigError:
        return ""
    if found.origin("api_key").kind != "configuration":
        return ""
    profile = found.section.profile
    return f"{program()} login{f' --profile {profile}' if profile else ''}"


def _by(found: Sources) -> str:
    origin = found.origin("profile")
    return "--profile" if origin.kind == "option" else origin.name
