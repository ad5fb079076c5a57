"""Every error and every case of a task in all voices, in one table; UPDATE_VOICES=1 accepts a change."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tools.fakes import ID, NOW, a_task, a_view, saved_view
from tools.film_fakes import (
    FILM_ID,
    a_film_view,
    a_joined_film,
    a_planned_film,
    cancelled_view,
    in_credits,
    waiting_view,
)

import hailuo_mcp
from hailuo_mcp import errors
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.film import Transition
from hailuo_mcp.domain.remote import Link, Phase, RemoteStatus
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import NOT_BOUGHT, UNFINISHED, Money, Status, Unit
from hailuo_mcp.errors import BudgetExceededError, Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.files.clip_file import DiskError
from hailuo_mcp.files.download import CorruptClipError
from hailuo_mcp.journal.facts import Losses, UnitSpending
from hailuo_mcp.server.tools import all_tools
from hailuo_mcp.transport.hosts import RefusedLinkError
from hailuo_mcp.transport.link_download import RefusedDownloadError
from hailuo_mcp.views import FilmView, Listing, Offer, Spending, View
from hailuo_mcp.wording import agent, film_cases, person, programmer
from hailuo_mcp.wording.cases import Case, case_of, progress_line
from hailuo_mcp.wording.costs import offer_words, purchase_quote
from hailuo_mcp.wording.film_cases import FilmCase

TABLE = Path(__file__).with_name("voices.md")


def no_such_file() -> InvalidRequestError:
    error = InvalidRequestError("The first frame: there is no file 'cat.png'.")
    error.no_such_file = True
    return error


ERRORS: tuple[HailuoError, ...] = (
    HailuoError("The tool failed through a fault of hailuo-mcp itself."),
    HailuoError("The tool failed through a fault of hailuo-mcp itself.", charged="maybe"),
    errors.ConfigError("The provider minimax-cn cannot be used."),
    errors.ConfigError(
        "There is no API key for minimax-cn. Keys come from https://platform.minimaxi.com.",
        Step(Do.SET, "HAILUO_API_KEY"),
        Step(Do.SET, "HAILUO_PROVIDER=sandbox"),
        Step(Do.LOG_IN),
    ),
    errors.ConfigError("The plan 'gold' is unknown.", Step(Do.SET, "HAILUO_PLAN=payg")),
    InvalidRequestError(
        "Refused: 12 s is longer than 10 s.", Step(Do.NEAREST, "MiniMax-Hailuo-02, 768P, 10 s")
    ),
    InvalidRequestError(
        "Refused: the first frame is 900×300 px; its aspect ratio must be between 2:5 and 5:2.",
        Step(Do.CROP_IMAGE),
        Step(Do.PAD_IMAGE),
    ),
    InvalidRequestError("Refused: unknown model 'Halo'.", Step(Do.LIST_MODELS)),
    InvalidRequestError("There is no template 'Dive'.", Step(Do.LIST_TEMPLATES)),
    InvalidRequestError(
        "The request key 'k1' already names another purchase.",
        Step(Do.TRY, "use a new request key for a new clip"),
        Step(Do.QUERY),
        task_id=ID,
    ),
    no_such_file(),
    errors.BudgetExceededError(
        "This clip costs 2 CNY, and only 1 CNY of the budget is left.",
        Step(Do.RAISE, "HAILUO_BUDGET"),
        Step(Do.ESTIMATE),
    ),
    errors.BudgetExceededError(
        "No price is published for this clip, so the budget cannot be enforced.",
        Step(Do.SET, "HAILUO_UNPRICED_COST"),
    ),
    errors.ConsentRequiredError(
        "This clip costs 2 CNY, and consent is needed above 1 CNY.", Step(Do.CONFIRM, "a1b2c3d4")
    ),
    errors.NotPermittedError(
        "Not bought: the access token of this connection lacks the scope hailuo:buy.",
        Step(Do.TRY, "sign in again and allow buying (hailuo:buy)"),
    ),
    errors.TaskFailedError(
        "minimax-cn's moderation refused the prompt or a picture (1026).",
        code="content_rejected",
        retry=False,
        task_id=ID,
    ),
    errors.TaskFailedError(
        "minimax-cn had an internal error (1000).",
        code="provider_unavailable",
        retry=True,
        task_id=ID,
    ),
    errors.TaskNotFoundError("There is no task 'x1'."),
    errors.ProviderError(
        "api.example.com has nothing at this address (HTTP 404).",
        Step(Do.CHECK, "HAILUO_BASE_URL"),
    ),
    errors.AuthenticationError("api.minimaxi.com did not accept the key (1004)."),
    errors.InsufficientBalanceError("The account is out of credit (1008)."),
    errors.QuotaExceededError("The quota of this key's plan is used up (1028)."),
    errors.RateLimitError("minimax-cn accepts no more requests for now (1002)."),
    errors.RateLimitError("minimax-cn accepts no more requests for now (1002).", retry_after=12),
    errors.ContentRejectedError("minimax-cn's moderation refused the prompt (1026)."),
    errors.RejectedParametersError("minimax-cn does not accept these inputs (2013)."),
    errors.SourceIdNotEnabledError(
        "minimax-cn does not upgrade clips by their id for this account.", provider_code="2013"
    ),
    errors.UnconfirmedCancelError(
        "minimax-cn was asked to cancel the task, but it answered HTTP 504.", task_id=ID
    ),
    errors.RecordDeletedError(
        "The task had ended before it could be cancelled, and minimax-cn has deleted its record "
        "of it.",
        task_id=ID,
    ),
    errors.RemoteTaskNotFoundError("minimax-cn knows no such task or file (2013)."),
    errors.ProviderUnavailableError("minimax-cn had an internal error (1000)."),
    errors.UnconfirmedSubmitError(
        "The request was sent to minimax-cn, and no usable answer came.", task_id=ID
    ),
    errors.UnconfirmedSubmitError("The request was sent to minimax-cn, and no usable answer came."),
    errors.UnexpectedResponseError("minimax-cn gave an answer that cannot be read."),
    errors.DownloadError("The connection broke while the clip was saved."),
    errors.DownloadError("The clip is not saved yet.", Step(Do.DOWNLOAD), task_id=ID),
    CorruptClipError("The provider's file is damaged."),
    DiskError("The disk is full.", Step(Do.ARRANGE, "free some space")),
    RefusedDownloadError("The link of the clip points to a private address."),
    RefusedLinkError("10.0.0.7 is a private address"),
    errors.LinkExpiredError("The link of the clip has expired."),
    errors.JournalError("The journal is locked by another program."),
    errors.JournalError("The journal is damaged.", Step(Do.DOCTOR)),
    errors.JournalError("It is not known whether it was recorded.", charged="maybe"),
    errors.JournalDamagedError("The journal was damaged and 3 of 40 tasks may be lost."),
)

MODERATED = {
    "status": Status.FAILED,
    "money": Money.RELEASED,
    "error": "minimax-cn's moderation refused the prompt or a picture (1026).",
    "error_kind": "content_rejected",
    "error_code": "1026",
}
UNREADABLE = {
    "error": "minimax-cn had an internal error (1000).",
    "error_kind": "provider_unavailable",
}
NO_ANSWER = {
    "error": "The request was sent to minimax-cn, and no usable answer came.",
    "error_kind": "unconfirmed",
}
LOST = Losses(at=NOW, kept="", flaw="x", expected=40, carried=37, missing={})

VIEWS: tuple[tuple[str, View], ...] = (
    ("", a_view(status=Status.PENDING)),
    ("", a_view(status=Status.PENDING, film_id=FILM_ID, shot=3, after=ID)),
    (
        "refused for speed",
        a_view(
            status=Status.PENDING,
            error="minimax-cn accepts no more requests for now (1002).",
            error_kind="rate_limited",
        ),
    ),
    ("", a_view(status=Status.SUBMITTING)),
    ("", a_view(status=Status.QUEUED)),
    ("", a_view()),
    ("in credits", a_view(amount=Decimal(2), unit=Unit.CREDITS)),
    ("without a price", a_view(amount=None)),
    ("in the sandbox", a_view(provider="sandbox")),
    ("bought elsewhere", a_view(money=Money.UNKNOWN)),
    ("while the provider gives no answer", a_view(**UNREADABLE)),
    ("asked for again", a_view(reused=True)),
    ("after the journal was damaged", replace(a_view(), losses=LOST)),
    (
        "",
        a_view(
            error="api.minimaxi.com did not accept the key (1004).", error_kind="authentication"
        ),
    ),
    ("", saved_view()),
    ("in the sandbox", saved_view(provider="sandbox")),
    ("without a price", saved_view(amount=None)),
    ("bought elsewhere", saved_view(money=Money.UNKNOWN)),
    ("asked for again", saved_view(reused=True)),
    (
        "over HTTP",
        replace(saved_view(), link=Link(url="https://mcp.example.com/f/1", expires_at=NOW)),
    ),
    ("", saved_view(file="")),
    ("", saved_view(file="", save_error="The disk is full: /home/kim/Videos/Hailuo.")),
    ("", saved_view(file="", auto=False)),
    ("by the provider's count, more", saved_view(quoted=Decimal("1.5"))),
    (
        "by the provider's count, less, in the sandbox",
        saved_view(provider="sandbox", quoted=Decimal(3)),
    ),
    ("", a_view(**MODERATED)),
    (
        "",
        a_view(
            status=Status.FAILED,
            money=Money.RELEASED,
            error="The provider's list of tasks does not have it 30 minutes after it was sent, so "
            "it was not bought.",
            error_kind=NOT_BOUGHT,
        ),
    ),
    ("", replace(a_view(status=Status.UNCONFIRMED, **NO_ANSWER), searching=True)),
    (
        "several may be it",
        a_view(
            status=Status.UNCONFIRMED,
            error="The provider's list has 2 tasks that may be this purchase: 4001 (2027-01-15 "
            "08:00:00 UTC), 4002 (2027-01-15 08:00:09 UTC).",
            error_kind="unconfirmed",
            candidates=("4001", "4002"),
        ),
    ),
    ("for no reason", a_view(status=Status.FAILED, money=Money.RELEASED)),
    (
        "on the provider's side",
        a_view(status=Status.FAILED, money=Money.RELEASED, **UNREADABLE),
    ),
    (
        "from a template",
        a_view(
            status=Status.FAILED,
            money=Money.RELEASED,
            mode=Mode.TEMPLATE,
            error="minimax-cn accepts no more requests for now (1002).",
            error_kind="rate_limited",
        ),
    ),
    (
        "settled as not bought",
        a_view(
            status=Status.FAILED,
            money=Money.RELEASED,
            error="Settled by a person: the provider never took it.",
            settled_at=NOW,
        ),
    ),
    (
        "in the words of an older journal",
        a_view(
            **MODERATED
            | {"error": "Moderation refused it. Nothing was charged. Change the prompt."}
        ),
    ),
    (
        "",
        a_view(
            status=Status.FAILED,
            money=Money.SPENT,
            error="Settled by a person: it was bought, but its id is unknown.",
            settled_at=NOW,
        ),
    ),
    (
        "",
        a_view(
            status=Status.CANCELLED,
            money=Money.RELEASED,
            error="It was withdrawn before it was sent.",
        ),
    ),
    ("from a template", a_view(status=Status.CANCELLED, money=Money.RELEASED, mode=Mode.TEMPLATE)),
    (
        "a film's shot",
        a_view(status=Status.CANCELLED, money=Money.RELEASED, film_id=FILM_ID, shot=3),
    ),
    (
        "",
        a_view(status=Status.CANCELLED, money=Money.UNKNOWN, error="The provider cancelled it."),
    ),
    ("", a_view(status=Status.UNCONFIRMED)),
    (
        "after it was accepted",
        a_view(
            status=Status.UNCONFIRMED,
            error="It was accepted, but the provider never said that it ended.",
            error_kind="unconfirmed",
        ),
    ),
    ("in the sandbox", a_view(status=Status.UNCONFIRMED, provider="sandbox")),
    ("without a price", a_view(status=Status.UNCONFIRMED, amount=None)),
)

SPENDING = Spending(
    provider="minimax-cn",
    unit="CNY",
    period="day",
    spent=Decimal("12.50"),
    reserved=Decimal(2),
    uncertain=Decimal(2),
    budget=Decimal(100),
    left=Decimal("85.50"),
    others=(UnitSpending(unit="credits", spent=Decimal(3), reserved=Decimal(1)),),
)
PLAIN = Spending(
    provider="minimax-cn",
    unit="CNY",
    period="total",
    spent=Decimal(2),
    reserved=Decimal(0),
    uncertain=Decimal(0),
)
PLAY = replace(SPENDING, provider="sandbox", uncertain=Decimal(0), others=())
KEYLESS = a_view(error="The key was not accepted.", error_kind="authentication")


def _listed(film: FilmView) -> Listing:
    shots = tuple(shot.view for shot in film.shots if shot.view)
    return Listing(rows=shots, films=(film,), spending=PLAIN)


LISTS: tuple[tuple[str, Listing], ...] = (
    ("no task", Listing(rows=(), spending=PLAIN)),
    ("one that is saved", Listing(rows=(saved_view(),), spending=PLAIN)),
    (
        "as many as asked for: one under way, one unconfirmed, one saved",
        Listing(
            rows=(a_view(), a_view(status=Status.UNCONFIRMED), saved_view()), spending=SPENDING
        ),
    ),
    ("the key is refused", Listing(rows=(KEYLESS,), spending=PLAIN)),
    ("the sandbox alone", Listing(rows=(saved_view(provider="sandbox"),), spending=PLAY)),
    (
        "the sandbox among others",
        Listing(rows=(saved_view(provider="sandbox"), saved_view()), spending=PLAIN),
    ),
    ("after the journal was damaged", Listing(rows=(saved_view(),), spending=PLAIN, losses=LOST)),
    ("a plan alone", Listing(rows=(), films=(a_planned_film(),), spending=PLAIN)),
    ("a film with its shots", _listed(a_film_view({5: a_view()}))),
    ("a film that is being joined", _listed(a_film_view(due_at=NOW))),
    (
        "a film whose shots wait for an unconfirmed one",
        _listed(a_film_view({4: a_view(status=Status.UNCONFIRMED), 5: waiting_view()})),
    ),
)

DRAFT = a_task(status=Status.PENDING)
OFFERS: tuple[tuple[str, Offer], ...] = (
    ("with a budget", Offer(draft=DRAFT, reserved_amount=Decimal(2), spending=SPENDING)),
    (
        "without a price",
        Offer(draft=replace(DRAFT, amount=None), reserved_amount=Decimal(3), spending=PLAIN),
    ),
    (
        "in the sandbox",
        Offer(draft=replace(DRAFT, provider="sandbox"), reserved_amount=Decimal(2), spending=PLAY),
    ),
    (
        "of what was bought before",
        Offer(draft=DRAFT, reserved_amount=Decimal(2), spending=PLAIN, repeats=a_view(reused=True)),
    ),
)

AFTER_A_FAILURE = "Shot 3, from whose last frame it starts, failed."
REFUSED_SHOT = {
    3: a_view(**MODERATED),
    4: cancelled_view(AFTER_A_FAILURE),
    5: cancelled_view(AFTER_A_FAILURE),
}
PAID_SHOT = {
    3: a_view(
        status=Status.FAILED,
        money=Money.SPENT,
        error="Settled as bought, without the provider's id, so the clip cannot be downloaded "
        "here.",
        settled_at=NOW,
    ),
    4: cancelled_view(AFTER_A_FAILURE),
    5: cancelled_view(AFTER_A_FAILURE),
}
OVER = BudgetExceededError(
    "This film costs 10 CNY, more than the ceiling of 4 CNY.",
    Step(Do.TRY, "choose a cheaper film, or raise the ceiling if the price is acceptable"),
)
UNDER_WAY = {3: a_view(), 4: waiting_view(), 5: waiting_view()}
FILMS: tuple[tuple[str, FilmView], ...] = (
    ("", a_planned_film()),
    ("with a budget", a_planned_film(spending=SPENDING, asks=True, eta_seconds=900)),
    ("with fades", a_planned_film(transition=Transition.FADE)),
    ("", a_planned_film(refused=OVER)),
    ("a redo", a_planned_film(redo=(3, 4, 5), refused=OVER)),
    ("without a price", a_planned_film(amount=None)),
    ("in the sandbox", a_planned_film(provider="sandbox")),
    ("asked for again", a_planned_film(reused=True)),
    ("after the journal was damaged", a_planned_film(losses=LOST)),
    ("", a_planned_film(redo=(3, 4, 5))),
    ("", a_planned_film(cancelled=True)),
    ("", a_film_view({n: waiting_view() for n in range(1, 6)})),
    ("", a_film_view(UNDER_WAY)),
    ("in credits", in_credits(a_film_view(UNDER_WAY))),
    ("without a price", a_film_view(UNDER_WAY, amount=None)),
    ("in the sandbox", a_film_view(UNDER_WAY, provider="sandbox")),
    ("asked for again", a_film_view(UNDER_WAY, reused=True)),
    ("a redo", a_film_view(UNDER_WAY, revision=2, redone=(3, 4, 5), file="/v/old.mp4")),
    ("others after a failure", a_film_view(REFUSED_SHOT | {2: a_view()})),
    (
        "",
        a_film_view(
            UNDER_WAY
            | {
                3: a_view(
                    error="api.minimaxi.com did not accept the key (1004).",
                    error_kind="authentication",
                )
            }
        ),
    ),
    ("", a_film_view(UNDER_WAY | {3: a_view(status=Status.UNCONFIRMED)})),
    ("", a_film_view(REFUSED_SHOT)),
    ("in the sandbox", a_film_view(REFUSED_SHOT, provider="sandbox")),
    ("settled as bought, without its id", a_film_view(PAID_SHOT)),
    ("of a redo", a_film_view(REFUSED_SHOT, revision=2, redone=(3, 4, 5), file="/v/old.mp4")),
    ("", a_film_view({4: cancelled_view(), 5: cancelled_view()})),
    ("before anything was sent", a_film_view({n: cancelled_view() for n in range(1, 6)})),
    ("", a_film_view({5: saved_view(file="", due_at=NOW)})),
    ("", a_film_view({5: saved_view(file="", save_error="The disk is full: /home/kim/Videos.")})),
    ("", a_film_view(due_at=NOW)),
    ("a redo", a_film_view(due_at=NOW, revision=2, redone=(5,), file="/v/old.mp4")),
    ("", a_film_view(save_error="The disk is full: /home/kim/Videos/Hailuo.")),
    ("", a_joined_film()),
    ("in the sandbox", a_joined_film(provider="sandbox")),
    ("without a price", a_joined_film(amount=None)),
    ("asked for again", a_joined_film(reused=True)),
    (
        "a redo asked for again",
        a_joined_film(reused=True, repeats_redo=True, revision=2, redone=(3, 4, 5)),
    ),
    ("with a redo planned", a_joined_film(redo=(3, 4, 5), plans=False)),
    ("in a bucket", a_joined_film(file=f"s3://clips/{FILM_ID}.mp4")),
    (
        "over HTTP",
        a_joined_film(link=Link(url="https://mcp.example.com/f/1", expires_at=NOW)),
    ),
)

REMOTE = (
    *(RemoteStatus(phase=phase, word="x") for phase in Phase),
    RemoteStatus(phase=Phase.FAILED, word="Fail", error_code="1026"),
    RemoteStatus(phase=Phase.FAILED, word="Fail", error_code="1004"),
    RemoteStatus(phase=Phase.FAILED, word="Fail", error_code="9999"),
)


def of_tenant(said: str, theirs: str) -> dict[str, str]:
    """A tenant's agent, where it is told something else."""
    return {} if said == theirs else {"agent of a tenant": theirs}


def test_a_tenant_is_sent_to_the_operator_and_to_no_setting() -> None:
    for error in ERRORS:
        told = agent.error_text(HailuoError("x", *error.then), of_tenant=True)
        assert not re.search(r"HAILUO_|the person (to|can)|hailuo-mcp", told), told


def of_errors() -> Iterator[tuple[str, dict[str, str]]]:
    for error in ERRORS:
        steps = ", ".join(f"{step.do} {step.about}".strip() for step in error.then)
        yield (
            f"{type(error).__name__}: {steps or 'nothing to do'}",
            {
                "agent": agent.error_text(error),
                **of_tenant(agent.error_text(error), agent.error_text(error, of_tenant=True)),
                "person": person.error_text(error),
                "programmer": programmer.error_text(error),
            },
        )


def of_tasks() -> Iterator[tuple[str, dict[str, str]]]:
    for note, view in VIEWS:
        told = {
            "agent": agent.task_text(view),
            **of_tenant(agent.task_text(view), agent.task_text(replace(view, of_tenant=True))),
            "person": " ".join(person.task_text(view)),
        }
        cost = {"person's cost": person.cost(view)}
        yield f"{case_of(view)}{f' ({note})' if note else ''}", told | cost


def of_lists() -> Iterator[tuple[str, dict[str, str]]]:
    for title, listing in LISTS:
        said = agent.list_text(listing, limit=3)
        theirs = agent.list_text(replace(listing, of_tenant=True), limit=3)
        told = {"agent": said, **of_tenant(said, theirs)}
        if listing.under_way:
            told["agent, nothing new"] = agent.list_unchanged_text(listing)
        yield title, told | {"person": person.spending_text(listing.spending)}


def of_offers() -> Iterator[tuple[str, dict[str, str]]]:
    for title, offer in OFFERS:
        yield title, {"agent": purchase_quote(offer)["message"], "person": offer_words(offer)}


def of_films() -> Iterator[tuple[str, dict[str, str]]]:
    for note, view in FILMS:
        case = film_cases.case_of(view)
        told = {
            "agent": agent.film_text(view),
            **of_tenant(agent.film_text(view), agent.film_text(replace(view, of_tenant=True))),
            "person": " ".join(person.film_text(view)),
            "person's cost": person.film_cost(view),
        }
        if view.planned:
            told["person, asked"] = person.film_question(view)
        if not note and case is not FilmCase.KEY_REFUSED and film_cases.is_moving(view):
            told["agent, nothing new"] = agent.film_unchanged_text(view)
        yield f"{case}{f' ({note})' if note else ''}", told


def of_progress() -> Iterator[tuple[str, dict[str, str]]]:
    for note, view in VIEWS:
        if not note and view.task.status in (*UNFINISHED, Status.SUCCEEDED):
            told = {"agent and person": progress_line(view)}
            if view.task.status in UNFINISHED:
                told["agent, nothing new"] = agent.unchanged_text(view)
            yield case_of(view), told


def of_remote() -> Iterator[tuple[str, dict[str, str]]]:
    for status in REMOTE:
        said = programmer.status_text(status, PROVIDERS["minimax-cn"])
        yield f"{status.phase} {status.error_code}".strip(), {"programmer": said}


PARTS = {
    "Errors": list(of_errors()),
    "Tasks": list(of_tasks()),
    "Films": list(of_films()),
    "Progress": list(of_progress()),
    "Lists": list(of_lists()),
    "Offers": list(of_offers()),
    "What HailuoClient reads of a task": list(of_remote()),
}


def table() -> str:
    lines = ["# Every error and every case of a task, in all voices", ""]
    lines += [
        "Made by `UPDATE_VOICES=1 pytest tests/wording`; read it aloud before you accept it.",
        "",
    ]
    for part, rows in PARTS.items():
        lines += [f"## {part}", ""]
        for title, said in rows:
            lines += [f"**{title}**", ""]
            lines += [
                f"- {voice}: {text.strip() or '(the facts say all)'}"
                for voice, text in said.items()
            ]
            lines.append("")
    return "\n".join(lines)


def test_every_sentence_is_as_it_was() -> None:
    if os.environ.get("UPDATE_VOICES"):
        TABLE.write_text(table(), encoding="utf-8")
    assert table() == TABLE.read_text(encoding="utf-8")


def test_every_class_of_error_is_in_the_table() -> None:
    for module in pkgutil.walk_packages(hailuo_mcp.__path__, "hailuo_mcp."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = [HailuoError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    public = {kind for kind in kinds if not kind.__name__.startswith("_")}
    assert public == {type(error) for error in ERRORS}


def test_every_step_case_and_phase_is_in_the_table() -> None:
    assert {step.do for error in ERRORS for step in error.then} == set(Do)
    assert {case_of(view) for _, view in VIEWS} == set(Case)
    assert {film_cases.case_of(view) for _, view in FILMS} == set(FilmCase)
    assert {status.phase for status in REMOTE} == set(Phase)


def test_every_voice_has_a_sentence_for_every_step_and_case() -> None:
    for steps in (agent.STEPS, person.STEPS):
        assert set(steps) == set(Do)
    for cases in (agent.TASKS, person.TASKS):
        assert set(cases) == set(Case)
    for films in (agent.FILMS, person.FILMS):
        assert set(films) == set(FilmCase)


def said_by(voice: str, *parts: str) -> list[str]:
    return [said[voice] for part in parts or PARTS for _, said in PARTS[part] if voice in said]


TOOLS = "|".join(tool.name for tool in all_tools())


@pytest.mark.parametrize(
    ("voice", "never"),
    [
        ("person", rf"\b({TOOLS})\b|\b[Tt]he person\b|\bthis call\b|\bHailuoClient\b"),
        ("programmer", rf"\b({TOOLS})\b|\bperson\b|HAILUO_|`hailuo-mcp [a-z]|\bthis call\b"),
        ("agent", r"\b[Rr]un [a-z]+ing\b|--[a-z]|\bHailuoClient\b|\bapi_key\b"),
    ],
)
def test_no_voice_speaks_another_ones_language(voice, never) -> None:
    for text in said_by(voice):
        if not text.startswith("Settled by a person"):
            # The one command of a person's with an option: only they can read the bill.
            said = text.replace("Settled by a person", "").replace(" bought --remote-id ID`", "`")
            assert not re.search(never, said), text


MONEY = re.compile(r"charged|paid for|costs nothing")


@pytest.mark.parametrize("voice", ["agent", "person", "programmer"])
def test_an_error_says_once_whether_money_moved(voice) -> None:
    for text in said_by(voice, "Errors"):
        assert len(MONEY.findall(text)) == 1, text


def test_a_task_says_whether_money_moved() -> None:
    for title, said in PARTS["Tasks"]:
        told = re.search(r"charged|cost|bought|free", said["agent"])
        assert told or title == Case.CANCELLED_ELSEWHERE, said["agent"]
    for _, said in PARTS["Films"]:
        assert re.search(r"charged|cost|bought|free", said["agent"]), said["agent"]


def test_sentences_begin_and_end_as_sentences_do() -> None:
    for voice in ("agent", "person", "programmer"):
        for text in said_by(voice):
            assert "  " not in text
            assert not re.search(r"\.\.(?!\.)|[{}]| \.", text), text
            assert text.rstrip()[-1:] in (".", "`", ""), text
