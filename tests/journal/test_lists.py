"""What a list of tasks and films can be narrowed to, and what those tasks cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import Filter, ProviderSums

from .films import make, plan

pytestmark = pytest.mark.anyio


async def _bought(shop: Any) -> None:
    """Four clips, a minute apart."""
    for prompt, provider in (
        ("A red fox", "sandbox"),
        ("Über den Wolken", "minimax-cn"),
        ("100% wool, a_b", "minimax-cn"),
        ("a RED car", "minimax-global"),
    ):
        shop.now += 60
        await shop.buy(prompt=prompt, provider=provider)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"search": "red"}, [4, 1]),
        ({"search": "WOLKEN"}, [2]),
        ({"search": "Über"}, [2]),
        ({"search": "0%"}, [3]),
        ({"search": "a_b"}, [3]),
        ({"search": "!"}, []),
        ({"provider": "minimax-cn"}, [3, 2]),
        ({"provider": "minimax-cn", "search": "wool"}, [3]),
        ({"begins": "vme000"}, [4, 3, 2, 1]),
        ({"begins": "vme0003"}, [3]),
        ({"begins": "w"}, []),
    ],
)
async def test_tasks_are_narrowed_by_text_provider_and_id(
    shop: Any, wanted: dict[str, Any], found: list[int]
) -> None:
    await _bought(shop)
    listed = await shop.journal.newest(only=Filter(**wanted))
    assert [task.task_id for task in listed] == [f"vme{number:04}" for number in found]
    few = await shop.journal.newest(only=Filter(**wanted), limit=1, statuses=tuple(Status))
    assert few == listed[:1]


async def test_tasks_are_narrowed_by_when_they_were_written_down(shop: Any) -> None:
    began = shop.now
    await _bought(shop)
    listed = await shop.journal.newest(only=Filter(since=began + 120, until=began + 240))
    assert [task.task_id for task in listed] == ["vme0003", "vme0002"]
    assert await shop.journal.newest(only=Filter(since=began + 120), caller="ann") == []


async def test_films_are_narrowed_as_tasks_are(shop: Any) -> None:
    began = shop.now
    planned = await plan(shop, "f1", identity="1")
    shop.now += 60
    await plan(shop, "f2", identity="2", caller="ann", provider="minimax-cn")
    shop.now += 60
    await make(shop, planned)

    async def listed(caller: str | None = None, limit: int = 9, **wanted: Any) -> list[str]:
        films = await shop.journal.newest_films(
            only=Filter(**wanted), caller=caller, limit=limit, now=shop.now
        )
        return [film.film_id for film in films]

    words = planned.shots[-1].prompt
    assert await listed() == ["f2", "f1"]
    assert await listed(search=words.upper()) == ["f2", "f1"]
    assert await listed(search=words, limit=1) == ["f2"]
    assert await listed(search="resolution") == []  # a word of the record, not of a prompt
    assert await listed(provider="minimax-cn") == ["f2"]
    assert await listed(begins="f1") == ["f1"]
    assert await listed(since=began + 90) == ["f1"]  # when it was made
    assert await listed(until=began + 90) == ["f2"]
    assert await listed(caller="ann", search=words) == ["f2"]


async def test_sums_are_by_provider_and_unit(shop: Any) -> None:
    bought = await shop.buy(cost="2", amount=Decimal(2), provider="minimax-cn", prompt="fox")
    await shop.becomes(bought, Status.SUCCEEDED)
    lost = await shop.buy(cost="0.5", amount=Decimal("0.5"), provider="minimax-cn")
    await shop.becomes(lost, Status.UNCONFIRMED)
    await shop.buy(cost="3", amount=Decimal(3), provider="minimax-cn", unit=Unit.CREDITS)
    failed = await shop.buy(provider="minimax-cn")
    await shop.becomes(failed, Status.FAILED, money=Money.RELEASED)
    await shop.buy(cost="1", caller="ann")

    def sums(provider: str, unit: Unit, tasks: int, *amounts: str) -> ProviderSums:
        spent, reserved, uncertain = map(Decimal, amounts)
        return ProviderSums(
            provider=provider,
            unit=unit,
            tasks=tasks,
            spent=spent,
            reserved=reserved,
            uncertain=uncertain,
        )

    paid = sums("minimax-cn", Unit.CNY, 2, "2", "0.5", "0.5")
    packs = sums("minimax-cn", Unit.CREDITS, 1, "0", "3", "0")
    anns = sums("sandbox", Unit.CNY, 1, "0", "1", "0")
    assert await shop.journal.sums_of() == [paid, packs, anns]
    assert await shop.journal.sums_of(caller="ann") == [anns]
    of_fox = Filter(search="FOX", provider="minimax-cn")
    assert await shop.journal.sums_of(only=of_fox) == [
        sums("minimax-cn", Unit.CNY, 1, "2", "0", "0")
    ]
