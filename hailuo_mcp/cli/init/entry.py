"""The entry in a client's configuration: how to start hailuo-mcp, its provider and budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hailuo_mcp.catalog.mcp_clients import ClientSetup
from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.cli.init.config_file import NAME, Entry
from hailuo_mcp.cli.system import Launcher, System
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, provider_named
from hailuo_mcp.domain import Unit

KEY = "HAILUO_API_KEY"
PLACEHOLDER = "put your key here"
ASKED_KEY = "${input:hailuo_api_key}"
_PLACEHOLDERS = ("your", "here", "xxx", "<", "…", "...", "change", "placeholder", "example")
_SUGGESTED = {Unit.CNY: "50", Unit.USD: "10", Unit.CREDITS: "100"}
"""The default daily budget: a handful of clips."""


def is_placeholder(key: str) -> bool:
    """Whether it is a placeholder that documents show instead of a key."""
    text = key.strip().lower()
    if not text or is_reference(text):
        return False
    return " " in text or any(sign in text for sign in _PLACEHOLDERS)


def is_reference(value: str) -> bool:
    """Whether the client replaces it when it starts the server: ${env:X}, ${input:x}, $X."""
    return value.strip().startswith("$")


def entry_for(
    app: ClientSetup,
    system: System,
    start: Launcher,
    given: Mapping[str, str],
    existing: Entry | None,
) -> Entry:
    """The entry to write: what works is kept, what is missing is added.

    `given`: variables by name, as the person gave them.
    """
    old: Mapping[str, object] = existing.values if existing else {}
    values: dict[str, object] = {**app.wants, **old}
    if existing is None or not existing.can_start(app, system):
        values["command"] = start.command
        values["args"] = list(start.args)
    env = existing.env if existing else {}
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


def changed_units(before: Entry | None, after: Entry) -> tuple[Unit, Unit] | None:
    """The units of a budget whose number stayed the same while its unit changed."""
    budget = after.env.get("HAILUO_BUDGET")
    if before is None or not budget or before.env.get("HAILUO_BUDGET") != budget:
        return None
    old, new = (_unit(_provider(entry.env), entry.env) for entry in (before, after))
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
