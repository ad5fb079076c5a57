"""What was exchanged with the provider, as it is seen on the way, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest, Provider
from hailuo_mcp.dialects.parsing import base_code, fields
from hailuo_mcp.verification.compare import compare
from hailuo_mcp.verification.facts import Difference, Exchange, Outcome
from hailuo_mcp.verification.redaction import safe_word


class Observed:
    """Keeps every request and its answer, the repeated ones too, until they are taken."""

    def __init__(self) -> None:
        self._kept: list[tuple[HttpRequest, HttpReply]] = []

    def __call__(self, request: HttpRequest, reply: HttpReply) -> None:
        self._kept.append((request, reply))

    def take(self) -> list[tuple[HttpRequest, HttpReply]]:
        """What was seen since the last time."""
        kept, self._kept = self._kept, []
        return kept


def differences_of(
    provider: Provider, exchanges: Iterable[Exchange], codes: frozenset[str] = frozenset()
) -> tuple[Difference, ...]:
    """How these replies differ from what is documented, each way once.

    `codes`: those of the refusal that is the right answer.
    """
    found = (it for exchange in exchanges for it in compare(provider, exchange, codes))
    return tuple(dict.fromkeys(found))


def outcome_of(differences: Iterable[Difference]) -> Outcome:
    """Known differences do not count."""
    new = any(not it.known for it in differences)
    return Outcome.DIFFERS if new else Outcome.AS_DOCUMENTED


def answer_words(reply: HttpReply) -> str:
    """The answer in a few words, none of which the provider chose."""
    body = fields(reply.json())
    told = f"HTTP {reply.status}"
    if "base_resp" in body:
        return f"{told}, code {safe_word(base_code(body) or '0')}"
    if kind := fields(body.get("error")).get("type"):
        return f"{told}, {safe_word(kind)}"
    return f"{told}, code {safe_word(body['code'])}" if "code" in body else told
