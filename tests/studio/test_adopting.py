"""Whose a clip is that only the provider knows, and how often one may ask for such."""

from dataclasses import replace
from typing import Any

import pytest

from hailuo_mcp.catalog.video_models import api_of
from hailuo_mcp.domain.remote import Api, Phase, RemoteStatus
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import (
    AuthenticationError,
    HailuoError,
    ProviderUnavailableError,
    RateLimitError,
    RemoteTaskNotFoundError,
    TaskNotFoundError,
    UnexpectedResponseError,
)
from hailuo_mcp.studio.lookup_limit import LOOKUPS_PER_MINUTE
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text
from hailuo_mcp.wording.tasks import video_task

pytestmark = pytest.mark.anyio
GONE = RemoteTaskNotFoundError("It knows no such task.")


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


class TwoApis:
    """A provider with both: what each says of an id, in the order of the questions."""

    def __init__(self, v2: Any, v1: Any = GONE, template: Any = GONE) -> None:
        self.answers = {"v2": v2, "v1": v1, "template": template}
        self.asked: list[str] = []

    async def query(self, _remote_id: str, *, template: bool = False, model: str = "") -> Any:
        api = "v2" if api_of(model) is Api.V2 else "template" if template else "v1"
        self.asked.append(api)
        answer = self.answers[api]
        if isinstance(answer, HailuoError):
            raise answer
        return answer


def _status(phase: Phase, **told: Any) -> RemoteStatus:
    return RemoteStatus(phase=phase, word=str(phase), **told)


_RUNNING, _FAILED = _status(Phase.RUNNING), _status(Phase.FAILED, error_code="1026")
_H3 = _status(Phase.QUEUED, model="MiniMax-H3", resolution="2K", duration=9)
_UNNAMED, _NEWER = _status(Phase.RUNNING), _status(Phase.RUNNING, model="MiniMax-H9")
_DOWN = ProviderUnavailableError("It is down.")
_GARBLED = UnexpectedResponseError("It says nonsense.")
_NOT_INCLUDED = AuthenticationError("This key is for v1 alone.")


async def test_what_v2_tells_goes_into_the_adopted_task(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        (_H3, "MiniMax-H3", None, "2K", 9),
        (replace(_H3, upgrade=True), "MiniMax-H3", Mode.UPGRADE, "2K", 9),
        (_UNNAMED, "MiniMax-H3", None, None, None),  # asked of v2 the next time as well
        (_NEWER, "MiniMax-H3", None, None, None),
    ]
    async with scripted(works=False) as studio:
        for number, (told, *facts) in enumerate(cases):
            apis = TwoApis(told, _FAILED)
            monkeypatch.setattr(studio.client, "query", apis.query)
            task = (await studio.query(f"77{number}")).task
            found = [task.model, task.known_mode, task.resolution, task.duration]
            assert (found, task.money) == (facts, Money.UNKNOWN)
            await studio.read_status(task)
            assert apis.asked == ["v2", "v2"]


@pytest.mark.parametrize(
    ("apis", "outcome", "asked"),
    [
        (TwoApis(GONE, _RUNNING), Mode.T2V, "v2 v1"),
        (TwoApis(GONE, GONE, _RUNNING), Mode.TEMPLATE, "v2 v1 template"),
        (TwoApis(GONE, _FAILED), Mode.T2V, "v2 v1"),
        (TwoApis(GONE), TaskNotFoundError, "v2 v1 template"),
        # Without an answer of v2, a clip that failed on v1 may be one of v2.
        (TwoApis(_DOWN, _RUNNING), Mode.T2V, "v2 v1"),
        (TwoApis(_DOWN, _FAILED), ProviderUnavailableError, "v2 v1"),
        (TwoApis(_DOWN), ProviderUnavailableError, "v2 v1 template"),
        (TwoApis(_GARBLED, _FAILED), UnexpectedResponseError, "v2 v1"),
        (TwoApis(_GARBLED), TaskNotFoundError, "v2 v1 template"),
        (TwoApis(_NOT_INCLUDED, _FAILED), Mode.T2V, "v2 v1"),
        (TwoApis(_NOT_INCLUDED), TaskNotFoundError, "v2 v1 template"),
    ],
)
async def test_v1_is_asked_for_what_v2_does_not_have(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, apis: TwoApis, outcome: Any, asked: str
) -> None:
    apis.asked.clear()
    async with scripted(works=False) as studio:
        monkeypatch.setattr(studio.client, "query", apis.query)
        if isinstance(outcome, Mode):
            task = (await studio.query("771")).task
            assert (task.mode, task.model) == (outcome, "")
        else:
            with pytest.raises(outcome):
                await studio.query("771")
    assert " ".join(apis.asked) == asked


async def test_an_id_is_settled_by_the_api_of_the_tasks_model(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(works=False) as studio:
        lost = await _lost(studio, "")
        await studio.store.change(lost.task_id, {"model": "MiniMax-H3"}, now=lost.created_at)
        apis = TwoApis(_H3, _FAILED)
        monkeypatch.setattr(studio.client, "query", apis.query)
        settled = (await studio.settle(lost.task_id, bought=True, remote_id="771")).task
        assert (settled.status, settled.remote_id) == (Status.QUEUED, "771")
    assert apis.asked == ["v2"]
