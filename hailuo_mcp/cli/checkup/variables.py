"""Whether the settings say what was meant: misspelt, empty, unsubstituted, unusable."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from hailuo_mcp.cli.checkup.finding import Finding, note, ok, problem
from hailuo_mcp.cli.entry import is_placeholder
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings, variable_of

_FREE = frozenset(row.name for row in PROVIDERS.values() if row.embedded)
_FALLBACKS = ("MINIMAX_API_KEY", "MINIMAX_API_HOST")


def known_variables() -> tuple[str, ...]:
    return tuple(variable_of(field) for field in Settings.model_fields)


def check_settings(
    environ: Mapping[str, str], overrides: Mapping[str, object]
) -> tuple[Settings | None, list[Finding]]:
    """The settings, if they can be used at all, and what is odd about the variables."""
    findings = check_variables(environ)
    try:
        settings = Settings.from_env(environ, **overrides)
    except ConfigError as exc:
        return None, [*findings, problem("settings", str(exc), "Correct it, then run this again.")]
    findings.append(ok("settings", _summary(settings)))
    provider = PROVIDERS[settings.provider]
    if settings.budget is None and not provider.embedded:
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
        if near := _misspelt(name, known):
            findings.append(
                problem(
                    "settings",
                    f"{name}{there} is no setting and does nothing; did you mean {near}?",
                    f"Rename it to {near}." if near in known else "Remove it, or correct its name.",
                )
            )
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


def _misspelt(name: str, known: tuple[str, ...]) -> str:
    """What a variable was probably meant to be; empty for one of ours or of somebody else."""
    if name in known or name in _FALLBACKS:
        return ""
    ours = name.upper().startswith("HAILUO")
    near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6 if ours else 0.9)
    if near:
        return near[0]
    return "one of the README's table" if ours else ""


def _summary(settings: Settings) -> str:
    told = f"provider {settings.provider}, plan {settings.plan}"
    if settings.budget is not None:
        period = {"total": "in all"}.get(settings.budget_period, f"a {settings.budget_period}")
        told += f", budget {settings.budget.normalize():f} {period}"
    return told
