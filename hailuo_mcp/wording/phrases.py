"""What the voices share: next steps, money, prices and times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.dialects.providers import provider_notice
from hailuo_mcp.domain.task import Money, Quote, Status, Task, Unit
from hailuo_mcp.errors import (
    Charged,
    ConfigError,
    Do,
    HailuoError,
    InvalidRequestError,
    JournalError,
    RateLimitError,
    Step,
)
from hailuo_mcp.text import number

if TYPE_CHECKING:
    from hailuo_mcp.journal.facts import Charge, UnitSpending

Sentences = Mapping[Do, str]
"""One voice's sentence for each step; a step without a sentence is not for this reader."""

_NOTHING_SENT = (ConfigError, InvalidRequestError, JournalError)
_MINUTES_FROM = 120
_JOINED = {Do.SET: " or ", Do.CHECK: " and "}


def join(*parts: str) -> str:
    """Sentences as a paragraph; empty ones are left out."""
    return " ".join(part for part in parts if part)


def steps_of(error: HailuoError) -> Iterator[Step]:
    """An error's next steps, with its wait and its task."""
    wait = error.retry_after if isinstance(error, RateLimitError) else None
    for step in error.then:
        if step.do in (Do.SETTLE, Do.QUERY, Do.DOWNLOAD):
            yield Step(step.do, step.about or error.task_id)
        elif step.do is not Do.REPEAT:
            yield step
        elif error.retry:
            yield Step(step.do, step.about or (f"{wait:.0f}" if wait else ""))


def next_steps(steps: Iterable[Step], sentences: Sentences, **names: str) -> str:
    """The next steps that this reader can take; `names` fill the sentences' placeholders.

    Adjacent settings share a sentence; those to set are alternatives.
    """
    said = list[str]()
    for do, same in groupby(steps, key=lambda step: step.do):
        sentence = sentences.get(do, "")
        details = [step.about for step in same]
        if do is Do.REPEAT:
            details = [f"in {seconds} s" if seconds else "in a minute" for seconds in details]
        elif do in _JOINED:
            details = [_JOINED[do].join(details)]
        said += [
            sentence.format(about=it, clause=f"{it[:1].upper()}{it[1:]}", **names)
            for it in details
            if it or "{about}" not in sentence
        ]
    return join(*said)


def money(error: HailuoError) -> str:
    """Whether money moved."""
    if error.charged == "no":
        sent = "sent or " if isinstance(error, _NOTHING_SENT) else ""
        return f"Nothing was {sent}charged."
    charged = {"maybe": "It may have been charged.", "yes": "The clip is paid for."}
    return charged.get(error.charged, "")


def moment(seconds: float) -> str:
    """ISO 8601 in local time with its zone."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def about(seconds: float) -> str:
    """A length of time as a person would say it."""
    whole = max(1, round(seconds))
    return f"about {whole} s" if whole < _MINUTES_FROM else f"about {round(whole / 60)} min"


def amount(value: Decimal, unit: Unit) -> str:
    """An amount with its unit."""
    return price_words(Quote(amount=value, unit=unit))


def price(task: Task) -> str:
    """The task's cost, or words in its place."""
    return (
        "its cost (no price is published)"
        if task.amount is None
        else amount(task.amount, task.unit)
    )


def difference(task: Task) -> str:
    """How the cost differs from the quote, to follow the cost; empty if it does not."""
    if task.amount is None or task.quoted is None or task.amount == task.quoted:
        return ""
    by = amount(abs(task.amount - task.quoted), task.unit)
    word = "more" if task.amount > task.quoted else "less"
    return f" by the provider's count, {by} {word} than quoted"


def charged(task: Task | Charge) -> Charged | None:
    """Whether money moved; None if it was bought elsewhere."""
    if task.status is Status.UNCONFIRMED:
        return "maybe"
    words: dict[Money, Charged] = {
        Money.SPENT: "yes",
        Money.RELEASED: "no",
        Money.RESERVED: "no" if task.status in (Status.CANCELLED, Status.FAILED) else "not yet",
    }
    return words.get(task.money)


def paid(task: Task) -> str:
    """The sentence about money that was spent, as far as known."""
    if provider_notice(task.provider):
        return f"{imitated(task)}."
    if task.money is Money.UNKNOWN:
        return "Bought elsewhere, so its cost is not known here."
    if task.amount is None:
        return "It was charged; no price is published."
    return f"It cost {price(task)}{difference(task)}."


def imitated(task: Task) -> str:
    """The sandbox's words in place of a cost."""
    if task.amount is None:
        return "It is free"
    return f"A real one would cost {price(task)}{difference(task)}"


def other_units_text(others: Sequence[UnitSpending]) -> str:
    """The remark that the same key also pays in other units; empty if it does not."""
    if not others:
        return ""
    sums = " and ".join(
        f"{number(other.spent)} {other.unit} spent"
        + (f" with {number(other.reserved)} more reserved" if other.reserved else "")
        for other in others
    )
    return f"The same key also has {sums} under another plan; a budget counts only its own unit."
