"""What a verification finds: steps, their exchanges, and how these differ from the documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest


class Operation(StrEnum):
    """What a request asks for; each has its own documented reply."""

    BALANCE = "balance"
    SUBMIT = "submit"
    STATUS = "status"
    FILE = "file"
    TEMPLATE_SUBMIT = "template submit"
    TEMPLATE_STATUS = "template status"
    LIST = "list"
    LINK = "link"


class Kind(StrEnum):
    """How a reply differs from what is documented."""

    UNREADABLE = "unreadable"
    """No JSON object where one is documented."""
    HTTP_STATUS = "HTTP status"
    HEADER = "header"
    UNKNOWN_FIELD = "unknown field"
    MISSING_FIELD = "missing field"
    OTHER_TYPE = "other type"
    OTHER_VALUE = "other value"
    """Of the right type, but it cannot be right: another task's id, a clip of another length."""
    UNKNOWN_STATUS = "unknown status word"
    UNDOCUMENTED_CODE = "undocumented code"
    OTHER_CODE = "other code"
    """A documented code, but not the one documented for this question."""
    ACCEPTED = "accepted"
    """Something that must be refused was not: it may have been bought."""
    LINK = "link"
    """Its host, its life or what it serves."""
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request as sent and one reply as received; secrets and all."""

    operation: Operation
    request: HttpRequest
    reply: HttpReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which a reply is not what is documented.

    Safe to show: it holds nothing that the provider chose, unless redaction allows it.
    """

    operation: Operation
    kind: Kind
    where: str = ""
    """The field's path, such as `base_resp.status_code` or `items.task.id` (no index)."""
    expected: str = ""
    found: str = ""
    known: str = ""
    """The date since which it is known, YYYY-MM-DD; empty if it is new."""
    note: str = ""
    """What is known of it."""


class Outcome(StrEnum):
    AS_DOCUMENTED = "as documented"
    DIFFERS = "differs"
    """Only known differences do not count."""
    FAILED = "failed"
    """It could not be tried to the end, or the account or the key is in the way."""
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"
    """The person stopped waiting; nothing failed."""
    NOTED = "noted"
    """Told, and compared with nothing: nothing is documented of it."""


class Reason(StrEnum):
    """Why a step was not tried to its end: words of ours, which may stand in a report."""

    UNREACHABLE = "the provider could not be reached"
    NO_ANSWER = "no answer came"
    UNREADABLE = "the answer could not be read"
    ERROR = "the provider answered with an error"
    KEY_REFUSED = "the key was refused"
    NOT_REFUSED = "an earlier request was not refused"
    NOT_AGREED = "the price was not agreed to"
    REFUSED = "the provider refused it"
    UNCONFIRMED = "it is not certain whether it was bought"
    EARLIER = "not seen: went on with an earlier clip"
    ELSEWHERE = "not seen: another process followed the clip"
    INTERRUPTED = "stopped before the end"
    NOT_OVER = "the clip was not ready"
    NOT_MADE = "the clip could not be made"
    NO_LINK = "the link gave no clip"
    NOT_SAVED = "the clip could not be saved"
    NOT_MEASURED = "the clip could not be measured"
    OURS = "this program could not go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried."""

    name: str
    """As the page and the report name it: "a query with an unknown id"."""
    outcome: Outcome
    paid: bool = False
    answers: tuple[str, ...] = ()
    """What came back in a few safe words each: "HTTP 200, code 1004", "Queueing after 2 s"."""
    differences: tuple[Difference, ...] = ()
    reason: Reason | None = None
    what: str = ""
    """The reason in more words, and what to do: for the person, not for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything that a verification found."""

    provider: str
    dialect: str
    own_host: bool
    """Whether the provider's own address was asked, and not another one that speaks its dialect."""
    version: str
    began: float
    """Unix seconds."""
    steps: tuple[Step, ...] = ()
    exchanges: tuple[tuple[str, Exchange], ...] = field(default=(), repr=False)
    """The step's name and the exchange, for a recording."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(it for step in self.steps for it in step.differences)
