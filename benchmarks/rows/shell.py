"""Commands that need no provider, and what a shell completes: a person waits for each."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from statistics import median

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
    found: dict[str, list[float]] = {name: [] for name in (*COMMANDS, *COMPLETED)}
    unanswered = set[str]()
    with stage.folder() as folder:
        home = folder / "ours"
        home.mkdir()
        environ = stage.environ(home) | stage.ours(home, "http://127.0.0.1:9")
        program = str(stage.pythons["ours"].with_name("hailuo-mcp"))
        stage.inside("fill_journal.py", home / "state", TASKS)
        for turn in range(max(5, 3 * stage.rounds) + 1):
            for name, values in found.items():
                if name in COMMANDS:
                    took = _milliseconds([program, *name.split()[1:]], environ)
                else:
                    shown = home / "completed"
                    shown.write_text("")
                    asked = completing(COMPLETED[name], shown)
                    took = _milliseconds([program], environ | asked)
                    if turn and not shown.read_text().strip():  # it gave up
                        unanswered.add(name)
                if turn:  # the first finds cold files
                    values.append(took)
    return [
        Figure(
            row="shell",
            what=f"`{name}`" if name in COMMANDS else f"the Tab key, for {name}",
            unit="ms",
            ours=values,
            goal=f"≤ {most} ms",
            met=median(values) <= most and name not in unanswered,
        )
        for name, values in found.items()
        for most in [COMMANDS.get(name, COMPLETED_MS)]
    ]


def completing(line: str, answer: Path) -> dict[str, str]:
    """What a shell tells a program that is asked how a line could go on, and where to write it."""
    return {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
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
