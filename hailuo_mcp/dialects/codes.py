"""Every code a provider refuses with: what it means, what to do, and whether it is surely free.

Sources: facts 1.8 (the official table, checked 2026-11), seed 002 (xcompute), facts 8 (the relay
family of hingnet). `certain` = on a submit, the refusal is known to come
before a task exists. Everything else stays unconfirmed on a submit, because a wrong "not bought"
is paid for twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from hailuo_mcp.errors import (
    AuthenticationError,
    ContentRejectedError,
    InsufficientBalanceError,
    ProviderError,
    ProviderUnavailableError,
    QuotaExceededError,
    RateLimitError,
    RejectedParametersError,
    RemoteTaskNotFoundError,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: {provider}, {host} and {region} are filled in from the provider in use."""

    error: type[ProviderError]
    cause: str
    action: str
    certain: bool = False


_KEY = "{region}Check HAILUO_API_KEY; keys come from {console}."
_LATER = "Try again in a minute."
_TOP_UP = "Top up at {console}, then try again."
_PLAN = "Wait for the plan's next window, change the plan, or choose another model."
_REWORD = "Change the prompt or the picture; the same input would be refused again."

_RATE = Meaning(
    RateLimitError,
    "{provider} takes no more requests from this account for the moment",
    "This is waited out. The limit is shared by the main account and its sub-accounts; "
    "to raise it, write to api@minimaxi.com (3 to 5 working days).",
    certain=True,
)
_SLOWER = Meaning(
    RateLimitError,
    "{provider} takes no more requests for the moment: too many, too quickly or at once",
    "This is waited out; fewer clips at a time avoid it.",
    certain=True,
)
FAULT = Meaning(ProviderUnavailableError, "{provider} had a fault of its own", _LATER)
_QUOTA = Meaning(QuotaExceededError, "The quota of this key's plan is used up", _PLAN)
_VOICE = Meaning(
    RejectedParametersError,
    "{provider} answered with a code of its voice and music services",
    "Check that HAILUO_BASE_URL points to the video API.",
)
_BAD_KEY = Meaning(AuthenticationError, "The key was not accepted at {host}", _KEY, certain=True)
_EMPTY = Meaning(InsufficientBalanceError, "The account is out of credit", _TOP_UP, certain=True)
_REFUSED = Meaning(
    RejectedParametersError,
    "{provider} does not accept this combination of inputs",
    "Check model, size, duration and pictures, then try again.",
    certain=True,
)
_UNKNOWN_ID = Meaning(
    RemoteTaskNotFoundError,
    "{provider} knows no such task or file, or it belongs to another account",
    "Check the id, and that the key is that of the account which bought it.",
)
_NO_ADDRESS = Meaning(
    ProviderError,
    "{host} has nothing at this address",
    "Check HAILUO_BASE_URL and HAILUO_PROVIDER.",
    certain=True,
)
_MOVED = Meaning(
    ProviderError,
    "{host} sends requests on to another address",
    "Set HAILUO_BASE_URL to the address that answers by itself (https, without a redirect).",
    certain=True,
)

MEANINGS: dict[str, Meaning] = {
    "1000": FAULT,
    "1001": Meaning(ProviderUnavailableError, "{provider} ran out of time", _LATER),
    "1002": _RATE,
    "1004": _BAD_KEY,
    "1008": _EMPTY,
    "1013": FAULT,
    "1024": FAULT,
    "1026": Meaning(
        ContentRejectedError,
        "{provider}'s moderation refused the prompt or a picture",
        _REWORD,
        certain=True,
    ),
    # Not certain on a submit: an output exists only where a task existed.
    "1027": Meaning(
        ContentRejectedError, "{provider}'s moderation refused the finished clip", _REWORD
    ),
    "1028": _QUOTA,
    "1030": _QUOTA,
    "1033": Meaning(ProviderUnavailableError, "A service behind {provider} had a fault", _LATER),
    "1039": _SLOWER,
    "1041": _SLOWER,
    "1042": Meaning(
        RejectedParametersError,
        "More than a tenth of the prompt is invisible or illegal characters",
        "Write the prompt anew as plain text.",
    ),
    "2013": _REFUSED,
    "2045": _SLOWER,
    "2049": _BAD_KEY,
    "2056": Meaning(
        QuotaExceededError,
        "The usage limit of this key's plan is reached",
        "Wait for the plan's next window (5 hours), or change the plan.",
        certain=True,
    ),
    "2061": Meaning(
        QuotaExceededError,
        "This key's plan does not include the model",
        "Choose another model, or change the plan.",
    ),
    # The sandbox's 2013 for a prompt that asks it for a trouble that it does not have.
    "sandbox_marker": Meaning(
        RejectedParametersError,
        "The sandbox does not know a [sandbox:…] marker of the prompt",
        "Correct the marker (docs/sandbox.md lists them) or leave it out.",
        certain=True,
    ),
    # xcompute (seed 002) and its sibling.
    "invalid_request_error": _REFUSED,
    "authentication_error": _BAD_KEY,
    "payment_required": _EMPTY,
    "rate_limit_error": _SLOWER,
    "server_error": FAULT,
    # The relay family of hingnet (facts 8). Its own check and its choice of a channel
    # come before anything is passed on; its failed submit may have reached MiniMax.
    "invalid_request": _REFUSED,
    "provider_not_found": Meaning(
        ProviderUnavailableError,
        "{provider} has no channel for this model at the moment",
        "Try again later, or choose another model.",
        certain=True,
    ),
    "submit_failed": Meaning(
        ProviderUnavailableError, "{provider} could not pass the request on", _LATER
    ),
    "upstream_not_found_or_no_permission": _UNKNOWN_ID,
    "task_query_failed": FAULT,
    "download_url_missing": Meaning(
        ProviderUnavailableError, "{provider} has no link for the clip yet", _LATER
    ),
    "download_failed": Meaning(
        ProviderUnavailableError, "{provider} could not fetch the clip", _LATER
    ),
    # Our own name for "refused by moderation" where a provider says so in words only.
    "moderation": Meaning(
        ContentRejectedError,
        "{provider}'s moderation refused the prompt, a picture or the clip",
        _REWORD,
        certain=True,
    ),
    # Bare HTTP. 301, 307 and 308 say that the request was not handled here; 302 and 303 are also
    # what a handled POST answers with, so they stay unconfirmed.
    "http_301": _MOVED,
    "http_307": _MOVED,
    "http_308": _MOVED,
    "http_400": _REFUSED,
    "http_401": _BAD_KEY,
    "http_402": _EMPTY,
    "http_403": Meaning(
        AuthenticationError,
        "{host} does not let this key do this",
        _KEY,
        certain=True,
    ),
    "http_404": _NO_ADDRESS,
    "http_405": _NO_ADDRESS,
    # A timeout or a conflict may follow a request that was handled.
    "http_408": Meaning(ProviderUnavailableError, "{provider} ran out of time", _LATER),
    "http_413": Meaning(
        RejectedParametersError,
        "The request is too large for {provider}",
        "Give the pictures as https URLs, or smaller.",
        certain=True,
    ),
    "http_415": _NO_ADDRESS,
    "http_422": _REFUSED,
    "http_429": _SLOWER,
}
for _code in ("1043", "1044", "2037", "2038", "2039", "2042", "2048", "2153", "20132"):
    MEANINGS[_code] = _VOICE

UNKNOWN = Meaning(
    ProviderUnavailableError,
    "{provider} gave an answer that its documents do not explain",
    _LATER,
)
TRANSIENT = frozenset({"1000", "1001", "1013", "1024", "1033", "1002", "1039", "1041", "2045"})
"""On a poll: ask again; the task is not concerned."""
MODERATED = frozenset({"1026", "1027"})
KEY_TROUBLE = frozenset({"1004", "2049"})
