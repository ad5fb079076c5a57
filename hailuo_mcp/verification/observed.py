"""What was exchanged with the provider, as it is seen on the way, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest, Provider
from hailuo_mcp.dialects.parsing import base_code, fields
from hailuo_mcp.errors import (
    AuthenticationError,
    DownloadError,
    HailuoError,
    ProviderError,
    TaskFailedError,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)
from hailuo_mcp.verification.compare import compare
from hailuo_mcp.verification.facts import Difference, Exchange, Outcome, Reason
from hailuo_mcp.verification.redaction import safe_name, safe_word

_REASONS: tuple[tuple[type[HailuoError], Reason], ...] = (
    (AuthenticationError, Reason.KEY_REFUSED),
    (ProviderError, Reason.ERROR),
    (TaskFailedError, Reason.REFUSED),
    (UnconfirmedSubmitError, Reason.UNCONFIRMED),
    (UnexpectedResponseError, Reason.UNREADABLE),
    (DownloadError, Reason.NO_LINK),
)
_EXACT_SECONDS = 10
_MOST_NAMES = 10


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


def reason_of(error: HailuoError) -> Reason:
    return next((it for kind, it in _REASONS if isinstance(error, kind)), Reason.OURS)


def time_words(seconds: float) -> str:
    """Such as "84 ms", "2.4 s" and "140 s"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < _EXACT_SECONDS else f"{seconds:.0f} s"


def answer_words(reply: HttpReply) -> str:
    """The answer in a few words, none of which the provider chose."""
    body = fields(reply.json())
    told = f"HTTP {reply.status}"
    if "status_code" in fields(body.get("base_resp")):
        return f"{told}, code {safe_word(base_code(body) or '0')}"
    if kind := fields(body.get("error")).get("type"):
        return f"{told}, {safe_word(kind)}"
    return f"{told}, code {safe_word(body['code'])}" if "code" in body else told


def undocumented_balance(reply: HttpReply) -> Iterator[str]:
    """Which fields an answer about the plan has: of these, only `base_resp` is documented."""
    names = dict.fromkeys(safe_name(it) for it in fields(reply.json()) if it != "base_resp")
    if names:
        shown = ", ".join(f"`{it}`" for it in list(names)[:_MOST_NAMES])
        yield f"its shape is not documented ({shown})"
