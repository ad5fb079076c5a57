"""Changes to the configuration file: a key that is kept or forgotten, a setting that is set."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hailuo_mcp.cli.set_up import toml_file
from hailuo_mcp.cli.set_up.toml_file import Document
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import system_keyring
from hailuo_mcp.settings.config_file import KEYRING, PROFILES, Section, config_path, parse
from hailuo_mcp.settings.sources import base_url_of, kept_provider

if TYPE_CHECKING:
    from hailuo_mcp.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a key is kept now."""

    path: Path
    in_keyring: bool
    keyring_failed: bool = False
    """It was tried and cannot be used, so the key is in the file."""
    plan_dropped: str = ""
    """The plan of the account that was kept before."""


@contextmanager
def changing_section(profile: str = "") -> Generator[Document]:
    """The top of the file, or a profile's table, which is made where it is missing.

    Raises:
        ConfigError: the file cannot be read or written, or is broken; nothing was changed.
    """
    import tomlkit

    path = config_path()
    with toml_file.changing(
        path, check=lambda content: parse(path, content), create=True, private=True
    ) as document:
        if not profile:
            yield document
            return
        profiles: Any = document.setdefault(PROFILES, tomlkit.table(is_super_table=True))
        if profile not in profiles:
            profiles[profile] = tomlkit.table()
        yield document[PROFILES][profile]


def keep_account(
    settings: Settings, section: Section, key: str, *, with_keyring: bool, plan: str | None = None
) -> Kept:
    """Keep provider and address with their key; an empty key stays away.

    `section`: what the file says so far. `plan`: the one that was given with the key.

    Raises:
        ConfigError: the file cannot be written; nothing was changed.
    """
    row = PROVIDERS[settings.provider]
    name = system_keyring.entry_name(section.profile, row.name, settings.address)
    safe = bool(key) and with_keyring and system_keyring.is_installed()
    in_keyring = safe and system_keyring.keep_key(name, key)
    other = (
        section.texts.get("plan", "")
        if account_of(section.texts) != (row.name, settings.address)
        else ""
    )
    with changing_section(section.profile) as table:
        table["provider"] = row.name
        _put(table, "base_url", settings.base_url if settings.base_url != row.base_url else "")
        _put(table, "api_key", "" if in_keyring else key)
        _put(table, KEYRING, in_keyring)
        if other or plan:
            _put(table, "plan", plan or "")
    if section.in_keyring and (entry := entry_of(section)) != name:
        system_keyring.forget_key(entry)
    return Kept(
        path=config_path(),
        in_keyring=in_keyring,
        keyring_failed=safe and not in_keyring,
        plan_dropped="" if plan else other,
    )


def forget(section: Section) -> bool:
    """Forget the key in the file and in the keyring; False if the keyring may still have it.

    Its address goes too: a key that is kept later may be meant for another one.
    """
    gone = not section.in_keyring or system_keyring.forget_key(entry_of(section))
    with changing_section(section.profile) as table:
        _put(table, "api_key", "")
        _put(table, KEYRING, value=False)
        _put(table, "base_url", "")
    return gone


def entry_of(section: Section) -> str:
    """Under which name the keyring has the key of this section."""
    provider, address = account_of(section.texts)
    return system_keyring.entry_name(section.profile, provider, address)


def account_of(texts: Mapping[str, str]) -> tuple[str, str]:
    """The provider and the address that are kept; empty where they are of no use."""
    try:
        row = kept_provider(texts)
        private = texts.get("allowed_hosts_private", "")
        return row.name, base_url_of(row, texts.get("base_url", ""), private) or row.base_url
    except ConfigError:
        return "", ""


def _put(table: Document, key: str, value: object) -> None:
    if value:
        table[key] = value
    else:
        table.pop(key, None)
