"""Cancelling what a provider has queued: asked for once, never unless it is queued, told truly."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest

from hailuo_mcp.domain.film import Continuity, FilmRequest
from hailuo_mcp.domain.remote import Phase, RemoteStatus
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import (
    HailuoError,
    ProviderUnavailableError,
    RecordDeletedError,
    RejectedParametersError,
    RemoteTaskNotFoundError,
    TaskNotFoundError,
    UnconfirmedCancelError,
)
from hailuo_mcp.studio.request_record import new_task_id
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text
from hailuo_mcp.wording.tasks import video_task

pytestmark = pytest.mark.anyio
H3, PRICE = "MiniMax-H3", Decimal("0.48")
LOST = UnconfirmedCancelError("No answer came.")
DOWN = ProviderUnavailableError("It is down.")
GONE = RemoteTaskNotFoundError("It knows no such task.")
REFUSED = RejectedParametersError("It is running.")
Answer = Phase | HailuoError


@dataclass
class Provider:
    """Answers in the given order, and keeps what it was asked."""

    states: list[Answer] = field(default_factory=list[Answer])
    cancels: list[bool | HailuoError] = field(default_factory=list[bool | HailuoError])
    asked: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens here before the answer to the request to cancel."""

    async def query(self, remote_id: str, *, template: bool = False, model: str = "") -> Any:
        del template
        self.asked.append(("read", remote_id, model))
        answer = self.states.pop(0)
        if isinstance(answer, HailuoError):
            raise answer
        return RemoteStatus(phase=answer, word=str(answer), file_id="1")

    async def cancel(self, remote_id: str, *, model: str) -> bool:
        self.asked.append(("delete", remote_id, model))
        if self.meanwhile:
            await self.meanwhile()
        answer = self.cancels.pop(0)
        if isinstance(answer, HailuoError):
            raise answer
        return answer

    @property
    def calls(self) -> str:
        return " ".join(what for what, *_ in self.asked)


@pytest.fixture
async def studio(scripted: Any, v2: Provider, monkeypatch: pytest.MonkeyPatch) -> Any:
    async with scripted(works=False, budget="100") as opened:
        monkeypatch.setattr(opened.client, "query", v2.query)
        monkeypatch.setattr(opened.client, "cancel", v2.cancel)
        yield opened


@pytest.fixture
def v2() -> Provider:
    return Provider()


async def _task(
    studio: Any, status: Status = Status.QUEUED, model: str = H3, **values: object
) -> Task:
    now = studio.clock()
    draft = Task(
        task_id=(task_id := new_task_id(now)),
        identity=task_id,
        account=studio.account,
        provider=studio.provider.name,
        caller="",
        status=Status.PENDING,
        created_at=now,
        updated_at=now,
        mode=Mode.T2V,
        model=model,
        amount=PRICE,
        unit=studio.unit,
        due_at=now,
    )
    await studio.store.record(draft, PRICE, studio.limits(), now=now)
    sent = {"remote_id": "77", "due_at": now + 600, **values}
    if status is Status.PENDING:
        sent = {"due_at": now}
    changed = await studio.store.change(draft.task_id, {"status": status, **sent}, now=now)
    assert changed
    return changed


async def test_what_is_queued_is_cancelled_and_its_money_is_back(studio: Any, v2: Provider) -> None:
    task = await _task(studio)
    v2.states, v2.cancels = [Phase.QUEUED], [True]
    view = await studio.cancel(task.task_id)
    assert v2.asked == [("read", "77", H3), ("delete", "77", H3)]
    assert (view.task.status, view.task.money, view.notes) == (
        Status.CANCELLED,
        Money.RELEASED,
        (),
    )
    assert (view.task.due_at, view.task.owner) == (0, "")
    assert (await studio.spending()).reserved == 0
    said = video_task(view)["message"]
    assert "nothing was charged" in said
    assert "while it was queued at the provider" in said
    again = await studio.cancel(task.task_id)
    assert (again.task.status, again.notes, v2.calls) == (Status.CANCELLED, (), "read delete")


async def test_unless_it_is_queued_now_nothing_is_sent(studio: Any, v2: Provider) -> None:
    cases: list[tuple[Answer, str]] = [
        (Phase.RUNNING, "already being made; it is charged if it succeeds"),
        (Phase.SUCCEEDED, "already made; it is charged"),
        (Phase.FAILED, "has failed"),
        (Phase.UNKNOWN, "not clear"),
        (Phase.CANCELLED, ""),
        (GONE, "nothing was sent"),
        (DOWN, "nothing was sent"),
    ]
    for before, told in cases:
        task, v2.states = await _task(studio), [before]
        view = await studio.cancel(task.task_id)
        cancelled = before is Phase.CANCELLED
        assert view.task.status is (Status.CANCELLED if cancelled else Status.QUEUED)
        assert view.task.money is (Money.RELEASED if cancelled else Money.RESERVED)
        assert told in " ".join(view.notes)
        assert view.task.due_at <= studio.clock(), "the worker asks now what it is"
    assert v2.calls == " ".join(["read"] * len(cases))


async def test_without_a_yes_it_is_read_again_and_never_sent_again(
    studio: Any, v2: Provider
) -> None:
    cases: list[tuple[Answer, str, Status]] = [
        (Phase.QUEUED, "still queued", Status.QUEUED),
        (Phase.RUNNING, "already being made", Status.QUEUED),
        (Phase.SUCCEEDED, "already made", Status.QUEUED),
        (Phase.FAILED, "has failed", Status.QUEUED),
        (Phase.CANCELLED, "", Status.CANCELLED),
        (GONE, "has deleted its record", Status.UNCONFIRMED),
        (DOWN, "unknown whether it was cancelled", Status.QUEUED),
    ]
    answers: list[bool | HailuoError] = [False, LOST, DOWN, REFUSED]
    for answer in answers:
        for after, told, ends in cases:
            task = await _task(studio)
            v2.states, v2.cancels, v2.asked = [Phase.QUEUED, after], [answer], []
            view = await studio.cancel(task.task_id)
            assert v2.calls == "read delete read"
            assert view.task.status is ends, (answer, after)
            assert told in " ".join(view.notes)
            assert (view.task.money is Money.RELEASED) == (ends is Status.CANCELLED)


async def test_a_record_that_was_deleted_there_is_for_a_person_to_settle(
    studio: Any, v2: Provider
) -> None:
    answers: list[tuple[HailuoError | bool, str]] = [
        (RecordDeletedError("It is gone.", charged="yes"), "read delete"),
        (RecordDeletedError("It is gone."), "read delete"),
        (False, "read delete read"),
    ]
    for answer, calls in answers:
        task = await _task(studio)
        v2.states, v2.cancels, v2.asked = [Phase.QUEUED, GONE], [answer], []
        said = video_task(await studio.cancel(task.task_id))["message"]
        assert "has deleted its record" in said
        assert "may have been bought and charged" in said
        assert v2.calls == calls
        assert (await studio.spending()).uncertain == PRICE
        settled = await studio.settle(task.task_id, bought=False)
        assert settled.task.money is Money.RELEASED


async def test_what_had_failed_when_its_record_was_deleted_cost_nothing(
    studio: Any, v2: Provider
) -> None:
    task = await _task(studio)
    v2.states, v2.cancels = [Phase.QUEUED], [RecordDeletedError("It is gone.", charged="no")]
    view = await studio.cancel(task.task_id)
    assert (view.task.status, view.task.money) == (Status.FAILED, Money.RELEASED)
    assert "could not be withdrawn: it has failed" in view.notes[0]


async def test_what_is_not_at_the_provider_or_has_ended_is_not_asked_for(
    studio: Any, v2: Provider
) -> None:
    notes = {
        Status.PENDING: "",
        Status.SUBMITTING: "being sent at this moment",
        Status.SUCCEEDED: "already ended (succeeded)",
        Status.FAILED: "already ended (failed)",
        Status.CANCELLED: "",
        Status.UNCONFIRMED: "unknown whether the provider accepted it",
    }
    for status, note in notes.items():
        task = await _task(studio, status, remote_id="" if status is Status.SUBMITTING else "77")
        view = await studio.cancel(task.task_id)
        assert view.task.status is (Status.CANCELLED if not note else status)
        assert note in " ".join(view.notes)
    assert v2.calls == ""


async def test_a_model_of_v1_is_not_asked_for(studio: Any, v2: Provider) -> None:
    task = await _task(studio, model="MiniMax-Hailuo-2.3")
    (note,) = (await studio.cancel(task.task_id)).notes
    assert "offers no way to cancel such clips. It is charged if it succeeds" in note
    assert v2.calls == ""


async def test_another_keys_task_cannot_be_cancelled(studio: Any, v2: Provider) -> None:
    task = await _task(studio)
    other = f"{studio.account.rsplit(' ', 1)[0]} other"
    await studio.store.change(task.task_id, {"account": other}, now=task.created_at)
    (note,) = (await studio.cancel(task.task_id)).notes
    assert "bought with another key" in note
    assert v2.calls == ""


async def test_somebody_elses_task_is_not_found(studio: Any, v2: Provider) -> None:
    task = await _task(studio)
    await studio.store.change(task.task_id, {"caller": "alice"}, now=task.created_at)
    with pytest.raises(TaskNotFoundError) as refused:
        await studio.cancel(task.task_id, caller="bob")
    assert "Nothing was charged" in error_text(refused.value)
    assert v2.calls == ""


@pytest.mark.parametrize("recorded", [Status.CANCELLED, Status.RUNNING])
async def test_a_poll_in_between_changes_nothing(
    studio: Any, v2: Provider, recorded: Status
) -> None:
    """It holds the task's lease, and has its own answer to record before or after."""
    task = await _task(studio, owner=studio.owner, lease_until=studio.clock() + 30)

    async def poll() -> Task | None:
        return await studio.store.change(
            task.task_id,
            {"status": recorded, "owner": "", "lease_until": 0.0},
            now=studio.clock(),
            held_by=studio.owner,
            remote_id="77",
            status_in=(Status.QUEUED, Status.RUNNING),
        )

    v2.states, v2.cancels, v2.meanwhile = [Phase.QUEUED], [True], poll
    view = await studio.cancel(task.task_id)
    assert (view.task.status, view.notes) == (Status.CANCELLED, ())
    assert "while it was queued" in view.task.error
    assert await poll() is None, "what is read later than the end does not count"
    assert (await studio.spending()).reserved == 0


async def test_what_a_person_settled_meanwhile_stays(studio: Any, v2: Provider) -> None:
    task = await _task(studio)

    async def settled() -> None:
        await studio.store.change(task.task_id, {"remote_id": "78"}, now=studio.clock())

    v2.states, v2.cancels, v2.meanwhile = [Phase.QUEUED], [True], settled
    view = await studio.cancel(task.task_id)
    assert (view.task.status, view.task.remote_id) == (Status.QUEUED, "78")
    assert view.notes


async def test_of_two_calls_at_once_one_asks(studio: Any, v2: Provider) -> None:
    task, notes = await _task(studio), list[tuple[str, ...]]()
    v2.states, v2.cancels = [Phase.QUEUED], [True]

    async def other() -> None:
        notes.append((await studio.cancel(task.task_id)).notes)

    v2.meanwhile = other
    view = await studio.cancel(task.task_id)
    assert (view.task.status, view.notes) == (Status.CANCELLED, ())
    assert "another call" in notes[0][0]
    assert v2.calls == "read delete"


async def test_a_caller_who_gives_up_leaves_it_to_the_next_one(studio: Any, v2: Provider) -> None:
    task = await _task(studio)
    v2.states, v2.cancels = [Phase.QUEUED, Phase.CANCELLED], [True]
    v2.meanwhile = anyio.sleep_forever
    with anyio.move_on_after(0.01):
        await studio.cancel(task.task_id)
    v2.meanwhile = None
    view = await studio.cancel(task.task_id)
    assert (view.task.status, v2.calls) == (Status.CANCELLED, "read delete read")


async def _film(studio: Any, *statuses: Status) -> Any:
    """A film, each shot of which continues the one before, whose shots are on H3."""
    wanted = FilmRequest(shots=("a", "b", "c"), continuity=Continuity.LAST_FRAME)
    film = (await studio.make_film(wanted, Terms())).film
    now = studio.clock()
    for task, status in zip(await studio.store.film_tasks(film.film_id), statuses, strict=False):
        values = {"status": status, "remote_id": f"8{task.shot}", "model": H3, "due_at": now + 600}
        await studio.store.change(task.task_id, values, now=now)
    return film


async def test_a_films_queued_shots_are_cancelled_with_what_was_not_sent(
    studio: Any, v2: Provider
) -> None:
    film = await _film(studio, Status.QUEUED)
    v2.states, v2.cancels = [Phase.QUEUED], [True]
    view = await studio.cancel_film(film)
    assert {task.status for task in view.tasks} == {Status.CANCELLED}
    assert (view.status, view.notes, view.film.cancelled) == (Status.CANCELLED, (), True)
    assert v2.asked == [("read", "81", H3), ("delete", "81", H3)]
    assert (await studio.spending()).reserved == 0


async def test_a_films_shots_that_cannot_be_cancelled_are_told_apart(
    studio: Any, v2: Provider
) -> None:
    film = await _film(studio, Status.QUEUED, Status.RUNNING, Status.QUEUED)
    v2.states = [DOWN, Phase.RUNNING, Phase.RUNNING]  # from the last one
    view = await studio.cancel_film(film)
    made, unknown = view.notes
    assert made.startswith("Shots 1 and 2 could not be withdrawn: already being made.")
    assert unknown.startswith("Shot 3 could not be withdrawn: minimax-cn gave no usable answer")
    assert not view.film.cancelled


async def test_it_is_asked_for_by_the_wire_of_v2(scripted: Any, provider: Any) -> None:
    told = {"id": "771", "model": H3, "status": "queued", "usage": {}}
    sent = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        if request.method == "DELETE":
            body = {"task_id": "771", "action": "cancelled", "status": "cancelled"}
            return httpx.Response(200, json=body)
        return httpx.Response(200, json={"task": told})

    provider.on_v2 = answer
    async with scripted(poll_seconds="600") as studio:
        task = (await studio.generate(VideoRequest(prompt="a cat", model="h3"), Terms())).task
        assert task.remote_id == "771"
        view = await studio.cancel("771")
        assert (view.task.task_id, view.task.status) == (task.task_id, Status.CANCELLED)
        assert (await studio.spending()).reserved == 0
    assert sent[-2:] == [
        "GET /v2/query/video_generation/771",
        "DELETE /v2/video_generation/771",
    ]
    assert len(provider.creates) == 1
