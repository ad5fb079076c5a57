"""The voice for a person at the gallery: its buttons; commands only for the server's computer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.errors import Do
from hailuo_mcp.wording import cases, film_cases
from hailuo_mcp.wording.cases import Case
from hailuo_mcp.wording.film_cases import FilmCase

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView, View

STEPS: Mapping[Do, str] = {
    Do.TRY: "{clause}.",
    Do.ARRANGE: "{clause}.",
    Do.SET: "Set {about} for the server.",
    Do.CHECK: "Check {about}, a setting of the server.",
    Do.RAISE: "Raise {about}, a setting of the server.",
    Do.REPEAT: "Try again {about}.",
    Do.NEAREST: "Nearest that works: {about}.",
    Do.SETTLE: "Look at the provider's bill, then record what it says at the server's computer: "
    "`hailuo-mcp settle {about} bought --remote-id ID`, with the clip's id in the bill, or "
    "`not-bought`.",
    Do.DOWNLOAD: "Download again, free.",
    Do.ACCEPT_LOSSES: "Compare the provider's bill with the list of tasks, then run `hailuo-mcp "
    "journal accept` at the server's computer.",
}
"""A step without a sentence here is one that the page offers by itself, or none for its reader."""
TENANT_STEPS: Mapping[Do, str] = {
    **STEPS,
    Do.ARRANGE: "Ask the operator of this server to {about}.",
    Do.SET: "Only the operator of this server can change that.",
    Do.CHECK: "Ask the operator of this server to check its settings.",
    Do.RAISE: "Only the operator of this server can raise it.",
    Do.SETTLE: "Ask the operator of this server to look at the provider's bill and settle task "
    "{about}.",
    Do.ACCEPT_LOSSES: "Ask the operator of this server to check the journal.",
}
TASKS: Mapping[Case, str] = {
    Case.CONTINUES: "It waits for shot {before} of its film, which it continues.",
    Case.DELAYED: "{why} It is sent automatically.",
    Case.QUEUED: "{mute}",
    Case.RUNNING: "{mute}",
    Case.KEY_REFUSED: "The clip is bought and safe at {provider}, which refuses the server's key "
    "when asked for its status. Once the key is corrected, it is saved; do not buy it again.",
    Case.NOT_SAVED: "The clip is ready, but not saved. {save_error}",
    Case.LEFT_THERE: "The clip is ready at {provider}, and here clips are saved only when asked "
    "for.",
    Case.FAILED: "{why}",
    Case.NO_CLIP: "{error} {paid}",
    Case.CANCELLED: "{why} Nothing was charged.",
    Case.CANCELLED_ELSEWHERE: "{why}",
    Case.UNCONFIRMED: "{why} {held}. {settle}",
    Case.SEARCHED: "{why} {held}. It is being looked for in the provider's list of tasks.",
    Case.NOT_BOUGHT: "{error} Nothing was charged.",
}
"""Cases that need an explanation; for all others the page's own words do."""
FILMS: Mapping[FilmCase, str] = {
    FilmCase.REFUSED: "Making it would be refused. {refused}",
    FilmCase.KEY_REFUSED: "The shots are safe at {provider}, which refuses the server's key when "
    "asked for their status. Once the key is corrected, they are saved; do not buy again. "
    "{trouble}",
    FilmCase.BEING_MADE: "{trouble}",
    FilmCase.UNCONFIRMED: "{so_far} {trouble} Nothing more is bought before that is settled.",
    FilmCase.FAILED: "{saved}. {trouble}",
    FilmCase.CANCELLED: "{saved}. {trouble}",
    FilmCase.NOT_SAVED: "{save_error}",
    FilmCase.NOT_JOINED: "All {shots} are saved, but not joined. {save_error}",
}


def explanation(view: View) -> str:
    """Why a clip failed, or what is unknown of it; empty where nothing needs to be said."""
    sentence = TASKS.get(cases.case_of(view), "")
    return _said(sentence, cases.values_of(view, _steps(of_tenant=view.of_tenant)))


def film_explanation(view: FilmView) -> str:
    """The same of a film."""
    sentence = FILMS.get(film_cases.case_of(view), "")
    steps = _steps(of_tenant=view.of_tenant)
    return _said(sentence, film_cases.values_of(view, steps, tool="film"))


def _steps(*, of_tenant: bool) -> Mapping[Do, str]:
    return TENANT_STEPS if of_tenant else STEPS


def _said(sentence: str, values: Mapping[str, str]) -> str:
    return " ".join(sentence.format_map(values).split())
