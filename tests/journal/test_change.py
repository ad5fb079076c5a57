"""One step at a time: what may be written when, late answers, adoption, and what is read back."""

from decimal import Decimal
from typing import Any

import anyio
import pytest
from until import until

from hailuo_mcp.domain.task import Money, Status

pytestmark = pytest.mark.anyio


async def test_a_late_answer_reaches_the_attempt_that_it_belongs_to(
    shop: Any, neighbour: Any
) -> None:
    task = await shop.buy()
    await neighbour.journal.recover(["me"], now=shop.now)
    late = await shop.journal.change(
        task.task_id,
        {"status": Status.QUEUED, "remote_id": "77"},
        now=shop.now,
        status_in=(Status.SUBMITTING, Status.UNCONFIRMED),
        attempt=1,
    )
    assert (late.status, late.remote_id, late.money) == (Status.QUEUED, "77", Money.RESERVED)


async def test_an_answer_to_an_earlier_attempt_changes_nothing(shop: Any) -> None:
    task = await shop.buy()
    await shop.becomes(task, Status.PENDING, due_at=shop.now)
    (again,) = (await shop.claim()).sends
    assert again.attempt == 2
    answer = {"status": Status.QUEUED, "remote_id": "77"}
    assert await shop.journal.change(task.task_id, answer, now=shop.now, attempt=1) is None
    assert (await shop.read(task)).remote_id == ""


@pytest.mark.parametrize(
    "condition",
    [{"status_in": (Status.RUNNING,)}, {"attempt": 9}, {"held_by": "other"}],
    ids=["status", "attempt", "holder"],
)
async def test_a_condition_that_does_not_hold_changes_nothing(
    shop: Any, condition: dict[str, Any]
) -> None:
    task = await shop.buy()
    values = {"status": Status.FAILED}
    assert await shop.journal.change(task.task_id, values, now=shop.now, **condition) is None
    assert await shop.read(task) == task


async def test_an_unknown_task_is_not_changed_into_being(shop: Any) -> None:
    assert await shop.journal.change("v0", {"status": Status.FAILED}, now=shop.now) is None


async def test_a_settlement_may_say_otherwise_than_the_status(shop: Any) -> None:
    task = await shop.becomes(await shop.buy(), Status.UNCONFIRMED)
    paid = await shop.becomes(task, Status.FAILED, money=Money.SPENT)
    assert (await shop.read(task)).money is paid.money is Money.SPENT


async def test_money_that_is_settled_stays_settled(shop: Any) -> None:
    task = await shop.becomes(await shop.buy(), Status.SUCCEEDED)
    again = await shop.becomes(task, Status.QUEUED)
    assert again.money is Money.SPENT


async def test_every_field_comes_back_as_it_was_written(shop: Any) -> None:
    draft = shop.draft(
        remote_id="8",
        prompt="一只猫 \N{CAT FACE} ' -- \x00",
        amount=Decimal("0.70"),
        warnings=("first", "zweite"),
        duration=None,
        url_expires_at=1.5,
        width=1366,
    )
    found = await shop.try_to_buy()  # a neighbour in the same table
    assert found is not None
    adopted = await shop.journal.adopt(draft)
    assert await shop.read(adopted) == draft
    changed = await shop.journal.change(
        draft.task_id, {"warnings": ("third",), "amount": Decimal("1.10")}, now=shop.now + 1
    )
    assert await shop.read(draft) == changed


async def test_the_same_task_is_adopted_once(shop: Any, neighbour: Any) -> None:
    first = await shop.journal.adopt(shop.draft(remote_id="7", remote_alias="p7"))
    assert (await neighbour.journal.adopt(neighbour.draft(remote_id="7"))).task_id == first.task_id
    assert (await neighbour.journal.adopt(neighbour.draft(remote_id="p7"))).task_id == first.task_id
    other = neighbour.draft(remote_id="7", account="sandbox a 2")
    assert (await neighbour.journal.adopt(other)).task_id == other.task_id


async def test_a_task_is_found_by_any_of_its_ids_and_never_by_an_empty_one(shop: Any) -> None:
    task = await shop.journal.adopt(shop.draft(remote_id="7", remote_alias="p7"))
    await shop.buy()
    for some_id in (task.task_id, "7", "p7"):
        assert (await shop.journal.find(some_id)).task_id == task.task_id
    assert await shop.journal.find("") is None
    assert await shop.journal.by_callback("") is None


async def test_lists_are_newest_first_and_by_caller_and_status(shop: Any) -> None:
    first = await shop.buy(caller="alice")
    shop.now += 1
    second = await shop.buy(caller="bob")
    await shop.becomes(second, Status.QUEUED)
    newest = shop.journal.newest
    assert [task.task_id for task in await newest()] == [second.task_id, first.task_id]
    assert [task.task_id for task in await newest(limit=1)] == [second.task_id]
    assert [task.task_id for task in await newest(caller="alice")] == [first.task_id]
    assert [task.task_id for task in await newest(statuses=(Status.QUEUED,))] == [second.task_id]


async def test_how_long_a_kind_takes_is_learned_from_its_ends(shop: Any) -> None:
    for took in (60, 80):
        task = await shop.buy(model="m", resolution="768P", duration=6)
        await shop.becomes(
            task,
            Status.SUCCEEDED,
            submitted_at=shop.now,
            unfinished_at=shop.now + took - 10,
            finished_at=shop.now + took,
        )
        shop.now += 1000
    render_times = await shop.journal.render_times("sandbox", "m", "768P", 6)
    assert [(span.least, span.most) for span in render_times] == [(70, 80), (50, 60)]
    assert await shop.journal.render_times("sandbox", "m", "768P", 10) == []


async def test_pictures_are_in_use_until_their_task_was_sent(shop: Any) -> None:
    waiting = await shop.buy(request='{"sha256": "aa"}')
    sent = await shop.becomes(await shop.buy(request='{"sha256": "bb"}'), Status.QUEUED)
    lost = await shop.becomes(await shop.buy(request='{"sha256": "cc"}'), Status.UNCONFIRMED)
    in_use = await shop.journal.pictures_in_use(now=shop.now)
    assert waiting.request in in_use
    assert lost.request in in_use
    assert sent.request not in in_use
    much_later = await shop.journal.pictures_in_use(now=shop.now + 86_400)
    assert waiting.request in much_later
    assert lost.request not in much_later


async def test_another_process_sees_that_something_was_written(shop: Any, neighbour: Any) -> None:
    heard = list[str]()
    async with anyio.create_task_group() as watching:
        watching.start_soon(neighbour.journal.watch, heard.append, lambda: True)
        await until(lambda: bool(heard))  # it is watching: a first word may be about nothing
        heard.clear()
        bought = await shop.buy()
        await until(lambda: bool(heard))
        assert set(heard) <= {"", bought.task_id}
        watching.cancel_scope.cancel()
