"""Measures this server beside the official one and an empty one, and writes a table.

    python benchmarks/run.py [--short] [--rounds N] [--only ROW …] [--publish]

Builds what it needs in a scratch folder, serves all of them from one local provider, runs them in
turn and writes results/*.json, results/table.md and results/load.svg. Every figure comes from the
kernel's accounting of the process, the provider's book or a clock outside of the server. What
was not measured is not in the table. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from rig import plot, report, venvs
from rig.report import Figure
from rig.stage import Stage
from rows import calling, delivery, download, flight, history, leaving, opening, shell, waiting

DOCUMENT = venvs.ROOT / "docs" / "performance.md"
MARKS = ("<!-- table -->", "<!-- end of table -->")
Row = Callable[[Stage], Awaitable[list[Figure]]]
ROWS: dict[str, Row] = {
    "start": opening.start,
    "memory": opening.memory,
    "tokens": opening.tokens,
    "shell": shell.shell,
    "call": calling.overhead,
    "delivery": delivery.polled,
    "callback": delivery.called_back,
    "history": history.history,
    "waiting": waiting.answers,
    "leaving": leaving.leaving,
    "download": download.download,
    "flight": flight.flight,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each row")
    parser.add_argument("--short", action="store_true", help="few rounds and small loads")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--publish", action="store_true", help="into docs/performance.md as well")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument(
        "--scratch", type=Path, default=Path(tempfile.gettempdir()) / "hailuo-mcp-benchmarks"
    )
    chosen = parser.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    chosen.results.mkdir(parents=True, exist_ok=True)
    stage = Stage(
        scratch=chosen.scratch,
        pythons=venvs.prepare(chosen.scratch),
        rounds=2 if chosen.short else chosen.rounds,
        short=chosen.short,
    )
    machine = _machine(stage)
    for name in chosen.only:
        begun = time.monotonic()
        figures = asyncio.run(ROWS[name](stage))
        body = {"row": name, "machine": machine, "figures": [one.json() for one in figures]}
        (chosen.results / f"{name}.json").write_text(json.dumps(body, indent=1, ensure_ascii=False))
        print(report.markdown(figures), flush=True)
        print(f"({name}: {time.monotonic() - begun:.0f} s)\n", file=sys.stderr)
    known = [name for name in ROWS if (chosen.results / f"{name}.json").exists()]
    found = [json.loads((chosen.results / f"{name}.json").read_text()) for name in known]
    table = report.markdown([report.read(one) for row in found for one in row["figures"]])
    (chosen.results / "table.md").write_text(table)
    plot.write(found, chosen.results / "load.svg")
    if chosen.publish:
        _publish(table, [one["machine"] for one in found])


def _publish(table: str, machines: list[dict[str, Any]]) -> None:
    """Put the table into the document between its two marks; rows may come of several runs."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    machine = max(machines, key=lambda one: one["at"])
    versions = {name: found["python"] for name, found in machine["installed"].items()}
    times = sorted({one["at"] for one in machines})
    commits = list(dict.fromkeys(one["commit"] for one in sorted(machines, key=lambda m: m["at"])))
    about = (
        f"Measured from {times[0]} to {times[-1]} at {', '.join(commits)}: {machine['system']}, "
        f"{machine['cores']} cores, Python {versions['ours']}, "
        f"mcp {machine['installed']['ours']['mcp']}."
    )
    body = f"{MARKS[0]}\n{about}\n\n{table}{MARKS[1]}"
    DOCUMENT.write_text(before + body + after, encoding="utf-8")


def _machine(stage: Stage) -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "-C", str(venvs.ROOT), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": commit.stdout.strip(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "installed": {name: venvs.versions(python) for name, python in stage.pythons.items()},
    }


if __name__ == "__main__":
    main()
