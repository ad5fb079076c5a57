"""Run mcp-fuzzer against the server and print what it found.

python compat/fuzz.py            over HTTP
python compat/fuzz.py --stdio    over stdin and stdout

The fuzzer lives in a scratch environment, as the clients do; the provider is the sandbox. What its
findings mean stands in docs/clients.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import wire
from scratch import prepare

FUZZER = {"id": "mcp-fuzzer", "pip": ["mcp-fuzzer==0.7.0"], "version_of": "mcp-fuzzer"}
ROUNDS = (
    ("tools", "--phase", "realistic", "--runs", "20"),
    ("tools", "--phase", "aggressive", "--runs", "20"),
    ("protocol", "--protocol-phase", "realistic", "--runs-per-type", "2"),
    ("protocol", "--protocol-phase", "aggressive", "--runs-per-type", "2"),
    ("resources", "--runs", "3"),
    ("prompts", "--runs", "3"),
)
MOST_SECONDS = 240


def main() -> int:
    """Run each round; 1 if one did not end or the server died of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--only", choices=sorted({mode for mode, *_ in ROUNDS}))
    parser.add_argument("--keep", type=Path, help="keep the fuzzer's reports in this folder")
    args = parser.parse_args()
    scratch = prepare(FUZZER, Path(tempfile.gettempdir()) / "hailuo-mcp-clients")
    worst = 0
    for number, (mode, *options) in enumerate(ROUNDS, 1):
        if args.only in (None, mode):
            with tempfile.TemporaryDirectory(prefix="hailuo-fuzz-") as home:
                folder = Path(home)
                transport = "stdio" if args.stdio else "http"
                with wire.served(folder, transport) as server:
                    said = _round(scratch.folder, server, folder, mode, options)
                print(f"== {mode} {' '.join(options)}: {said['state']}")
                for line, times in said["findings"].most_common():
                    print(f"   {times} x {line}")
                worst = max(worst, 0 if said["state"] == "ended" else 1)
                if args.keep:
                    shutil.copytree(folder / "out", args.keep / str(number), dirs_exist_ok=True)
    return worst


def _round(
    scratch: Path, server: wire.Served, folder: Path, mode: str, options: list[str]
) -> dict[str, Any]:
    command = [
        str(scratch / "bin" / "mcp-fuzzer"),
        *("--mode", mode, *options),
        *("--no-network", "--allow-host", "127.0.0.1", "--timeout", "8"),
        *("--fs-root", str(folder / "fs"), "--output-dir", str(folder / "out")),
        *("--seed", "7", "--log-level", "ERROR"),
    ]
    environ = {**os.environ, "HOME": str(folder)}
    if server.url:
        command += ["--protocol", "streamablehttp", "--endpoint", server.url]
    else:
        told = server.told("")
        line = f"{sys.executable} -m hailuo_mcp"
        command += ["--protocol", "stdio", "--endpoint", line]
        environ |= told["env"]
    (folder / "fs").mkdir()
    (folder / "out").mkdir()
    with (folder / "log").open("wb") as log:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=MOST_SECONDS,
                check=False,
            )
            state = "ended" if done.returncode in (0, 1) else f"exit {done.returncode}"
        except subprocess.TimeoutExpired:
            state = f"not ended within {MOST_SECONDS} s"
    shutil.copy(folder / "log", folder / "out" / "log.txt")
    return {"state": state, "findings": _findings(folder / "out")}


def _findings(out: Path) -> Counter[str]:
    """What the fuzzer calls findings, one line for each kind; and how often it tried."""
    found: Counter[str] = Counter()
    if (page := out / "findings.json").exists():
        found.update(_line(each) for each in json.loads(page.read_text("utf-8"))["findings"])
    if (page := out / "run_summary.json").exists():
        told = json.loads(page.read_text("utf-8"))
        found["calls of tools"] = sum(
            each["total_runs"] for each in told["tools"]["by_name"].values()
        )
        found["protocol requests"] = told["protocols"]["total_runs"]
    return +found


def _line(finding: Any) -> str:
    if not isinstance(finding, dict):
        return str(finding)[:160]
    parts = [
        str(finding[key])
        for key in ("severity", "category", "type", "title", "target", "tool", "message", "summary")
        if finding.get(key)
    ]
    return " | ".join(parts)[:240]


if __name__ == "__main__":
    sys.exit(main())
