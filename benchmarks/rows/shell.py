"""Commands that need no provider, and what a shell completes: a person waits for each."""

from __future__ import annotations

import subprocess
import time

from rig.report import Figure
from rig.stage import Stage

TASKS = 200
"""In the journal: a month or two of work."""
COMMANDS = {
    "hailuo-mcp --help": 100,
    "hailuo-mcp generate --help": 300,
    "hailuo-mcp models": 300,
    "hailuo-mcp tasks": 300,
    "hailuo-mcp show @last": 300,
    "hailuo-mcp account": 300,
    "hailuo-mcp estimate --resolution 1080P --count 5": 300,
    "hailuo-mcp config list": 300,
    "hailuo-mcp completion bash": 100,
}
"""Each with the milliseconds that its median may take."""
COMPLETED = {
    "a command": "hailuo-mcp gen",
    "an option": "hailuo-mcp generate --dur",
    "a model": "hailuo-mcp generate --model ",
    "a task": "hailuo-mcp show ",
}
"""What is typed before the Tab key."""
COMPLETED_MS = 100


async def shell(stage: Stage) -> list[Figure]:
    """From the start of the process to its end, as whoever typed the command sees it."""
    with stage.folder() as folder:
        home = folder / "ours"
        home.mkdir()
        environ = stage.environ(home)
        stage.inside("fill_journal.py", home / "state", TASKS)
        bin_ = stage.pythons["ours"].parent
        typed = {command: [str(bin_ / "hailuo-mcp"), *command.split()[1:]] for command in COMMANDS}
        found: dict[str, list[float]] = {name: [] for name in (*COMMANDS, *COMPLETED)}
        for turn in range(max(5, 3 * stage.rounds) + 1):
            for name, argv in typed.items():
                took = _milliseconds(argv, environ)
                if turn:  # the first finds cold files
                    found[name].append(took)
            for name, line in COMPLETED.items():
                took = _milliseconds([str(bin_ / "hailuo-mcp")], environ | completing(line))
                if turn:
                    found[name].append(took)
    figures = [
        Figure(
            row="shell",
            what=f"`{command}`, {TASKS} clips bought" if command.endswith("tasks") else f"`{command}`",
            unit="ms",
            ours=found[command],
            goal=f"≤ {most} ms",
        )
        for command, most in COMMANDS.items()
    ]
    return figures


def completing(line: str) -> dict[str, str]:
    """What bash and argcomplete tell a program that is asked how a line could go on."""
    return {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }


def _milliseconds(argv: list[str], environ: dict[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(argv, env=environ, capture_output=True, check=False)
    took = (time.perf_counter() - began) * 1000
    if done.returncode:
        raise RuntimeError(f"{argv[1:]}: {done.stderr[-1000:].decode()}")
    return took
