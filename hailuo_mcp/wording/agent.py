"""The voice for an agent: tools to call, and a person to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.providers import provider_notice
from hailuo_mcp.domain import Status
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError
from hailuo_mcp.wording.cases import Case, case_of, key_is_refused, left, values_of
from hailuo_mcp.wording.phrases import (
    about,
    join,
    moment,
    money,
    next_steps,
    other_units_text,
    steps_of,
)

if TYPE_CHECKING:
    from hailuo_mcp.journal.store import Losses
    from hailuo_mcp.views import Listing, View

REUSED = "Not a new clip, nothing charged:"
STEPS: Mapping[Do, str] = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "Ask the person to {about}.",
    Do.SET: "Ask the person to set {about}.",
    Do.CHECK: "Ask the person to check {about}.",
    Do.RAISE: "Only the person can raise {about}.",
    Do.REPEAT: "Repeat this call {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.FIT_IMAGE: 'Repeat this call with image_fit="crop" to cut the edges off, or image_fit="pad" '
    "to add white bars.",
    Do.CONFIRM: "Ask the person; if they say yes, repeat this call unchanged with "
    "confirm='{about}'. The code works once, for ten minutes.",
    Do.SETTLE: "Ask the person to look at the provider's bill and then run "
    "`hailuo-mcp settle {about} bought` or `not-bought`.",
    Do.QUERY: 'Call query_task with task_id "{about}".',
    Do.DOWNLOAD: 'Call download_video with task_id "{about}", free.',
    Do.LIST_TASKS: "list_tasks shows the ids.",
    Do.LIST_MODELS: "The models are in hailuo://models.",
    Do.LIST_TEMPLATES: "generate_from_template without a template_id lists the templates.",
    Do.ESTIMATE: "estimate_cost compares prices, free.",
    Do.ACCEPT_LOSSES: "Ask the person to compare the provider's bill with `hailuo-mcp tasks` and "
    "then run `hailuo-mcp journal accept`.",
    Do.DOCTOR: "Ask the person to run `hailuo-mcp doctor`.",
}
TENANT_STEPS: Mapping[Do, str] = {
    **STEPS,
    Do.ARRANGE: "Ask the operator of this server to {about}.",
    Do.SET: "Only the operator of this server can change that.",
    Do.CHECK: "Ask the operator of this server to check this tenant's settings.",
    Do.RAISE: "Only the operator of this server can raise it.",
    Do.SETTLE: "Ask the operator of this server to look at the provider's bill and settle task "
    "{about}.",
    Do.ACCEPT_LOSSES: "Ask the operator of this server to check the journal.",
    Do.DOCTOR: "Ask the operator of this server to check it.",
}
"""For a tenant: the settings are the operator's, not those of the person with the client."""
_OF_A_TASK: Mapping[Do, str] = {Do.REPEAT: "Call {tool} again {about}."}
"""For a task's failure: the reader did not make the call that failed."""

_LOOK = 'call query_task with task_id "{task_id}" in {again}'
_SAVED_ALONE = (
    "The clip is saved without you (if this app closes, when hailuo-mcp next runs): do not buy it "
    f"again, {_LOOK}."
)
TASKS: Mapping[Case, str] = {
    Case.PENDING: "Recorded, and waiting for its turn under the rate limit; nothing is charged so "
    f"far. It is sent and saved without you; {_LOOK}.",
    Case.DELAYED: f"{{why}} It is sent and saved without you; {_LOOK}.",
    Case.SUBMITTING: "Sent to {provider}, which has not answered yet; {owed_if_accepted}. Work "
    f"continues without this call: do not buy it again, {_LOOK}.",
    Case.QUEUED: f"Bought and queued at {{provider}}{{left}}; {{owed}}.{{mute}} {_SAVED_ALONE}",
    Case.RUNNING: f"Rendering at {{provider}}{{left}}; {{owed}}.{{mute}} {_SAVED_ALONE}",
    Case.KEY_REFUSED: "Bought, and safe at {provider}; {owed}. But it refuses the key when asked "
    "for the clip's status, so the clip cannot be saved: ask the person to correct "
    f"HAILUO_API_KEY. Do not buy it again; then {_LOOK}.",
    Case.SAVED: "The clip is saved: {where}. {paid}",
    Case.SAVING: "The clip is ready and being saved. {paid} Call query_task with task_id "
    '"{task_id}" in about 5 s for its path.',
    Case.NOT_SAVED: "The clip is ready, but it is not on this disk: {save_error} {paid} "
    'download_video with task_id "{task_id}" tries again, free.',
    Case.LEFT_THERE: "The clip is ready at {provider} and not saved, because HAILUO_AUTO_DOWNLOAD "
    'is off. {paid} Call download_video with task_id "{task_id}", free.',
    Case.FAILED: "The clip failed. {why}",
    Case.NO_CLIP: "{error} {paid}",
    Case.CANCELLED: "Cancelled, nothing was charged. {why} To make the clip after all, call "
    "{tool}.",
    Case.CANCELLED_ELSEWHERE: "Cancelled. {why}",
    Case.UNCONFIRMED: "{why} {held}, and asking again does not help. {settle}",
}
_TENANT_TASKS: Mapping[Case, str] = {
    **TASKS,
    Case.KEY_REFUSED: "Bought, and safe at {provider}; {owed}. But it refuses the key when asked "
    "for the clip's status, so the clip cannot be saved: ask the operator of this server to "
    f"correct it. Do not buy it again; then {_LOOK}.",
}
_STILL: Mapping[Status, str] = {
    Status.PENDING: "Still waiting for its turn",
    Status.SUBMITTING: "Still not answered by the provider",
    Status.QUEUED: "Still queued",
    Status.RUNNING: "Still rendering",
}


def error_text(error: HailuoError, *, opening: str = "", of_tenant: bool = False) -> str:
    """What happened, whether money moved, and what to call next."""
    picture = (
        "A picture attached to the chat does not reach this server: ask the person for the path "
        "of the file on this computer."
        if isinstance(error, InvalidRequestError) and error.no_such_file
        else ""
    )
    steps = next_steps(steps_of(error), _steps(of_tenant=of_tenant))
    return join(opening, error.what, money(error), steps, picture)


def _steps(*, of_tenant: bool) -> Mapping[Do, str]:
    return TENANT_STEPS if of_tenant else STEPS


def opening(provider: str, losses: Losses | None, *, of_tenant: bool = False) -> str:
    """The start of every message: the sandbox's notice, and that nothing can be bought."""
    return join(provider_notice(provider), losses_text(losses, of_tenant=of_tenant))


def losses_text(losses: Losses | None, *, of_tenant: bool = False) -> str:
    """The warning that a damaged journal may have lost tasks; empty if it has not."""
    if losses is None:
        return ""
    if of_tenant:
        return "Nothing new is bought until the operator of this server has checked the journal."
    return (
        f"The journal was damaged and {losses.many} may be lost, so nothing new is bought until "
        "the person runs `hailuo-mcp journal accept`."
    )


def task_text(view: View) -> str:
    """The whole message of a task."""
    steps = {**_steps(of_tenant=view.of_tenant), **_OF_A_TASK}
    values = values_of(view, steps) | {"where": _where(view)}
    tasks = _TENANT_TASKS if view.of_tenant else TASKS
    said = tasks[case_of(view)].format_map(values)
    if view.reused:
        said = f"{REUSED} {said[0].lower()}{said[1:]}"
    start = opening(view.task.provider, view.losses, of_tenant=view.of_tenant)
    return join(start, said, *view.notes)


def unchanged_text(view: View) -> str:
    """The message of a poll that finds nothing new."""
    said = f"{_STILL[view.task.status]}{left(view)}; nothing else is new. Call query_task again in"
    return join(view.notice, f"{said} {about(view.next_check_seconds or 30)}.")


def _where(view: View) -> str:
    """Where the person finds a saved clip: by its path, in a bucket, behind this server's link."""
    if view.link is None and view.task.in_bucket:
        return "tell the person the address in file; download_video with output_path copies it"
    if view.link is None:
        return "tell the person the path in file"
    return f"give the person the link in url, good until {moment(view.link.expires_at or view.now)}"


def list_text(listing: Listing, *, limit: int) -> str:
    """Summarise the rows; if there are `limit` rows, there may be more."""
    rows, spending = listing.rows, listing.spending
    unfinished = [view for view in rows if not view.settled]
    doubtful = sum(view.task.status is Status.UNCONFIRMED for view in rows)
    imitations = sum(bool(view.notice) for view in rows)
    many = f"{len(rows)} task{'' if len(rows) == 1 else 's'}"
    said = [_list_opening(listing)]
    if not rows:
        said.append("No tasks.")
    elif len(rows) == limit:
        said.append(f"The newest {many}; raise limit to see more.")
    else:
        said.append(f"{many}, newest first.")
    if unfinished:
        said.append(
            f"{len(unfinished)} under way and saved without you: call list_tasks again in "
            f"{_soonest(unfinished)}."
        )
    if any(key_is_refused(view.task) for view in unfinished):
        whom = (
            "the operator of this server to correct it"
            if listing.of_tenant
            else "the person to correct HAILUO_API_KEY"
        )
        said.append(f"The provider refuses the key: ask {whom}.")
    if doubtful:
        who = (
            "the operator of this server settles it"
            if listing.of_tenant
            else "a person settles it with `hailuo-mcp settle`"
        )
        said.append(f"{doubtful} unconfirmed: may have been bought; {who}.")
    said.append(other_units_text(spending.others))
    if imitations and imitations < len(rows):
        said.append(f'{imitations} from the sandbox, free: the cost says "would cost".')
    if provider_notice(spending.provider):
        said.append("The spending is the sandbox's, in play money.")
    elif imitations:
        said.append(f"The spending is that of {spending.provider}, without the sandbox's.")
    return join(*said)


def list_unchanged_text(listing: Listing) -> str:
    """The message of a wait in which nothing has ended."""
    unfinished = [view for view in listing.rows if not view.settled]
    again = f"Wait with list_tasks again in {_soonest(unfinished)}."
    return join(_list_opening(listing), f"Nothing new: {len(unfinished)} under way.", again)


def _list_opening(listing: Listing) -> str:
    """A mixed list does not start as if all of it were free."""
    alone = all(view.notice for view in listing.rows)
    return join(
        provider_notice(listing.spending.provider) if alone else "",
        losses_text(listing.losses, of_tenant=listing.of_tenant),
    )


def _soonest(unfinished: list[View]) -> str:
    return about(min(view.next_check_seconds or 30 for view in unfinished))
