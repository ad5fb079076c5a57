"""A real PgBouncer before the server: sessions work, borrowed ones are refused."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from ports import free_port
from postgres import USER, is_root
from until import until_now

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.journal.facts import Recorded
from hailuo_mcp.journal.postgres.store import PostgresStore

from .conftest import register
from .drafts import buy

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="PgBouncer is run as a POSIX program"),
]


@pytest.fixture
def pooled(
    url: str, database: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Starts a pooler; the test's schema is its user's, since a pooler takes no options."""
    parts, (schema,) = urlsplit(url), database.execute("SELECT current_schema()").fetchone()
    user = f"u_{schema}"
    database.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'secret'")
    database.execute(f"ALTER ROLE {user} SET search_path = {schema}")
    database.execute(f"ALTER SCHEMA {schema} OWNER TO {user}")
    folder = Path("/tmp") / f"hailuo-bouncer-{schema}"
    folder.mkdir(mode=0o755)
    running = list[subprocess.Popen[bytes]]()

    def start(mode: str) -> str:
        assert PROGRAM is not None
        port = free_port()
        (folder / "users").write_text(f'"{user}" "secret"\n')
        (folder / "conf").write_text(
            "[databases]\n"
            f"postgres = host={parts.hostname} port={parts.port} user={user} password=secret\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = plain\nauth_file = {folder}/users\npool_mode = {mode}\n"
        )
        running.append(
            subprocess.Popen(
                [PROGRAM, "-q", folder / "conf"],
                user=USER if is_root() else None,
                stderr=subprocess.DEVNULL,
            )
        )
        address = f"postgresql://{user}:secret@127.0.0.1:{port}/postgres"

        def answers() -> bool:
            try:
                psycopg.connect(address).close()
            except psycopg.OperationalError:
                return False
            return True

        until_now(answers)
        return address

    yield start
    for one in running:
        one.terminate()
        one.wait()
    shutil.rmtree(folder)
    database.execute(f"REASSIGN OWNED BY {user} TO CURRENT_USER")
    database.execute(f"DROP OWNED BY {user}")
    database.execute(f"DROP ROLE {user}")


async def test_sessions_through_a_pooler_work(pooled: Callable[[str], str]) -> None:
    store = PostgresStore(pooled("session"))
    await store.open()
    await register(store, "me")
    assert isinstance(await buy(store, "v1"), Recorded)
    assert await store.dead(["me", "other"]) == ["other"]
    await store.close("me")


@pytest.mark.parametrize("mode", ["transaction", "transaction\nserver_round_robin = 1"])
async def test_borrowed_sessions_are_refused_with_what_to_do(
    pooled: Callable[[str], str], mode: str
) -> None:
    url = pooled(mode)
    for _ in range(3):  # also when it has sessions to choose from
        store = PostgresStore(url)
        with pytest.raises(ConfigError, match="transaction mode") as refused:
            await store.open()
        assert "session mode" in refused.value.then[0].about
        await store.close()
        others = [psycopg.connect(url) for _ in range(3)]
        for other in others:
            other.execute("SELECT 1")
        for other in others:
            other.close()
