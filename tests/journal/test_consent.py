"""Codes and approvals: each is good once, for one caller, one request and one price."""

from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
GOOD: dict[str, Any] = {"caller": "alice", "identity": "a cat", "amount": Decimal("2.00")}


async def test_a_code_is_good_once(shop: Any, neighbour: Any) -> None:
    await shop.journal.issue_code("c", **GOOD, now=shop.now)
    assert await neighbour.journal.use_code("c", **GOOD, now=shop.now + 599)
    assert not await shop.journal.use_code("c", **GOOD, now=shop.now + 599)


@pytest.mark.parametrize(
    "other",
    [{"caller": "bob"}, {"identity": "a dog"}, {"amount": Decimal("2.01")}, {"amount": None}],
    ids=["caller", "request", "price", "no price"],
)
async def test_a_code_is_good_for_nobody_and_nothing_else(shop: Any, other: dict[str, Any]) -> None:
    await shop.journal.issue_code("c", **GOOD, now=shop.now)
    assert not await shop.journal.use_code("c", **{**GOOD, **other}, now=shop.now)
    assert await shop.journal.use_code("c", **GOOD, now=shop.now)


async def test_a_code_is_good_for_ten_minutes(shop: Any) -> None:
    await shop.journal.issue_code("c", **GOOD, now=shop.now)
    assert not await shop.journal.use_code("c", **GOOD, now=shop.now + 600)


async def test_a_code_of_another_clock_does_not_stay_good(shop: Any) -> None:
    await shop.journal.issue_code("c", **GOOD, now=shop.now + 86_400)
    assert not await shop.journal.use_code("c", **GOOD, now=shop.now)


async def test_a_code_that_was_never_given_is_not_good(shop: Any) -> None:
    assert not await shop.journal.use_code("", **GOOD, now=shop.now)


async def test_an_unpriced_clip_has_a_code_too(shop: Any) -> None:
    unpriced = {**GOOD, "amount": None}
    await shop.journal.issue_code("c", **unpriced, now=shop.now)
    assert await shop.journal.use_code("c", **unpriced, now=shop.now)


async def test_an_approval_counts_once_in_ten_minutes(shop: Any, neighbour: Any) -> None:
    yes = {"caller": "alice", "identity": "a cat"}
    assert await shop.journal.use_approval(**yes, now=shop.now)
    assert not await neighbour.journal.use_approval(**yes, now=shop.now + 600)
    assert await shop.journal.use_approval(caller="bob", identity="a cat", now=shop.now)
    assert await shop.journal.use_approval(**yes, now=shop.now + 601)
