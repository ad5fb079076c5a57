"""What every row works with: environments, folders of its own, the provider, the three servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.http_session import HttpSession, free_port
from rig.session import Session

HERE = Path(__file__).parents[1]
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass
class Stage:
    scratch: Path
    pythons: dict[str, Path]
    rounds: int
    short: bool
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Empty, on the disk of the scratch folder, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            yield Path(name)

    @contextmanager
    def provider(
        self, folder: Path, size: int = 6_000_000, rate: float = 0.0
    ) -> Iterator[Provider]:
        process = subprocess.Popen(
            [
                sys.executable,
                str(HERE / "rig" / "provider.py"),
                str(folder),
                f"--bytes={size}",
                f"--rate={rate}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert process.stdin
        try:
            host = process.stdout.readline().strip()
            yield Provider(host=host, pid=process.pid, rate=rate)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

    def server(
        self, name: str, folder: Path, base_url: str = "http://127.0.0.1:9", **more: str
    ) -> Session:
        """One of the three, with a home of its own."""
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        environ = self.environ(home)
        bin_ = self.pythons[name].parent
        if name == "ours":
            environ |= self.ours(home, base_url)
            command = [str(bin_ / "hailuo-mcp")]
        elif name == "official":
            (home / "videos").mkdir(exist_ok=True)
            environ |= {
                "MINIMAX_API_KEY": "a-key",
                "MINIMAX_API_HOST": base_url,
                "MINIMAX_MCP_BASE_PATH": str(home / "videos"),
                "MINIMAX_API_RESOURCE_MODE": "local",
            }
            command = [str(bin_ / "minimax-mcp")]
        else:
            command = [str(bin_ / "python"), str(HERE / "rig" / "floor_server.py")]
        return Session(command, environ | more)

    def environ(self, home: Path) -> dict[str, str]:
        """Nothing of whoever runs this."""
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        return {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}

    def http_server(self, folder: Path, base_url: str) -> HttpSession:
        """Ours, serving HTTP, and to be called back there."""
        port = free_port()
        home = folder / "ours"
        home.mkdir(parents=True, exist_ok=True)
        environ = {key: os.environ[key] for key in _KEPT if key in os.environ}
        environ |= {"HOME": str(home), **self.ours(home, base_url)}
        environ["HAILUO_CALLBACK_URL"] = f"http://127.0.0.1:{port}"
        command = [str(self.pythons["ours"].parent / "hailuo-mcp"), "serve"]
        return HttpSession([*command, "--transport=http", f"--port={port}"], environ, port)

    def ours(self, home: Path, base_url: str) -> dict[str, str]:
        """The defaults that users have, but for the rate limit, which would stop any load."""
        return {
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": "a-key",
            "HAILUO_BASE_URL": base_url,
            "HAILUO_ALLOWED_HOSTS_PRIVATE": "127.0.0.1",
            "HAILUO_OUTPUT_DIR": str(home / "videos"),
            "HAILUO_STATE_DIR": str(home / "state"),
            "HAILUO_RPM": "100000",
        }

    def inside(self, script: str, *arguments: object) -> Any:
        """Run one of inside/*.py with our environment; it prints JSON."""
        done = subprocess.run(
            [str(self.pythons["ours"]), str(HERE / "inside" / script), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{script}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)


@dataclass(frozen=True)
class Provider:
    host: str
    pid: int
    rate: float = 0.0

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def book(self) -> dict[str, dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/book") as answer:
            return json.loads(answer.read())["tasks"]
