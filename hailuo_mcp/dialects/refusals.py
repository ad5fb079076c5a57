"""From a provider's no to one of our errors, with a sentence a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from hailuo_mcp.dialects.codes import FAULT, MEANINGS, UNKNOWN
from hailuo_mcp.dialects.wire import HttpReply, Provider, fields, number
from hailuo_mcp.errors import (
    HailuoError,
    ProviderError,
    RejectedParametersError,
    RemoteTaskNotFoundError,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)

_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What one code of one provider means."""

    code: str
    error: type[ProviderError]
    cause: str
    action: str
    certain: bool
    """On a submit: surely nothing was bought."""

    def message(self, charged: str = "Nothing was charged.") -> str:
        return f"{self.cause}{_named(self.code)}. {charged} {self.action}"


def explain(code: str, *, provider: Provider) -> Refusal:
    """Say what a code means at this provider; an unknown one is a fault that may pass."""
    meaning = MEANINGS.get(code) or (FAULT if code.startswith("http_5") else UNKNOWN)
    values = {
        "provider": provider.name,
        "host": provider.host,
        "console": provider.console or "the provider's console",
        "region": _region(provider),
    }
    return Refusal(
        code=code,
        error=meaning.error,
        cause=meaning.cause.format_map(values),
        action=meaning.action.format_map(values),
        certain=meaning.certain,
    )


def refused_submit(
    code: str, reply: HttpReply, provider: Provider, *, detail: str = "", hint: str = ""
) -> HailuoError:
    """Return the error for a submit that was answered with a code instead of a task."""
    if provider.embedded and "[sandbox:" in detail:
        code = "sandbox_marker"
    refusal = explain(code, provider=provider)
    # A 5xx says that something went wrong underway, whatever else stands in it.
    if not refusal.certain or reply.status >= 500:  # noqa: PLR2004
        why = f"{refusal.cause[:1].lower()}{refusal.cause[1:]}{_named(code)}"
        return unconfirmed(why, provider, detail=detail or f"code {code}")
    message = f"{refusal.message()} {hint}".strip()
    return _error(refusal.error, message, code, reply, detail)


def refused_read(
    code: str, reply: HttpReply, provider: Provider, *, detail: str = "", looked_up: bool = True
) -> HailuoError:
    """Return the error for a read: it never says that a task has failed."""
    refusal = explain(code, provider=provider)
    message = refusal.message("Asking costs nothing.")
    # What an unknown task_id gives is documented nowhere; 2013 is the plausible code (facts 1.6).
    if looked_up and code in ("2013", "http_404", "http_410"):
        lost = explain("upstream_not_found_or_no_permission", provider=provider)
        message = f"{lost.cause}{_named(code)}. Asking costs nothing. {lost.action}"
        return _error(RemoteTaskNotFoundError, message, code, reply, detail)
    if refusal.error in (RejectedParametersError, ProviderError):
        return UnexpectedResponseError(
            f"{provider.name} answered a question about a task in a way that cannot be read"
            f"{_named(code)}. Asking costs nothing. Ask again in a minute.",
            detail=detail or code,
        )
    return _error(refusal.error, message, code, reply, detail)


def unconfirmed(why: str, provider: Provider, *, detail: str = "") -> UnconfirmedSubmitError:
    """Return the error for a paid request whose fate is unknown."""
    look = f" {provider.console} shows what was bought." if provider.console else ""
    return UnconfirmedSubmitError(
        f"The request was sent to {provider.name}, but its answer does not say for certain "
        f"whether a clip was bought: {why}. It may have been charged. Do not send it again; it "
        f"is not repeated here either.{look}",
        detail=detail,
    )


def unreadable(provider: Provider, what: str, *, detail: str = "") -> UnexpectedResponseError:
    """Return the error for a read that cannot be understood."""
    return UnexpectedResponseError(
        f"{provider.name} answered {what} in a way that cannot be read. "
        "Asking costs nothing and changes nothing. Ask again in a minute.",
        detail=detail,
    )


def http_code(status: int) -> str:
    """Return the name under which a bare HTTP status is explained."""
    return f"http_{status}"


def http_submit(
    reply: HttpReply, provider: Provider, *, detail: str = "", hint: str = ""
) -> HailuoError:
    """Return the error for a submit that only has an HTTP status to go by."""
    # A 400 is the API's own only when it speaks JSON; an edge's HTML page tells nothing.
    if reply.status == 400 and not fields(reply.json()):  # noqa: PLR2004
        return unconfirmed("it answered HTTP 400 without a reason", provider, detail=detail)
    return refused_submit(http_code(reply.status), reply, provider, detail=detail, hint=hint)


def http_read(
    reply: HttpReply, provider: Provider, *, detail: str = "", looked_up: bool = True
) -> HailuoError:
    """Return the error for a read that only has an HTTP status to go by."""
    code = http_code(reply.status)
    if code in MEANINGS or reply.status == 410:  # noqa: PLR2004
        return refused_read(code, reply, provider, detail=detail, looked_up=looked_up)
    if reply.status >= 500 or reply.status == 425:  # noqa: PLR2004
        return refused_read(code, reply, provider, detail=detail)
    return unreadable(provider, "a question", detail=detail or code)


def sounds_moderated(text: str) -> bool:
    """Tell a moderation from other refusals where a provider says it in words only."""
    told = text.lower()
    return any(sign in told for sign in ("审核", "敏感", "sensitive", "moderat", "content_policy"))


def base_code(body: Mapping[str, object]) -> str | None:
    """Return base_resp.status_code as text, "0" for success; None where there is none."""
    base = fields(body.get("base_resp"))
    if "status_code" not in base:
        return None
    code = number(base["status_code"])
    return "unreadable" if code is None else str(code)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _LONGEST_WAIT)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _error(
    kind: type[ProviderError], message: str, code: str, reply: HttpReply, detail: str
) -> ProviderError:
    return kind(
        message,
        provider_code=code.removeprefix("http_"),
        trace_id=reply.trace_id,
        detail=detail,
        retry_after=retry_after(reply.headers, reply.received_at),
    )


def _named(code: str) -> str:
    """Return the provider's own code in parentheses; ours says nothing that a reader could use."""
    if code in ("moderation", "sandbox_marker", "unknown"):
        return ""
    return f" (HTTP {code[5:]})" if code.startswith("http_") else f" ({code})"


def _region(provider: Provider) -> str:
    if not provider.twin:
        return ""
    other = "global" if provider.region == "cn" else "China"
    return (
        f"Keys of the {other} region do not work here: for such a key set "
        f"HAILUO_PROVIDER={provider.twin} (or HAILUO_BASE_URL=https://{provider.twin_host}). "
    )
