"""Where each setting comes from: option, variable, configuration, default; and whose key it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from hailuo_mcp.dialects import providers
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.settings import system_keyring
from hailuo_mcp.settings.config_file import ACCOUNT, Configuration, Section
from hailuo_mcp.settings.values import names
from hailuo_mcp.text import shown

PREFIX = "HAILUO_"
LIMITS = ("budget", "budget_period", "unpriced_cost", "confirm_above")
_APART = (*ACCOUNT, "profile", "https_proxy")
"""Keys that are read by themselves, or not from the file."""
_LAST_RESORTS = {"api_key": "MINIMAX_API_KEY", "base_url": "MINIMAX_API_HOST"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting comes from."""

    kind: Literal["option", "variable", "configuration", "default"]
    name: str = ""
    """The setting, the variable, or the key of the file with its profile."""


DEFAULT = Origin("default")


@dataclass(kw_only=True)
class Sources:
    """The settings as text, before they are read, and where each comes from."""

    section: Section
    texts: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """By setting."""
    origins: dict[str, Origin] = field(default_factory=dict[str, Origin])
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """The variable of each setting."""

    def put(self, setting: str, text: str, origin: Origin) -> None:
        self.texts[setting] = text
        self.origins[setting] = origin

    def origin(self, setting: str) -> Origin:
        return self.origins.get(setting, DEFAULT)

    def place(self, setting: str) -> str:
        """What to check if this setting cannot be used: its variable, or its place in the file."""
        origin = self.origin(setting)
        return origin.name if origin.kind == "configuration" else self.variables[setting]

    def named(self, error: ConfigError) -> ConfigError:
        """The error with the places of the file, where it names variables that nobody set."""
        settings = {variable: setting for setting, variable in self.variables.items()}
        then = [
            Step(step.do, self.place(settings[step.about]))
            if step.do is Do.CHECK and step.about in settings
            else step
            for step in error.then
        ]
        return ConfigError(error.what, *then)


def key_of(variable: str) -> str:
    """How a setting with this variable is called in the file."""
    return variable.removeprefix(PREFIX).lower()


def is_set(text: str) -> bool:
    """An empty value and an unsubstituted ${VAR} count as unset.

    Clients start servers with both: elevenlabs-mcp#102 is about a literal `${user_config.x}`.
    """
    text = text.strip()
    return bool(text) and not (text.startswith("${") and text.endswith("}"))


def gather(
    environ: Mapping[str, str],
    configuration: Configuration,
    options: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    new_profile: bool = False,
    to_show: bool = False,
) -> Sources:
    """Collect the settings from all sources.

    `options` and `variables`: by setting, the value that was given and the variable's name.
    `new_profile`: the profile need not exist. `to_show`: nothing is done with the settings, so the
    keyring is not asked for the key, and a misspelt limit is not refused.

    Raises:
        ConfigError: a limit is misspelt, or provider, address, profile or keyring is of no use.
    """
    given = {
        name: text.strip()
        for name, text in environ.items()
        if name.startswith((PREFIX, "MINIMAX_")) and is_set(text)
    }
    if not to_show:
        _refuse_misspelt_limits(given, variables.values())
    profile = options.get("profile") or given.get(variables["profile"], "")
    section = configuration.section(profile, new=new_profile)
    if not to_show:
        _refuse_misspelt_keys(section, variables.values())
    found = Sources(section=section, variables=variables)
    for setting, variable in variables.items():
        if setting in options:
            found.put(setting, options[setting], Origin("option", setting))
        elif variable in given:
            found.put(setting, given[variable], Origin("variable", variable))
        elif (key := key_of(variable)) in section.texts and key not in _APART:
            found.put(setting, section.texts[key], Origin("configuration", section.place(key)))
    try:
        _add_account(found, given, to_show=to_show)
    except ConfigError as exc:
        raise found.named(exc) from None
    return found


def _add_account(found: Sources, given: Mapping[str, str], *, to_show: bool) -> None:
    """Provider, address, key and plan.

    A kept key belongs to the provider and the address that it is kept with. Where an option or a
    variable chooses another, neither the key nor anything else of that account is used.
    """
    section, chosen = found.section, found.texts.get("provider", "")
    kept = {key: section.texts[key] for key in ACCOUNT if key in section.texts}
    private = found.texts.get("private_hosts", "")
    if not _is_kept_account(found, kept, private):
        kept = {}
    for setting in ("provider", "base_url", "plan"):
        if setting in kept and setting not in found.texts:
            found.put(setting, kept[setting], Origin("configuration", section.place(setting)))
    if section.has_key and kept:
        last = dict[str, str]()  # these would send the kept key elsewhere, or are below it
    else:
        last = {name: given[it] for name, it in _LAST_RESORTS.items() if it in given}
    if chosen := found.texts.get("provider", ""):
        row = providers.provider_named(chosen)
    else:
        row = _provider_of(found, section, last)
    found.texts["provider"] = row.name
    if row.minimax_env and "base_url" not in found.texts and "base_url" in last:
        found.put("base_url", last["base_url"], Origin("variable", _LAST_RESORTS["base_url"]))
    found.texts["base_url"] = base_url_of(row, found.texts.get("base_url", ""), private)
    if row.is_sandbox:  # it needs none; a placeholder from an example must not be refused
        found.texts.pop("api_key", None)
        found.origins.pop("api_key", None)
    elif "api_key" not in found.texts:
        _add_key(found, row, kept, last if row.minimax_env else {}, to_show=to_show)


def _add_key(
    found: Sources,
    row: Provider,
    kept: Mapping[str, str],
    last: Mapping[str, str],
    *,
    to_show: bool,
) -> None:
    section = found.section
    if key := kept.get("api_key"):
        found.put("api_key", key, Origin("configuration", section.place("api_key")))
    elif kept and section.in_keyring:
        name = entry_of(section.profile, row, found)
        key = "kept" if to_show else system_keyring.read_key(name)
        found.put("api_key", key, Origin("configuration", section.place("keyring")))
    elif key := last.get("api_key"):
        found.put("api_key", key, Origin("variable", _LAST_RESORTS["api_key"]))


def entry_of(profile: str, row: Provider, found: Sources) -> str:
    """Under which name the keyring has the key of this account."""
    return system_keyring.entry_name(profile, row.name, found.texts["base_url"] or row.base_url)


def _provider_of(found: Sources, section: Section, last: Mapping[str, str]) -> Provider:
    """The provider, where none is named: whose address is given, or the kept one's, or a default.

    With a given address that no provider is known by, it is the kept provider that is asked there.
    """
    for url, origin in (
        (found.texts.get("base_url", ""), found.origin("base_url")),
        (last.get("base_url", ""), Origin("variable", _LAST_RESORTS["base_url"])),
    ):
        if url and (row := providers.provider_for(url)):
            found.origins["provider"] = origin
            return row
        if url and (kept := section.texts.get("provider")):
            found.origins["provider"] = Origin("configuration", section.place("provider"))
            return providers.provider_named(kept)
    return providers.PROVIDERS[providers.DEFAULT_PROVIDER]


def _is_kept_account(found: Sources, kept: Mapping[str, str], private: str) -> bool:
    """Whether the options and variables leave the kept account as it is."""
    chosen, address = found.texts.get("provider", ""), found.texts.get("base_url", "")
    if not kept.keys() - {"plan"} or not (chosen or address):
        return True
    try:
        own = kept_provider(kept)
        at = base_url_of(own, kept.get("base_url", ""), private) or own.base_url
    except ConfigError:
        return False
    row = providers.provider_named(chosen) if chosen else providers.provider_for(address) or own
    if row.name != own.name:
        return False
    return not address or (base_url_of(row, address, private) or row.base_url) == at


def kept_provider(kept: Mapping[str, str]) -> Provider:
    """Whose account is kept: the named provider, or the one that the kept address belongs to."""
    if name := kept.get("provider"):
        return providers.provider_named(name)
    found = providers.provider_for(url) if (url := kept.get("base_url", "")) else None
    return found or providers.PROVIDERS[providers.DEFAULT_PROVIDER]


def base_url_of(provider: Provider, text: str = "", private: str = "") -> str:
    """Where a provider is, by the address that was given; empty where none is needed.

    `private`: the private hosts that may be reached, separated by commas.
    """
    if (provider.is_sandbox or provider.caveat) and not text:
        return ""  # unset; giving the same URL explicitly means something else
    if provider.is_sandbox and not is_loopback(urlsplit(text).hostname or ""):
        raise ConfigError(
            "The sandbox runs only on this computer, but the base URL points elsewhere.",
            Step(Do.ARRANGE, "remove the base URL, or choose the provider that it belongs to"),
            Step(Do.CHECK, "HAILUO_BASE_URL"),
        )
    hosts = frozenset(names(private))
    return providers.clean_base_url(provider, text or provider.base_url, private_hosts=hosts)


def nearest(name: str, variables: Iterable[str], cutoff: float = 0.6) -> str:
    """Which of these variables an unknown one was meant to be; empty for none."""
    known = {variable.removeprefix(PREFIX): variable for variable in variables}
    from difflib import get_close_matches

    near = get_close_matches(name.removeprefix(PREFIX), known, n=1, cutoff=cutoff)
    return known[near[0]] if near else ""


def unknown_keys(keys: Iterable[str], variables: Iterable[str]) -> list[str]:
    """Those keys of the file that are not settings."""
    known = {key_of(variable) for variable in variables if variable.startswith(PREFIX)}
    return [key for key in keys if key not in (known - {"profile"}) | {"keyring"}]


def _refuse_misspelt_limits(given: Iterable[str], variables: Iterable[str]) -> None:
    """A misspelt spending limit is refused: the person believes that it protects them."""
    known = tuple(variables)
    for name in given:
        if name.startswith(PREFIX) and name not in known:
            meant = nearest(name, known, cutoff=0.8)
            if meant.removeprefix(PREFIX).lower() in LIMITS:
                raise ConfigError(
                    f"{name} is not a setting, so it limits nothing.",
                    Step(Do.ARRANGE, f"rename it to {meant}, or remove it"),
                )


def _refuse_misspelt_keys(section: Section, variables: Iterable[str]) -> None:
    known = tuple(variables)
    for key in unknown_keys(section.texts, known):
        meant = key_of(nearest(f"{PREFIX}{key.upper().replace('-', '_')}", known, cutoff=0.8))
        if meant in LIMITS:
            raise ConfigError(
                f"{shown(section.place(key), 300)} is not a setting, so it limits nothing.",
                Step(Do.ARRANGE, f"rename it to {meant}, or remove it"),
            )
