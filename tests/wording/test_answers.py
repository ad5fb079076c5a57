"""What each state of a task says: what happened, whether money moved, what to call next."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from tokens import tokens
from tools.fakes import ID, NOW, FakeStudio, a_view, saved_view

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.rules.estimate import estimate
from hailuo_mcp.views import Listing, Saved
from hailuo_mcp.wording.cases import progress_line
from hailuo_mcp.wording.costs import cost_estimate
from hailuo_mcp.wording.tasks import saved_video, task_list, video_task

SANDBOX = "SANDBOX: imitation, not a real generation."


def told(view) -> str:
    return video_task(view)["message"]


@pytest.mark.parametrize(
    "status", [Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING]
)
def test_unfinished_work_goes_on_without_the_caller_and_says_when_to_look(status) -> None:
    message = told(a_view(status=status))
    assert "without you" in message or "without this call" in message
    assert f'query_task with task_id "{ID}" in about 40 s' in message


@pytest.mark.parametrize("status", [Status.SUBMITTING, Status.QUEUED, Status.RUNNING])
def test_what_was_sent_is_not_bought_again(status) -> None:
    assert "do not buy it again" in told(a_view(status=status))
    assert "2 CNY" in told(a_view(status=status))


@pytest.mark.parametrize(
    ("status", "money", "word"),
    [
        (Status.PENDING, Money.RESERVED, "not yet"),
        (Status.RUNNING, Money.RESERVED, "not yet"),
        (Status.UNCONFIRMED, Money.RESERVED, "maybe"),
        (Status.SUCCEEDED, Money.SPENT, "yes"),
        (Status.FAILED, Money.RELEASED, "no"),
        (Status.CANCELLED, Money.RELEASED, "no"),
    ],
)
def test_cost_says_whether_money_moved(status, money, word) -> None:
    assert video_task(a_view(status=status, money=money))["cost"] == {
        "amount": "2",
        "unit": "CNY",
        "charged": word,
    }


def test_a_saved_clip_names_its_file_and_its_cost() -> None:
    answer = video_task(saved_view())
    assert (
        answer["message"] == "The clip is saved: tell the person the path in file. It cost 2 CNY."
    )
    assert answer["file"].endswith(".mp4")
    assert answer["elapsed_seconds"] == 25
    assert "url" not in answer


def test_a_reused_task_opens_with_that_nothing_was_charged() -> None:
    assert told(saved_view(reused=True)).startswith(
        "Not a new clip, nothing charged: the clip is saved"
    )
    message = told(a_view(reused=True, provider="sandbox"))
    assert message.startswith(f"{SANDBOX} Not a new clip, nothing charged: rendering")
    assert video_task(a_view(reused=True))["reused"] is True


def test_ready_and_being_saved() -> None:
    message = told(saved_view(file=""))
    assert "being saved" in message
    assert f'query_task with task_id "{ID}"' in message


def test_ready_and_not_saved_names_the_reason_and_the_way_out() -> None:
    message = told(saved_view(file="", save_error="The disk is full."))
    assert "The disk is full." in message
    assert f'download_video with task_id "{ID}"' in message
    assert "It cost 2 CNY." in message


def test_ready_and_left_at_the_provider_by_setting() -> None:
    view = saved_view(file="", auto=False, url="https://cdn/x.mp4", url_expires_at=NOW + 3600)
    answer = video_task(view)
    assert "HAILUO_AUTO_DOWNLOAD" in answer["message"]
    assert answer["url"] == "https://cdn/x.mp4"
    assert answer["url_expires_at"].startswith("2027-01-15T")


def test_a_link_that_has_ended_is_not_given() -> None:
    view = saved_view(file="", auto=False, url="https://cdn/x.mp4", url_expires_at=NOW - 1)
    assert not {"url", "url_expires_at"} & set(video_task(view))


def test_a_failure_says_why_with_the_code_and_that_it_is_free() -> None:
    view = a_view(
        status=Status.FAILED,
        money=Money.RELEASED,
        error="The picture was refused by moderation.",
        error_code="1026",
        error_kind="content_rejected",
    )
    assert (
        told(view)
        == "The clip failed. The picture was refused by moderation (1026). Nothing was charged. Change "
        "the prompt or the picture; the same input would be refused again."
    )
    assert video_task(view)["error_code"] == "1026"


def test_a_whole_message_of_an_older_journal_is_told_as_it_is() -> None:
    error = "Moderation refused it (1026). Nothing was charged. Change the prompt."
    assert (
        told(a_view(status=Status.FAILED, money=Money.RELEASED, error=error, error_code="1026"))
        == f"The clip failed. {error}"
    )


def test_a_purchase_that_was_settled_without_a_clip_is_not_called_a_failure() -> None:
    error = "Settled by a person: it was bought, but the clip cannot be fetched from here."
    lost = a_view(status=Status.FAILED, money=Money.SPENT, error=error)
    assert told(lost) == f"{error} It cost 2 CNY."


def test_unconfirmed_may_have_been_bought_and_a_person_settles_it() -> None:
    message = told(a_view(status=Status.UNCONFIRMED))
    assert "may have been bought" in message
    assert "never sent again" in message
    assert f"`hailuo-mcp settle {ID} bought --remote-id ID`, with" in message


def test_cancelled_is_free() -> None:
    assert "nothing was charged" in told(a_view(status=Status.CANCELLED, money=Money.RELEASED))


def test_what_somebody_else_bought_has_no_cost_here() -> None:
    answer = video_task(saved_view(money=Money.UNKNOWN, amount=None))
    assert "cost" not in answer
    assert "not known" in answer["message"]


def test_credits_and_unpriced_clips_are_worded() -> None:
    assert "1 credit is charged" in told(a_view(amount=Decimal(1), unit=Unit.CREDITS))
    assert "2 credits are charged" in told(a_view(amount=Decimal(2), unit=Unit.CREDITS))
    assert "no price is published" in told(a_view(amount=None))


def test_notes_and_the_notice_are_told() -> None:
    message = told(a_view(provider="sandbox", notes=("Four moves are many.",)))
    assert message.startswith(SANDBOX)
    assert message.endswith("Four moves are many.")


def test_nothing_without_a_value_is_in_an_answer() -> None:
    answer = video_task(a_view(duration=None, resolution=None, remote_id="", prompt=""))
    assert not {"duration", "resolution", "remote_id", "prompt", "file", "reused", "width"} & set(
        answer
    )
    assert not any(value in (None, "", [], {}) for value in answer.values())


def test_the_prompt_is_cut_at_sixty_characters() -> None:
    assert video_task(a_view(prompt="猫" * 100))["prompt"] == "猫" * 60


def test_created_at_has_a_zone() -> None:
    assert video_task(a_view())["created_at"][-6] in "+-"


def every_view():
    for status in Status:
        for reused in (False, True):
            yield a_view(
                status=status,
                reused=reused,
                provider="sandbox",
                error_code="1026" if status is Status.FAILED else "",
            )
    yield saved_view(reused=True, provider="sandbox", prompt="一只橘猫在黄昏的海边慢慢散步，" * 8)
    yield saved_view(
        file="", save_error="The folder is read-only: /home/kim/Videos/Hailuo.", provider="sandbox"
    )


def test_an_answer_is_at_most_250_tokens() -> None:
    for view in every_view():
        assert tokens(video_task(view)) <= 250, video_task(view)


def test_a_row_of_a_list_is_at_most_60_tokens() -> None:
    for view in every_view():
        rows = task_list(Listing(rows=(view,), spending=_spending()))["tasks"]
        assert tokens(rows[0]) <= 60, rows[0]


def _spending():
    import anyio

    return anyio.run(FakeStudio().spending)


def test_a_list_says_what_is_under_way_and_what_was_spent() -> None:
    views = (a_view(), a_view(status=Status.UNCONFIRMED), saved_view())
    listed = task_list(Listing(rows=views, spending=_spending()))
    assert listed["message"].startswith("3 tasks, newest first. 1 under way")
    assert "1 unconfirmed" in listed["message"]
    assert listed["spending"] == {
        "unit": "CNY",
        "period": "day",
        "spent": "12.5",
        "reserved": "2",
        "uncertain": "0",
        "budget": "100",
        "left": "85.5",
    }


@pytest.mark.parametrize("status", list(Status))
def test_a_message_of_the_sandbox_never_says_that_money_went(status) -> None:
    money = Money.SPENT if status is Status.SUCCEEDED else Money.RESERVED
    values = {"status": status, "money": money, "provider": "sandbox"}
    for view in (a_view(**values), a_view(**values, file="/x.mp4"), a_view(**values, amount=None)):
        message = told(view)
        assert not re.search(r"It cost\b|is charged when|is charged if|CNY stays", message), message
        if status in (Status.SUBMITTING, Status.RUNNING, Status.SUCCEEDED) and view.task.amount:
            assert "real one would cost 2 CNY" in message
    if status is Status.UNCONFIRMED:
        assert "2 CNY of play money stays reserved" in told(a_view(**values))


def _listed(*views, provider: str):
    spending = replace(_spending(), provider=provider)
    return task_list(Listing(rows=views, spending=spending))


def test_a_list_of_the_sandbox_alone_says_that_it_is_play_money() -> None:
    clip = saved_view(provider="sandbox")
    listed = _listed(clip, provider="sandbox")
    assert listed["message"].startswith(f"{SANDBOX} 1 task, newest first.")
    assert "The spending is the sandbox's, in play money." in listed["message"]
    assert listed["tasks"][0]["cost"] == "would cost 2 CNY"
    assert _listed(provider="sandbox")["message"].startswith(f"{SANDBOX} No tasks.")


@pytest.mark.parametrize(
    ("provider", "whose"),
    [
        ("minimax-cn", "The spending is that of minimax-cn, without the sandbox's."),
        ("sandbox", "The spending is the sandbox's, in play money."),
    ],
)
def test_a_mixed_list_says_which_is_which(provider, whose) -> None:
    clip = saved_view(provider="sandbox")
    listed = _listed(clip, saved_view(), provider=provider)
    assert [row["cost"] for row in listed["tasks"]] == ["would cost 2 CNY", "2 CNY"]
    assert listed["message"].startswith("2 tasks, newest first.")
    assert '1 from the sandbox, free: the cost says "would cost"' in listed["message"]
    assert whose in listed["message"]


def test_a_list_without_the_sandbox_does_not_speak_of_it() -> None:
    assert "sandbox" not in _listed(saved_view(), provider="minimax-cn")["message"].lower()


def test_an_empty_list_is_an_answer() -> None:
    listed = task_list(Listing(rows=(), spending=_spending()))
    assert listed["message"] == "No tasks."
    assert listed["tasks"] == []


def test_a_saved_copy_has_the_facts_of_the_file() -> None:
    view = saved_view()
    saved = Saved(
        view=view,
        status="saved",
        file="/tmp/x.mp4",
        bytes=10,
        sha256="ab",
        width=1366,
        height=768,
        seconds=6.0,
    )
    answer = saved_video(saved)
    assert (answer["file"], answer["bytes"], answer["seconds"]) == ("/tmp/x.mp4", 10, 6.0)


def test_a_clip_that_is_not_ready_says_how_it_stands() -> None:
    answer = saved_video(Saved(view=a_view(), status="not_ready"))
    assert answer["status"] == "not_ready"
    assert "Rendering" in answer["message"]


def test_progress_lines_are_short() -> None:
    assert progress_line(a_view()) == "rendering, about 40 s left"
    assert progress_line(saved_view(file="")) == "saving the clip"


def test_an_estimate_is_small_and_its_comparison_a_row_each() -> None:
    studio = FakeStudio()
    asked = {"model": "", "mode": "", "duration": 0, "resolution": ""}
    single = estimate(studio.client.seller, **asked, count=10, plan="")
    assert tokens(cost_estimate(single, notice=SANDBOX)) <= 250
    compared = cost_estimate(estimate(studio.client.seller, **asked, count=2000, plan="compare"))
    assert all(tokens(row) <= 60 for row in compared["compared"])
    assert compared["cheapest"]
    basic = next(row for row in compared["compared"] if row["plan"] == "basic")
    assert basic["packs"] == 1
    assert (basic["rpm"], basic["list_cny"], basic["saves_percent"]) == (20, "7368", 5)


def test_a_list_as_long_as_its_limit_may_not_be_all() -> None:
    listing = Listing(rows=(a_view(),), spending=_spending())
    assert task_list(listing, limit=1)["message"].startswith("The newest 1 task; raise limit")
    assert task_list(listing, limit=2)["message"].startswith("1 task, newest first.")


def test_a_key_that_is_refused_while_the_clip_is_made_is_told() -> None:
    view = a_view(error="The key was not accepted (1004).", error_kind="authentication")
    message = told(view)
    assert "refuses the key" in message
    assert "HAILUO_API_KEY" in message
    assert "safe at minimax-cn" in message
    assert "do not buy it again" in message.lower()
    assert "saved without you" not in message
    listed = task_list(Listing(rows=(view,), spending=_spending()))
    assert "HAILUO_API_KEY" in listed["message"]


def test_a_provider_that_does_not_answer_is_told_and_asked_again_automatically() -> None:
    message = told(a_view(error="minimax-cn had a fault.", error_kind="provider_unavailable"))
    assert "no usable answer" in message
    assert "asked again automatically" in message
    assert "saved without you" in message


def test_an_unpriced_unconfirmed_clip_claims_no_reservation() -> None:
    message = told(a_view(status=Status.UNCONFIRMED, amount=None))
    assert "No price is published for it, and asking again does not help." in message
    assert "reserved" not in message
    several = told(a_view(status=Status.UNCONFIRMED, unit=Unit.CREDITS))
    assert "2 credits stay reserved" in several


@pytest.mark.parametrize(
    ("template_id", "name"),
    [("392753057216684038", "跳水 Diving"), ("1" * 18, f"template {'1' * 18}")],
)
def test_a_row_of_a_template_is_known_by_its_name(template_id, name) -> None:
    view = a_view(mode=Mode.TEMPLATE, model=f"template {template_id}", prompt="")
    row = task_list(Listing(rows=(view,), spending=_spending()))["tasks"][0]
    assert row["prompt"] == name
    assert tokens(row) <= 60
