"""The errors, sorted by a person's first questions: was I charged, and what can I do now.

HailuoError                       the base
├─ ConfigError                    not set up: key, provider, folder                    not charged
├─ InvalidRequestError            refused here, before anything was sent               not charged
│  ├─ BudgetExceededError         would pass the person's spending limit               not charged
│  ├─ ConsentRequiredError        needs the person's yes; carries a one-use code       not charged
│  └─ NotPermittedError           the caller's access token does not allow it          not charged
├─ TaskFailedError                the provider refused a task already recorded         not charged
├─ TaskNotFoundError              no such task here or at the provider                 not charged
├─ ProviderError                  the provider refused                                 not charged
│  ├─ AuthenticationError         bad key, or a key of the other region
│  ├─ InsufficientBalanceError    the account is empty
│  ├─ QuotaExceededError          the plan is used up, or does not include this
│  ├─ RateLimitError              too fast; carries retry_after
│  ├─ ContentRejectedError        moderation: change the prompt or the picture
│  ├─ RejectedParametersError     the provider does not accept this combination
│  │  └─ SourceIdNotEnabledError  an upgrade has to be sent the clip, not its id
│  ├─ RemoteTaskNotFoundError     the provider knows no such task or file
│  └─ ProviderUnavailableError    not reached, or a server error on a read
├─ UnconfirmedSubmitError         a paid request was sent, without a usable answer     maybe charged
├─ UnconfirmedCancelError         a cancel was sent, without a usable answer           maybe charged
├─ RecordDeletedError             a cancel came too late: the record is gone           maybe charged
├─ UnexpectedResponseError        an unreadable answer to a read                       not charged
├─ DownloadError                  the video exists, saving it failed                   was charged
│  └─ LinkExpiredError            its link has expired: ask for a new one
└─ JournalError                   the local record cannot be read or written           not charged
   └─ JournalDamagedError         tasks may be lost: a person must accept it             not charged

An error carries facts: what happened, whether money moved, what to do next. `wording` turns
them into sentences, in one voice for each reader, so `what` names no tool, option or variable.
Provider text is untrusted: it goes into `detail`, for the journal, never into a message or a log.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Charged = Literal["yes", "no", "maybe", "not yet"]


class Do(StrEnum):
    """What can be done next; `Step.about` is its object."""

    TRY = "try"
    """An imperative clause for the caller, such as "choose another name"."""
    ARRANGE = "arrange"
    """An imperative clause for the person whose computer, account or money it is."""
    SET = "set"
    """A setting by its variable, or variable=value: the person's to decide."""
    CHECK = "check"
    """A setting, by its variable, whose value does not work."""
    RAISE = "raise"
    """A limit, by its variable: the person's to decide."""
    REPEAT = "repeat"
    """The same call again; `about`, if given, is the number of seconds to wait."""
    NEAREST = "nearest"
    """The nearest valid request, in words."""
    CROP_IMAGE = "crop_image"
    """Ask for a picture to be cropped to an allowed shape."""
    PAD_IMAGE = "pad_image"
    """Ask for a picture to be padded to an allowed shape."""
    CONFIRM = "confirm"
    """The person must agree; then repeat the call with this one-use code."""
    SETTLE = "settle"
    """A person checks the provider's bill and settles this task; empty means the error's own."""
    QUERY = "query"
    """Ask for this task's status; empty means the error's own."""
    DOWNLOAD = "download"
    """Save this task's clip; empty means the error's own."""
    LIST_TASKS = "list_tasks"
    LIST_MODELS = "list_models"
    LIST_TEMPLATES = "list_templates"
    ESTIMATE = "estimate"
    ACCEPT_LOSSES = "accept_losses"
    DOCTOR = "doctor"
    LOG_IN = "log_in"
    """Have a key kept for this computer: a person at its shell can."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next, as a value."""

    do: Do
    about: str = ""


class HailuoError(Exception):
    """The base of every error that this package raises on purpose.

    `what` is one or more complete sentences that are true for every reader.
    """

    code: str = "error"
    charged: Charged = "no"
    retry: bool = False
    """Whether the same call, unchanged, may succeed later."""
    then: tuple[Step, ...] = ()
    """What can be done next, the best first."""

    def __init__(
        self,
        what: str,
        *then: Step,
        detail: str = "",
        task_id: str = "",
        charged: Charged | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        if then:
            self.then = then
        self.detail = detail
        """Untrusted or technical text: for the journal only."""
        self.task_id = task_id
        if charged is not None:
            self.charged = charged


class ConfigError(HailuoError):
    code = "not_configured"
    then = (Step(Do.DOCTOR),)


class InvalidRequestError(HailuoError):
    code = "invalid_request"
    no_such_file = False
    """Set if a picture's path names no file."""


class BudgetExceededError(InvalidRequestError):
    code = "budget_exceeded"
    then = (Step(Do.ESTIMATE),)


class ConsentRequiredError(InvalidRequestError):
    code = "consent_required"


class NotPermittedError(InvalidRequestError):
    code = "not_permitted"


class TaskFailedError(HailuoError):
    """The provider refused a purchase while its caller was still waiting."""

    code = "refused"

    def __init__(self, what: str, *then: Step, code: str, retry: bool, task_id: str) -> None:
        super().__init__(what, *(then or error_class(code).then), task_id=task_id)
        self.code = code
        self.retry = retry


class TaskNotFoundError(HailuoError):
    code = "task_not_found"
    then = (Step(Do.LIST_TASKS),)


class ProviderError(HailuoError):
    """The provider refused, in a way that its documents call free of charge."""

    code = "provider_refused"

    def __init__(
        self,
        what: str,
        *then: Step,
        provider_code: str = "",
        trace_id: str = "",
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, *then, detail=detail)
        self.provider_code = provider_code
        """The provider's own code as text, such as "1026" or "rate_limit_error"."""
        self.trace_id = trace_id
        self.retry_after = retry_after
        """Seconds to wait, if the provider says so."""


class AuthenticationError(ProviderError):
    code = "authentication"
    then = (Step(Do.CHECK, "HAILUO_API_KEY"),)


class InsufficientBalanceError(ProviderError):
    code = "insufficient_balance"
    then = (Step(Do.ARRANGE, "top up the account at the provider"),)


class QuotaExceededError(ProviderError):
    code = "quota_exceeded"
    then = (Step(Do.TRY, "wait for the plan's next window, or choose another model"),)


class RateLimitError(ProviderError):
    code = "rate_limited"
    then = (Step(Do.REPEAT),)
    retry = True


class ContentRejectedError(ProviderError):
    code = "content_rejected"
    then = (
        Step(Do.TRY, "change the prompt or the picture; the same input would be refused again"),
    )


class RejectedParametersError(ProviderError):
    code = "rejected_parameters"
    then = (Step(Do.TRY, "check the model, the size, the length and the pictures"),)


class SourceIdNotEnabledError(RejectedParametersError):
    """An upgrade was refused for certain, because the account may not name clips by their id."""

    code = "source_id_not_enabled"
    then = (Step(Do.TRY, "send the clip itself, with everything that it was made from"),)


class RemoteTaskNotFoundError(ProviderError):
    code = "remote_task_not_found"
    then = (
        Step(Do.TRY, "check the id, and that the key belongs to the account that bought the clip"),
        Step(Do.LIST_TASKS),
    )


class ProviderUnavailableError(ProviderError):
    code = "provider_unavailable"
    then = (Step(Do.REPEAT),)
    retry = True


class UnconfirmedSubmitError(HailuoError):
    """The paid request was sent; whether it was accepted is unknown. Never send it again."""

    code = "unconfirmed"
    charged: Charged = "maybe"
    then = (Step(Do.SETTLE),)


class UnconfirmedCancelError(HailuoError):
    """A cancel was sent; whether the task was cancelled is unknown. Its status says it."""

    code = "unconfirmed_cancel"
    charged: Charged = "maybe"
    then = (Step(Do.QUERY),)


class RecordDeletedError(HailuoError):
    """A cancel reached a task that had ended; its record and its link at the provider are gone."""

    code = "record_deleted"
    charged: Charged = "maybe"
    then = (Step(Do.SETTLE),)


class UnexpectedResponseError(HailuoError):
    code = "unexpected_response"
    retry = True
    then = (Step(Do.REPEAT),)


class DownloadError(HailuoError):
    """Saving failed. The instance's `retry` says whether another attempt may help."""

    code = "download_failed"
    charged: Charged = "yes"
    retry = True
    then = (Step(Do.REPEAT),)


class LinkExpiredError(DownloadError):
    """The link no longer works: ask the provider for a fresh one."""

    code = "link_expired"


class JournalError(HailuoError):
    code = "journal"
    retry = True
    then = (Step(Do.REPEAT),)


class JournalDamagedError(JournalError):
    """Tasks may be lost; nothing is bought until a person accepts that."""

    code = "journal_damaged"
    retry = False
    then = (Step(Do.ACCEPT_LOSSES),)


def error_class(code: str) -> type[HailuoError]:
    """Return the class for a code that the journal kept with a task; the base if unknown."""
    kinds: list[type[HailuoError]] = [HailuoError]
    for kind in kinds:
        if kind.code == code:
            return kind
        kinds += kind.__subclasses__()
    return HailuoError
