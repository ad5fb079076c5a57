"""A film's id goes wherever a task's does: query, save, cancel, list; for its own caller only."""

# ruff: noqa: ASYNC240  # small files of the test; nothing else runs in this loop

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import anyio
import httpx
import pytest
from media.clips import make

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.film import Continuity, Film, FilmRequest
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import HailuoError, InvalidRequestError, TaskNotFoundError
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import FilmView, Terms, View

pytestmark = pytest.mark.anyio

SHOTS = ("a paper boat", "it drifts", "it reaches the sea")
CHAINED, FREE = Continuity.LAST_FRAME, Continuity.NONE


class Journal:
    """Does what a worker would: a film moves as the test says, and nothing is sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.studio: Studio
        self.wire: list[str] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.wire.append(str(request.url))
        return httpx.Response(200, json={"base_resp": {"status_code": 2013, "status_msg": "no"}})

    async def planned(self, continuity: Continuity = CHAINED, caller: str = "") -> FilmView:
        wanted = FilmRequest(shots=SHOTS, continuity=continuity)
        return await self.studio.plan_film(wanted, Terms(), caller=caller)

    async def made(self, continuity: Continuity = CHAINED, caller: str = "") -> Film:
        wanted = FilmRequest(shots=SHOTS, continuity=continuity)
        film = (await self.studio.make_film(wanted, Terms(), caller=caller)).film
        return await self.film(film.film_id, due_at=0.0)

    async def shot(self, film: Film, number: int, status: Status, **values: object) -> Task:
        task = (await self.tasks(film))[number - 1]
        facts = {"status": status, "due_at": 0.0, **values}
        changed = await self.studio.store.change(task.task_id, facts, now=self.studio.clock())
        assert changed
        self.studio.changes.announce(task.task_id)
        return changed

    async def saved(self, film: Film, number: int) -> Task:
        path = self.folder / f"{film.film_id}-{number}.mp4"
        path.write_bytes(b"clip")
        return await self.shot(film, number, Status.SUCCEEDED, file=str(path))

    async def joined(self, film: Film, name: str = "film.mp4") -> Film:
        for task in await self.tasks(film):
            if not task.saved:
                await self.saved(film, task.shot)
        path = self.folder / name
        path.write_bytes(b"film")
        facts = {"bytes": 4, "sha256": "fa" * 32, "seconds": 18.0, "width": 1366, "height": 768}
        return await self.film(film.film_id, file=str(path), due_at=0.0, **facts)

    async def film(self, film_id: str, **values: object) -> Film:
        if not values:
            found = await self.studio.film(film_id, "")
        else:
            found = await self.studio.store.change_film(film_id, values, now=self.studio.clock())
        assert found
        self.studio.changes.announce(film_id)
        return found

    async def tasks(self, film: Film) -> list[Task]:
        """The newest of each shot."""
        found = await self.studio.store.film_tasks(film.film_id)
        return list({task.shot: task for task in found}.values())


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path)
    settings = Settings.from_env(
        {
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": "k",
            "HAILUO_STATE_DIR": str(tmp_path / "state"),
            "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
            "HAILUO_ALLOWED_DIRS": str(tmp_path),
        }
    )
    wire = httpx.MockTransport(journal.answer)
    linked = RemoteAccess(link=lambda made: Link(url=f"https://here/{made.saved}"))
    async with open_studio(settings, wire=wire, works=False, remote=linked) as studio:
        journal.studio = studio
        yield journal


async def _while_waiting(
    journal: Journal, film: Film, *steps: Callable[[], Awaitable[object]]
) -> tuple[FilmView, list[FilmView]]:
    """What a long wait answers, and what it told; each step follows the news of the one before."""
    told: list[FilmView] = []
    send, heard = anyio.create_memory_object_stream[FilmView](100)

    async def on_progress(view: FilmView) -> None:
        told.append(view)
        send.send_nowait(view)

    async def go_on() -> None:
        for step in steps:
            await heard.receive()
            await anyio.wait_all_tasks_blocked()  # the caller waits for the next change
            await step()

    with anyio.fail_after(20), send, heard:
        async with anyio.create_task_group() as both:
            both.start_soon(go_on)
            view = await journal.studio.query_film(film, wait_seconds=60, on_progress=on_progress)
    return view, told


async def test_a_wait_ends_when_the_film_is_joined_and_tells_of_every_shot(
    journal: Journal,
) -> None:
    film = await journal.made()
    view, told = await _while_waiting(
        journal,
        film,
        *(lambda number=number: journal.saved(film, number) for number in (1, 2, 3)),
        lambda: journal.joined(film),
    )
    assert (view.status, view.joined, view.settled) == (Status.SUCCEEDED, True, True)
    assert [sum(task.saved for task in seen.tasks) for seen in told] == [0, 1, 2, 3]
    assert view.link == Link(url="https://here/True")


@pytest.mark.parametrize("stale", [True, False])
async def test_a_film_whose_last_shot_was_just_saved_is_about_to_be_joined(
    journal: Journal, *, stale: bool
) -> None:
    film = await journal.made()
    for number in (1, 2, 3):
        await journal.saved(film, number)
    if not stale:  # as the caller read it, before the shot made it due
        film = await journal.film(film.film_id)
    view = await journal.studio.query_film(film)
    assert (view.status, view.settled, view.joined) == (Status.SUCCEEDED, False, False)


async def test_a_shot_that_is_ready_and_not_saved_keeps_the_wait(journal: Journal) -> None:
    film = await journal.made(FREE)
    await journal.saved(film, 1)
    await journal.saved(film, 2)
    await journal.shot(film, 3, Status.SUCCEEDED, due_at=journal.studio.clock())
    film = await journal.film(film.film_id, due_at=0.0)
    assert not (await journal.studio.query_film(film)).settled


async def test_a_wait_ends_where_only_a_person_can_move_the_film(journal: Journal) -> None:
    film = await journal.made()

    async def lose() -> None:
        await journal.shot(film, 1, Status.UNCONFIRMED)
        await journal.film(film.film_id, due_at=0.0)

    view, _ = await _while_waiting(journal, film, lose)
    assert view.status is Status.UNCONFIRMED
    assert [task.status for task in view.tasks[1:]] == [Status.PENDING] * 2


async def test_a_wait_ends_when_the_process_closes(journal: Journal) -> None:
    film = await journal.made()

    async def close() -> None:
        journal.studio.changes.close()

    view, told = await _while_waiting(journal, film, close)
    assert (view.status, len(told)) == (Status.PENDING, 1)


async def test_asking_for_a_film_brings_its_shots_polls_forward(journal: Journal) -> None:
    film, later = await journal.made(FREE), journal.studio.clock() + 10_000
    began = later - 20_000
    sent = {"remote_id": "77", "submitted_at": began, "polled_at": began, "due_at": later}
    await journal.shot(film, 2, Status.RUNNING, **sent)
    await journal.studio.query_film(film)
    assert (await journal.tasks(film))[1].due_at < later


async def test_a_joined_film_is_copied_to_where_it_is_wanted(
    journal: Journal, tmp_path: Path
) -> None:
    film = await journal.joined(await journal.made())
    whole = make(Path(film.file)).read_bytes()
    saved = await journal.studio.download_film(film)
    assert (saved.status, saved.file) == ("saved", film.file)
    wanted = str(tmp_path / "for me") + "/"
    copied = await journal.studio.download_film(film, output_path=wanted)
    assert (copied.status, Path(copied.file)) == ("saved", tmp_path / "for me" / "film.mp4")
    assert Path(copied.file).read_bytes() == whole
    Path(copied.file).write_bytes(b"something else")
    with pytest.raises(HailuoError, match="exists"):
        await journal.studio.download_film(film, output_path=copied.file)
    await journal.studio.download_film(film, output_path=copied.file, overwrite=True)
    with pytest.raises(InvalidRequestError):
        await journal.studio.download_film(film, output_path="/etc/film.mp4")


async def test_a_film_that_is_gone_from_the_disk_is_joined_again(journal: Journal) -> None:
    film = await journal.joined(await journal.made())
    Path(film.file).unlink()
    Path((await journal.tasks(film))[1].file).unlink()
    saving = await journal.studio.download_film(film)
    assert (saving.status, saving.file) == ("saving", "")
    due = await journal.film(film.film_id)
    assert (due.file, due.due_at > 0) == ("", True)
    shots = [(bool(task.file), task.due_at > 0) for task in await journal.tasks(film)]
    assert shots == [(True, False), (False, True), (True, False)]  # the lost clip is fetched, too

    film = await journal.film(film.film_id)

    async def join(_: FilmView) -> None:
        await journal.joined(film)

    with anyio.fail_after(10):
        saved = await journal.studio.download_film(film, wait_seconds=9, on_progress=join)
    assert saved.status == "saved"


async def test_a_film_that_could_not_be_joined_is_tried_again_when_asked_for(
    journal: Journal,
) -> None:
    film = await journal.joined(await journal.made())
    failed = {"file": "", "save_error": "The disk is full.", "due_at": 0.0}
    film = await journal.film(film.film_id, **failed)
    assert (await journal.studio.query_film(film)).settled
    assert (await journal.studio.download_film(film)).status == "saving"
    assert (await journal.film(film.film_id)).due_at > 0
    film = await journal.film(film.film_id, **failed)

    async def fail_again(_: FilmView) -> None:
        await journal.film(film.film_id, **failed)

    with anyio.fail_after(10):
        told = await journal.studio.download_film(film, wait_seconds=9, on_progress=fail_again)
    assert (told.status, told.view.film.save_error) == ("not_ready", "The disk is full.")


async def test_what_is_not_made_is_not_ready(journal: Journal) -> None:
    planned = await journal.planned(FREE)
    assert (await journal.studio.download_film(planned.film)).status == "not_ready"
    film = await journal.made()
    assert (await journal.studio.download_film(film)).status == "not_ready"


async def test_an_earlier_film_is_not_taken_for_the_one_that_is_made_again(
    journal: Journal,
) -> None:
    film = await journal.joined(await journal.made(FREE))
    again = FilmRequest(film_id=film.film_id, redo=(2,))
    view = await journal.studio.make_film(again, Terms())
    film = await journal.film(film.film_id, due_at=0.0)
    assert (view.joined, view.settled, film.saved) == (False, False, True)
    assert (await journal.studio.download_film(film)).status == "not_ready"
    await journal.shot(film, 2, Status.FAILED)
    film = await journal.film(film.film_id, due_at=0.0)
    saved = await journal.studio.download_film(film)
    assert (saved.status, saved.file, saved.view.status) == ("saved", film.file, Status.FAILED)
    assert "before some of its shots were made again" in " ".join(saved.view.notes)


async def test_a_plan_is_withdrawn_once(journal: Journal) -> None:
    planned = await journal.planned()
    gone = await journal.studio.cancel_film(planned.film)
    assert (gone.status, gone.film.cancelled, gone.notes) == (Status.CANCELLED, True, ())
    again = await journal.studio.cancel_film(gone.film)
    assert (again.status, len(again.notes)) == (Status.CANCELLED, 1)
    with pytest.raises(InvalidRequestError):
        await journal.studio.make_film(FilmRequest(film_id=gone.film.film_id), Terms())


async def test_a_planned_redo_is_withdrawn_and_the_film_stays(journal: Journal) -> None:
    film = await journal.joined(await journal.made())
    again = FilmRequest(film_id=film.film_id, redo=(2,))
    planned = await journal.studio.plan_film(again, Terms())
    view = await journal.studio.cancel_film(planned.film)
    assert (view.film.redo, view.status, view.joined) == ((), Status.SUCCEEDED, True)
    (note,) = view.notes
    assert "shots 2 and 3" in note
    other = await journal.studio.plan_film(replace(again, redo=(3,)), Terms())
    assert await journal.studio.withdraw_redo(planned.film) is None, "another plan stays"
    kept = await journal.studio.withdraw_redo(other.film)
    assert kept
    assert kept.redo == ()


async def test_withdrawing_a_redo_leaves_what_is_still_to_be_sent(journal: Journal) -> None:
    film = await journal.made(FREE)
    await journal.saved(film, 1)
    planned = await journal.studio.plan_film(FilmRequest(film_id=film.film_id, redo=(1,)), Terms())
    view = await journal.studio.cancel_film(planned.film)
    assert [task.status for task in view.tasks[1:]] == [Status.PENDING] * 2
    assert "by the same call" in view.notes[1]
    view = await journal.studio.cancel_film(view.film)
    assert [task.status for task in view.tasks[1:]] == [Status.CANCELLED] * 2


async def test_what_was_not_sent_is_withdrawn_free_and_the_rest_goes_on(journal: Journal) -> None:
    film = await journal.made()
    assert (await journal.studio.spending()).reserved == Decimal(6)
    await journal.shot(film, 1, Status.RUNNING, remote_id="77")
    view = await journal.studio.cancel_film(film)
    assert [task.status for task in view.tasks] == [Status.RUNNING, *[Status.CANCELLED] * 2]
    assert [task.money for task in view.tasks[1:]] == [Money.RELEASED] * 2
    assert (await journal.studio.spending()).reserved == Decimal(2)
    assert view.notes[0].startswith("Shot 1 could not be withdrawn: already sent")
    assert view.film.due_at > 0
    assert len((await journal.studio.cancel_film(view.film)).notes) == 1
    await journal.saved(film, 1)
    film = await journal.film(film.film_id, due_at=0.0)
    done = await journal.studio.cancel_film(film)
    assert (done.status, done.notes, done.next_check_seconds) == (Status.CANCELLED, (), None)


async def test_shots_on_h3_are_priced_by_the_second_and_begin_wide_or_as_the_one_before(
    journal: Journal,
) -> None:
    wanted = FilmRequest(
        shots=SHOTS, durations=(4, 5, 15), continuity=CHAINED, model="h3", resolution="2k"
    )
    plan = await journal.studio.plan_film(wanted, Terms())
    assert plan.amount == Decimal("19.20")  # 24 s of 0.80 CNY
    first, *others = (json.loads(shot.request) for shot in plan.film.shots)
    assert {shot.resolution for shot in plan.film.shots} == {"2K"}
    assert first["aspect_ratio"] == "16:9"
    assert not any("aspect_ratio" in other for other in others), "it has its first frame's shape"
    film = (await journal.studio.make_film(FilmRequest(film_id=plan.film.film_id), Terms())).film
    assert (await journal.studio.spending()).reserved == Decimal("19.20")
    film = await journal.joined(film)
    redo = await journal.studio.plan_film(FilmRequest(film_id=film.film_id, redo=(3,)), Terms())
    assert redo.amount == Decimal("12.00")


async def test_a_film_that_was_made_meanwhile_is_not_withdrawn_as_a_plan(journal: Journal) -> None:
    planned = await journal.planned()
    film = await journal.made()
    view = await journal.studio.cancel_film(planned.film)  # as it was read before
    assert view.film.film_id == film.film_id
    assert view.film.made_at
    assert {task.status for task in view.tasks} == {Status.CANCELLED}


async def test_cancelling_one_shot_by_its_own_id_makes_the_film_due(journal: Journal) -> None:
    film = await journal.made()
    task = (await journal.tasks(film))[1]
    view = await journal.studio.cancel(task.task_id)
    assert view.task.status is Status.CANCELLED
    assert (await journal.film(film.film_id)).due_at > 0


async def test_a_list_has_films_before_their_shots_and_counts_nothing_twice(
    journal: Journal,
) -> None:
    film = await journal.made()
    listing = await journal.studio.tasks()
    shown = [entry.known_as for entry in listing.entries]
    assert shown == [film.film_id, *(task.task_id for task in await journal.tasks(film))]
    assert listing.spending.reserved == Decimal(6)
    assert listing.films[0].amount == Decimal(6)
    assert len(listing.under_way) == 3
    assert len((await journal.studio.tasks(limit=2)).entries) == 2
    assert (await journal.studio.tasks(limit=0)).entries == []
    await journal.planned(FREE)
    assert [view.status for view in (await journal.studio.tasks(limit=9)).films] == [
        None,
        Status.PENDING,
    ]


@pytest.mark.parametrize(
    ("words", "rows", "films"),
    [
        ("running", 1, 0),
        ("pending", 1, 1),
        ("unfinished", 2, 1),
        ("succeeded", 1, 0),
        ("failed", 0, 0),
        ("planned", 0, 1),
    ],
)
async def test_a_list_of_one_status_has_the_films_of_that_status(
    journal: Journal, words: str, rows: int, films: int
) -> None:
    film = await journal.made(FREE)
    await journal.planned()
    await journal.saved(film, 1)
    await journal.shot(film, 2, Status.RUNNING, remote_id="77")
    listing = await journal.studio.tasks(status=words)
    assert (len(listing.rows), len(listing.films)) == (rows, films)


async def test_a_film_counts_as_unsaved_until_it_is_joined(journal: Journal) -> None:
    film = await journal.made()
    for number in (1, 2, 3):
        await journal.saved(film, number)
    for words, many in (("unsaved", 1), ("unfinished", 1), ("saved", 0)):
        listing = await journal.studio.tasks(status=words)
        assert len(listing.films) == many, words
    assert len(listing.rows) == 3
    await journal.joined(film)
    for words, many in (("unsaved", 0), ("unfinished", 0), ("saved", 1)):
        assert len((await journal.studio.tasks(status=words)).films) == many, words


async def test_a_wait_for_a_list_ends_when_a_film_ends(journal: Journal) -> None:
    film = await journal.made()
    for number in (1, 2, 3):
        await journal.saved(film, number)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as both:
            both.start_soon(journal.joined, film)
            listing = await journal.studio.tasks(status="saved", wait_seconds=9)
            listing = await journal.studio.tasks(wait_seconds=9)
    assert listing.films[0].joined


async def test_a_film_is_its_callers_own(journal: Journal) -> None:
    film = await journal.made(caller="alice")
    studio, film_id = journal.studio, film.film_id
    assert await studio.film(film_id, "bob") is None
    assert (await studio.film(film_id, "alice")) == (await studio.film(film_id, ""))
    for use in (studio.query, studio.download, studio.cancel):
        with pytest.raises(TaskNotFoundError):
            await use(film_id, caller="bob")
    assert journal.wire == []  # nobody else's film is looked for at the provider
    assert (await studio.tasks(caller="bob")).entries == []
    assert len((await studio.tasks(caller="alice")).entries) == 4
    assert await studio.recent_ids("f", caller="bob") == []
    assert await studio.recent_ids("f", caller="alice") == [film_id]
    assert await studio.recent_film_ids("", caller="alice") == [film_id]
    assert len(await studio.recent_ids("", caller="alice")) == 4


async def test_a_tenants_film_lies_in_its_folder_and_counts_in_its_own_sums(
    journal: Journal, tmp_path: Path
) -> None:
    operators, acme = journal.studio, "tenant:acme"
    await journal.made(FREE)
    journal.studio = replace(operators, tenant=acme, storage=operators.storage.below("acme"))
    film = await journal.made(caller=acme)
    journal.folder = tmp_path / "clips" / "acme"
    film = await journal.joined(film)
    saved = await journal.studio.download_film(film)
    assert (saved.status, saved.view.of_tenant) == ("saved", True)
    listing = await journal.studio.tasks(caller=acme)
    assert ([view.film for view in listing.films], len(listing.rows)) == ([film], 3)
    assert (listing.spending.spent, listing.spending.reserved) == (Decimal(6), 0)
    assert (await operators.spending()).reserved == Decimal(6)
    assert await operators.film(film.film_id, "tenant:other") is None


async def test_what_only_a_clip_can_take_is_refused_for_a_film(journal: Journal) -> None:
    film = await journal.made()
    with pytest.raises(InvalidRequestError, match="is a film") as refused:
        await journal.studio.settle(film.film_id, bought=True)
    assert refused.value.task_id == film.film_id
    with pytest.raises(InvalidRequestError, match="is a film"):
        await journal.studio.query(film.film_id)
    assert journal.wire == []


async def test_a_shot_is_a_task_like_any_other(journal: Journal) -> None:
    film = await journal.made()
    task = (await journal.tasks(film))[0]
    view: View = await journal.studio.query(task.task_id)
    assert (view.task.film_id, view.task.shot) == (film.film_id, 1)
    assert json.loads(view.task.request)["prompt"] == SHOTS[0]
    assert replace(view.task, updated_at=0) == replace(task, updated_at=0)
