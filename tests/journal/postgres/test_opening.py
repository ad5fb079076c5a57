"""Which databases are refused, and what the settings make of a URL."""

import importlib.util
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hailuo_mcp import journal
from hailuo_mcp.errors import ConfigError, JournalError
from hailuo_mcp.journal.postgres import database
from hailuo_mcp.journal.postgres.faults import without_secret
from hailuo_mcp.journal.postgres.store import PostgresStore
from hailuo_mcp.settings import Settings

from .drafts import buy

pytestmark = pytest.mark.anyio
SECRET = "pass word%21"


def _settings(url: str, folder: Path) -> Settings:
    return Settings.from_env(
        {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_DATABASE_URL": url,
            "HAILUO_STATE_DIR": str(folder),
        }
    )


async def test_the_url_chooses_the_store(url: str, tmp_path: Path) -> None:
    settings = _settings(url, tmp_path)
    assert url not in repr(settings)
    assert isinstance(journal.make_store(settings), PostgresStore)
    with pytest.raises(ConfigError, match="backups"):
        journal.journal_file(settings)


@pytest.mark.parametrize("url", ["mysql://db", "host=db", "/var/lib/journal", "db.example.com"])
def test_another_kind_of_address_is_refused_without_repeating_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        _settings(url, tmp_path)
    assert url not in refused.value.what


def test_without_the_extra_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if "psycopg" in name else find_spec(name)
    )
    settings = _settings("postgresql://db/x", tmp_path)
    with pytest.raises(ConfigError) as refused:
        journal.make_store(settings)
    assert 'pip install "hailuo-mcp[postgres]"' in refused.value.then[0].about


async def test_unfinished_work_is_seen_without_a_store(
    url: str, tmp_path: Path, opened: Any
) -> None:
    settings = _settings(url, tmp_path)
    assert not journal.has_unfinished_work(settings)
    store = await opened(url, "me")
    assert not journal.has_unfinished_work(settings)
    await buy(store, "v1")
    assert journal.has_unfinished_work(settings)
    assert not journal.has_unfinished_work(_settings("postgresql://127.0.0.1:1/x", tmp_path))


async def test_an_older_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_SERVER", 99)
    with pytest.raises(ConfigError, match="99 or newer"):
        await PostgresStore(url).open()


async def test_a_database_of_another_encoding_is_refused(url: str, database: Any) -> None:
    database.execute(
        "CREATE DATABASE latin ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    try:
        with pytest.raises(ConfigError, match="UTF8"):
            await PostgresStore(url.replace("/postgres?", "/latin?")).open()
    finally:
        database.execute("DROP DATABASE latin WITH (FORCE)")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pass%20word%2521@127.0.0.1:1/x",
        "postgresql://me:pass%20word%2521@127.0.0.1:1/x?nonsense=1",
        "postgresql://me:pass%20word%2521@[:::/x",
    ],
)
async def test_an_address_that_does_not_work_is_an_error_without_its_password(url: str) -> None:
    store = PostgresStore(url)
    with pytest.raises(JournalError) as refused:
        await store.open()
    told = f"{refused.value!r} {refused.value.detail} {refused.value.then}"
    assert "pass%20word" not in told
    assert "pass word" not in told
    await store.close()


def test_a_password_is_hidden_however_libpq_quotes_it() -> None:
    url = "postgresql://me:pass%20word@db/x"
    for text in (f'cannot parse "{url}"', "password pass word was wrong"):
        assert "word" not in without_secret(text, url).replace("password", "")


async def test_a_role_that_may_not_make_tables_is_told_so(url: str, database: Any) -> None:
    (schema,) = database.execute("SELECT current_schema()").fetchone()
    database.execute(f"CREATE ROLE r_{schema} LOGIN PASSWORD 'x'")
    user_url = url.replace(f"{psycopg.conninfo.conninfo_to_dict(url)['user']}:", f"r_{schema}:")
    user_url = user_url.replace(str(psycopg.conninfo.conninfo_to_dict(url)["password"]), "x")
    store = PostgresStore(user_url)
    with pytest.raises(JournalError, match="could not be used"):
        await store.open()
    await store.close()
    database.execute(f"DROP ROLE IF EXISTS r_{schema}")
