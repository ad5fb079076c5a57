"""Drive hailuo-mcp with clients that we did not write, and print what each of them got.

    python compat/run.py                  all of them
    python compat/run.py mcp autogen      some of them
    python compat/run.py --write          … and put the table into docs/clients.md

Each client is installed from its registry into a scratch environment of its own (kept between runs;
--fresh installs again) and started there. The server runs in this Python, with the sandbox as its
provider, so nothing is bought. No model is called: the client's tool layer is what is tested.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import table
import wire
from scene import DROPPED
from scratch import CannotInstallError, Scratch, prepare

HERE = Path(__file__).parent
ROOT = HERE.parent
SCENE = ("list", "schemas", "generate", "wait", "download", "error")
CASES = ("scene", "gives up", "consent", "slow clip")
"""Each meets a server of its own: what one teaches it must not reach another."""
CELLS = (*SCENE, "consent", "slow clip", "gives up")
MOST_SECONDS = 200


@dataclass(kw_only=True)
class Row:
    """One run of one client."""

    client: dict[str, Any]
    transport: str
    variant: str
    version: str = ""
    measured: str = ""
    """When, in UTC."""
    seen: wire.Seen = field(default_factory=wire.Seen)
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    note: str = ""
    played: tuple[str, ...] = CELLS

    @property
    def is_green(self) -> bool:
        return not self.note and all(
            self.cells.get(cell, {"ok": False})["ok"] is not False for cell in self.played
        )


def main() -> int:
    """Run the matrix; 0 only if every cell is green."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="ids out of clients.toml; none means all")
    parser.add_argument("--scratch", type=Path, default=_scratch(), help="where clients live")
    parser.add_argument("--fresh", action="store_true", help="install again")
    parser.add_argument("--transport", choices=("stdio", "http"), help="only this one")
    parser.add_argument("--quick", action="store_true", help="only the first of the four cases")
    parser.add_argument("--jobs", type=int, default=3, help="clients at once; they mostly wait")
    parser.add_argument("--write", action="store_true", help="into docs/clients.md")
    args = parser.parse_args()

    clients = tomllib.loads((HERE / "clients.toml").read_text("utf-8"))["client"]
    if unknown := set(args.names) - {client["id"] for client in clients}:
        parser.error(f"no such client: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    played = SCENE if args.quick else CELLS
    waiting = []
    with ThreadPoolExecutor(args.jobs) as pool:
        for client in clients:
            if args.names and client["id"] not in args.names:
                continue
            mine = [
                Row(client=client, transport=transport, variant=variant, played=played)
                for transport, _, variant in (run.partition(":") for run in client["runs"])
                if args.transport in (None, transport)
            ]
            rows += mine
            if args.fresh:
                shutil.rmtree(args.scratch / client["id"], ignore_errors=True)
            try:
                scratch = prepare(client, args.scratch)
            except CannotInstallError as error:
                for row in mine:
                    row.note = f"cannot be installed: {error}"
                continue
            cases = CASES[:1] if args.quick else CASES
            waiting += [pool.submit(_run, row, scratch, cases) for row in mine]
        for done in waiting:
            done.result()
    print(table.terminal(rows, CELLS))
    if args.write:
        order = [client["title"] for client in clients]
        table.write(ROOT / "docs" / "clients.md", rows, CELLS, order)
    return 0 if rows and all(row.is_green for row in rows) else 1


def _scratch() -> Path:
    return Path(tempfile.gettempdir()) / "hailuo-mcp-clients"


def _run(row: Row, scratch: Scratch, cases: Sequence[str]) -> None:
    """Play each case in the client's environment and read its report."""
    row.version = scratch.version
    row.measured = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    for case in cases:
        _play_case(row, scratch, case)
    wrong = [f"{name}: {cell['said']}" for name, cell in row.cells.items() if cell["ok"] is False]
    state = "ok" if row.is_green else "; ".join(["FAILED", row.note, *wrong])
    print(f"{row.client['id']} {row.transport} {row.variant} {state}", file=sys.stderr, flush=True)


def _play_case(row: Row, scratch: Scratch, case: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hailuo-matrix-") as home:
        folder = Path(home)
        log = folder / "client.log"
        more = {"HAILUO_CONFIRM_ABOVE": "1"} if case == "consent" else {}
        try:
            with wire.served(folder, row.transport, **more) as server:
                _play(row, scratch, server, log, folder, case)
                if case == CASES[0]:
                    row.seen = server.seen()
                    _must_have_been_dropped(row, server.heard.read_bytes())
        except wire.NotServedError as error:
            row.note = str(error)
        if not row.cells or any(cell["ok"] is False for cell in row.cells.values()):
            row.note = row.note or ("" if row.cells else f"no report: {_last_line(log)}")
            kept = scratch.folder / f"{row.transport}-{row.variant or 'default'}-{case}.log"
            if log.exists():
                shutil.copy(log, kept)


def _play(
    row: Row, scratch: Scratch, server: wire.Served, log: Path, folder: Path, case: str
) -> None:
    driver = HERE / "drivers" / row.client["driver"]
    report = folder / "report.json"
    program = (sys.executable,) if _drives_from_outside(row.client) else scratch.program
    environ = {
        **os.environ,
        "PATH": scratch.path,
        "HOME": str(folder),
        "PYTHONPATH": str(HERE),
        "PYTHONUNBUFFERED": "1",
        "NODE_PATH": str(scratch.folder / "node_modules"),
        "MATRIX_MODULES": str(scratch.folder / "node_modules"),
        "MATRIX_SERVER": json.dumps(server.told(row.variant)),
        "MATRIX_TOOLS": json.dumps(_tools()),
        "MATRIX_REPORT": str(report),
        "MATRIX_CASE": case,
        # No model is called, but some clients want to see a key, and some would phone home.
        "OPENAI_API_KEY": "not-a-key",
        "OTEL_SDK_DISABLED": "true",
        "CREWAI_DISABLE_TELEMETRY": "true",
        "MCP_USE_ANONYMIZED_TELEMETRY": "false",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "AGNO_TELEMETRY": "false",
        "ANONYMIZED_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
    }
    with log.open("wb") as out:
        try:
            subprocess.run(
                [*program, str(driver)],
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=MOST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            row.note = f"did not end within {MOST_SECONDS} s"
    if report.exists():
        row.cells |= json.loads(report.read_text())


def _must_have_been_dropped(row: Row, sent: bytes) -> None:
    """A client may drop an argument that no tool has; the server may not."""
    error = row.cells.get("error", {"said": ""})
    if DROPPED in error["said"] and b"aspect_ratio" in sent:
        row.cells["error"] = {"ok": False, "said": "the server took an unknown argument"}


def _drives_from_outside(client: dict[str, Any]) -> bool:
    """A command-line client of Node's is called by a driver in this Python."""
    return "npm" in client and client["driver"].endswith(".py")


def _tools() -> dict[str, list[str]]:
    from hailuo_mcp.server.tools import all_tools

    return {tool.name: list(tool.parameters.get("properties", {})) for tool in all_tools()}


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return lines[-1][:200] if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main())
