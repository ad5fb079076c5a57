"""`hailuo-mcp verify` as a person runs it, in this process, and everything that it leaves behind."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from verification.deviating import ORGANISATION, DeviatingServer
from verification.planting import KEY, USER

from hailuo_mcp import cli

_KEPT = ("PATH", "SYSTEMROOT", "TMPDIR")
_PATIENCE = 0.5
"""Seconds instead of a minute: some answers never come."""


@dataclass
class Ran:
    code: int
    page: str
    """What a person saw, or the JSON."""
    said: str
    """What a person saw beside it."""
    log: str
    report: str
    recorded: str
    state: Path
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> list[dict[str, Any]]:
        return self.data["steps"]

    @property
    def found(self) -> list[dict[str, str]]:
        """The differences of all steps."""
        return [it for step in self.steps for it in step["differences"]]


class _Tty(io.StringIO):
    """A terminal, as far as anybody asks."""

    def isatty(self) -> bool:
        return True


def verify(
    server: DeviatingServer,
    folder: Path,
    *argv: str,
    provider: str = "minimax-cn",
    typed: str | None = None,
    variables: Mapping[str, str] | None = None,
    as_json: bool = True,
) -> Ran:
    """Run it in a home of its own, with a report and a recording.

    `typed` is what a person answers; None: nobody is there.
    """
    home = folder / USER
    here = home / "here"
    here.mkdir(parents=True, exist_ok=True)
    report, recorded = here / "report.md", home / "recorded"
    given = {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(home),
        "USERPROFILE": str(home),
        "USER": USER,
        "LOGNAME": USER,
        "LANG": "C.UTF-8",
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "HAILUO_PROVIDER": provider,
        "HAILUO_BASE_URL": server.url + ORGANISATION,
        "HAILUO_API_KEY": KEY.text,
        "HAILUO_OUTPUT_DIR": str(home / "videos"),
        "HAILUO_STATE_DIR": str(home / "state"),
        "HAILUO_POLL_SECONDS": "0.05",
        **(variables or {}),
    }
    options = ["--report", str(report), "--record", str(recorded)]
    out, log = io.StringIO(), io.StringIO()
    err, stdin = (io.StringIO(), io.StringIO()) if typed is None else (_Tty(), _Tty(typed))
    handler = logging.StreamHandler(log)
    with (
        mock.patch.dict(os.environ, given, clear=True),
        mock.patch("hailuo_mcp.bootstrap.SUBMIT_SECONDS", _PATIENCE),
        mock.patch("hailuo_mcp.cli.set_up.verify.command._LOOK_SECONDS", _PATIENCE),
        _without_pauses(),
        mock.patch.object(sys, "stdin", stdin),
        _logging_to(handler),
        _in_folder(here),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli.main(["verify", *argv, *options, *(["--json"] if as_json else [])])
    page = out.getvalue()
    return Ran(
        code,
        page,
        err.getvalue(),
        log.getvalue(),
        report.read_text("utf-8") if report.exists() else "",
        "\n".join(it.read_text("utf-8") for it in sorted(recorded.rglob("*")) if it.is_file()),
        home / "state",
        json.loads(page) if as_json and page.strip() else {},
    )


@contextmanager
def _without_pauses() -> Generator[None]:
    """What is tried again is tried at once."""
    with ExitStack() as patched:
        for name in ("transport.provider_api", "files.download", "worker.schedule"):
            patched.enter_context(mock.patch(f"hailuo_mcp.{name}.backoff", return_value=0.0))
        yield


@contextmanager
def _in_folder(folder: Path) -> Generator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _logging_to(handler: logging.Handler) -> Generator[None]:
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)
    ours = logging.getLogger("hailuo_mcp")
    of_ours, handlers_of_ours = ours.level, list(ours.handlers)
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # as --debug does
    ours.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        ours.handlers[:] = handlers_of_ours
        root.setLevel(before)
        ours.setLevel(of_ours)
