"""Setting up one client: the entry is written into its file, or said to be pasted and why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hailuo_mcp.cli import words
from hailuo_mcp.cli.init import config_file, toml_edit
from hailuo_mcp.cli.init.client_apps import ClientApp
from hailuo_mcp.cli.init.config_file import ConfigFile, Entry
from hailuo_mcp.cli.init.entry import (
    PLACEHOLDER,
    Wishes,
    entry_for,
    is_placeholder,
    is_reference,
    question,
    unit_changed,
    without_key,
)
from hailuo_mcp.cli.machine import Launcher, Machine, launcher
from hailuo_mcp.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a client's file."""

    status: str
    """written · unchanged · printed (asked for) · refused (it could not be written)."""
    app: ClientApp
    path: Path
    entry: Entry
    backup: Path | None = None
    why: str = ""
    notes: tuple[str, ...] = ()

    @property
    def paste(self) -> str:
        """What to put into the file by hand, never with a key."""
        shown = without_key(self.entry)
        if self.app.is_toml:
            return toml_edit.shaped((self.app.key, shown.name), shown.values).rstrip()
        document: dict[str, object] = {self.app.key: {shown.name: shown.values}}
        if (asked := question(shown)) is not None:
            document["inputs"] = [asked]
        return json.dumps(document, ensure_ascii=False, indent=2)


def set_up(
    app: ClientApp,
    machine: Machine,
    wishes: Wishes,
    *,
    only_print: bool = False,
    clock: Callable[[], float] = time.time,
) -> Outcome:
    """Write the entry into the client's file, or say what to paste and why.

    Raises:
        ConfigError: the file is broken, or a setting cannot be used; nothing was changed.
    """
    path = app.file(machine)
    start = launcher(machine)
    try:
        now = config_file.read(app, path)
    except ConfigError:
        if not only_print:
            raise
        now = ConfigFile(app=app, path=path, text="", commented=False, document={})
    entry = entry_for(app, machine, start, wishes, now.ours)
    _check(entry)
    outcome = Outcome(
        status="printed", app=app, path=path, entry=entry, notes=_notes(app, machine, start, entry)
    )
    if (units := unit_changed(now.ours, entry)) is not None:
        told = (
            f"HAILUO_BUDGET stays {entry.env['HAILUO_BUDGET']}, which was counted in {units[0]} "
            f"and is now counted in {units[1]}. Say --budget to change it."
        )
        outcome = replace(outcome, notes=(*outcome.notes, told))
    if only_print:
        return outcome
    if now.ours is not None and now.ours.values == entry.values:
        return replace(outcome, status="unchanged")
    if now.commented:
        return replace(outcome, status="refused", why="has comments, which a program would lose")
    try:
        text = now.with_entry(entry, question(entry))
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(clock()))
        backup = config_file.write(path, text, stamp=stamp)
    except OSError as exc:
        return replace(outcome, status="refused", why=f"cannot be written ({_reason(exc)})")
    except (ValueError, TypeError):
        return replace(outcome, status="refused", why="is written in an unusual way")
    return replace(outcome, status="written", backup=backup)


def _check(entry: Entry) -> None:
    """Refuse settings that the server would refuse."""
    from hailuo_mcp.settings import Settings

    Settings.from_env({k: v for k, v in entry.env.items() if not is_reference(v)})


def _notes(app: ClientApp, machine: Machine, start: Launcher, entry: Entry) -> tuple[str, ...]:
    from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER, provider_named

    notes = list[str]()
    provider = provider_named(entry.env.get("HAILUO_PROVIDER", ""))
    if is_placeholder(entry.env.get("HAILUO_API_KEY", "")):
        notes.append(
            f'Replace "{PLACEHOLDER}" in it by your key (from {provider.console}); until then '
            "nothing can be bought. HAILUO_PROVIDER=sandbox tries everything free, without one."
        )
    if provider.is_sandbox:
        notes.append(
            "The sandbox is free: it needs no key, ignores one that is set, and its clips are "
            "imitations. For real ones, with a key: "
            f"{words.program()} init {app.name} --provider {DEFAULT_PROVIDER}."
        )
    if not provider.price_list and not entry.env.get("HAILUO_UNPRICED_COST"):
        notes.append(
            f"{provider.name} publishes no prices: a budget works only together with "
            "HAILUO_UNPRICED_COST, what a clip is to count as."
        )
    if not start.lasts and entry.command == start.command:
        notes.append(
            "hailuo-mcp runs from a temporary place now, which will be emptied some day. Install "
            "it (uv tool install hailuo-mcp, or pipx install hailuo-mcp), then run init again."
        )
    if not app.is_here(machine):
        notes.append(f"{app.title} does not seem to be installed on this computer.")
    return tuple(notes)


def _reason(exc: OSError) -> str:
    return (exc.strerror or str(exc.args[0] if exc.args else "the system refuses")).lower()
