"""Turns a provider's refusal into one of our errors: what happened, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

from hailuo_mcp.dialects.codes import MEANINGS, UNKNOWN, Meaning
from hailuo_mcp.dialects.dialect import HttpReply, Provider
from hailuo_mcp.dialects.parsing import base_code, fields, given_ids, said, word
from hailuo_mcp.errors import (
    HailuoError,
    ProviderError,
    RejectedParametersError,
    Step,
    UnconfirmedSubmitError,
    UnexpectedResponseError,
)

_LONGEST_WAIT = 3600.0
_NOT_ENABLED = re.compile(
    r"not (yet |been |currently )*(enabled|activated|opened|whitelisted|allow-?listed)"
    r"|(isn't|is not|hasn't been) (enabled|activated|opened)|disabled|white-?list|allow-?list"
    r"|(未|没有|尚未)(开通|启用|开启|开放|授权)|白名单"
)
_NOT_ALLOWED = re.compile(
    r"(not|n't|no|without|lacks?) .{0,30}(support|available|allow|permi|access|authori)"
    r"|不支持|无权|没有权限|不可用"
)
_ACCOUNT = re.compile(r"account|账号|账户|帐号|帐户")
_UNKNOWN = re.compile(
    r"(invalid|unknown|no such) task|task[\w ]{0,20}(not found|not exist|does ?n[o']t exist)|不存在"
)


def explain(code: str, *, provider: Provider, as_code: str = "") -> Meaning:
    """Say what a code means at this provider; an unknown one counts as a temporary fault.

    `as_code` is the code whose meaning applies, if it is a different one.
    """
    unknown = MEANINGS["server_error"] if code.startswith("http_5") else UNKNOWN
    meaning = MEANINGS.get(as_code or code, unknown)
    keys = f"Keys come from {provider.console}." if provider.console else ""
    if provider.other_region:
        keys += (
            f" For a key of the other region use the provider {provider.other_region}"
            f" (base URL https://{provider.other_region_host})."
        )
    values = {
        "provider": provider.name,
        "host": provider.host,
        "console": provider.console or "the provider's console",
        "keys": keys,
    }
    cause = meaning.cause.format_map(values)
    return replace(
        meaning,
        codes=code,
        cause=f"T{cause[1:]}" if cause.startswith("the ") else cause,
        note=meaning.note.format_map(values),
        then=tuple(Step(step.do, step.about.format_map(values)) for step in meaning.then),
    )


def _is_broken(reply: HttpReply) -> bool:
    """Whether it began as JSON, and cannot be read: nobody knows what was in it."""
    return reply.body.lstrip()[:1] in (b"{", b"[") and not isinstance(reply.json(), dict)


class Refusals:
    """Turns one provider's refusals into errors."""

    def __init__(self, provider: Provider, *, flat: bool = False) -> None:
        """`flat`: a task's id may stand at the top level as `id`."""
        self._provider = provider
        self._flat = flat

    def named(self, reply: HttpReply) -> str:
        """Return the task ids in an answer to a submit, for the journal; empty if none is there."""
        return given_ids(fields(reply.json()), reply.body, flat=self._flat)

    def submit(
        self,
        code: str,
        reply: HttpReply,
        *,
        detail: str = "",
        hint: str = "",
        free: bool = False,
    ) -> HailuoError:
        """Return the error for a submit that was answered with a code instead of a task.

        `free`: the rest of the answer is certain that nothing was bought, even if the code is not.
        """
        if self._provider.is_sandbox and "[sandbox:" in detail:
            code = "sandbox_marker"
        refusal = explain(code, provider=self._provider)
        # A task id beside a refusal is a contradiction, and contradictions are not "free".
        if named := self.named(reply):
            why = f"it gave both a task id and a refusal{refusal.shown}"
            return self.unconfirmed(why, detail=f"{named}{detail.removeprefix(named)}")
        if _is_broken(reply):
            return self.unconfirmed("its answer is cut off, or is no JSON object", detail=detail)
        # A 5xx says that something went wrong underway, whatever else stands in it.
        if not (refusal.certain or free) or reply.status >= 500:  # noqa: PLR2004
            why = f"{refusal.cause[:1].lower()}{refusal.cause[1:]}{refusal.shown}"
            return self.unconfirmed(why, detail=detail or f"code {code}")
        what = f"{refusal.what} {hint}".strip()
        return _error(refusal.error, what, refusal.then, code, reply, detail)

    def bare_submit(self, reply: HttpReply, *, detail: str = "", hint: str = "") -> HailuoError:
        """Return the error for a submit with nothing but an HTTP status."""
        # A 400 is the API's own only if it is JSON; an edge's HTML page proves nothing.
        if reply.status == 400 and not fields(reply.json()):  # noqa: PLR2004
            return self.unconfirmed("it answered HTTP 400 without a reason", detail=detail)
        return self.submit(http_code(reply.status), reply, detail=detail, hint=hint)

    def unconfirmed(self, why: str, *, detail: str = "") -> UnconfirmedSubmitError:
        """Return the error for a paid request whose outcome is unknown."""
        console = self._provider.console
        return UnconfirmedSubmitError(
            f"The request was sent to {self._provider.name}, but its answer does not say for "
            f"certain whether a clip was bought: {why}."
            + (f" {console} shows what was bought." if console else ""),
            detail=detail,
        )

    def read(
        self, code: str, reply: HttpReply, *, detail: str = "", looked_up: bool = True
    ) -> HailuoError:
        """Return the error for a read: it never says that a task has failed."""
        refusal = explain(code, provider=self._provider)
        # The answer to an unknown task_id is undocumented; 2013 is plausible (facts 1.6).
        if looked_up and code in ("2013", "http_404", "http_410"):
            lost = "upstream_not_found_or_no_permission"
            refusal = explain(code, provider=self._provider, as_code=lost)
        elif refusal.error in (RejectedParametersError, ProviderError):
            return self.unreadable(detail=detail or code)
        return _error(refusal.error, refusal.what, refusal.then, code, reply, detail)

    def bare_read(
        self, reply: HttpReply, *, detail: str = "", looked_up: bool = True
    ) -> HailuoError:
        """Return the error for a read with nothing but an HTTP status."""
        code = http_code(reply.status)
        if code in MEANINGS or reply.status in (410, 425) or reply.status >= 500:  # noqa: PLR2004
            return self.read(code, reply, detail=detail, looked_up=looked_up)
        return self.unreadable(detail=detail or code)

    def unreadable(self, *, detail: str = "") -> UnexpectedResponseError:
        """Return the error for an unreadable answer to a read."""
        return UnexpectedResponseError(
            f"{self._provider.name} sent an answer that cannot be read.", detail=detail
        )

    def read_body(self, reply: HttpReply) -> dict[str, object]:
        """Return the JSON object that answers a read, or raise the error for anything else."""
        body = fields(reply.json())
        if reply.ok and body:
            return body
        code, own = base_code(body), word(body.get("code"))
        if code or own in MEANINGS:
            raise self.read(code or own, reply, detail=said(body))
        if not reply.ok:
            raise self.bare_read(reply, detail=said(body))
        raise self.unreadable(detail="not a JSON object")


def http_code(status: int) -> str:
    """Return the name under which a bare HTTP status is explained."""
    return f"http_{status}"


def sounds_moderated(text: str) -> bool:
    """Recognise a moderation refusal that a provider reports only in words."""
    told = text.lower()
    return any(sign in told for sign in ("审核", "敏感", "sensitive", "moderat", "content_policy"))


def sounds_not_enabled(text: str) -> bool:
    """Recognise a refusal of an upgrade by its source's id, because the account may not do that.

    That some source may not be upgraded is something else.
    """
    told = text.lower()
    if "source_task_id" not in told:
        return False
    return bool(_NOT_ENABLED.search(told) or (_ACCOUNT.search(told) and _NOT_ALLOWED.search(told)))


def sounds_unknown(text: str) -> bool:
    """Recognise that a provider knows no task by the id."""
    return bool(_UNKNOWN.search(text.lower().replace("task_id", "task")))


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
    kind: type[ProviderError],
    what: str,
    then: tuple[Step, ...],
    code: str,
    reply: HttpReply,
    detail: str,
) -> ProviderError:
    return kind(
        what,
        *then,
        provider_code=code.removeprefix("http_"),
        trace_id=reply.trace_id,
        detail=detail,
        retry_after=retry_after(reply.headers, reply.received_at),
    )
