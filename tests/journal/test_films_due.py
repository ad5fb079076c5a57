"""Which films a process works on: those with a shot that has moved, and those of the dead."""

from dataclasses import replace
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.journal.facts import ORPHAN_SECONDS, PLAN_SECONDS

from .films import REST, make, plan, read, undue

pytestmark = pytest.mark.anyio
ACCOUNT, OTHER = "sandbox a 1", "sandbox a 2"
LEASE = 30.0


async def _resting(shop: Any, **facts: Any) -> Any:
    """A film whose shots were recorded, and the worker has seen that."""
    made = await make(shop, await plan(shop, **facts))
    await undue(shop)
    assert (await read(shop, made.film)).due_at == 0
    return made


async def test_a_film_is_due_when_a_shot_ends_becomes_unconfirmed_or_is_saved(shop: Any) -> None:
    made = await _resting(shop)
    own = await shop.buy()  # no shot
    ended = {"due_at": 0.0, "save_error": "The clip is not at the provider any more."}
    steps: list[tuple[dict[str, object], bool]] = [
        ({"prompt": "another", "due_at": shop.now}, False),
        ({"status": Status.SUBMITTING}, False),
        ({"status": Status.UNCONFIRMED}, True),
        ({"status": Status.QUEUED, "remote_id": "r"}, False),
        ({"status": Status.RUNNING, "due_at": shop.now}, False),
        ({"status": Status.SUCCEEDED, "due_at": shop.now}, True),
        ({"save_error": "no room", "due_at": shop.now + 9}, False),
        (ended, True),
        ({"file": "/clip.mp4", "due_at": 0.0}, True),
        ({"status": Status.FAILED}, True),
        ({"status": Status.CANCELLED}, True),
    ]
    for values, due in steps:
        shop.now += 5
        await shop.journal.change(own.task_id, values, now=shop.now)
        assert (await read(shop, made.film)).due_at == 0
        await shop.journal.change(made.tasks[1].task_id, values, now=shop.now)
        assert (await read(shop, made.film)).due_at == (shop.now if due else 0), values
        await undue(shop)


async def test_a_settlement_makes_its_film_due(shop: Any) -> None:
    made = await make(shop, await plan(shop))
    await shop.becomes(made.tasks[0], Status.UNCONFIRMED)
    await undue(shop)
    shop.now += 5
    values = {"status": Status.FAILED, "money": Money.RELEASED}
    assert await shop.journal.settle(made.tasks[0].task_id, values, now=shop.now)
    assert (await read(shop, made.film)).due_at == shop.now


async def test_a_due_film_is_claimed_by_one_process_renewed_and_given_back(
    shop: Any, neighbour: Any
) -> None:
    made = await make(shop, await plan(shop))
    assert (await shop.claim(sends=0, steps=0)).films == ()
    (mine,) = (await shop.claim(sends=0)).films
    assert mine == replace(made.film, owner="me", lease_until=shop.now + LEASE)
    assert (await neighbour.claim(sends=0)).films == ()
    neighbour.now += 20
    await shop.journal.renew("me", ["f1", "no such"], until=neighbour.now + LEASE)
    await neighbour.journal.renew("other", ["f1"], until=neighbour.now + 1e6)
    assert (await read(shop, mine)).lease_until == neighbour.now + LEASE
    neighbour.now += LEASE
    (theirs,) = (await neighbour.claim(sends=0)).films
    assert theirs.owner == "other"
    assert set(await shop.journal.owners()) == {"me", "other"}
    await neighbour.journal.unregister("other")
    assert (await read(shop, mine)).owner == ""
    assert (await shop.claim(sends=0)).films[0].owner == "me"


async def test_polls_and_films_share_the_room_of_a_process(shop: Any) -> None:
    for number in range(3):
        await make(shop, await plan(shop, f"f{number}", identity=f"{number}"))
        await shop.becomes(await shop.buy(), Status.QUEUED, due_at=shop.now)
    claimed = await shop.claim(sends=0, steps=4)
    assert (len(claimed.films), len(claimed.steps)) == (3, 1)


async def test_what_happens_while_a_process_works_on_a_film_keeps_it_due(
    shop: Any, neighbour: Any
) -> None:
    """It may have read the shots before: a film that nobody looks at again would never end."""
    made = await make(shop, await plan(shop))

    async def while_held(**how: Any) -> Any:
        (held,) = (await shop.claim(sends=0)).films
        if how.get("moves"):
            await neighbour.becomes(made.tasks[0], how["moves"])
        if how.get("asks"):  # a person cancels it, say
            await neighbour.journal.change_film("f1", {"due_at": neighbour.now}, now=neighbour.now)
        changed = await shop.journal.change_film("f1", REST, now=shop.now, held_by=held.owner)
        return changed.due_at

    assert await while_held(moves=Status.SUCCEEDED) == shop.now
    assert await while_held(asks=True) == shop.now
    assert await while_held() == 0
    planned = await shop.journal.change_film("f1", {"redo": (1,)}, now=shop.now)
    await neighbour.becomes(made.tasks[1], Status.FAILED)
    (held,) = (await shop.claim(sends=0)).films
    await make(neighbour, planned, (1,))
    late = await shop.journal.change_film(
        "f1", {**REST, "file": "/old"}, now=shop.now, held_by="me", revision=held.revision
    )
    assert late is None
    freed = await shop.journal.change_film("f1", REST, now=shop.now, held_by="me")
    assert freed is not None
    assert (freed.due_at, freed.file, freed.owner) == (shop.now, "", "")


async def test_a_film_put_off_by_another_clock_or_lease_is_due_now(
    shop: Any, neighbour: Any
) -> None:
    shop.now += PLAN_SECONDS
    await make(shop, await plan(shop))
    await shop.claim(sends=0)
    shop.now -= PLAN_SECONDS
    (film,) = (await neighbour.claim(sends=0)).films
    assert film.due_at == shop.now


async def test_films_of_the_dead_are_free_at_once(shop: Any, neighbour: Any) -> None:
    await make(shop, await plan(shop))
    await shop.claim(sends=0)
    await neighbour.journal.recover(["me"], now=shop.now)
    assert len((await neighbour.claim(sends=0)).films) == 1


async def test_another_keys_film_is_offered_where_nobody_holds_that_key(shop: Any) -> None:
    made = await make(shop, await plan(shop, account=OTHER))
    for task in made.tasks:
        await shop.becomes(task, Status.FAILED)

    async def offered() -> list[str]:
        return list(await shop.journal.unattended_accounts(ACCOUNT, "sandbox", "a", []))

    assert await offered() == [OTHER]
    await shop.journal.change_film("f1", REST, now=shop.now)
    assert await offered() == []


async def test_shots_of_the_dead_are_sent_by_another_for_a_day(shop: Any, neighbour: Any) -> None:
    made = await make(shop, await plan(shop))
    alone = await shop.becomes(await shop.buy(), Status.PENDING, due_at=shop.now, owner="me")
    neighbour.now += PLAN_SECONDS - 1
    changed = await neighbour.journal.recover(["me"], now=neighbour.now)
    assert changed == (alone.task_id,)
    assert "ten minutes" in (await shop.read(alone)).error
    (sent,) = (await neighbour.claim()).sends
    assert (sent.task_id, sent.owner) == (made.tasks[0].task_id, "other")
    # The others wait for it, however long ago their process ended.
    assert [task.status for task in await shop.journal.film_tasks("f1")] == [
        *(Status.SUBMITTING, Status.PENDING, Status.PENDING)
    ]


@pytest.mark.parametrize("seconds", [PLAN_SECONDS + 1, -2 * ORPHAN_SECONDS])
async def test_later_they_are_cancelled_free_also_those_that_wait_and_their_film_is_due(
    shop: Any, neighbour: Any, seconds: float
) -> None:
    made = await _resting(shop)
    neighbour.now += seconds
    changed = await neighbour.journal.recover(["me"], now=neighbour.now)
    assert sorted(changed) == sorted(task.task_id for task in made.tasks)
    tasks = await shop.journal.film_tasks("f1")
    assert {(task.status, task.money) for task in tasks} == {(Status.CANCELLED, Money.RELEASED)}
    assert all("within a day" in task.error for task in tasks)
    assert (await read(shop, made.film)).due_at == neighbour.now


async def test_a_shot_in_the_air_of_the_dead_is_unconfirmed_and_its_film_due(
    shop: Any, neighbour: Any
) -> None:
    made = await _resting(shop)
    await shop.claim()
    assert await neighbour.journal.recover(["me"], now=shop.now) == (made.tasks[0].task_id,)
    assert (await read(shop, made.film)).due_at == shop.now
    await undue(neighbour)
    # What waits for it still waits, and keeps its money.
    assert (await shop.read(made.tasks[1])).money is Money.RESERVED
    # Only the search for it is due.
    (search,) = [task for task in await shop.journal.film_tasks("f1") if task.due_at]
    assert search.task_id == made.tasks[0].task_id
    await neighbour.journal.change(
        search.task_id, {"due_at": 0.0, "owner": "", "lease_until": 0.0}, now=neighbour.now
    )
    assert (await neighbour.claim()).next_at is None
