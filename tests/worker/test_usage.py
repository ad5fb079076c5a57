"""What a clip cost by the provider's count takes the place of its quote, everywhere at once."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.remote import Phase, RemoteStatus, Usage
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.studio.reader import RemoteAccess
from hailuo_mcp.worker.usage import counted_cost
from hailuo_mcp.worker.worker import Worker

TASK = Task(
    **dict.fromkeys(("task_id", "account", "provider", "caller"), ""),
    status=Status.RUNNING,
    created_at=1.0,
    updated_at=1.0,
    mode=Mode.T2V,
    model="MiniMax-H3",
    resolution="768P",
    duration=6,
    amount=Decimal("0.48"),
    unit=Unit.USD,
)


@pytest.mark.parametrize(
    ("usage", "facts", "amount", "quoted"),
    [
        (Usage(output_seconds=6), {}, "0.48", None),
        (Usage(output_seconds=7), {}, "0.56", "0.48"),
        (Usage(output_seconds=6, input_seconds=3, images=7), {}, "0.80", "0.48"),
        (Usage(output_seconds=6), {"unit": Unit.CNY, "amount": Decimal(9)}, "3.00", "9"),
        (
            Usage(output_seconds=6),
            {"mode": Mode.UPGRADE, "resolution": "2K"},
            "0.30",
            "0.48",
        ),
        (Usage(output_seconds=6), {"quoted": Decimal("0.40")}, "0.48", "0.40"),
    ],
)
def test_it_is_priced_by_what_was_counted(
    usage: Usage, facts: dict[str, Any], amount: str, quoted: str | None
) -> None:
    assert counted_cost(replace(TASK, **facts), usage) == {
        "amount": Decimal(amount),
        "quoted": None if quoted is None else Decimal(quoted),
    }


@pytest.mark.parametrize(
    ("usage", "facts"),
    [
        (None, {}),
        (Usage(output_seconds=6), {"amount": None}),
        (Usage(output_seconds=6), {"unit": Unit.CREDITS}),
        (Usage(output_seconds=7), {"model": "MiniMax-Hailuo-2.3"}),
        (Usage(output_seconds=6, images=4), {"model": "MiniMax-H3-Max", "unit": Unit.CNY}),
    ],
)
def test_without_a_count_a_quote_or_a_full_price_the_quote_stays(
    usage: Usage | None, facts: dict[str, Any]
) -> None:
    assert counted_cost(replace(TASK, **facts), usage) == {}


@pytest.mark.anyio
@pytest.mark.parametrize(("seconds", "more"), [(6, "0"), (7, "0.5"), (5, "-0.5")])
async def test_the_sums_follow_the_count_and_the_difference_is_told_once(
    bench: Any, seconds: int, more: str
) -> None:
    told = list[tuple[Unit, Decimal]]()
    remote = RemoteAccess(count_cost=lambda unit, amount: told.append((unit, amount)))
    bench.context = replace(bench.context, remote=remote)
    task = await bench.held(amount=Decimal(3))
    # Reserved with more than its price, as where only a lower bound is known.
    await bench.journal.write(
        lambda db: db.execute(
            "UPDATE tasks SET model = 'MiniMax-H3', resolution = '768P', counted = 9000000"
        )
    )
    bench.client.states = [
        RemoteStatus(phase=Phase.SUCCEEDED, word="succeeded", usage=Usage(output_seconds=seconds))
    ]
    settings = replace(bench.context.settings, auto_download=False)
    bench.context = replace(bench.context, settings=settings)
    await Worker(bench.context)._step(await bench.read(task))
    task = await bench.read(task)
    amount = Decimal("0.5") * seconds
    assert (task.amount, task.money) == (amount, Money.SPENT)
    assert task.quoted == (None if more == "0" else Decimal(3))
    sums = await bench.journal.sums(task.account, task.unit, 0.0)
    assert (sums.spent, sums.reserved) == (amount, 0)
    assert told == [(Unit.CNY, Decimal(more))]
