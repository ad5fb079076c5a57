"""The voice for an agent: tools to call, and a person to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hailuo_mcp.dialects.providers import provider_notice
from hailuo_mcp.domain.task import BUCKET, Status
from hailuo_mcp.errors import Do, HailuoError, InvalidRequestError
from hailuo_mcp.wording import film_cases
from hailuo_mcp.wording.cases import (
    Case,
    case_of,
    key_is_refused,
    left,
    progress_line,
    values_of,
)
from hailuo_mcp.wording.film_cases import FilmCase
from hailuo_mcp.wording.phrases import (
    about,
    difference,
    join,
    moment,
    money,
    next_steps,
    other_units_text,
    steps_of,
)

if TYPE_CHECKING:
    from hailuo_mcp.journal.facts import Losses
    from hailuo_mcp.views import FilmView, Listing, View

REUSED = "Not a new clip, nothing charged:"
FILM_REUSED = "Not a new film, nothing charged:"
_REDO_REUSED = (
    "Not a new take, nothing charged: {redone} made again before, and this call is taken for the "
    'same one. For another take call generate_storyboard with film_id "{film_id}", redo=[{retake}] '
    "and dry_run=true, then with dry_run=false."
)
STEPS: Mapping[Do, str] = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "Ask the person to {about}.",
    Do.SET: "Ask the person to set {about}.",
    Do.CHECK: "Ask the person to check {about}.",
    Do.RAISE: "Only the person can raise {about}.",
    Do.REPEAT: "Repeat this call {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.CROP_IMAGE: 'With image_fit="crop" this call cuts the edges off.',
    Do.PAD_IMAGE: 'With image_fit="pad" this call adds white bars.',
    Do.CONFIRM: "Ask the person; if they say yes, repeat this call unchanged with "
    "confirm='{about}'. The code works once, for ten minutes.",
    Do.SETTLE: "Ask the person to look at the provider's bill and then run "
    "`hailuo-mcp settle {about} bought --remote-id ID`, with the clip's id in the bill, or "
    "`not-bought`.",
    Do.QUERY: 'Call query_task with task_id "{about}".',
    Do.DOWNLOAD: 'Call download_video with task_id "{about}", free.',
    Do.LIST_TASKS: "list_tasks shows the ids.",
    Do.LIST_MODELS: "The models are in hailuo://models.",
    Do.LIST_TEMPLATES: "generate_from_template without a template_id lists the templates.",
    Do.ESTIMATE: "estimate_cost compares prices, free.",
    Do.ACCEPT_LOSSES: "Ask the person to compare the provider's bill with `hailuo-mcp tasks` and "
    "then run `hailuo-mcp journal accept`.",
    Do.DOCTOR: "Ask the person to run `hailuo-mcp doctor`.",
    Do.LOG_IN: "Or they run `hailuo-mcp login` in a terminal, which keeps a key.",
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
    Do.LOG_IN: "",
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
    Case.CONTINUES: "Recorded; nothing is charged so far. It starts from the last frame of shot "
    "{before} and is sent once that one is saved, without you: call query_task with task_id "
    '"{film_id}" for the whole film.',
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
    Case.SEARCHED: "{why} {held}. It is being looked for in the provider's list of tasks, without "
    f"you: do not buy it again, {_LOOK}.",
    Case.NOT_BOUGHT: "{error} Nothing was charged. To make the clip after all, call {tool}.",
}
_TENANT_TASKS: Mapping[Case, str] = {
    **TASKS,
    Case.KEY_REFUSED: "Bought, and safe at {provider}; {owed}. But it refuses the key when asked "
    "for the clip's status, so the clip cannot be saved: ask the operator of this server to "
    f"correct it. Do not buy it again; then {_LOOK}.",
}
_LOOK_AT_FILM = 'call query_task with task_id "{film_id}" in {again}'
_FILM_ALONE = (
    "It goes on without you, to the joined film (if this app closes, when hailuo-mcp next runs): "
    f"do not make it again, {_LOOK_AT_FILM}."
)
_MAKE_FILM = 'generate_storyboard with film_id "{film_id}" and dry_run=false makes exactly this'
_REDO = (
    'generate_storyboard with film_id "{film_id}" and redo=[{redo}] plans {again_shots} again '
    "({again_price}), with the same prompts, and buys nothing yet; changed prompts are a new film."
)
FILMS: Mapping[FilmCase, str] = {
    FilmCase.PLANNED: "Planned: {planned}{length}, {price}{takes}; nothing was bought or charged."
    "{joins}{budget} Show the person the shots and the price; "
    f"{_MAKE_FILM}, within 24 hours.{{consent}}",
    FilmCase.REFUSED: "Making this would be refused. {refused} Planned: {planned}, "
    "{price}{takes}; nothing was bought or charged.",
    FilmCase.REDO_PLANNED: "Planned: {planned}, {price}; nothing was bought or charged.{budget} "
    f"{{earlier}} Show the person; {_MAKE_FILM}.{{consent}}",
    FilmCase.WITHDRAWN: "The plan is withdrawn; nothing was bought or charged. To make the film "
    "after all, plan it again with generate_storyboard.",
    FilmCase.WAITING: "Recorded: {shots}, and sent as fast as the rate limit allows; nothing is "
    f"charged so far. {_FILM_ALONE}",
    FilmCase.BEING_MADE: f"Being made at {{provider}}: {{saved}}{{left}}; {{owed}}. {{trouble}} "
    f"{_FILM_ALONE}",
    FilmCase.KEY_REFUSED: "Being made, and safe at {provider}: {saved}; {owed}. But it refuses the "
    "key when asked for a clip's status: ask the person to correct HAILUO_API_KEY. {trouble} Do "
    f"not make the film again; then {_LOOK_AT_FILM}.",
    FilmCase.UNCONFIRMED: "The film waits: {saved}. {so_far} {trouble} {earlier} Nothing more is "
    "bought before that is settled, and asking again does not help.",
    FilmCase.FAILED: "The film is not complete: {saved}. {trouble} {paid} {earlier} " + _REDO,
    FilmCase.CANCELLED: "Cancelled: {saved}. {trouble} {paid} {earlier} " + _REDO,
    FilmCase.SAVING: "All {shots} are ready and being saved. {paid} Call query_task with task_id "
    '"{film_id}" in about 5 s.',
    FilmCase.NOT_SAVED: "All {shots} are ready, but not all are on this disk. {save_error} {paid} "
    'download_video with task_id "{film_id}" tries again, free.',
    FilmCase.JOINING: "All {shots} are saved and being joined. {paid} Call query_task with task_id "
    '"{film_id}" in about 5 s for the film\'s path.',
    FilmCase.NOT_JOINED: "All {shots} are saved, but not joined. {save_error} {paid} "
    'download_video with task_id "{film_id}" tries again, free.',
    FilmCase.JOINED: "The film is saved: {where}. {paid} preview_video shows it; redo of "
    "generate_storyboard makes single shots again.",
}
OPEN_REDO = (
    "A redo of {shots} is planned ({price}): generate_storyboard with this film_id and "
    "dry_run=false makes it, cancel_task withdraws it."
)
_TENANT_FILMS: Mapping[FilmCase, str] = {
    **FILMS,
    FilmCase.KEY_REFUSED: "Being made, and safe at {provider}: {saved}; {owed}. But it refuses the "
    "key when asked for a clip's status: ask the operator of this server to correct it. {trouble} "
    f"Do not make the film again; then {_LOOK_AT_FILM}.",
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
    values = values_of(view, steps) | {"where": _where(view, view.task.file)}
    tasks = _TENANT_TASKS if view.of_tenant else TASKS
    said = tasks[case_of(view)].format_map(values)
    if view.reused:
        said = f"{REUSED} {said[0].lower()}{said[1:]}"
    start = opening(view.task.provider, view.losses, of_tenant=view.of_tenant)
    return join(start, said, *view.notes)


def unchanged_text(view: View) -> str:
    """The message of a poll that finds nothing new."""
    what = f"{_STILL[view.task.status]}{left(view)}"
    if view.task.waits:
        what = f"Still {progress_line(view)}"
    said = f"{what}; nothing else is new. Call query_task again in"
    return join(view.notice, f"{said} {about(view.next_check_seconds or 30)}.")


def _where(view: View | FilmView, file: str) -> str:
    """Where the person finds a saved file: by its path, in a bucket, behind this server's link."""
    if view.link is not None:
        until = moment(view.link.expires_at or view.now)
        return f"give the person the link in url, good until {until}"
    if file.startswith(BUCKET):
        return "tell the person the address in file; download_video with output_path copies it"
    return "tell the person the path in file"


def film_text(view: FilmView) -> str:
    """The whole message of a film, planned or made."""
    case = film_cases.case_of(view)
    steps = {**_steps(of_tenant=view.of_tenant), **_OF_A_TASK}
    values = film_cases.values_of(view, steps, tool="generate_storyboard") | {
        "where": _where(view, view.film.file),
        "consent": " The person is asked before it is bought." if view.asks else "",
    }
    films = _TENANT_FILMS if view.of_tenant else FILMS
    said = " ".join(films[case].format_map(values).split())
    if view.repeats_redo:
        said = join(_REDO_REUSED.format_map(values), said)
    elif view.reused and not view.planned:
        said = f"{FILM_REUSED} {said[0].lower()}{said[1:]}"
    start = opening(view.film.provider, view.losses, of_tenant=view.of_tenant)
    return join(start, said, *film_cases.remarks(view, OPEN_REDO))


def film_unchanged_text(view: FilmView) -> str:
    """The message of a poll that finds nothing new about a film."""
    said = f"Still being made: {film_cases.progress_line(view)}; nothing else is new."
    again = about(view.next_check_seconds or 30)
    return join(view.notice, said, f"Call query_task again in {again}.")


def list_text(listing: Listing, *, limit: int) -> str:
    """Summarise the rows; if there are `limit` rows, there may be more."""
    rows, spending = listing.rows, listing.spending
    unfinished = listing.under_way
    imitations = sum(bool(view.notice) for view in listing.entries)
    listed = len(listing.entries)
    said = [_list_opening(listing)]
    if not listed:
        said.append("No tasks.")
    elif listed == limit:
        said.append(f"The newest {_many(listing)}; raise limit to see more.")
    else:
        said.append(f"{_many(listing)}, newest first.")
    if differ := sum(bool(difference(view.task)) for view in rows):
        said.append(f"{differ} cost more or less than quoted, by the provider's count.")
    if unfinished:
        said.append(
            f"{len(unfinished)} under way and saved without you: call list_tasks again in "
            f"{_soonest(unfinished)}."
        )
    if any(key_is_refused(view.task) for view in rows):
        whom = (
            "the operator of this server to correct it"
            if listing.of_tenant
            else "the person to correct HAILUO_API_KEY"
        )
        said.append(f"The provider refuses the key: ask {whom}.")
    said += _doubts(listing)
    said.append(other_units_text(spending.others))
    if imitations and imitations < listed:
        said.append(f'{imitations} from the sandbox, free: the cost says "would cost".')
    if provider_notice(spending.provider):
        said.append("The spending is the sandbox's, in play money.")
    elif imitations:
        said.append(f"The spending is that of {spending.provider}, without the sandbox's.")
    return join(*said)


def _doubts(listing: Listing) -> Iterator[str]:
    """How many may have been bought, and what happens about them."""
    found = [view for view in listing.rows if view.task.status is Status.UNCONFIRMED]
    searched = sum(view.searching for view in found)
    if searched:
        yield (
            f"{searched} unconfirmed: may have been bought; being looked for in the provider's "
            "list of tasks."
        )
    if left := len(found) - searched:
        who = (
            "the operator of this server settles it"
            if listing.of_tenant
            else "a person settles it with `hailuo-mcp settle`"
        )
        yield f"{left} unconfirmed: may have been bought; {who}."


def list_unchanged_text(listing: Listing) -> str:
    """The message of a wait in which nothing has ended."""
    unfinished = listing.under_way
    again = f"Wait with list_tasks again in {_soonest(unfinished)}."
    return join(_list_opening(listing), f"Nothing new: {len(unfinished)} under way.", again)


def _list_opening(listing: Listing) -> str:
    """A mixed list does not start as if all of it were free."""
    alone = all(view.notice for view in listing.entries)
    return join(
        provider_notice(listing.spending.provider) if alone else "",
        losses_text(listing.losses, of_tenant=listing.of_tenant),
    )


def _many(listing: Listing) -> str:
    """How many tasks, and films apart from them: their shots are tasks already."""
    counted = (("task", len(listing.rows)), ("film", len(listing.films)))
    said = [f"{many} {what}{'' if many == 1 else 's'}" for what, many in counted if many]
    return " and ".join(said)


def _soonest(unfinished: Sequence[View | FilmView]) -> str:
    return about(min(view.next_check_seconds or 30 for view in unfinished))
