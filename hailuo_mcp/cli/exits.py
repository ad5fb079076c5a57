"""Exit codes: 0 saved or done, 1 failed, 2 refused, 3 unconfirmed, 130 interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hailuo_mcp.domain.task import Task
    from hailuo_mcp.errors import HailuoError
    from hailuo_mcp.views import FilmView, View

DONE, FAILED, REFUSED, UNCONFIRMED, INTERRUPTED = 0, 1, 2, 3, 130


def of_error(error: HailuoError) -> int:
    from hailuo_mcp import errors

    refusals = (
        errors.InvalidRequestError,
        errors.ConfigError,
        errors.TaskNotFoundError,
        errors.JournalDamagedError,
    )
    if error.code == errors.UnconfirmedSubmitError.code:
        return UNCONFIRMED
    refused = isinstance(error, refusals)
    if isinstance(error, errors.TaskFailedError):
        refused = not _is_unavailable(error.code)
    return REFUSED if refused else FAILED


def of_view(view: View) -> int:
    """What became of a task; 0 as well while it is on its way."""
    from hailuo_mcp.domain.task import Status

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
    from hailuo_mcp.domain.task import Status

    if view.status is Status.UNCONFIRMED:
        return UNCONFIRMED
    if view.status in (Status.FAILED, Status.CANCELLED):
        return FAILED
    shots = [shot.view.task for shot in view.shots if shot.view]
    unsaved = view.film.save_error or any(it.save_error and not it.saved for it in shots)
    return FAILED if view.status is Status.SUCCEEDED and unsaved else DONE


def _refused_at_once(task: Task) -> bool:
    """The provider refused the request itself, at once or later."""
    from hailuo_mcp.domain.task import Money

    if task.money is Money.SPENT:  # a person has settled that it was charged all the same
        return False
    return bool(task.error_kind) and not task.remote_id and not _is_unavailable(task.error_kind)


def _is_unavailable(kind: str) -> bool:
    from hailuo_mcp.errors import ProviderUnavailableError, RateLimitError

    return kind in (RateLimitError.code, ProviderUnavailableError.code)
