"""Whether the settings say what was meant: misspelt, empty, unsubstituted, unusable."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from hailuo_mcp.cli.doctor.finding import Finding, note, ok, problem
from hailuo_mcp.cli.init.entry import is_placeholder
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings, nearest_variable, variable_of
from hailuo_mcp.wording.person import error_text

_FREE = frozenset(row.name for row in PROVIDERS.values() if row.is_sandbox)
_PREFIX = "HAILUO_"
_FALLBACKS = ("MINIMAX_API_KEY", "MINIMAX_API_HOST")


def known_variables() -> tuple[str, ...]:
    return tuple(variable_of(field) for field in Settings.model_fields)


def check_settings(
    environ: Mapping[str, str], overrides: Mapping[str, object]
) -> tuple[Settings | None, list[Finding]]:
    """The settings, if they can be used at all, and what is odd about the variables."""
    chosen = overrides.get("provider")
    given = {**environ, "HAILUO_PROVIDER": str(chosen)} if chosen else environ
    findings = check_variables(given)
    known = known_variables()
    environ = {name: text for name, text in environ.items() if not _nearest(name, known)}
    try:
        settings = Settings.from_env(environ, **overrides)
    except ConfigError as exc:
        return None, [
            *findings,
            problem("settings", error_text(exc), "Correct it, then run this again."),
        ]
    findings.append(ok("settings", _summary(settings)))
    provider = PROVIDERS[settings.provider]
    if settings.budget is None and not provider.is_sandbox:
        findings.append(
            note(
                "budget",
                "Nothing limits what may be spent.",
                "Set HAILUO_BUDGET, for example 50, and HAILUO_BUDGET_PERIOD (day, month, total).",
            )
        )
    if settings.budget is not None and not provider.price_list and settings.unpriced_cost is None:
        findings.append(
            problem(
                "budget",
                f"{provider.name} publishes no prices, so the budget refuses every clip.",
                "Set HAILUO_UNPRICED_COST to what a clip is to count as.",
            )
        )
    return settings, findings


def check_variables(environ: Mapping[str, str], where: str = "") -> list[Finding]:
    """Misspelt, empty, unsubstituted and unreplaced ones; never shows a value."""
    findings = list[Finding]()
    known = known_variables()
    there = f" in {where}" if where else ""
    free = environ.get("HAILUO_PROVIDER", "").strip().lower() in _FREE
    for name, value in sorted(environ.items()):
        text = value.strip()
        near = _nearest(name, known)
        if near or (name.startswith(_PREFIX) and name not in known):
            findings.append(_unknown(name, there, near))
        elif name not in (*known, *_FALLBACKS):
            continue
        elif not text:
            findings.append(note("settings", f"{name}{there} is empty and counts as unset."))
        elif text.startswith("${") and text.endswith("}") and not where:
            findings.append(
                note(
                    "settings",
                    f"{name} is {text[:60]}, which nobody has put a value for; it counts as unset.",
                    "Write the value itself, or set what it refers to.",
                )
            )
        elif name.endswith("_API_KEY") and not free and is_placeholder(text):
            findings.append(
                problem(
                    "key",
                    f"{name}{there} still holds the example's words instead of a key.",
                    "Put your key there, or set HAILUO_PROVIDER=sandbox to try it free.",
                )
            )
    return findings


def _unknown(name: str, there: str, near: str) -> Finding:
    said = f"{name}{there} is no setting and does nothing"
    if near:
        return problem("settings", f"{said}; did you mean {near}?", f"Rename it to {near}.")
    return problem("settings", f"{said}.", "Remove it, or take a name from the README's table.")


def _nearest(name: str, known: tuple[str, ...]) -> str:
    """The setting that a variable was probably meant to be; empty for a right or foreign one."""
    if name in known or name in _FALLBACKS:
        return ""
    if name.startswith(_PREFIX):
        return nearest_variable(name)
    ours = [each for each in known if each.startswith(_PREFIX)]
    return next(iter(difflib.get_close_matches(name, ours, n=1, cutoff=0.9)), "")


def _summary(settings: Settings) -> str:
    told = f"provider {settings.provider}, plan {settings.plan}"
    if settings.budget is not None:
        period = {"total": "in all"}.get(settings.budget_period, f"a {settings.budget_period}")
        told += f", budget {settings.budget.normalize():f} {period}"
    return told
