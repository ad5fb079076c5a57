"""What a client is told about hailuo-mcp: how to start it, who is paid, how much at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.cli.init.client_apps import ClientApp
from hailuo_mcp.cli.init.config_file import NAME, Entry
from hailuo_mcp.cli.machine import Launcher, Machine
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, provider_named
from hailuo_mcp.domain import Unit

PLACEHOLDER = "put your key here"
ASKED_KEY = "${input:hailuo_api_key}"
_PLACEHOLDERS = ("your", "here", "xxx", "<", "…", "...", "change", "placeholder", "example")
_SUGGESTED = {Unit.CNY: "50", Unit.USD: "10", Unit.CREDITS: "100"}
"""A day's budget for somebody who named none: a handful of clips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person said; empty where nothing was."""

    env: Mapping[str, str]
    """Variables by name, as options gave them."""
    key: str = ""


def is_placeholder(key: str) -> bool:
    """Whether it is what documents put where a key belongs."""
    told = key.strip().lower()
    if not told or is_reference(told):
        return False
    return " " in told or any(sign in told for sign in _PLACEHOLDERS)


def is_reference(value: str) -> bool:
    """Whether a client puts something else in its place: ${env:X}, ${input:x}, $X."""
    return value.strip().startswith("$")


def entry_for(
    app: ClientApp, machine: Machine, start: Launcher, wishes: Wishes, existing: Entry | None
) -> Entry:
    """The entry as it should stand: what is there and works stays, what is missing is added."""
    old: Mapping[str, object] = existing.values if existing else {}
    values: dict[str, object] = {**app.wants, **old}
    if existing is None or not starts(existing, app, machine):
        values["command"] = start.command
        values["args"] = list(start.args)
    env = existing.env if existing else {}
    provider = _provider(wishes, env)
    wanted = {"HAILUO_PROVIDER": provider.name, **_key(app, provider, wishes, env)}
    wanted |= _budget(provider, wishes, env)
    missing = {name: value for name, value in wanted.items() if not env.get(name, "").strip()}
    env = {**env, **missing, **wishes.env}
    if wishes.key:
        env["HAILUO_API_KEY"] = wishes.key
    key = env.get("HAILUO_API_KEY", "")
    if provider.is_sandbox and (key == ASKED_KEY or is_placeholder(key)):
        del env["HAILUO_API_KEY"]
    values["env"] = env
    order = ("type", "command", "args", "env")
    ordered = {key: values[key] for key in order if key in values} | values
    return Entry(name=existing.name if existing else NAME, values=ordered)


def starts(entry: Entry, app: ClientApp, machine: Machine) -> bool:
    """Whether this client can start what the entry says."""
    folders = machine.app_path if app.gui else machine.path
    return bool(entry.command) and machine.resolve(entry.command, folders) is not None


def question(entry: Entry) -> Mapping[str, object] | None:
    """What the client asks the person once, where the entry refers to an answer."""
    if ASKED_KEY not in entry.env.values():
        return None
    return {
        "type": "promptString",
        "id": "hailuo_api_key",
        "description": "API key for Hailuo video generation",
        "password": True,
    }


def without_key(entry: Entry) -> Entry:
    """The entry as it may be shown."""
    env = dict(entry.env)
    for name, value in env.items():
        if name.endswith(("_KEY", "_TOKENS")) and not is_reference(value):
            env[name] = PLACEHOLDER
    return Entry(name=entry.name, values={**entry.values, "env": env})


def _provider(wishes: Wishes, env: Mapping[str, str]) -> Provider:
    for name in (wishes.env.get("HAILUO_PROVIDER", ""), env.get("HAILUO_PROVIDER", "")):
        if name.strip() and not is_reference(name):
            return provider_named(name)
    return provider_named(DEFAULT_PROVIDER)


def _key(
    app: ClientApp, provider: Provider, wishes: Wishes, env: Mapping[str, str]
) -> dict[str, str]:
    if provider.is_sandbox or env.get("MINIMAX_API_KEY", "").strip():
        return {}
    return {"HAILUO_API_KEY": wishes.key or (ASKED_KEY if app.asks else PLACEHOLDER)}


def _budget(provider: Provider, wishes: Wishes, env: Mapping[str, str]) -> dict[str, str]:
    """A wall from the first day on; none by itself where no price is published to hold it."""
    if not provider.price_list:
        return {}
    return {
        "HAILUO_BUDGET": _SUGGESTED[_unit(provider, {**env, **wishes.env})],
        "HAILUO_BUDGET_PERIOD": "day",
    }


def _unit(provider: Provider, env: Mapping[str, str]) -> Unit:
    plan = env.get("HAILUO_PLAN", "").strip()
    try:
        return plan_unit("payg" if is_reference(plan) else plan or "payg", provider.region)
    except ValueError:  # no such plan: refused with the list of plans when all is put together
        return Unit.CNY


def unit_changed(before: Entry | None, after: Entry) -> tuple[Unit, Unit] | None:
    """The units of a budget whose number stayed while what it is counted in did not."""
    if before is None or before.env.get("HAILUO_BUDGET") != after.env.get("HAILUO_BUDGET"):
        return None
    if not after.env.get("HAILUO_BUDGET"):
        return None
    nothing = Wishes(env={})
    units = [_unit(_provider(nothing, entry.env), entry.env) for entry in (before, after)]
    return (units[0], units[1]) if units[0] is not units[1] else None
