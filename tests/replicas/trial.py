"""Many clients, several replicas, one journal; replicas, database and proxy fail meanwhile.

    python tests/replicas/trial.py --store postgres --seed 1

Twenty clients of both eras and of SSE make 400 clips for four tenants through a TCP proxy. Two
replicas are killed and one is added, the database is restarted twice, the proxy is cut for ten
seconds. Then the journal and the clips are compared with the sandbox's own book. The exit code is 0
when no promise was broken.
"""

from __future__ import annotations

import argparse
import logging
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import certificates
import scene as scenes
from agents import Agent, Told, connected
from scene import TENANTS, TOKENS, Scene, audit

STORES = ("sqlite", "postgres")
FILES = ("folder", "s3")
FINISH_SECONDS = 150.0
"""For what is on its way when the last client has its answer: a lost callback costs a minute."""
_OPEN = ("pending", "submitting", "queued", "running")
_WINDOW = 60.0
_SHOWN = 40
_RATE_CODES = (1002, 1039, 1041, 2045, 429)


@dataclass(frozen=True, kw_only=True)
class Plan:
    store: str = "sqlite"
    files: str = "folder"
    seed: int = 1
    clients: int = 20
    clips: int = 400
    replicas: int = 3
    rpm: int = 60
    ready: float = 4.0
    callbacks: bool = True
    """Without them nothing waits for a lost one, which costs a minute."""
    seconds: float = 600.0
    """The clients give up after this."""
    events: Sequence[tuple[float, str]] = (
        (0.12, "kill"),
        (0.25, "restart"),
        (0.40, "cut"),
        (0.55, "kill"),
        (0.60, "add"),
        (0.75, "restart"),
    )
    """What happens when this part of the clips has ended."""
    cut: float = 10.0
    """Seconds without the proxy."""
    away: float = 3.0
    """Seconds without the database, at each restart."""


def small(store: str, files: str, seed: int) -> Plan:
    """Less of everything, for each run of the tests."""
    events = [(0.2, "kill"), (0.35, "add"), (0.5, "cut"), (0.65, "restart")]
    return Plan(
        store=store, files=files, seed=seed, clients=8, clips=32, replicas=2, rpm=600, ready=1.5, seconds=240,
        callbacks=False, events=events, cut=1.0, away=1.0,
    )  # fmt: skip


async def run(plan: Plan, folder: Path) -> audit.Audit:
    """Try it, and return the figures and every broken promise."""
    for noisy in ("mcp", "werkzeug"):  # clients complain of what goes away
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    facts = {"rpm": plan.rpm, "seconds": plan.ready, "callbacks": plan.callbacks}
    certificates.load_once()
    with scenes.scene(folder, store=plan.store, files=plan.files, **facts) as scene:
        async with scene.proxy.serve(*scene.ports):
            started = [scene.start_replica() for _ in range(plan.replicas)]
            for replica in started:
                await anyio.to_thread.run_sync(scene.wait_for, replica)
            scene.began = time.monotonic()
            told = await _clients(plan, scene)
            took = time.monotonic() - scene.began
            await _until_settled(scene)
            await _walls_between_tenants(scene, told)
            await _links_of_the_others(scene, told)
        return _audit(plan, scene, told, took)


async def _clients(plan: Plan, scene: Scene) -> Told:
    told, deadline = Told(), time.monotonic() + plan.seconds
    await _upload_pictures(scene, told)
    shares = [list(range(n, plan.clips, plan.clients)) for n in range(plan.clients)]
    async with anyio.create_task_group() as everything:
        everything.start_soon(_events, plan, scene, told)
        async with anyio.create_task_group() as clients:
            for number, clips in enumerate(shares):
                dice = random.Random(f"{plan.seed} {number}")  # not for secrets
                agent = Agent(scene, told, number, clips, dice, deadline)
                clients.start_soon(agent.work)
        everything.cancel_scope.cancel()
    return told


async def _events(plan: Plan, scene: Scene, told: Told) -> None:
    dice = random.Random(plan.seed)  # not for secrets
    in_thread = anyio.to_thread.run_sync
    for part, what in plan.events:
        while len(told.ends) < part * plan.clips:  # noqa: ASYNC110  # other tasks move it on
            await anyio.sleep(0.02)
        await anyio.sleep(dice.random())
        if what == "kill":
            scene.kill(dice)
        elif what == "add":
            replica = await in_thread(scene.start_replica)
            await in_thread(scene.wait_for, replica)
            scene.note(f"replica {replica.number} added")
        elif what == "cut":
            scene.proxy.cut()
            scene.note(f"proxy cut for {plan.cut:g} s")
            await anyio.sleep(plan.cut)
            scene.proxy.mend()
        elif scene.database is not None:
            how = dice.choice(("fast", "immediate"))
            await in_thread(scene.database.stop, how)
            scene.note(f"database stopped ({how}) for {plan.away:g} s")
            await anyio.sleep(plan.away)
            await in_thread(scene.database.start)


async def _until_settled(scene: Scene) -> None:
    """Wait until nothing is on its way, with nobody asking."""
    began = time.monotonic()
    while time.monotonic() - began < FINISH_SECONDS:
        tasks = await anyio.to_thread.run_sync(scene.journal)
        if all(
            task["status"] not in _OPEN and (task["status"] != "succeeded" or task["file"])
            for task in tasks
        ):
            scene.note(f"everything had ended {time.monotonic() - began:.1f} s after the clients")
            return
        await anyio.sleep(0.5)


async def _upload_pictures(scene: Scene, told: Told) -> None:
    """One picture of each tenant: the link comes from one replica, the picture goes to another."""
    import io
    import re

    import httpx2
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (640, 480), (40, 90, 160)).save(file, "PNG")
    for tenant in TENANTS:
        async with connected(scene, tenant, url=scene.replicas[0].url) as client:
            wanted = {"prompt": "A boat", "first_frame_image": "/tmp/frame.png"}
            refused = await client.call_tool("generate_video", wanted)
        found = re.search(r"(/uploads/\S+)", refused.content[0].text)
        if found is None:
            told.broken.append(f"no link for an upload: {refused.content[0].text[:200]}")
            continue
        async with httpx2.AsyncClient(trust_env=False) as http:
            address = f"{scene.replicas[-1].url}{found[1]}"
            sent = await http.post(address, content=file.getvalue())
        if sent.status_code != 201:
            told.broken.append(f"a picture was refused: {sent.status_code} {sent.text[:200]}")
            continue
        told.uploads[tenant] = sent.json()["upload"]


async def _walls_between_tenants(scene: Scene, told: Told) -> None:
    """Ask for each other's tasks and pictures, at each replica in turn."""
    tasks = await anyio.to_thread.run_sync(scene.journal)
    for number, tenant in enumerate(TENANTS):
        replica = scene.alive[number % len(scene.alive)]
        foreign = [task for task in tasks if _tenant_of(task) != tenant][:25]
        async with connected(scene, tenant, url=replica.url) as client:
            listed = (await client.call_tool("list_tasks", {"limit": 100})).structured_content
            for row in listed.get("tasks", []):
                if f" of {tenant}" not in row["prompt"]:
                    told.broken.append(f"{tenant} was shown {row['task_id']}: {row['prompt']}")
            for task in foreign:
                for some_id in (task["task_id"], task["remote_id"]):
                    seen = some_id and await client.call_tool("query_task", {"task_id": some_id})
                    if seen and not seen.is_error:
                        told.broken.append(f"{tenant} could ask for {some_id}")
            for other, picture in told.uploads.items():
                if other == tenant:
                    continue
                wanted = {"prompt": f"Theft of {tenant}", "first_frame_image": picture}
                if not (await client.call_tool("generate_video", wanted)).is_error:
                    told.broken.append(f"{tenant} could use the picture of {other}")
        told.counts["foreign tasks asked for"] += len(foreign)


def _tenant_of(task: dict[str, Any]) -> str:
    return str(task["caller"]).removeprefix("tenant:")


async def _links_of_the_others(scene: Scene, told: Told) -> None:
    """Every clip that is saved, by a link of one replica, read through another."""
    import hashlib
    import re

    import httpx2

    tasks = [it for it in await anyio.to_thread.run_sync(scene.journal) if it["file"]]
    first, last = scene.alive[0], scene.alive[-1]
    for tenant in TENANTS:
        own = [task for task in tasks if _tenant_of(task) == tenant]
        async with (
            connected(scene, tenant, url=first.url) as client,
            httpx2.AsyncClient(trust_env=False, timeout=30) as http,
        ):
            for task in own:
                found = await client.call_tool("query_task", {"task_id": task["task_id"]})
                url = (found.structured_content or {}).get("url", "")
                path = re.sub(r"^http://[^/]+", "", url)
                reply = await http.get(f"{last.url}{path}") if path else None
                if not reply or hashlib.sha256(reply.content).hexdigest() != task["sha256"]:
                    status = reply.status_code if reply else "no link"
                    told.broken.append(f"{task['task_id']} is not readable elsewhere ({status})")
                else:
                    told.counts["links good at another replica"] += 1


def _audit(plan: Plan, scene: Scene, told: Told, took: float) -> audit.Audit:
    book, tasks = scene.book(), scene.journal()
    found = audit.audit(tasks, book, scene.clips, bought_again=told.failing)
    found.violations = [*told.broken, *found.violations]
    busiest = {key: _busiest_minute(account) for key, account in book["accounts"].items()}
    refused = sum(
        row["code"] in _RATE_CODES for account in book["accounts"].values()
        for row in account["creates"]
    )  # fmt: skip
    found.demand(max(busiest.values()) <= plan.rpm, f"more than {plan.rpm} a minute: {busiest}")
    found.demand(not refused, f"{refused} submits were refused for their rate")
    lost = set(told.ids.values()) - {task["task_id"] for task in tasks}
    found.demand(not lost, f"tasks that the journal has lost: {sorted(lost)[:20]}")
    found.demand(book["leaked_keys"] == 0, "a key reached a download host")
    logs = scene.logs()
    secrets = [name for name, token in TOKENS.items() if token in logs]
    words = ("Boat ", "/files/v", "the-operators-key", "the-key-of")
    secrets += [word for word in words if word in logs]
    found.demand(not secrets, f"secrets in the log: {secrets}")
    crashed = logs.count("ended unexpectedly") + logs.count("Traceback")
    found.demand(not crashed, f"{crashed} tracebacks in the logs of the replicas")
    remote = {name: it for a in book["accounts"].values() for name, it in a["tasks"].items()}
    polls = [facts["status_requests"] for facts in remote.values()] or [0]
    lags = sorted(_lags(tasks, remote)) or [0.0]
    waits = sorted(told.waits) or [0.0]
    found.figures = {
        "clients, clips, replicas": f"{plan.clients}, {plan.clips}, {plan.replicas}",
        "seconds": round(took, 1),
        "what happened": scene.happened,
        "clips that ended, by way": dict(told.counts),
        "their ends": dict(Counter(told.ends.values())),
        "what clients met and retried": dict(told.errors),
        "connections through the proxy": scene.proxy.connections,
        **found.figures,
        "most submits in any 60 s, by key": busiest,
        "refused for their rate": refused,
        "generate_video answered in, median and slowest s": (
            f"{statistics.median(waits):.2f}, {waits[-1]:.2f}"
        ),
        "provider's success to saved, median, p95 and slowest s": ", ".join(
            f"{it:.2f}" for it in (statistics.median(lags), lags[int(0.95 * len(lags))], lags[-1])
        ),
        "status requests a clip, mean and most": f"{statistics.mean(polls):.2f}, {max(polls)}",
        "callbacks, and lost ones": (
            f"{book['totals']['callbacks']}, {book['totals']['callbacks_failed']}"
        ),
    }
    return found


def _lags(tasks: list[dict[str, Any]], remote: dict[str, Any]) -> list[float]:
    """Seconds from the provider's success until the journal had the file."""
    return [
        float(task["updated_at"]) - remote[task["remote_id"]]["finished_at"]
        for task in tasks
        if task["file"] and task["remote_id"] in remote
    ]


def _busiest_minute(account: dict[str, Any]) -> int:
    """The most submits that the sandbox counted in any minute."""
    times = sorted(row["at"] for row in account["creates"] if row["code"] not in _RATE_CODES)
    first = most = 0
    for last, at in enumerate(times):
        while times[first] <= at - _WINDOW:
            first += 1
        most = max(most, last - first + 1)
    return most


def show(found: audit.Audit, title: str, say: Callable[[str], None] = print) -> None:
    say(title)
    for name, figure in found.figures.items():
        if isinstance(figure, list):
            say(f"{name}:")
            for line in figure:
                say(f"  {line}")
        else:
            say(f"{name}: {figure}")
    for violation in found.violations[:_SHOWN]:
        say(f"VIOLATION: {violation}")
    if more := len(found.violations[_SHOWN:]):
        say(f"and {more} more violations")
    say("PROMISES WERE BROKEN" if found.violations else "no promise was broken")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", choices=STORES, default="postgres")
    parser.add_argument("--files", choices=FILES, default="folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=Plan.clients)
    parser.add_argument("--clips", type=int, default=Plan.clips)
    parser.add_argument("--replicas", type=int, default=Plan.replicas)
    parser.add_argument("--rpm", type=int, default=Plan.rpm)
    parser.add_argument("--cut", type=float, default=Plan.cut, help="seconds without the proxy")
    parser.add_argument("--away", type=float, default=Plan.away, help="… without the database")
    parser.add_argument("--small", action="store_true", help="as in the tests")
    parser.add_argument("--keep", type=Path, help="a folder for journal, clips and logs")
    given = vars(parser.parse_args())
    keep, is_small = given.pop("keep"), given.pop("small")
    plan = small(given["store"], given["files"], given["seed"]) if is_small else Plan(**given)
    with tempfile.TemporaryDirectory(prefix="trial-") as scratch:
        found = anyio.run(run, plan, keep or Path(scratch))
    show(found, f"{plan.store}, {plan.files}, seed {plan.seed}")
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
