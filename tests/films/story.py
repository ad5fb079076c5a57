"""Films over stdio with the SDK's client, and servers that are killed while they make them.

    python -m tests.films.story                       # one story: plan, make, kill, resume, redo
    python -m tests.films.story --kills 100 --seed 1  # kills at random instants as well

At the end the films are compared with their clips, and the sandbox's account book with what was
asked for. Exit code 0 when no promise was broken. POSIX only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import serve_in_thread

SHOTS = 5
ALIKE = 12.0
"""The mean difference of two frames (0 to 255) below which they are the same picture, encoded
once more; neighbouring clips of other prompts differ by 40 and more."""
FINISH_SECONDS = 180.0
SETTLED = {"succeeded", "failed", "cancelled", "unconfirmed"}


class KilledError(Exception):
    """The server was killed in the middle of a call."""


@dataclass
class Trial:
    """One sandbox, one journal, and what was asked for."""

    root: Path
    base_url: str
    dice: random.Random
    kills_left: int
    kills: int = 0
    wanted: Counter[str] = field(default_factory=Counter[str])
    """How often each prompt may be bought."""
    broken: list[str] = field(default_factory=list[str])
    died_in: Counter[str] = field(default_factory=Counter[str])

    def demand(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)
            print(f"BROKEN: {what}", flush=True)

    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_BASE_URL": self.base_url,
            "HAILUO_API_KEY": "a-key",
            "HAILUO_OUTPUT_DIR": str(self.root / "videos"),
            "HAILUO_STATE_DIR": str(self.root / "state"),
            "HAILUO_POLL_SECONDS": "0.2",
            "HAILUO_WAIT_SECONDS": "30",
        }

    def command(self, *words: str) -> str:
        """The command line, over the same journal."""
        done = subprocess.run(
            [sys.executable, "-m", "hailuo_mcp", *words],
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr


@dataclass
class Server:
    """A server of its own process, and the client that talks to it."""

    client: Client
    pid_file: Path
    dead: bool = False

    def kill(self) -> None:
        if not self.dead:
            self.dead = True
            os.kill(int(self.pid_file.read_text()), signal.SIGKILL)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        try:
            with anyio.fail_after(45):
                answer = await self.client.call_tool(tool, arguments)
        except (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError) as gone:
            if self.dead:
                raise KilledError from gone
            raise
        text = next(part.text for part in answer.content if part.type == "text")
        if answer.is_error:
            raise RuntimeError(text)
        return answer.structured_content or {"message": text}


@asynccontextmanager
async def server(trial: Trial, *, dies_after: float | None = None) -> AsyncGenerator[Server]:
    """Start one; it is killed after so many seconds, at whatever it is doing then."""
    pid_file = trial.root / "pid"
    starts = f'echo $$ > "{pid_file}"; exec "{sys.executable}" -m hailuo_mcp'
    process = StdioServerParameters(command="sh", args=["-c", starts], env=trial.environ())
    with (trial.root / "server.log").open("a") as log:
        async with Client(stdio_client(process, errlog=log)) as client:
            running = Server(client, pid_file)

            async def end() -> None:
                await anyio.sleep(dies_after or 0)
                running.kill()
                trial.kills += 1
                trial.kills_left -= 1

            async with anyio.create_task_group() as others:
                if dies_after is not None:
                    others.start_soon(end)
                try:
                    yield running
                finally:
                    others.cancel_scope.cancel()


def settle(trial: Trial, film: dict[str, Any]) -> None:
    """What a person does with an unconfirmed shot: look it up in the bill, and say so."""
    book = read_book(trial.root / "provider")
    known = {row["remote_id"] for row in rows(trial) if row["remote_id"]}
    for shot in film["shots"]:
        if shot.get("status") != "unconfirmed":
            continue
        prompt = next(r["prompt"] for r in rows(trial) if r["task_id"] == shot["task_id"])
        found = [
            remote_id
            for account in book["accounts"].values()
            for remote_id, facts in account["tasks"].items()
            if facts["prompt"] == prompt and remote_id not in known
        ]
        said = ["bought", "--remote-id", found[-1]] if found else ["not-bought"]
        print(f"  settled {shot['task_id']}: {said}", flush=True)
        print("   ", trial.command("settle", shot["task_id"], *said).strip()[:120], flush=True)


def rows(trial: Trial) -> list[dict[str, Any]]:
    import sqlite3

    journal = trial.root / "state" / "journal.sqlite3"
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM tasks ORDER BY created_at")]


async def until_over(trial: Trial, arguments: dict[str, Any], *, fatal: bool) -> dict[str, Any]:
    """Repeat a call, and wait for its film, in one server after the other until it is over."""
    film: dict[str, Any] = {}
    deadline = time.monotonic() + FINISH_SECONDS
    while time.monotonic() < deadline:
        dies = trial.dice.uniform(0.2, 4.0) if fatal and trial.kills_left > 0 else None
        try:
            async with server(trial, dies_after=dies) as running:
                film = await running.call("generate_storyboard", **arguments)
                while not over(film):
                    film = await running.call("query_task", task_id=film["film_id"], wait_seconds=5)
                if film["status"] == "unconfirmed":
                    settle(trial, film)
                    continue
                return film
        except* (KilledError, MCPError, anyio.ClosedResourceError, BrokenPipeError, OSError):
            trial.died_in[film.get("status", "before its first answer")] += 1
    trial.demand(False, f"a film is not over: {film}")
    return film


def over(film: dict[str, Any]) -> bool:
    if film["status"] == "succeeded":
        return bool(film.get("file"))
    return film["status"] in SETTLED


def script(number: int) -> list[str]:
    moves = ("[Push in]", "[Pan left]", "[Tilt up]", "[Truck right]", "[Zoom out]")
    return [f"film {number} shot {shot + 1} {moves[shot % 5]}" for shot in range(SHOTS)]


async def tell(trial: Trial, number: int, *, fatal: bool) -> None:
    """One story: plan, make, (kill and) resume, redo a shot, compare."""
    shots = script(number)
    wanted = {"shots": shots, "continuity": "last_frame", "resolution": "768P"}
    async with server(trial) as running:
        plan = await running.call("generate_storyboard", **wanted)
        print(f"{number}: {plan['message']}", flush=True)
        trial.demand(plan["status"] == "planned", f"not planned: {plan}")
        again = await running.call("generate_storyboard", **wanted)
        trial.demand(again["film_id"] == plan["film_id"], "the same call planned two films")
    trial.demand(not bought(trial, shots), "a dry run bought something")
    trial.wanted.update(shots)
    film = await until_over(trial, {"film_id": plan["film_id"], "dry_run": False}, fatal=fatal)
    print(f"   {film['status']}: {film['message']}", flush=True)
    trial.demand(film["status"] == "succeeded", f"film {number} is {film['status']}: {film}")
    if film["status"] != "succeeded":
        return
    await compare(trial, number, film)
    first_file = film["file"]
    async with server(trial) as running:
        redo = await running.call("generate_storyboard", film_id=film["film_id"], redo=[3])
        print(f"   {redo['message']}", flush=True)
        trial.demand(redo["status"] == "planned", f"redo not planned: {redo}")
    trial.wanted.update(shots[2:])
    film = await until_over(
        trial, {"film_id": film["film_id"], "redo": [3], "dry_run": False}, fatal=fatal
    )
    print(f"   {film['status']}: {film['message']}", flush=True)
    trial.demand(film.get("file") != first_file, "the redo has the file of the film before it")
    await compare(trial, number, film)
    counts = bought(trial, shots)
    print(f"   bought: {dict(counts)}", flush=True)


def bought(trial: Trial, prompts: list[str]) -> Counter[str]:
    """The accepted purchases in the sandbox's book, by prompt."""
    book = read_book(trial.root / "provider")
    return Counter(
        facts["prompt"]
        for account in book["accounts"].values()
        for facts in account["tasks"].values()
        if facts["prompt"] in prompts
    )


async def compare(trial: Trial, number: int, film: dict[str, Any]) -> None:
    """Length, order and joins of a film against its clips."""
    from hailuo_mcp.media.clip_facts import probe
    from hailuo_mcp.media.frames import first_frame, frame_at, last_frame

    async with server(trial) as running:
        film = await running.call("query_task", task_id=film["film_id"], wait_seconds=0)
    files = [Path(shot["file"]) for shot in film["shots"]]
    lengths = [probe(file).seconds for file in files]  # type: ignore[union-attr]
    facts = probe(Path(film["file"]))
    trial.demand(
        facts is not None and abs(facts.seconds - sum(lengths)) < 0.1,
        f"film {number} is {facts} long, its clips {lengths}",
    )
    start = 0.0
    for shot, (file, length) in enumerate(zip(files, lengths, strict=True), 1):
        if shot > 1:
            gap = difference(last_frame(files[shot - 2]).picture, first_frame(file).picture)
            trial.demand(gap < ALIKE, f"film {number}: shot {shot} does not continue: {gap:.1f}")
        for at in (0.05, length / 2, length - 0.1):
            shown = frame_at(Path(film["file"]), start + at).picture
            gap = difference(shown, frame_at(file, at).picture)
            trial.demand(
                gap < ALIKE, f"film {number}: at {start + at:.2f} s not shot {shot}: {gap:.1f}"
            )
        start += length
    facts_beside = json.loads(Path(film["file"]).with_suffix(".json").read_text())
    told = [shot["task_id"] for shot in facts_beside["shots"]]
    trial.demand(told == [shot["task_id"] for shot in film["shots"]], "the sidecar names others")
    trial.demand(Path(film["file"]).with_suffix(".jpg").is_file(), "there is no poster")


def difference(one: Any, other: Any) -> float:
    from PIL import ImageChops, ImageStat

    small = [picture.convert("L").resize((64, 36)) for picture in (one, other)]
    return float(ImageStat.Stat(ImageChops.difference(*small)).mean[0])


async def run(trial: Trial) -> None:
    number = 0
    while number == 0 or trial.kills_left > 0:
        number += 1
        await tell(trial, number, fatal=trial.kills_left > 0)
    accepted = bought(trial, list(trial.wanted))
    for prompt, times in trial.wanted.items():
        trial.demand(
            accepted[prompt] == times, f"{prompt!r} was bought {accepted[prompt]} times of {times}"
        )
    book = read_book(trial.root / "provider")
    total = sum(len(account["tasks"]) for account in book["accounts"].values())
    trial.demand(total == trial.wanted.total(), f"{total} purchases, {trial.wanted.total()} wanted")
    print(
        f"{number} films, {total} shots bought, each as often as asked for; {trial.kills} kills: "
        f"{dict(trial.died_in)}; broken promises: {len(trial.broken)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep everything in this folder")
    parser.add_argument("--fast", action="store_true", help="plain clips, which all look the same")
    given = parser.parse_args()
    root = given.keep or Path(tempfile.mkdtemp(prefix="story-"))
    root.mkdir(parents=True, exist_ok=True)
    options = SandboxOptions(
        state_dir=root / "provider", seconds_to_ready=0.4, fast_clips=given.fast
    )
    with serve_in_thread(options) as sandbox:
        trial = Trial(root, sandbox.base_url, random.Random(given.seed), given.kills)
        anyio.run(run, trial)
    if not given.keep:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if trial.broken else 0


if __name__ == "__main__":
    sys.exit(main())
