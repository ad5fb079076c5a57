"""What people have in journals of earlier versions is there in this one, and goes on.

The expected values were typed from the journal when it was made. They stay as they are: a later
version may know more about these tasks, but nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from until import until

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal import make_store
from hailuo_mcp.journal.postgres import examine as postgres
from hailuo_mcp.journal.sqlite import examine as sqlite
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.reader import account_of
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms

from .conftest import LATER, Provider, unpacked
from .make import HERE

pytestmark = pytest.mark.anyio
Begin = Callable[[], AbstractAsyncContextManager[Studio]]

ACCOUNT = "minimax-cn https://api.minimaxi.com 3a21470f3d07"
H23, H3 = "MiniMax-Hailuo-2.3", "MiniMax-H3"
TASKS = """
v1m817qp0x124qqv succeeded   t2v 768P   2.00 spent    200836109409726    56536 fox-1
v1m817qpf6e2h08h succeeded   i2v 768P   2.00 spent    288983681653241    50721
v1m817qpvmetrw3w succeeded   t2v 768P   2.00 spent    413747957151827107 70996
v1m817qq7m5ppmqv succeeded   upgrade 2K 1.20 spent    442216265732441469 126702
v1m817qqq3zbabsy succeeded   template - -    spent    407263373389559248 56536
v1m817qr1a25gab4 succeeded   t2v 768P   2.50 spent    414756251078909617 70996
v1m817qr9s1xsx55 failed      t2v 768P   2.00 released -                  -
v1m817qra125bh9t failed      t2v 768P   2.00 released 341751198517838    -
v1m817qrhsyf089w failed      t2v 768P   2.00 released 197543916099064    -
v1m817qrspek80tc succeeded   t2v 768P   2.00 spent    360100918239550    56536
v1m817qs1twqtjqr succeeded   t2v 768P   2.00 spent    358424516108343    56536
v1m817qs9w9qzww3 cancelled   t2v 768P   2.50 released 437999120797654267 -
v1m817qsaz2npaaw succeeded   t2v 768P   2.00 spent    381883170325714    56536
v1m817qsb0k0y7zp succeeded   i2v 768P   2.00 spent    270024532033117    56536
v1m817qszynvn99q succeeded   t2v -      -    unknown  202780038365503    56536
v1m817qt01090792 unconfirmed t2v 768P   2.00 reserved -                  -
v1m817qt09g5x9x1 failed      t2v 768P   2.00 released -                  -
v1m817qt1twgb6g1 succeeded   t2v 1080P  3.50 spent    266333821004859    94487
v1m817qtd826zdhe running     t2v 768P   2.00 reserved 270502624480466    -
v1m817qvnwj8vzc7 queued      t2v 768P   2.00 reserved 376612608194934    -
v1m817qvp5e7671s pending     t2v 768P   2.00 reserved -                  -
"""
USED_CODE = "1012796acc9a6269de33384cc2b4be60848e9219edf4333831b761ae64e6ead6"
MARKET_AT_DAWN = "f34fa405671bb3bf3ff7c3dd0e28cd482f65f2c920a20873ab7d65d406bac41a"
UNUSED_CODE = "716686d46f995b98373bf0848ad5210545d5671884e050453c7f6914fa34b611"
MARKET_AT_DUSK = "ff6431906cdcdd852edd5d628b30a9f212a3736a71f9793dd5f9ce4100f5ccf3"
FILM, PLAN = "f1m817qsatjjjbq0", "f1m817qsyw4jpbrd"


@pytest.fixture
async def store(kept: Settings) -> Any:
    opened = make_store(kept)
    await opened.open()
    yield opened
    await opened.close()


async def test_each_task_is_there_with_its_state_and_its_money(store: Any) -> None:
    assert store.rescued is store.losses is None
    found = sorted(await store.newest(limit=100), key=lambda task: task.task_id)
    lines = [line.split() for line in TASKS.strip().splitlines()]
    assert [
        [
            *(task.task_id, task.status, task.mode, task.resolution or "-"),
            *(str(task.amount or "-"), task.money, task.remote_id or "-", str(task.bytes or "-")),
            *([task.request_key] if task.request_key else []),
        ]
        for task in found
    ] == lines
    assert {task.account for task in found} == {ACCOUNT}
    assert [task.task_id for task in found if task.save_error or task.warnings] == []
    assert {task.task_id: task.caller for task in found if task.caller} == {
        "v1m817qrspek80tc": "tenant:acme",
        "v1m817qs1twqtjqr": "alice",
    }


async def test_what_was_asked_for_and_where_the_clip_is_are_there(store: Any) -> None:
    fox = await store.find("200836109409726")
    assert (fox.prompt, fox.model, fox.duration) == (
        "A red fox in fresh snow [Tracking shot]",
        H23,
        6,
    )
    assert fox.file == "/srv/hailuo/clips/2026-11-22_A-red-fox-in-fresh-snow_v1m817qp0x124qqv.mp4"
    assert (fox.width, fox.height, fox.seconds, fox.sha256[:8]) == (1366, 768, 6.0, "1239f363")
    assert (int(fox.created_at), int(fox.submitted_at)) == (1795338000, 1795338000)
    lighthouse = await store.find("v1m817qpf6e2h08h")
    assert lighthouse.prompt == "海边的灯塔, golden hour"
    assert '"sha256"' in lighthouse.request
    waves = await store.find("v1m817qr1a25gab4")
    assert (waves.model, waves.quoted, waves.amount) == (H3, Decimal("2.00"), Decimal("2.50"))
    upgrade = await store.find("v1m817qq7m5ppmqv")
    assert (upgrade.width, upgrade.height, "v1m817qpvmetrw3w" in upgrade.request) == (
        2560,
        1440,
        True,
    )
    template = await store.find("v1m817qqq3zbabsy")
    assert template.model == "template 394125185182695432"
    kinds = {
        "v1m817qr9s1xsx55": "content_rejected",
        "v1m817qra125bh9t": "content_rejected",
        "v1m817qrhsyf089w": "provider_failed",
        "v1m817qt01090792": "unconfirmed",
        "v1m817qvp5e7671s": "rate_limited",
    }
    for task_id, kind in kinds.items():
        assert (await store.find(task_id)).error_kind == kind
    assert (await store.find("v1m817qt09g5x9x1")).settled_at == pytest.approx(1795338004.5, abs=0.1)


async def test_sums_counts_and_budgets_are_what_they_were(store: Any) -> None:
    sums = await store.sums(ACCOUNT, Unit.CNY, 0.0)
    assert (sums.spent, sums.reserved) == (Decimal("25.2"), 8)
    acme = await store.sums(ACCOUNT, Unit.CNY, 0.0, caller="tenant:acme")
    assert (acme.spent, acme.reserved) == (2, 0)
    assert (await store.sums(ACCOUNT, Unit.CNY, LATER + 86_400)).spent == 0
    assert await store.counts() == {
        Status.SUCCEEDED: 12,
        Status.FAILED: 4,
        Status.CANCELLED: 1,
        Status.UNCONFIRMED: 1,
        Status.RUNNING: 1,
        Status.QUEUED: 1,
        Status.PENDING: 1,
    }
    charges = {one.task_id: one.amount for one in await store.charges() if one.money is Money.SPENT}
    assert sum(amount or 0 for amount in charges.values()) == Decimal("21.2")
    assert charges["v1m817qqq3zbabsy"] is None  # no price was published: it counted as 4


async def test_films_and_consent_are_there(store: Any) -> None:
    film = await store.find_film(FILM)
    assert [shot.prompt for shot in film.shots] == ["A boat is folded", "The boat drifts"]
    assert [shot.continues for shot in film.shots] == [False, True]
    assert (film.revision, film.bytes, film.seconds) == (1, 112203, 12.0)
    assert film.file == "/srv/hailuo/clips/2026-11-22_A-boat-is-folded_f1m817qsatjjjbq0.mp4"
    tasks = await store.film_tasks(FILM)
    assert [(task.task_id, task.shot, task.after) for task in tasks] == [
        ("v1m817qsaz2npaaw", 1, ""),
        ("v1m817qsb0k0y7zp", 2, "v1m817qsaz2npaaw"),
    ]
    plan = await store.find_film(PLAN)
    assert (plan.made_at, len(plan.shots), plan.saved) == (None, 2, False)
    assert [one.film_id for one in await store.newest_films(now=LATER)] == [PLAN, FILM]
    dear = {"caller": "", "amount": Decimal("3.50"), "now": LATER}
    used = await store.use_code(USED_CODE, identity=MARKET_AT_DAWN, **dear)
    unused = await store.use_code(UNUSED_CODE, identity=MARKET_AT_DUSK, **dear)
    again = await store.use_code(UNUSED_CODE, identity=MARKET_AT_DUSK, **dear)
    assert (used, unused, again) == (False, True, False)


async def test_work_goes_on_and_nothing_is_bought_twice(
    begun: Begin, provider: Provider, kept: Settings
) -> None:
    assert account_of(kept) == ACCOUNT
    async with begun() as studio:

        async def over() -> bool:
            wanted = ("v1m817qtd826zdhe", "v1m817qvnwj8vzc7", "v1m817qvp5e7671s")
            found = [(await studio.known(task_id)).task for task_id in wanted]
            return all(task.status is Status.SUCCEEDED for task in found)

        await until(over)
        assert provider.bought == ["A slow sea [sandbox:1002]"]  # what was not sent yet, once
        fox = VideoRequest(prompt="A red fox in fresh snow [Tracking shot]")
        market = VideoRequest(prompt="A market at dawn", resolution="1080P", duration=6)
        rain = VideoRequest(prompt="Rain on a window 0 [sandbox:lost]")
        again = [
            await studio.generate(fox, Terms(request_key="fox-1")),
            await studio.generate(market, Terms()),
            await studio.generate(rain, Terms()),
        ]
        assert [(view.reused, view.task.task_id) for view in again] == [
            (True, "v1m817qp0x124qqv"),
            (True, "v1m817qt1twgb6g1"),
            (True, "v1m817qt01090792"),
        ]
        upgraded = await studio.upgrade("v1m817qpvmetrw3w", "2K", Terms())
        assert (upgraded.reused, upgraded.task.task_id) == (True, "v1m817qq7m5ppmqv")
        assert len(provider.bought) == 1
        new = await studio.generate(VideoRequest(prompt="A new clip"), Terms(), wait_seconds=20)
        assert (new.reused, new.task.status) == (False, Status.SUCCEEDED)
        assert provider.bought[1:] == ["A new clip"]
        spending = await studio.spending()
        assert (spending.spent, spending.reserved) == (Decimal("33.2"), 2)
        assert (await studio.settle("v1m817qt01090792", bought=True)).task.money is Money.SPENT
    if kept.database_url:
        assert postgres.check(kept.database_url.get_secret_value()) == (22, "")
    else:
        assert sum(sqlite.examine(kept.state_dir / "journal.sqlite3").counts.values()) == 22


async def test_opening_changes_no_value_that_was_there(kept: Settings) -> None:
    def rows() -> dict[str, list[dict[str, Any]]]:
        return {table: _rows(kept, table) for table in ("tasks", "films", "codes", "totals")}

    before = rows()
    store = make_store(kept)
    await store.open()
    await store.close()
    after = rows()
    assert len(before["tasks"]) == 21
    for table, old in before.items():
        as_then = [{name: row[name] for name in old[0]} for row in after[table]]
        assert as_then == old


def _rows(settings: Settings, table: str) -> list[dict[str, Any]]:
    query = f"SELECT * FROM {table} ORDER BY 1"
    if settings.database_url:
        with psycopg.connect(settings.database_url.get_secret_value()) as server:
            found = server.execute(query.encode())
            names = [column.name for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found]
    with closing(sqlite3.connect(settings.state_dir / "journal.sqlite3")) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(query)]


def test_what_is_kept_is_small_and_names_nobody() -> None:
    for file in HERE.glob("*.gz"):
        assert file.stat().st_size < 30_000
        content = unpacked(file.name)
        assert b"Bearer" not in content
        assert b"/home/" not in content
