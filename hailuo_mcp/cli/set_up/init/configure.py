"""Configure one client: write the entry into its file, or say what to paste and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hailuo_mcp.catalog.mcp_clients import ClientSetup
from hailuo_mcp.cli import words
from hailuo_mcp.cli.set_up.init import config_file
from hailuo_mcp.cli.set_up.init.config_file import ConfigFile, Entry
from hailuo_mcp.cli.set_up.init.entry import (
    KEY,
    PLACEHOLDER,
    changed_units,
    entry_for,
    kept_for,
    kept_variables,
    question,
    without_key,
)
from hailuo_mcp.cli.set_up.key_check import is_placeholder, is_reference
from hailuo_mcp.cli.set_up.system import Launcher, System, launcher
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings.config_file import Configuration
from hailuo_mcp.settings.table import NO_FILE
from hailuo_mcp.text import system_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to a client's file."""

    status: str
    """written · unchanged · printed (as asked) · refused (it could not be written)."""
    app: ClientSetup
    path: Path
    entry: Entry
    provider: str
    """Who is paid, by the entry or by the configuration."""
    said: Mapping[str, str]
    """What the configuration says beside the entry, as variables."""
    key_kept: bool
    """The key is in the configuration, so the entry has none."""
    backup: Path | None = None
    why: str = ""
    notes: tuple[str, ...] = ()

    @property
    def paste(self) -> str:
        """What to put into the file by hand, never with a key."""
        shown = without_key(self.entry)
        return config_file.pasted(self.app, shown, question(shown))


def configure(
    app: ClientSetup,
    system: System,
    given: Mapping[str, str],
    configuration: Configuration = NO_FILE,
    *,
    only_print: bool = False,
    clock: Callable[[], float] = time.time,
) -> Outcome:
    """Write the entry into the client's file, or say what to paste and why.

    `given`: variables by name, as the person gave them. `configuration`: what the server will read
    beside its entry.

    Raises:
        ConfigError: the file is broken, or a setting cannot be used; nothing was changed.
    """
    from hailuo_mcp.settings import Settings

    path = config_file.config_path(app, system)
    section = configuration.section(given.get("HAILUO_PROFILE", ""))
    start = launcher(system, keyring=section.in_keyring)
    try:
        now = config_file.read(app, path)
    except ConfigError:
        if not only_print:
            raise
        now = ConfigFile(app=app, path=path, document={})
    entry = entry_for(app, system, start, given, now.ours, configuration)
    env = {name: text for name, text in entry.env.items() if not is_reference(text)}
    provider = Settings.from_env(env, configuration.without_keys()).provider
    kept = kept_for(entry.env, configuration)
    said = kept_variables(kept) if kept else {}
    notes = tuple(_notes(app, system, start, entry, now.ours, provider, said))
    outcome = Outcome(
        status="printed",
        app=app,
        path=path,
        entry=entry,
        provider=provider,
        said=said,
        key_kept=kept is not None and kept.section.has_key,
        notes=notes,
    )
    if only_print:
        return outcome
    if now.ours is not None and now.ours.values == entry.values:
        return replace(outcome, status="unchanged")
    if now.commented:
        return replace(outcome, status="refused", why="has comments, which this program would lose")
    try:
        text = now.with_entry(entry, question(entry))
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(clock()))
        backup = config_file.write(path, text, stamp=stamp)
    except OSError as exc:
        why = f"cannot be written ({system_reason(exc)})"
        return replace(outcome, status="refused", why=why)
    except (ValueError, TypeError):
        return replace(outcome, status="refused", why="is written in an unusual way")
    return replace(outcome, status="written", backup=backup)


def _notes(
    app: ClientSetup,
    system: System,
    start: Launcher,
    entry: Entry,
    before: Entry | None,
    provider_name: str,
    said: Mapping[str, str],
) -> Iterator[str]:
    from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, provider_named

    provider = provider_named(provider_name)
    if is_placeholder(entry.env.get(KEY, "")):
        yield (
            f"Until there is a key (from {provider.console}), nothing can be bought. Run "
            f"{words.program()} login, which keeps it, and then this again; or replace "
            f'"{PLACEHOLDER}" in the file. HAILUO_PROVIDER=sandbox is free and needs no key.'
        )
    if provider.is_sandbox:
        yield (
            "The sandbox is free: it needs no key, ignores one that is set, and its clips are "
            "imitations. For real clips, with a key: "
            f"{words.program()} init {app.name} --provider {DEFAULT_PROVIDER}."
        )
    if not provider.price_list and not (
        entry.env.get("HAILUO_UNPRICED_COST") or said.get("HAILUO_UNPRICED_COST")
    ):
        yield (
            f"{provider.name} publishes no prices: a budget works only together with "
            "HAILUO_UNPRICED_COST, the amount that each clip counts as."
        )
    if not start.lasts and entry.command == start.command:
        yield (
            "hailuo-mcp runs from a temporary folder that may be emptied at any time. Install it "
            "(uv tool install hailuo-mcp, or pipx install hailuo-mcp), then run init again."
        )
    if start.lasts and before is not None and entry.command != start.command:
        yield (
            f"The entry starts {entry.command}, which works, and is not this installation "
            f"({start.command}). For this one, remove the entry and run init again."
        )
    key = entry.env.get(KEY, "")
    if key and not is_reference(key) and not is_placeholder(key):
        yield (
            f"The key stands in {app.title}'s own file. {words.program()} login keeps it where "
            "only you can read it, and init then leaves it out here (for a second account: "
            "--profile NAME with both)."
        )
    if not config_file.is_installed(app, system):
        yield f"{app.title} does not seem to be installed on this computer."
    if units := changed_units(before, entry, said):
        yield (
            f"HAILUO_BUDGET stays {entry.env['HAILUO_BUDGET']}, which was an amount in {units[0]} "
            f"and is now one in {units[1]}. Use --budget to change it."
        )
