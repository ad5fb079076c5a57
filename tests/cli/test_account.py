"""account: a book that a bill can be settled with, and a CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import anyio
import pytest

from hailuo_mcp.cli.follow.account import csv_of
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.journal import make_store
from hailuo_mcp.journal.facts import Charge, Limits
from hailuo_mcp.settings import Settings

COLUMNS = (
    "date,provider,task_id,remote_id,model,mode,duration,resolution,status,charged,amount,unit,"
    "prompt"
)
CHARGE = Charge(
    task_id="v1abc",
    remote_id="106916112212032",
    provider="minimax-cn",
    created_at=datetime(2026, 11, 21, 23, 59).timestamp(),  # noqa: DTZ001  local, as a day is
    status=Status.SUCCEEDED,
    money=Money.SPENT,
    counted=Decimal("3.5"),
    amount=Decimal("3.50"),
    quoted=None,
    unit=Unit.CNY,
    mode=Mode.I2V,
    model="MiniMax-Hailuo-2.3",
    duration=6,
    resolution="1080P",
    prompt="一只猫",
)


def _row(charge: Charge) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(csv_of([charge]).decode(), newline=""))
    return row


def test_a_line_has_exactly_these_columns() -> None:
    text = csv_of([CHARGE]).decode()
    head, line, end = text.split("\r\n")
    assert (head, end) == (COLUMNS, "")
    assert line == (
        "2026-11-21,minimax-cn,v1abc,106916112212032,MiniMax-Hailuo-2.3,i2v,6,1080P,succeeded,yes,"
        "3.5,CNY,一只猫"
    )


@pytest.mark.parametrize("prompt", ['"A fox", he said\r\nand ran', "a\nb", "'quoted'", "", "a=b"])
def test_any_prompt_comes_back_as_it_was(prompt: str) -> None:
    assert _row(replace(CHARGE, prompt=prompt))["prompt"] == prompt


@pytest.mark.parametrize(
    "prompt", ['=HYPERLINK("http://x")', "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
)
def test_a_prompt_does_not_become_a_formula(prompt: str) -> None:
    assert _row(replace(CHARGE, prompt=prompt))["prompt"] == f"'{prompt}"


def test_a_terminal_that_shows_the_file_obeys_no_prompt() -> None:
    row = _row(replace(CHARGE, prompt="a\x1b]0;b\x07\x9b31m\x7f\nc", remote_id="\x1b1"))
    assert (row["prompt"], row["remote_id"]) == ("a ]0;b  31m \nc", " 1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ("yes", "3.5", "CNY")),
        ({"status": Status.FAILED, "money": Money.RELEASED}, ("no", "0", "CNY")),
        ({"status": Status.UNCONFIRMED, "money": Money.RESERVED}, ("maybe", "3.5", "CNY")),
        ({"status": Status.RUNNING, "money": Money.RESERVED}, ("not yet", "3.5", "CNY")),
        ({"amount": None, "counted": Decimal(0)}, ("yes", "", "CNY")),
        ({"amount": None, "counted": Decimal(2)}, ("yes", "2", "CNY")),
        ({"money": Money.UNKNOWN, "amount": None}, ("unknown", "", "")),
    ],
)
def test_an_amount_is_what_it_adds_to_the_sum(changes: dict, told: tuple) -> None:
    row = _row(replace(CHARGE, **changes))
    assert (row["charged"], row["amount"], row["unit"]) == told


@pytest.fixture
def bought(program):
    """Four clips of real providers on two days, and one of the sandbox."""

    async def write() -> None:
        store = make_store(Settings.from_env(program.environ))
        await store.open()
        for number, (provider, day, cost, status) in enumerate(
            (
                ("minimax-cn", 20, "2", Status.SUCCEEDED),
                ("minimax-cn", 21, "3.5", Status.UNCONFIRMED),
                ("minimax-cn", 21, "2", Status.FAILED),
                ("minimax-global", 21, "0.28", Status.SUCCEEDED),
                ("sandbox", 21, "2", Status.SUCCEEDED),
            )
        ):
            now = datetime(2026, 11, day, 9, number).timestamp()  # noqa: DTZ001
            task = Task(
                task_id=f"v1clip{number}",
                account=f"{provider} a 1",
                provider=provider,
                caller="",
                status=Status.PENDING,
                created_at=now,
                updated_at=now,
                mode=Mode.T2V,
                model="MiniMax-Hailuo-2.3",
                identity=str(number),
                amount=Decimal(cost),
                unit=Unit.USD if provider == "minimax-global" else Unit.CNY,
                prompt=f"clip {number}",
            )
            limits = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
            await store.record(task, Decimal(cost), limits, now=now)
            free = {"owner": "", "lease_until": 0.0, "due_at": 0.0}
            await store.change(task.task_id, {**free, "status": status}, now=now)
        await store.close()

    anyio.run(write)
    return program


def test_a_person_sees_sums_by_day_and_first_what_is_in_doubt(bought):
    ran = bought("account")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[1:4] == [
        "2026-11-20\tminimax-cn\tMiniMax-Hailuo-2.3\t1\t2 CNY\t-\t-",
        "2026-11-21\tminimax-cn\tMiniMax-Hailuo-2.3\t0\t0 CNY\t3.5 CNY\t1",
        "2026-11-21\tminimax-global\tMiniMax-Hailuo-2.3\t1\t0.28 USD\t-\t-",
    ]
    doubt = next(i for i, line in enumerate(lines) if line.startswith("Unconfirmed: 1 clip"))
    assert "settle ID bought" in lines[doubt]
    assert "v1clip1" in lines[doubt + 1]
    total = "minimax-cn: 2 CNY charged for 1 clip. 3.5 CNY for 1 unconfirmed, which may be on"
    assert any(line.startswith(total) for line in lines[doubt:])
    assert "1 clip of the sandbox, free, not shown" in lines[-1]


def test_json_has_the_sums_and_every_task(bought):
    told = bought("account", "--json", "--by", "month").answer
    sums = {(one["provider"], one["unit"]): one for one in told["sums"]}
    of_cn = sums["minimax-cn", "CNY"]
    assert (of_cn["spent"], of_cn["reserved"], of_cn["uncertain"]) == ("2", "3.5", "3.5")
    assert sums["minimax-global", "USD"]["spent"] == "0.28"
    assert [one["month"] for one in told["groups"]] == ["2026-11", "2026-11"]
    assert [one["task_id"] for one in told["tasks"]] == [f"v1clip{n}" for n in range(4)]
    assert told["tasks"][1]["cost"]["charged"] == "maybe"


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (("--since", "2026-11-21"), "123"),
        (("--until", "2026-11-20"), "0"),
        (("--since", "2026-11", "--until", "2026-11"), "0123"),
        (("--provider", "minimax-global"), "3"),
        (("--provider", "sandbox"), "4"),
        (("--sandbox",), "01234"),
        (("--since", "2026-12"), ""),
    ],
)
def test_a_bill_s_part_can_be_chosen(bought, given, ids):
    rows = csv.DictReader(io.StringIO(bought("account", "--csv", *given).out))
    assert "".join(row["task_id"][-1] for row in rows) == ids


def test_what_contradicts_itself_is_refused(bought):
    assert bought("account", "--csv", "--json").code == 2
    assert "not before" in bought("account", "--since", "2026-12", "--until", "2026-11").err
    assert bought("account", "--by", "days").code == 2
