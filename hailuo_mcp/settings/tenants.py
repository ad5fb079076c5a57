"""The file of tenants: who they are, and which settings each has of its own."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import cast
from urllib.parse import urlsplit

from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.providers import PROVIDERS, provider_named
from hailuo_mcp.domain.task import TENANT, Unit
from hailuo_mcp.errors import ConfigError, Do, HailuoError, Step
from hailuo_mcp.loopback import is_loopback
from hailuo_mcp.settings.sources import base_url_of
from hailuo_mcp.settings.table import Settings, UnusableError
from hailuo_mcp.settings.values import Secret
from hailuo_mcp.text import shown, system_reason

KEYS = (
    *("tokens", "provider", "api_key_env", "plan", "budget", "budget_period", "rpm"),
    *("confirm_above", "folder"),
)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_RPM = 100_000
_AMOUNTS = ("budget", "confirm_above")
_PLACE = re.compile(r"\(at ([^()]*)\)")

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant, with its own settings on top of the operator's."""

    name: str
    tokens: frozenset[bytes]
    """The digests of its tokens."""
    settings: Settings
    """`budget` is its own alone; None if its table has none."""
    rpm: int | None
    """Its own part of the account's limit."""
    folder: str
    """Its clips' folder: a full path, or one below the server's place, separated by "/"."""
    shared_budget: tuple[Decimal, str] | None
    """The operator's budget and period, where they count for this tenant's account."""

    @property
    def caller(self) -> str:
        return f"{TENANT}{self.name}"

    @property
    def unit(self) -> Unit:
        return _unit(self.settings)


def read_tables(path: Path) -> tuple[bytes, dict[str, Table]]:
    """The file's bytes and its tables, by tenant; keys, types and tokens are checked.

    Raises:
        ConfigError: it cannot be read or used.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise _unusable(f"The file of tenants cannot be read ({system_reason(exc)}).") from exc
    return content, parse_tables(content)


def parse_tables(content: bytes) -> dict[str, Table]:
    """The same for the file's content."""
    try:
        document = tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise _unusable("The file of tenants is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as exc:
        # Its place, without the text around it.
        place = _PLACE.search(str(exc))
        where = f" ({place[1]})" if place else ""
        raise _unusable(f"The file of tenants is not valid TOML{where}.") from None
    if unknown := [key for key in document if key != "tenants"]:
        raise _unusable(
            f"The file of tenants has {shown(unknown[0])!r}, but only tables [tenants.NAME] "
            "belong there."
        )
    tables = document.get("tenants", {})
    if not isinstance(tables, dict):
        raise _unusable("In the file of tenants, 'tenants' is not a table.")
    owners: dict[str, str] = {}
    for name, table in cast("dict[str, object]", tables).items():
        check_name(name)
        if not isinstance(table, dict):
            raise _unusable(f"Tenant {name} is not a table.")
        _check_table(name, cast("Table", table))
        for token in hashes_of(cast("Table", table)):
            if token in owners:
                both = f"Tenants {owners[token]} and {name} have" if owners[token] != name else ""
                raise _unusable(f"{both or f'Tenant {name} has'} the same token twice.")
            owners[token] = name
    return cast("dict[str, Table]", tables)


def check_name(name: str) -> None:
    """Raise ConfigError if no tenant may be named so."""
    if not NAME.fullmatch(name):
        raise _unusable(
            f"{shown(name)!r} is no name for a tenant: lower-case letters, digits, - and _, at "
            "most 40, and a letter or digit first."
        )


def hashes_of(table: Table) -> Sequence[str]:
    """The hashes of a table's tokens, as they are written."""
    return cast("Sequence[str]", table.get("tokens", ()))


def tenants_of(
    tables: Mapping[str, Table], operator: Settings, environ: Mapping[str, str]
) -> dict[str, Tenant]:
    """Each tenant by name, with settings derived from the operator's.

    Raises:
        ConfigError: a table cannot be used; the error names the tenant and the key.
    """
    return {name: tenant_of_table(name, tables[name], operator, environ) for name in tables}


def folders_and_limits(path: Path, settings: Settings) -> tuple[dict[str, str], dict[str, int]]:
    """By caller, the folder and the submits per minute that a table gives.

    Raises:
        ConfigError: the file cannot be read or used.
    """
    _, tables = read_tables(path)
    folders = {f"{TENANT}{n}": _folder(n, table, settings) for n, table in tables.items()}
    rpm = {f"{TENANT}{n}": cast("int", it["rpm"]) for n, it in tables.items() if "rpm" in it}
    return folders, rpm


def tenant_of_table(
    name: str, table: Table, operator: Settings, environ: Mapping[str, str]
) -> Tenant:
    """See tenants_of."""
    try:
        provider = provider_named(str(table.get("provider", operator.provider)))
    except HailuoError:
        raise _flawed(name, "provider", "is not a provider") from None
    folder = _folder(name, table, operator)
    texts = {key: str(table[key]) for key in ("plan", "budget_period", *_AMOUNTS) if key in table}
    try:
        read = Settings.read({"provider": provider.name, **texts})
    except UnusableError as exc:
        key, why = next(iter(exc.flaws.items()))
        raise _flawed(name, key, why) from None
    at_home = is_loopback(urlsplit(operator.base_url).hostname or "")
    if provider.name != operator.provider and not at_home:
        # An address of this computer is no provider's: it serves to try all of them.
        base_url = base_url_of(provider)
    else:
        base_url = operator.base_url
    settings = replace(
        operator,
        **{
            "provider": provider.name,
            "base_url": base_url,
            "api_key": _key(name, table, provider, operator, environ),
            "output_dir": operator.output_dir / folder,
            "budget": None,
            "rpm": 0,
            **{key: getattr(read, key) for key in texts},
        },
    )
    _check_wall(name, table, settings, operator)
    rpm = table.get("rpm")
    return Tenant(
        name=name,
        tokens=frozenset(bytes.fromhex(text.removeprefix("sha256:")) for text in hashes_of(table)),
        settings=settings,
        rpm=rpm if isinstance(rpm, int) else None,
        folder=folder,
        shared_budget=_shared_budget(settings, operator),
    )


def check_values(name: str, table: Table) -> None:
    """Check a table as far as that is possible without the server's settings.

    Raises:
        ConfigError: it could be used with no settings.
    """
    _check_table(name, table)
    # Whether it needs a key of its own depends on the server's provider.
    variable = str(table.get("api_key_env", "KEY"))
    anybody = Settings.from_env({"HAILUO_PROVIDER": "sandbox"})
    tenant_of_table(name, {**table, "api_key_env": variable}, anybody, {variable: "a key"})


def _check_table(name: str, table: Table) -> None:
    for key, value in table.items():
        if key not in KEYS:
            near = f"; the keys are {', '.join(KEYS)}"
            raise _flawed(name, shown(key), f"is not a key of a tenant{near}")
        if why := _wrong(key, value):
            raise _flawed(name, key, why)
    if "budget_period" in table and "budget" not in table:
        raise _flawed(name, "budget_period", "limits nothing without a budget")


def _wrong(key: str, value: object) -> str:
    """Why a value has the wrong type; empty if it has not."""
    if key == "tokens":
        good = isinstance(value, list) and all(
            isinstance(one, str) and _HASH.fullmatch(one) for one in cast("list[object]", value)
        )
        return "" if good else "is not a list of hashes such as sha256:<64 hexadecimal digits>"
    if key == "rpm":
        whole = isinstance(value, int) and not isinstance(value, bool)
        fits = whole and 1 <= cast("int", value) <= _MOST_RPM
        return "" if fits else f"is not a whole number from 1 to {_MOST_RPM}"
    if key in _AMOUNTS:
        good = isinstance(value, int | float | str) and not isinstance(value, bool)
        return "" if good else "is not an amount such as 50 or 0.5"
    return "" if isinstance(value, str) and value.strip() else "is not text"


def _key(
    name: str,
    table: Table,
    provider: Provider,
    operator: Settings,
    environ: Mapping[str, str],
) -> Secret | None:
    """The tenant's key; the operator's is never shown to another provider."""
    variable = table.get("api_key_env")
    if variable is not None:
        if not _VARIABLE.fullmatch(str(variable)):
            raise _flawed(
                name,
                "api_key_env",
                "is not the name of a variable; the key itself does not belong in this file",
            )
        if not (key := environ.get(str(variable), "").strip()):
            raise _flawed(name, "api_key_env", f"names {variable}, which is not set")
        return Secret(key)
    if provider.name == operator.provider:
        return operator.api_key
    if provider.is_sandbox:
        return None
    raise _flawed(
        name,
        "provider",
        "is another one than the server's, so the tenant needs api_key_env: the server's key is "
        "never sent to another provider",
    )


def _folder(name: str, table: Table, operator: Settings) -> str:
    """A full path of this system, or a folder below the operator's by any system's reading."""
    if (text := table.get("folder")) is None:
        return ""
    parts, output_dir = PureWindowsPath(str(text)).parts, operator.output_dir
    full = Path(str(text)).expanduser()
    if full.is_absolute() and ".." not in full.parts:
        if operator.bucket:
            raise _flawed(name, "folder", "is a full path, and clips are kept in a bucket")
        return str(full)
    absolute = PurePosixPath(str(text)).is_absolute() or PureWindowsPath(str(text)).anchor
    folder = output_dir.joinpath(*parts)
    if absolute or ".." in parts or not _is_within(folder, output_dir):
        raise _flawed(name, "folder", "is not a path below the server's folder for clips")
    if ".hailuo" in parts:
        raise _flawed(name, "folder", "is one that the server keeps for itself")
    return "/".join(parts)


def _is_within(folder: Path, above: Path) -> bool:
    """Whether it is there, symbolic links resolved as far as they exist."""
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(above))


def _check_wall(name: str, table: Table, settings: Settings, operator: Settings) -> None:
    if operator.budget is None or "budget" in table:
        return
    if _unit(settings) != _unit(operator):
        raise _flawed(
            name,
            "budget",
            f"is missing: this tenant pays in {_unit(settings)}, so the server's budget in "
            f"{_unit(operator)} could not limit it",
        )


def _shared_budget(settings: Settings, operator: Settings) -> tuple[Decimal, str] | None:
    """On an account of its own, a tenant's own budget takes the place of the operator's."""
    if operator.budget is None or _unit(settings) != _unit(operator):
        return None
    if settings.budget is not None and _account(settings) != _account(operator):
        return None
    return operator.budget, operator.budget_period


def _account(settings: Settings) -> tuple[str, str, str]:
    return settings.provider, settings.address, settings.key


def _unit(settings: Settings) -> Unit:
    return plan_unit(settings.plan, PROVIDERS[settings.provider].region)


def _flawed(name: str, key: str, why: str) -> ConfigError:
    return _unusable(f"Tenant {name}: {key} {why}.")


def _unusable(what: str) -> ConfigError:
    return ConfigError(what, Step(Do.CHECK, "HAILUO_TENANTS"))
