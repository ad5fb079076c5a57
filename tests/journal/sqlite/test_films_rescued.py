"""What becomes of films when the journal's file is damaged."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import PLAN_SECONDS, FilmRecorded, Losses
from hailuo_mcp.journal.sql import film_rows
from hailuo_mcp.journal.sql.rows import seal_of
from hailuo_mcp.journal.sqlite import backup, check
from hailuo_mcp.journal.sqlite.store import SqliteStore
from tests.journal.conftest import Shop
from tests.journal.films import draft, make, plan, read, save, shot, try_to_make

pytestmark = pytest.mark.anyio


def _spoil(path: Path, name: str) -> None:
    """The first page of a table or index."""
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (root,) = db.execute(query, (name,)).fetchone()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(data)


def _change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(statement)


@pytest.fixture
async def filmed(arrive: Any) -> Any:
    """A film with its first shot saved, a redo planned of another one, and a plan."""
    shop = await arrive("before")
    made = await make(shop, await plan(shop))
    await save(shop, made.tasks[0])
    other = await make(shop, await plan(shop, "f2", identity="two", shots=1), (1,))
    await save(shop, other.tasks[0])
    await shop.claim(sends=0)
    changes = {"redo": (1,), "file": "/film.mp4", "bytes": 7, "seconds": 1.5, "due_at": 0.0}
    await shop.journal.change_film("f2", changes, now=shop.now)
    await plan(shop, "f3", identity="three")
    return shop


async def test_films_are_carried_over_with_their_tasks_and_are_looked_at_again(
    filmed: Any, path: Path, arrive: Callable[[str], Any]
) -> None:
    before = await filmed.journal.newest_films()
    sums = await filmed.journal.sums("sandbox a 1", Unit.CNY, 0.0)
    await filmed.journal.close()
    _spoil(path, "tasks_created")
    shop = await arrive("after")
    assert shop.journal.rescued.complete
    assert shop.journal.losses is None
    films = await shop.journal.newest_films()
    assert [film.film_id for film in films] == [film.film_id for film in before]
    for film, was in zip(films, before, strict=True):
        assert (film.shots, film.revision, film.redo) == (was.shots, was.revision, was.redo)
        assert (film.made_at, film.file, film.seconds) == (was.made_at, was.file, was.seconds)
        assert (film.owner, film.due_at > 0) == ("", film.made_at is not None)
    tasks = await shop.journal.film_tasks("f1")
    assert [(task.status, task.money) for task in tasks] == [
        (Status.SUCCEEDED, Money.SPENT),
        # Rows may be outdated: nobody knows that they were not sent.
        (Status.UNCONFIRMED, Money.RESERVED),
        (Status.UNCONFIRMED, Money.RESERVED),
    ]
    now = await shop.journal.sums("sandbox a 1", Unit.CNY, 0.0)
    assert now.spent + now.reserved == sums.spent + sums.reserved
    assert {film.film_id for film in (await shop.claim(sends=0)).films} == {"f1", "f2"}
    await make(shop, await read(shop, draft(shop, "f3")))
    await shop.journal.close()
    with closing(sqlite3.connect(path)) as db:
        check.rows(db)


async def test_without_the_row_of_a_film_that_was_made_nothing_is_bought_until_a_person_accepts(
    filmed: Any, path: Path, arrive: Callable[[str], Any]
) -> None:
    """The same call would buy its shots again."""
    same = draft(filmed)
    await filmed.journal.close()
    _spoil(path, "films")
    shop = await arrive("after")
    assert shop.journal.losses is not None
    assert await shop.journal.newest_films() == []
    assert len(await shop.journal.film_tasks("f1")) == 3
    planned = await shop.journal.plan_film(same, now=shop.now)
    assert isinstance(planned, FilmRecorded)
    assert isinstance(await try_to_make(shop, planned.film), Losses)
    await shop.journal.accept_losses(now=shop.now)
    await make(shop, planned.film)
    await shop.journal.close()


async def test_a_plan_from_a_backup_that_was_made_since_is_not_made_again(
    path: Path, arrive: Callable[[str], Any]
) -> None:
    shop = await arrive("before")
    await shop.buy()
    film = await plan(shop)
    await shop.journal.close()
    backup.make(path, shop.now)
    shop = await arrive("again")
    await make(shop, film)
    await shop.journal.close()
    _spoil(path, "films")
    shop = await arrive("after")
    assert shop.journal.losses is not None
    await shop.journal.accept_losses(now=shop.now)
    found = await read(shop, film)
    assert (found.revision, found.made_at) == (1, shop.now)
    assert await try_to_make(shop, film) is None
    assert (await shop.journal.find_existing_film(film, now=shop.now)).film == found
    await shop.journal.close()


async def test_plans_cost_nothing_so_nothing_is_lost_with_them(
    path: Path, arrive: Callable[[str], Any]
) -> None:
    shop = await arrive("before")
    await plan(shop, "f0", identity="of a week ago")
    shop.now += 8 * PLAN_SECONDS
    await plan(shop)
    await shop.buy()
    await shop.journal.close()
    _spoil(path, "films")
    shop = await arrive("after")
    assert shop.journal.losses is None
    assert await shop.journal.newest_films() == []
    await shop.journal.close()


async def test_a_plan_whose_words_have_changed_is_not_there_to_be_made(
    filmed: Any, path: Path, arrive: Callable[[str], Any]
) -> None:
    await filmed.journal.close()
    assert f"{shot(1).amount}" == "1.10"
    _change(path, "UPDATE films SET shots = replace(shots, '1.10', '1.01') WHERE film_id = 'f3'")
    with (
        closing(sqlite3.connect(path)) as db,
        pytest.raises(check.DamagedJournalError, match="film"),
    ):
        check.rows(db)
    shop = await arrive("after")
    assert shop.journal.rescued.complete
    assert await shop.journal.find_film("f3") is None
    assert len(await shop.journal.newest_films()) == 2
    await shop.journal.close()


def test_a_row_that_is_no_film_is_damage_and_not_a_crash() -> None:
    """Even if its checksum fits."""
    sound = film_rows.row_of(draft(Shop(SqliteStore(Path("none")))))
    assert film_rows.is_sound(tuple(sound.values()))
    shot = '"mode": "t2v", "model": "m", "prompt": "", "request": "{}", "continues": false'
    spoilt = [
        {"shots": shots}
        for shots in (
            *("[]]", "{}", "[7]", "[{}]", f'[{{{shot}, "amount": "dear"}}]'),
            f"[{{{shot.replace('t2v', 'what')}}}]",
            f"[{{{shot.replace('false', '7')}}}]",
            f'[{{{shot}, "warnings": 7}}]',
        )
    ]
    spoilt += [{"redo": '["1"]'}, {"redone": "1"}, {"transition": "wipe"}, {"unit": "shells"}]
    for values in spoilt:
        row = {**sound, **values}
        row["seal"] = seal_of([row[name] for name in film_rows.SEALED], film_rows.SEALED)
        assert not film_rows.is_sound(tuple(row.values())), values


async def test_what_a_newer_version_tells_of_a_shot_is_passed_over_and_stays(
    filmed: Any, path: Path
) -> None:
    known = await read(filmed, draft(filmed, "f3"))
    newer = """{"mood": 1, "mode\""""
    _change(path, f"""UPDATE films SET shots = replace(shots, '{{"mode"', '{newer}')""")
    assert await read(filmed, known) == known
    changed = await filmed.journal.change_film("f3", {"cancelled": True}, now=filmed.now)
    assert changed is not None
    await filmed.journal.close()
    with closing(sqlite3.connect(path)) as db:
        (row,) = db.execute(f"{film_rows.CHECKED} WHERE film_id = 'f3'").fetchall()
        assert str(row).count(newer) == 3
        assert film_rows.is_sound(row)
