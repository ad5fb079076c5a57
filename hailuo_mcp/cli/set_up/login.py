"""login and logout: keep an API key for this computer after trying it, and forget it."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.set_up.key_check import Connect, other_region, try_key, typed_key
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    Do,
    HailuoError,
    InsufficientBalanceError,
    QuotaExceededError,
    RateLimitError,
    Step,
)

if TYPE_CHECKING:
    from hailuo_mcp.cli.set_up.kept import Kept
    from hailuo_mcp.dialects.dialect import Provider
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.settings.config_file import Configuration
    from hailuo_mcp.settings.sources import Sources

_KEYS = ("HAILUO_API_KEY", "MINIMAX_API_KEY")
_GOOD = (InsufficientBalanceError, QuotaExceededError, RateLimitError)
"""Errors of a key that the provider knows."""


def login_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    arguments.add_flag(
        add, "--key-stdin", "read the key from standard input: pass show minimax | …"
    )
    arguments.add_flag(add, "--no-check", "keep the key without trying it")
    what = "keep the key in the file, even if the system's keyring could be used"
    arguments.add_flag(add, "--no-keyring", what)


def login(args: Namespace, terminal: Terminal) -> int:
    from dataclasses import replace

    import anyio

    from hailuo_mcp.bootstrap import open_client
    from hailuo_mcp.settings.config_file import read_configuration
    from hailuo_mcp.settings.values import Secret

    configuration = read_configuration()
    candidates = candidates_of(setting_sources.given_settings(args), os.environ, configuration)
    first = candidates[0]
    kept_address = address_kept_before(
        setting_sources.given_settings(args), os.environ, configuration
    )
    key = ""
    if args.key_stdin or not _is_sandbox(first):
        if not (args.key_stdin or terminal.can_ask):
            raise ConfigError(
                "Nobody can type the key here.",
                Step(Do.TRY, f"write it to standard input: {words.program()} login --key-stdin"),
            )
        if kept_address:
            _warn_of_address(kept_address, terminal)
        if not args.key_stdin:
            _introduce(candidates, terminal)
        key = typed_key(terminal, "API key (it is not shown): ", from_stdin=args.key_stdin)
        _check_text(key)
    if args.no_check and len(candidates) > 1:
        raise ConfigError(
            "Which region the key belongs to is found out by trying it. Nothing was kept.",
            Step(Do.TRY, f"add {' or '.join(f'--provider {it.provider}' for it in candidates)}"),
        )
    chosen = first
    if key and not args.no_check:
        tried = [replace(it, api_key=Secret(key)) for it in candidates]
        try:
            chosen = anyio.run(accepting, tried, open_client)
        except AuthenticationError as exc:
            return _report_refusal(exc, candidates, terminal)
        except HailuoError as exc:
            raise _untried(exc) from exc
    kept = keep(args, chosen, configuration, key)
    _report(args, chosen, kept, key, terminal)
    return exits.DONE


def candidates_of(
    given: Mapping[str, str], environ: Mapping[str, str], configuration: Configuration
) -> list[Settings]:
    """The accounts that the key may be of, without it: one, or the company's two regions.

    Where a provider or an address is given, or an address is kept, it is that one alone.

    Raises:
        ConfigError: a setting cannot be used.
    """
    found, settings = _read_without_key(given, environ, configuration)
    named = found.origin("provider").kind in ("option", "variable")
    twin = other_region(settings)
    if named or twin is None or found.origin("base_url").kind != "default":
        return [settings]
    return [settings, twin]


def address_kept_before(
    given: Mapping[str, str], environ: Mapping[str, str], configuration: Configuration
) -> str:
    """The address from the configuration that the key will be sent to; empty if the provider's own.

    Raises:
        ConfigError: a setting cannot be used.
    """
    found, settings = _read_without_key(given, environ, configuration)
    is_kept = found.origin("base_url").kind == "configuration"
    is_own = urlsplit(settings.address).hostname in _row(settings).hosts
    return settings.address if is_kept and not is_own else ""


def _read_without_key(
    given: Mapping[str, str], environ: Mapping[str, str], configuration: Configuration
) -> tuple[Sources, Settings]:
    """The settings that a login has, and where they come from."""
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.settings.table import sources_of

    environ = setting_sources.environ_for(given, environ)
    environ = {name: text for name, text in environ.items() if name not in _KEYS}
    try:
        found = sources_of(
            environ,
            configuration.without_keys(account="provider" in given),
            given,
            new_profile=True,
        )
        return found, Settings.of(found, environ)
    except ConfigError as exc:
        raise setting_sources.by_option(exc, given) from None


async def accepting(candidates: Sequence[Settings], connect: Connect) -> Settings:
    """The first of these accounts whose provider accepts the key.

    Raises:
        AuthenticationError: none does.
        HailuoError: one could not be asked, and none of the others does.
    """
    faults = list[HailuoError]()
    for settings in candidates:
        try:
            await try_key(settings, connect)
        except _GOOD:
            return settings
        except HailuoError as exc:
            faults.append(exc)
        else:
            return settings
    raise next((it for it in faults if not isinstance(it, AuthenticationError)), faults[0])


def keep(args: Namespace, settings: Settings, configuration: Configuration, key: str) -> Kept:
    """Keep the account; in the profile that these settings are read with."""
    from hailuo_mcp.cli.set_up.kept import keep_account

    return keep_account(
        settings,
        configuration.section(settings.profile, new=True),
        key,
        with_keyring=not getattr(args, "no_keyring", False),
        plan=settings.plan if args.plan else None,
    )


def logout(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli.set_up.kept import forget
    from hailuo_mcp.settings.config_file import read_configuration

    configuration = read_configuration()
    profile = setting_sources.profile(args, os.environ)
    try:
        section = configuration.section(profile)
    except ConfigError as exc:
        raise setting_sources.by_option(exc, setting_sources.given_settings(args)) from None
    said, address = list[str](), section.texts.get("base_url", "")
    if not section.has_key:
        said.append(f"No key is kept in {section.name}.")
        if address:
            unset = f"{words.program()} config unset base_url"
            said.append(f"The address {address} is still kept; {unset} forgets it.")
    elif forget(section):
        said.append(f"The key of {section.name} is forgotten.")
    else:
        said.append(
            f"The key of {section.name} is no longer used, but the system's keyring cannot be "
            "reached and may still have it. Look there for hailuo-mcp."
        )
    if section.has_key and address:
        said.append(f"The address {address}, which was kept with it, is forgotten too.")
    variables = [name for name in _KEYS if os.environ.get(name, "").strip()]
    if variables:
        said.append(f"{' and '.join(variables)} in this shell still gives one.")
    others = [
        name or "the top of the file"
        for name in ("", *configuration.profiles)
        if name != profile and configuration.section(name).has_key
    ]
    if others:
        said.append(f"Keys are still kept in: {', '.join(others)}.")
    if terminal.json:
        terminal.data(
            {
                "message": " ".join(said),
                "status": "logged_out" if section.has_key else "not_logged_in",
                "file": str(section.path),
                "profile": profile,
                "variables": variables,
            }
        )
    else:
        for number, line in enumerate(said):
            terminal.paragraph("Note:" if number else "", line, result=not number)
    return exits.DONE


def _is_sandbox(settings: Settings) -> bool:
    return _row(settings).is_sandbox


def _row(settings: Settings) -> Provider:
    from hailuo_mcp.dialects.providers import PROVIDERS

    return PROVIDERS[settings.provider]


def _warn_of_address(address: str, terminal: Terminal) -> None:
    terminal.paragraph(
        "Note:",
        f"the key will be used at {address}, kept before; --base-url URL or "
        f"{words.program()} config unset base_url changes that.",
        style="yellow",
    )


def _introduce(candidates: Sequence[Settings], terminal: Terminal) -> None:
    if any(it.base_url != _row(it).base_url for it in candidates):
        return  # a relay gives out keys of its own
    places = " or ".join(dict.fromkeys(_row(it).console for it in candidates))
    terminal.note(f"Keys for {' or '.join(it.provider for it in candidates)} come from {places}.")


def _check_text(key: str) -> None:
    from hailuo_mcp.cli.set_up.key_check import is_placeholder

    if not key:
        raise ConfigError("There was no key. Nothing was kept.")
    if is_placeholder(key) or key.startswith("$"):
        raise ConfigError(
            "That is the placeholder of an example, not a key. Nothing was kept.",
            Step(Do.TRY, "copy the key from the provider's page"),
        )


def _report_refusal(
    error: AuthenticationError, candidates: Sequence[Settings], terminal: Terminal
) -> int:
    """Nothing was kept; no sentence about money, since the question was a free one."""
    hosts = " and ".join(f"{it.provider} ({it.address})" for it in candidates)
    refuse = "refuse" if len(candidates) > 1 else "refuses"
    code = f" ({error.provider_code})" if error.provider_code else ""
    consoles = " or ".join(dict.fromkeys(_row(it).console for it in candidates))
    hint = f"Copy it again from {consoles}: all of it, without spaces."
    if len(candidates) == 1 and (twin := other_region(candidates[0])):
        hint += f" Keys of the other region need --provider {twin.provider}."
    said = f"{hosts} {refuse} this key{code}, so it was not kept. {hint}"
    if terminal.json:
        facts = {"code": error.code, "charged": "no", "retry": False}
        terminal.data({"message": said, "error": facts})
    terminal.paragraph("Refused:", said, style="bold red")
    return exits.REFUSED


def _untried(error: HailuoError) -> HailuoError:
    """The same error, with what became of the key."""
    kind = type(error)
    return kind(
        f"{error.what} So the key could not be tried, and was not kept.",
        *error.then,
        Step(Do.TRY, "or keep it untried with --no-check and --provider"),
    )


def _report(args: Namespace, settings: Settings, kept: Kept, key: str, terminal: Terminal) -> None:
    checked = bool(key) and not args.no_check
    overrides = _overrides(args, settings)
    notes = list[str]()
    if kept.keyring_failed:
        notes.append("the system's keyring cannot be used here, so the key is in the file.")
    if kept.plan_dropped:
        notes.append(
            f"the plan {kept.plan_dropped} belonged to the account that was kept before, and is "
            f"forgotten. {words.program()} config set plan NAME sets another."
        )
    if overrides:
        notes.append(
            f"{' and '.join(overrides)} in this shell comes first, so what was kept is not used "
            "here. Remove it from the shell's profile."
        )
    used = f" --profile {settings.profile}" if settings.profile else ""
    if not key:
        said = f"{settings.provider} is kept as the provider; it is free and needs no key."
    elif checked:
        said = f"{settings.provider} ({settings.address}) accepts the key, and it is kept."
    else:
        said = f"The key for {settings.provider} ({settings.address}) is kept, untried."
    if terminal.json:
        terminal.data(
            {
                "message": said,
                "status": "logged_in",
                "provider": settings.provider,
                "base_url": settings.address,
                "profile": settings.profile,
                "file": str(kept.path),
                "key_in": ("keyring" if kept.in_keyring else "file") if key else "",
                "checked": checked,
                "overridden_by": overrides,
                "notes": notes,
            }
        )
        return
    terminal.paragraph("", said, style="bold", result=True)
    rows = [("Configuration", str(kept.path))]
    if key:
        rows.append(("Key", "in the system's keyring" if kept.in_keyring else "in this file"))
    if settings.profile:
        rows.append(("Profile", f"{settings.profile}, used with{used}"))
    terminal.facts(rows)
    for note in notes:
        terminal.paragraph("Note:", note)


def _overrides(args: Namespace, settings: Settings) -> list[str]:
    """The variables of this shell because of which the kept account is not used."""
    from hailuo_mcp.settings.config_file import read_configuration
    from hailuo_mcp.settings.table import sources_of

    profile = {"profile": args.profile}
    found = sources_of(os.environ, read_configuration(), profile, to_show=True)
    names = list[str]()
    for setting, wanted in (("provider", settings.provider), ("base_url", settings.base_url)):
        origin = found.origin(setting)
        if found.texts[setting] != wanted and origin.kind == "variable":
            names.append(origin.name)
    if found.origin("api_key").kind == "variable":
        names.append(found.origin("api_key").name)
    return list(dict.fromkeys(names))
