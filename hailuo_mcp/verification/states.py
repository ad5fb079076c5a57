"""The states of a task, as its provider words them."""

from __future__ import annotations

from itertools import pairwise

from hailuo_mcp.dialects.parsing import fields, items, word
from hailuo_mcp.dialects.statuses import phase_of
from hailuo_mcp.domain.remote import Phase
from hailuo_mcp.verification.facts import Difference, Exchange, Kind, Operation
from hailuo_mcp.verification.redaction import safe_word


def said_state(exchange: Exchange) -> str:
    """The provider's word for the state, whatever it is."""
    body = fields(exchange.reply.json())
    holders = [body, fields(body.get("task")), *map(fields, items(body.get("data")))]
    return next((text for it in holders if (text := word(it.get("status")))), "")


def goes_on(exchanges: list[Exchange]) -> tuple[Difference, ...]:
    """A difference if a task went on after it had ended."""
    phases = [phase_of(said) for it in exchanges if (said := said_state(it))]
    if not any(now.is_final and not then.is_final for now, then in pairwise(phases)):
        return ()
    return (
        Difference(
            operation=Operation.STATUS,
            kind=Kind.OTHER_VALUE,
            where="status",
            expected="no other word after the end",
            found="one of a task that runs",
        ),
    )


def shown_state(exchange: Exchange) -> str:
    """The provider's word for the state, where it is one that is known."""
    said = said_state(exchange)
    if not said:
        return ""
    return "an unknown word" if phase_of(said) is Phase.UNKNOWN else safe_word(said)
