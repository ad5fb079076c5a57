"""The entry in a client's configuration: how to start hailuo-mcp, its provider and budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hailuo_mcp.catalog.mcp_clients import ClientSetup
from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.cli.set_up.init.config_file import NAME, Entry
from hailuo_mcp.cli.set_up.key_check import is_placeholder, is_reference
from hailuo_mcp.cli.set_up.system import Launcher, System
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, provider_named
from hailuo_mcp.domain.task import Unit
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings.config_file import Configuration
from hailuo_mcp.settings.sources import Sources, key_of
from hailuo_mcp.settings.table import NO_FILE, sources_of

KEY = "HAILUO_API_KEY"
_SAME = frozenset({"HAILUO_PROVIDER", "HAILUO_BASE_URL", KEY})
_ACCOUNT = _SAME | {"HAILUO_PLAN"}
PLACEHOLDER = "put your key here"
ASKED_KEY = "${input:hailuo_api_key}"
_SUGGESTED = {Unit.CNY: "50", Unit.USD: "10", Unit.CREDITS: "100"}
"""The default daily budget: a handful of clips."""


def entry_for(
    app: ClientSetup,
    system: System,
    start: Launcher,
    given: Mapping[str, str],
    existing: Entry | None,
    configuration: Configuration = NO_FILE,
) -> Entry:
    """The entry to write: what works is kept, what is missing is added.

    What the configuration says is not repeated, above all no key: the server reads it as well.
    `given`: variables by name, as the person gave them.
    """
    old: Mapping[str, object] = existing.values if existing else {}
    values: dict[str, object] = {**app.wants, **old}
    lacks_extra = any("keyring" in arg and arg not in _args(existing) for arg in start.args)
    if existing is None or lacks_extra or not existing.can_start(app, system):
        values["command"] = start.command
        values["args"] = list(start.args)
    env = existing.env if existing else {}
    kept = kept_for({**env, **given}, configuration)
    if kept is None and given.keys().isdisjoint(_ACCOUNT) and not _works(env):
        # An entry that could not buy gives way to the account that the person has kept since.
        rest = {name: text for name, text in env.items() if name not in _ACCOUNT}
        if kept := kept_for({**rest, **given}, configuration):
            env = rest
    if kept is not None:
        env, given = (_beyond(it, kept) for it in (env, given))
        provider = provider_named(kept.texts["provider"])
        said = kept_variables(kept)
        wanted = (
            {} if "budget" in kept.section.texts else _budget(provider, {**said, **env, **given})
        )
        wanted |= _folder_of_configuration(system)
    else:
        provider = _provider({**env, **given})
        wanted = {"HAILUO_PROVIDER": provider.name, **_budget(provider, {**env, **given})}
        if not provider.is_sandbox and not env.get("MINIMAX_API_KEY", "").strip():
            wanted[KEY] = ASKED_KEY if app.asks else PLACEHOLDER
    missing = {name: value for name, value in wanted.items() if not env.get(name, "").strip()}
    env = {**env, **missing, **given}
    key = env.get(KEY, "")
    if provider.is_sandbox and (key == ASKED_KEY or is_placeholder(key)):
        del env[KEY]
    values["env"] = env
    order = ("type", "command", "args", "env")
    ordered = {name: values[name] for name in order if name in values} | values
    return Entry(name=existing.name if existing else NAME, values=ordered)


def kept_for(env: Mapping[str, str], configuration: Configuration) -> Sources | None:
    """What a server with these variables reads, if its key is kept, or the kept provider is free.

    None also where the variables have a key of their own, or choose another account.
    """
    if is_reference(key := env.get(KEY, "")) and key != ASKED_KEY:
        return None
    given = {
        name: text
        for name, text in env.items()
        if not is_reference(text) and not (name == KEY and is_placeholder(text))
    }
    try:
        found = sources_of(given, configuration, to_show=True)
    except ConfigError:
        return None  # the settings are read for good later, and the flaw is said then
    if found.origin("api_key").kind == "configuration":
        return found
    if given.get(KEY, "") and given[KEY] == found.section.texts.get("api_key"):
        without = {name: text for name, text in given.items() if name != KEY}
        return kept_for(without, configuration)  # the same key, which need not be there twice
    free = provider_named(found.texts["provider"]).is_sandbox
    return found if free and found.origin("provider").kind == "configuration" else None


def kept_variables(found: Sources) -> dict[str, str]:
    """The settings that the configuration gives, as variables."""
    return {
        found.variables[setting]: found.texts[setting]
        for setting, origin in found.origins.items()
        if origin.kind == "configuration" and setting in found.texts and setting != "api_key"
    }


def _beyond(env: Mapping[str, str], found: Sources) -> dict[str, str]:
    """What an entry for this account says beyond the configuration: no value a second time."""
    section = found.section
    return {
        name: text
        for name, text in env.items()
        if name not in _SAME and section.texts.get(key_of(name)) != text
    }


def _args(existing: Entry | None) -> tuple[str, ...]:
    return existing.args if existing else ()


def _works(env: Mapping[str, str]) -> bool:
    """Whether an entry has what it needs to buy, or was made for the free sandbox."""
    key = env.get(KEY, "").strip() or env.get("MINIMAX_API_KEY", "").strip()
    if _provider(env).is_sandbox:
        return True
    return bool(key) and key != ASKED_KEY and not is_placeholder(key)


def _folder_of_configuration(system: System) -> dict[str, str]:
    """An app does not see the shell's variable that says where the configuration is."""
    folder = system.variable("XDG_CONFIG_HOME") if system.platform == "linux" else ""
    return {"XDG_CONFIG_HOME": folder} if folder else {}


def question(entry: Entry) -> Mapping[str, object] | None:
    """The question that the client asks once, if the entry refers to its answer."""
    if ASKED_KEY not in entry.env.values():
        return None
    return {
        "type": "promptString",
        "id": "hailuo_api_key",
        "description": "API key for Hailuo video generation",
        "password": True,
    }


def without_key(entry: Entry) -> Entry:
    """The entry without secrets, to be shown."""
    env = {
        name: PLACEHOLDER
        if name.endswith(("_KEY", "_TOKENS")) and not is_reference(value)
        else value
        for name, value in entry.env.items()
    }
    return replace(entry, values={**entry.values, "env": env})


def changed_units(
    before: Entry | None, after: Entry, said: Mapping[str, str]
) -> tuple[Unit, Unit] | None:
    """The units of a budget whose number stayed the same while its unit changed.

    `said`: what the configuration says to the new entry, as variables.
    """
    budget = after.env.get("HAILUO_BUDGET")
    if before is None or not budget or before.env.get("HAILUO_BUDGET") != budget:
        return None
    old, new = (_unit(_provider(env), env) for env in (before.env, {**said, **after.env}))
    return (old, new) if old is not new else None


def _provider(env: Mapping[str, str]) -> Provider:
    name = env.get("HAILUO_PROVIDER", "").strip()
    return provider_named(name if name and not is_reference(name) else DEFAULT_PROVIDER)


def _budget(provider: Provider, env: Mapping[str, str]) -> dict[str, str]:
    """A default budget; none for a provider that publishes no prices."""
    if not provider.price_list:
        return {}
    return {"HAILUO_BUDGET": _SUGGESTED[_unit(provider, env)], "HAILUO_BUDGET_PERIOD": "day"}


def _unit(provider: Provider, env: Mapping[str, str]) -> Unit:
    plan = env.get("HAILUO_PLAN", "").strip()
    try:
        return plan_unit("payg" if is_reference(plan) else plan or "payg", provider.region)
    except (
        ValueError
    ):  # an unknown plan is refused with the list of plans when the settings are read
        return Unit.CNY
