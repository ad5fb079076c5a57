"""A batch that is killed at random instants and given again until all of it is saved.

    python -m tests.cli.batch_kills --kills 30 --seed 1

Each round is a file of lines, some of them equal, and the same command again and again; all but
the last are killed. At the end the sandbox's account book is compared with the lines: each is
bought once, or is unconfirmed, and nothing is bought twice. Exit code 0 when that holds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import serve_in_thread

LINES = ("A fox", "An owl", "A fox", '{"prompt": "An elk", "count": 3}', "A fox", "A hen")
WANTED = Counter({"A fox": 3, "An owl": 1, "An elk": 3, "A hen": 1})
MOST_SECONDS = 3.0
"""Of a command's life before it is killed; a whole one takes about three."""


def once(root: Path, base_url: str, dice: random.Random, kills: int) -> tuple[int, list[str]]:
    """Kill a batch so often, then let it end. Returns the kills that hit, and what was broken."""
    file = root / "prompts.txt"
    file.write_text("\n".join(LINES), encoding="utf-8")
    environ = {
        **os.environ,
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": base_url,
        "HAILUO_STATE_DIR": str(root / "state"),
        "HAILUO_OUTPUT_DIR": str(root / "videos"),
        "HAILUO_POLL_SECONDS": "0.1",
    }
    command = [sys.executable, "-m", "hailuo_mcp", "generate", "--file", str(file), "--json"]
    hit = 0
    for _ in range(kills):
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(dice.uniform(0.3, MOST_SECONDS))
        except subprocess.TimeoutExpired:
            process.kill()
            hit += 1
        process.wait()
    done = subprocess.run(command, env=environ, capture_output=True, check=False, timeout=300)
    return hit, _broken(json.loads(done.stdout), done.returncode, read_book(root / "provider"))


def _broken(answer: dict[str, Any], code: int, book: dict[str, Any]) -> list[str]:
    bought = Counter(
        task["prompt"]
        for account in book["accounts"].values()
        for task in account["tasks"].values()
    )
    unsure = answer["unconfirmed"]
    broken = []
    if too_often := bought - WANTED:
        broken.append(f"bought too often: {dict(too_often)}")
    if (WANTED - bought).total() > unsure:
        broken.append(f"not bought, and not unconfirmed: {dict(WANTED - bought)}")
    if answer["saved"] + unsure != WANTED.total():
        broken.append(f"{answer['saved']} saved and {unsure} unconfirmed of {WANTED.total()}")
    if code != (3 if unsure else 0):
        broken.append(f"exit code {code} with {unsure} unconfirmed")
    if len({task["task_id"] for task in answer["tasks"]}) != WANTED.total():
        broken.append("two lines share a clip")
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    dice, left, rounds, hits, failed = random.Random(args.seed), args.kills, 0, 0, 0
    began = time.monotonic()
    while left > 0:
        kills = min(left, dice.randint(1, 5))
        left, rounds = left - kills, rounds + 1
        with tempfile.TemporaryDirectory(prefix="batch-") as named:
            root = Path(named)
            options = SandboxOptions(
                state_dir=root / "provider", fast_clips=True, seconds_to_ready=1.0
            )
            sandbox = serve_in_thread(options)
            try:
                hit, broken = once(root, sandbox.base_url, dice, kills)
            finally:
                sandbox.stop()
        hits += hit
        failed += bool(broken)
        for what in broken:
            print(f"round {rounds}: {what}")
    print(f"{rounds} batches, {hits} of {args.kills} kills hit, {time.monotonic() - began:.0f} s")
    print("no promise was broken" if not failed else f"{failed} batches were not as promised")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
