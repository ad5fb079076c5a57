"""The report of a verification: one Markdown file, made to be attached to an issue."""

from __future__ import annotations

import json
import platform
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.cli.set_up import report_file
from hailuo_mcp.cli.set_up.verify.sentences import HIDES, difference_texts
from hailuo_mcp.text import system_reason
from hailuo_mcp.verification.redaction import HIDDEN

if TYPE_CHECKING:
    from hailuo_mcp.verification.facts import Step, Verdict

_BOUGHT = {
    "no": "no",
    "yes": "yes, one clip",
    "earlier": "nothing new: it went on with the clip of an earlier verification",
    "maybe": "maybe: look at the provider's bill",
}
_LEFT_OUT = (
    "Keys, ids, links, prompts, the provider's messages and names of this computer are not in this "
    "file."
)


class Report:
    """The file, which is on the disk before anything is sent and always tells how far it got."""

    path: Path

    def __init__(self, given: str, provider: str, began: float) -> None:
        moment = datetime.fromtimestamp(began).astimezone()
        self._given = given
        self._name = f"hailuo-verify-{provider}-{moment:%Y%m%d-%H%M%S}.md"
        self.fault = ""
        """Why it was not written the last time."""

    def begin(self, verdict: Verdict) -> None:
        """Make the file; nothing that exists is overwritten.

        Raises:
            InvalidRequestError: it exists, or cannot be made.
        """
        text = markdown(verdict, about="Nothing was sent yet.", bought="no")
        self.path = report_file.make(self._given, self._name, text)

    def announce(self, verdict: Verdict, about: str, *, bought: str) -> None:
        """Say what is about to be sent, before it is.

        Raises:
            InvalidRequestError: it cannot be written, so that must not be sent.
        """
        self.write(verdict, about=about, bought=bought)
        if self.fault:
            raise report_file.refused(self.path, f"cannot be written ({self.fault})")

    def write(self, verdict: Verdict, *, about: str = "Not finished.", bought: str) -> None:
        """Replace the file whole, so that a kill in the middle leaves the one before.

        That it cannot be written stops nothing that is under way.
        """
        text = markdown(verdict, about=about, bought=bought)
        part = self.path.with_name(f".hailuo-verify-{secrets.token_hex(4)}")
        try:
            with part.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            part.replace(self.path)
            self.fault = ""
        except OSError as exc:
            self.fault = system_reason(exc)
            with suppress(OSError):
                part.unlink(missing_ok=True)


def markdown(verdict: Verdict, *, about: str, bought: str) -> str:
    """The whole report. It holds nothing of the person's, and no words of the provider's."""
    facts = {
        "hailuo-mcp": verdict.version,
        "Python": f"{platform.python_version()}, {platform.system() or 'unknown system'}",
        "Provider": verdict.provider,
        "Dialect": verdict.dialect,
        "Address": _address(verdict),
        "Date": moment(verdict.began),
        "Bought": _BOUGHT[bought],
    }
    if about:
        facts["State"] = about
    blocks = [
        f"# hailuo-mcp verify: {verdict.provider}",
        _LEFT_OUT,
        _table(("", ""), list(facts.items())),
        "## Steps",
        _table(("Step", "Result", "Answers", "Why"), [_row(step) for step in verdict.steps])
        if verdict.steps
        else "None.",
        "## Differences",
        _listed(verdict, known=False),
        "## Known differences",
        _listed(verdict, known=True),
        "## The same as data",
        f"```json\n{_json(data(verdict, about=about, bought=bought))}\n```",
    ]
    return "\n\n".join(blocks) + "\n"


def _address(verdict: Verdict) -> str:
    if not verdict.own_host:
        return "not the provider's own (a relay, a proxy or a test server)"
    from hailuo_mcp.dialects.providers import PROVIDERS

    sandbox = PROVIDERS[verdict.provider].is_sandbox
    return "this program's own sandbox" if sandbox else "the provider's own"


def _json(found: Mapping[str, object]) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False)


def data(verdict: Verdict, *, about: str = "", bought: str) -> dict[str, object]:
    """The verdict as JSON: what the page and the report say."""
    found: dict[str, object] = {
        "provider": verdict.provider,
        "dialect": verdict.dialect,
        "own_host": verdict.own_host,
        "version": verdict.version,
        "began": moment(verdict.began),
        "bought": bought,
    }
    if about:
        found["state"] = about
    found["steps"] = [_step(step) for step in verdict.steps]
    return found


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _step(step: Step) -> dict[str, object]:
    found: dict[str, object] = {
        "name": step.name,
        "outcome": step.outcome.value,
        "paid": step.paid,
        "answers": list(step.answers),
    }
    if step.reason:
        found["reason"] = step.reason.value
    found["differences"] = [
        {key: str(value) for key, value in asdict(it).items() if value} for it in step.differences
    ]
    return found


def _row(step: Step) -> tuple[str, ...]:
    name = f"{step.name} (paid)" if step.paid else step.name
    return name, step.outcome.value, "; ".join(step.answers) or "-", step.reason or "-"


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _listed(verdict: Verdict, *, known: bool) -> str:
    """Each sentence once, after the names of the steps in which it holds."""
    steps: dict[str, list[str]] = {}
    for step in verdict.steps:
        for text in difference_texts(it for it in step.differences if bool(it.known) is known):
            steps.setdefault(text, []).append(step.name)
    lines = [f"* {', '.join(dict.fromkeys(names))}: {text}" for text, names in steps.items()]
    if any(HIDDEN in text for text in steps):
        lines += ["", HIDES]
    return "\n".join(lines) or "None."
