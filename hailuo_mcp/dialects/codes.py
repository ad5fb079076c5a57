"""Every refusal code: what it means, what to do, and whether it is certainly free.

Sources: facts 1.8 (the official table, checked 2026-11), MiniMax's v2 reference (error types),
seed 002 (xcompute), facts 8 (the relay family of hingnet). `certain` = on a submit, the refusal is
known to come before a task exists. On a submit, everything else stays unconfirmed, because a wrong
"not bought" means paying twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from hailuo_mcp.errors import (
    AuthenticationError,
    ContentRejectedError,
    Do,
    InsufficientBalanceError,
    ProviderError,
    ProviderUnavailableError,
    QuotaExceededError,
    RateLimitError,
    RejectedParametersError,
    RemoteTaskNotFoundError,
    Step,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row. {provider}, {host}, {console} and {keys} are filled in from the provider in use.

    `then` is empty if the error's own steps fit; `note` is more facts, in complete sentences.
    """

    codes: str
    """In the table, all codes with this meaning; in an explanation, the one that was received."""
    error: type[ProviderError]
    cause: str
    certain: bool = False
    then: tuple[Step, ...] = ()
    note: str = ""

    @property
    def what(self) -> str:
        """What happened, with the provider's own code, in complete sentences."""
        return f"{self.cause}{self.shown}. {self.note}".strip()

    @property
    def shown(self) -> str:
        """The code in parentheses; empty for our own names, which mean nothing to a reader."""
        if self.codes in ("moderation", "sandbox_marker", "unknown"):
            return ""
        return f" ({self.codes.replace('http_', 'HTTP ')})"


_CERTAIN = True
_CHECK_URL = Step(Do.CHECK, "HAILUO_BASE_URL")


def _try(clause: str) -> tuple[Step, ...]:
    return (Step(Do.TRY, clause),)


_TABLE = (
    # MiniMax's numbers, with the words of xcompute (seed 002) and its sibling and of the relay
    # family of hingnet (facts 8), and bare HTTP.
    Meaning(
        "1000 1013 1024 server_error task_query_failed",
        ProviderUnavailableError,
        "{provider} had an internal error",
    ),
    # A request that timed out may have been processed.
    Meaning("1001 http_408", ProviderUnavailableError, "{provider} timed out"),
    Meaning("overloaded_error http_529", ProviderUnavailableError, "{provider} is overloaded"),
    Meaning("1033", ProviderUnavailableError, "A service behind {provider} had an internal error"),
    Meaning(
        "1002",
        RateLimitError,
        "{provider} accepts no more requests from this account for now",
        _CERTAIN,
        (Step(Do.REPEAT), Step(Do.ARRANGE, "write to api@minimaxi.com for a higher limit")),
        note="The main account and its sub-accounts share the limit.",
    ),
    Meaning(
        "1039 1041 2045 rate_limit_error http_429",
        RateLimitError,
        "{provider} accepts no more requests for now: too many at once, or too fast",
        _CERTAIN,
    ),
    Meaning(
        "1004 2049 authentication_error authorized_error http_401",
        AuthenticationError,
        "{host} did not accept the key",
        _CERTAIN,
        note="{keys}",
    ),
    Meaning(
        "http_403",
        AuthenticationError,
        "{host} does not allow this key to do this",
        _CERTAIN,
        note="{keys}",
    ),
    Meaning(
        "1008 payment_required insufficient_balance_error http_402",
        InsufficientBalanceError,
        "The account is out of credit",
        _CERTAIN,
        (Step(Do.ARRANGE, "top up at {console}"), Step(Do.REPEAT)),
    ),
    Meaning("1028 1030", QuotaExceededError, "The quota of this key's plan is used up"),
    Meaning(
        "2056",
        QuotaExceededError,
        "The usage limit of this key's plan is reached",
        _CERTAIN,
        _try("wait for the plan's next window (5 hours), or change the plan"),
    ),
    Meaning(
        "2061",
        QuotaExceededError,
        "This key's plan does not include the model",
        then=_try("choose another model, or change the plan"),
    ),
    Meaning(
        "1026 unprocessable_entity_error",
        ContentRejectedError,
        "{provider}'s moderation refused the prompt or a picture",
        _CERTAIN,
    ),
    # Not certain on a submit: an output exists only if a task existed.
    Meaning("1027", ContentRejectedError, "{provider}'s moderation refused the finished clip"),
    # Our own name for a moderation refusal that a provider reports only in words.
    Meaning(
        "moderation",
        ContentRejectedError,
        "{provider}'s moderation refused the prompt, a picture or the clip",
        _CERTAIN,
    ),
    Meaning(
        "2013 invalid_request_error invalid_request bad_request_error http_400 http_422",
        RejectedParametersError,
        "{provider} does not accept this combination of inputs",
        _CERTAIN,
    ),
    Meaning(
        "1042",
        RejectedParametersError,
        "More than a tenth of the prompt is invisible or illegal characters",
        then=_try("write the prompt again as plain text"),
    ),
    # The sandbox's 2013 for a prompt with an unknown fault marker.
    Meaning(
        "sandbox_marker",
        RejectedParametersError,
        "The sandbox does not know a [sandbox:…] marker in the prompt",
        _CERTAIN,
        _try("correct the marker (docs/sandbox.md lists them), or leave it out"),
    ),
    Meaning(
        "http_413",
        RejectedParametersError,
        "The request is too large for {provider}",
        _CERTAIN,
        _try("give the pictures as https URLs, or smaller"),
    ),
    Meaning(
        "1043 1044 2037 2038 2039 2042 2048 2153 20132",
        RejectedParametersError,
        "{provider} answered with a code of its voice and music services",
        then=(_CHECK_URL,),
    ),
    Meaning(
        "upstream_not_found_or_no_permission",
        RemoteTaskNotFoundError,
        "{provider} knows no such task or file, or it belongs to another account",
    ),
    # A relay's choice of a channel comes before anything is passed on; its failed submit may have
    # reached MiniMax.
    Meaning(
        "provider_not_found",
        ProviderUnavailableError,
        "{provider} has no channel for this model at the moment",
        _CERTAIN,
        _try("try again later, or choose another model"),
    ),
    Meaning("submit_failed", ProviderUnavailableError, "{provider} could not pass the request on"),
    Meaning(
        "download_url_missing", ProviderUnavailableError, "{provider} has no link for the clip yet"
    ),
    Meaning("download_failed", ProviderUnavailableError, "{provider} could not fetch the clip"),
    # 301, 307 and 308 say that the request was not handled here; 302 and 303 are also what a
    # handled POST answers with, so they stay unconfirmed, as a conflict (409) does.
    Meaning(
        "http_301 http_307 http_308",
        ProviderError,
        "{host} redirects to another address, and a paid request is not redirected",
        _CERTAIN,
        (_CHECK_URL,),
        note="The base URL has to be the final address, with https.",
    ),
    Meaning(
        "http_404 http_405 http_415",
        ProviderError,
        "{host} has nothing at this address",
        _CERTAIN,
        (_CHECK_URL, Step(Do.CHECK, "HAILUO_PROVIDER")),
    ),
)
MEANINGS = {code: row for row in _TABLE for code in row.codes.split()}
UNKNOWN = Meaning("", ProviderUnavailableError, "{provider} gave an undocumented answer")
TRANSIENT = frozenset({"1000", "1001", "1013", "1024", "1033", "1002", "1039", "1041", "2045"})
"""On a poll: try again; it says nothing about the task."""
MODERATED = frozenset({"1026", "1027"})
KEY_TROUBLE = frozenset({"1004", "2049"})
