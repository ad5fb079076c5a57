"""Exit codes: 0 saved or done, 1 failed, 2 refused, 3 unconfirmed, 130 interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.domain import Money, Status, Task
from hailuo_mcp.errors import (
    ConfigError,
    HailuoError,
    InvalidRequestError,
    JournalDamagedError,
    ProviderUnavailableError,
    RateLimitError,
    TaskFailedError,
    TaskNotFoundError,
    UnconfirmedSubmitError,
)

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView, View

DONE, FAILED, REFUSED, UNCONFIRMED, INTERRUPTED = 0, 1, 2, 3, 130
HELP = (
    "exit codes: 0 saved, or done as asked; 1 failed; 2 refused, nothing bought;\n"
    "3 unconfirmed, may have been bought; 130 stopped waiting"
)
_REFUSALS = (InvalidRequestError, ConfigError, TaskNotFoundError, JournalDamagedError)
_UNAVAILABLE = (RateLimitError.code, ProviderUnavailableError.code)


def of_error(error: HailuoError) -> int:
    if error.code == UnconfirmedSubmitError.code:
        return UNCONFIRMED
    refused = isinstance(error, _REFUSALS)
    if isinstance(error, TaskFailedError):
        refused = error.code not in _UNAVAILABLE
    return REFUSED if refused else FAILED


def of_view(view: View) -> int:
    """What became of a task; 0 as well while it is on its way."""
    task = view.task
    if task.status is Status.UNCONFIRMED:
        return UNCONFIRMED
    if task.status is Status.FAILED:
        return REFUSED if _refused_at_once(task) else FAILED
    if task.status is Status.CANCELLED:
        return FAILED
    return FAILED if task.status is Status.SUCCEEDED and task.save_error else DONE


def of_film(view: FilmView) -> int:
    """What became of a film; 0 as well while it is planned or on its way."""
    if view.status is Status.UNCONFIRMED:
        return UNCONFIRMED
    if view.status in (Status.FAILED, Status.CANCELLED):
        return FAILED
    shots = [shot.view.task for shot in view.shots if shot.view]
    unsaved = view.film.save_error or any(it.save_error and not it.saved for it in shots)
    return FAILED if view.status is Status.SUCCEEDED and unsaved else DONE


def _refused_at_once(task: Task) -> bool:
    """The provider refused the request itself, at once or later."""
    if task.money is Money.SPENT:  # a person has settled that it was charged all the same
        return False
    return bool(task.error_kind) and not task.remote_id and task.error_kind not in _UNAVAILABLE
