"""Whose a clip is that only the provider knows, and how often one may ask for such."""

from typing import Any

import pytest

from hailuo_mcp.domain import Money, Status, VideoRequest
from hailuo_mcp.errors import RateLimitError, TaskNotFoundError
from hailuo_mcp.studio.lookup_limit import LOOKUPS_PER_MINUTE
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text
from hailuo_mcp.wording.tasks import video_task

pytestmark = pytest.mark.anyio


async def _lost(studio: Any, caller: str, *, status: Status = Status.UNCONFIRMED) -> Any:
    """A purchase whose answer did not come: nobody here knows its id."""
    task = (await studio.generate(VideoRequest(prompt="a cat"), Terms(), caller=caller)).task
    values = {"status": status, "remote_id": "", "due_at": 0.0, "owner": "", "lease_until": 0.0}
    return await studio.store.change(task.task_id, values, now=task.created_at)


@pytest.mark.parametrize("status", [Status.UNCONFIRMED, Status.SUBMITTING])
@pytest.mark.parametrize("other", ["alice", ""])
async def test_an_id_that_may_be_of_anothers_lost_purchase_is_not_adopted(
    scripted: Any, provider: Any, status: Status, other: str
) -> None:
    async with scripted(poll_seconds="600") as studio:
        task = await _lost(studio, other, status=status)
        asked = provider.polls
        with pytest.raises(TaskNotFoundError) as refused:
            await studio.query("771", caller="bob")
        assert provider.polls == asked  # it does not even say whether the provider knows it
        assert refused.value.retry
        said = error_text(refused.value)
        assert task.task_id not in said
        assert "alice" not in said
        assert "Nothing was charged" in said


async def test_what_was_settled_as_bought_without_its_id_is_not_adopted_by_another(
    scripted: Any,
) -> None:
    async with scripted(poll_seconds="600") as studio:
        task = await _lost(studio, "alice")
        await studio.settle(task.task_id, bought=True)
        with pytest.raises(TaskNotFoundError):
            await studio.query("771", caller="bob")
        await studio.settle(task.task_id, bought=False)
        assert (await studio.query("771", caller="bob")).task.caller == "bob"


async def test_nobodys_doubt_keeps_a_caller_or_the_person_from_adopting(scripted: Any) -> None:
    async with scripted(poll_seconds="600") as studio:
        await _lost(studio, "alice")
        mine = (await studio.query("771", caller="alice")).task  # only alice is in doubt
        assert (mine.caller, mine.money) == ("alice", Money.UNKNOWN)
        assert (await studio.query("772")).task.caller == ""


async def test_an_adopted_clip_goes_to_whom_it_turns_out_to_have_been_bought_for(
    scripted: Any, rows: Any
) -> None:
    async with scripted(poll_seconds="600") as studio:
        adopted = (await studio.query("771", caller="bob")).task
        task = await _lost(studio, "alice")
        settled = (await studio.settle(task.task_id, bought=True, remote_id="771")).task
        assert (settled.caller, settled.status) == ("alice", Status.QUEUED)
        assert (await studio.query("771", caller="alice")).task.task_id == task.task_id
        assert (await studio.query("771")).task.task_id == task.task_id
        for some_id in ("771", adopted.task_id):
            with pytest.raises(TaskNotFoundError):
                await studio.query(some_id, caller="bob")
        assert (await studio.tasks(caller="bob")).rows == ()
        said = video_task(await studio.query(adopted.task_id))["message"]
        assert said == f"Cancelled. It is the same clip as task {task.task_id}, which continues."
    (row,) = [row for row in rows() if row["task_id"] == adopted.task_id]
    assert (row["status"], row["remote_id"], row["due_at"]) == ("cancelled", "", 0)
    assert task.task_id in row["error"]


async def test_a_late_answer_takes_the_clip_back_from_who_adopted_it(scripted: Any) -> None:
    async with scripted(poll_seconds="600") as studio:
        adopted = (await studio.query("771", caller="bob")).task
        bought = await studio.generate(VideoRequest(prompt="a cat"), Terms(), caller="alice")
        assert (bought.task.remote_id, bought.notes) == ("771", ())
        with pytest.raises(TaskNotFoundError):
            await studio.query(adopted.task_id, caller="bob")


async def test_of_two_callers_who_adopt_one_id_at_once_one_gets_it(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(poll_seconds="600") as studio:
        journal = studio.store
        ask = studio.client.query

        async def meanwhile(remote_id: str, **more: Any) -> Any:
            monkeypatch.undo()
            await studio.query(remote_id, caller="alice")
            return await ask(remote_id, **more)

        monkeypatch.setattr(studio.client, "query", meanwhile)
        with pytest.raises(TaskNotFoundError):
            await studio.query("771", caller="bob")
        assert (await journal.find("771")).caller == "alice"


async def test_a_purchase_that_is_lost_during_the_question_stops_the_adoption(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(poll_seconds="600") as studio:
        ask = studio.client.query

        async def meanwhile(remote_id: str, **more: Any) -> Any:
            monkeypatch.undo()
            await _lost(studio, "alice")
            return await ask(remote_id, **more)

        monkeypatch.setattr(studio.client, "query", meanwhile)
        with pytest.raises(TaskNotFoundError):
            await studio.query("7799", caller="bob")


async def test_a_callers_own_task_is_found_though_somebody_elses_has_the_same_remote_id(
    scripted: Any,
) -> None:
    """Of another account, say: ids are the provider's, and two providers may use the same."""
    async with scripted(poll_seconds="600", api_key="first") as studio:
        mine = (await studio.query("771", caller="alice")).task
    async with scripted(poll_seconds="600", api_key="second") as studio:
        await studio.query("772", caller="bob")
        journal = studio.store
        other = await journal.find("772")
        await journal.change(other.task_id, {"remote_id": "771"}, now=other.created_at)
        assert (await studio.query("771", caller="alice")).task.task_id == mine.task_id


async def test_unknown_ids_are_asked_for_a_few_times_a_minute_and_by_each_caller_for_itself(
    scripted: Any, provider: Any
) -> None:
    now = 1_800_000_000.0
    async with scripted(poll_seconds="600", clock=lambda: now) as studio:
        mine = (await studio.generate(VideoRequest(prompt="a cat"), Terms(), caller="bob")).task
        for number in range(LOOKUPS_PER_MINUTE - 1):
            await studio.query(f"88{number}", caller="alice")
        with pytest.raises(TaskNotFoundError):
            await studio.query(mine.task_id, caller="alice")  # a miss counts
        with pytest.raises(RateLimitError) as refused:
            await studio.query("999", caller="alice")
        assert refused.value.retry
        assert "Nothing was charged" in error_text(refused.value)
        assert "999" not in provider.asked
        await studio.query("881", caller="alice")  # hers by now
        await studio.query("999")
        await studio.query("998", caller="carol")
        now += 60
        await studio.query("997", caller="alice")


async def test_callers_who_ask_no_more_are_forgotten(scripted: Any) -> None:
    now = 1_800_000_000.0
    async with scripted(poll_seconds="600", clock=lambda: now) as studio:
        for number in range(50):
            await studio.query(f"88{number}", caller=f"caller {number}")
        now -= 3600  # a clock that is set back does not lock anybody out
        await studio.query("999", caller="caller 1")
        assert len(studio.lookup_limit._asked) == 1
