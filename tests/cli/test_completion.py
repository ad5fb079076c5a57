"""The Tab key: the program's own answers, and what real shells type because of them."""

from __future__ import annotations

import os
import select
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 60
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the shells here are of Unix")
COLUMNS = "task_id, status, file, prompt, model, resolution, created_at"


@pytest.fixture
def here(tmp_path):
    """An environment with a program on its path, and a journal of two tasks."""
    program = tmp_path / "bin" / "hailuo-mcp"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hailuo_mcp "$@"\n')
    program.chmod(0o755)
    state = tmp_path / "state"
    state.mkdir()
    with sqlite3.connect(state / "journal.sqlite3") as db:
        db.execute(f"CREATE TABLE tasks ({COLUMNS})")
        rows = [
            ("v1aaa", "succeeded", "/a.mp4", "a red: fox", "M", "768P", 1.0),
            ("v1bbb", "unconfirmed", "", "a cat\x1b[2J\nruns", "M", "768P", 2.0),
        ]
        db.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    db.close()
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "HAILUO_STATE_DIR": str(state),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "PS1": "> ",
    }


# The program gives up after 0.8 s; a busy machine may need longer than that to start it.
_PATIENT = f"""
from hailuo_mcp.cli import completing
completing._LONGEST_SECONDS = {SECONDS}
from hailuo_mcp.__main__ import main
main()
"""


def offered(environ, line, shell="bash"):
    """What the program answers, and that it says nothing else."""
    out = Path(environ["HOME"], "offered")
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    ran = subprocess.run(
        [sys.executable, "-c", _PATIENT],
        env={**environ, **asked},
        capture_output=True,
        timeout=SECONDS,
        check=False,
        cwd=environ["HOME"],
    )
    assert ran.stdout + ran.stderr == b""
    return [it.strip() for it in out.read_text("utf-8").split("\n") if it]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("hailuo-mcp gen", "generate"),
        ("hailuo-mcp generate --model MiniMax-H3-", "MiniMax-H3-Max"),
        ("hailuo-mcp generate -r 10", "1080P"),
        ("hailuo-mcp serve --transport st", "stdio"),
        ("hailuo-mcp --provider sand", "sandbox"),
        ("hailuo-mcp query v1", "v1aaa"),
        ("hailuo-mcp status @", "@-2"),
        ("hailuo-mcp settle ", "v1bbb"),
        ('hailuo-mcp generate "a fox [Push', "a fox [Push in]"),
        ("hailuo-mcp generate -i task:v1a", "task:v1aaa#last"),
        ("hailuo-mcp config ", "set"),
        ("hailuo-mcp config set budget", "budget_period"),
        ("hailuo-mcp config unset ", "plan"),
        ("hailuo-mcp config set provider ", "sandbox"),
        ("hailuo-mcp account --by day,mo", "day,month"),
        ("hailuo-mcp generate -m h", "h3"),
    ],
)
def test_values_are_offered(here, line, some):
    assert some in offered(here, line)


def test_only_a_task_that_can_be_settled_is_offered_for_that(here):
    assert "v1aaa" not in offered(here, "hailuo-mcp settle ")


def test_only_what_fits_is_offered(here):
    assert offered(here, "hailuo-mcp generate x -m h3 -r ") == ["768P", "2K"]
    assert offered(here, "hailuo-mcp generate -i task:v1b") == []
    assert "api_key" not in offered(here, "hailuo-mcp config set api")
    assert "api_key" in offered(here, "hailuo-mcp config get api")


def test_prompts_describe_ids_without_control_characters(here):
    assert "v1bbb:unconfirmed: a cat [2J runs" in offered(here, "hailuo-mcp query v", "zsh")


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 99])
def test_a_missing_or_damaged_journal_offers_nothing(here, content):
    journal = Path(here["HAILUO_STATE_DIR"], "journal.sqlite3")
    journal.unlink()
    if content is not None:
        journal.write_bytes(content)
    assert offered(here, "hailuo-mcp query v") == []
    assert [it.name for it in journal.parent.iterdir()] == ["journal.sqlite3"][
        : content is not None
    ]


def test_a_database_that_does_not_answer_offers_nothing(here):
    unreachable = {**here, "HAILUO_DATABASE_URL": "postgresql://127.0.0.1:9/none"}
    assert offered(unreachable, "hailuo-mcp query v") == []


SHELLS = {
    "bash": (["bash", "--norc", "-i"], 'eval "$(hailuo-mcp completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'eval "$(hailuo-mcp completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "hailuo-mcp completion fish | source"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes(here, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    pty = pytest.importorskip("pty")
    argv, load = SHELLS[shell]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, here)
    seen = b""

    def until(text: bytes) -> None:
        nonlocal seen
        begin = len(seen)
        while text not in seen[begin:]:
            ready, _, _ = select.select([terminal], [], [], SECONDS)
            assert ready, seen
            seen += os.read(terminal, 65536)
            if b"\x1b[c" in seen[begin:]:  # fish asks what the terminal is
                os.write(terminal, b"\x1b[?62;c")

    try:
        os.write(terminal, f'{load}; echo rea""dy\n'.encode())
        until(b"ready")
        os.write(terminal, b"hailuo-mcp mov\t")
        until(b"moves")
        os.write(terminal, b"\x15hailuo-mcp query v1\t\t")
        until(b"a red: fox")
        os.write(terminal, b"\x15hailuo-mcp query v1a\t")
        until(b"v1aaa")
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_powershell_gets_a_script_that_names_the_program(capsys):
    from hailuo_mcp.cli import main

    assert main(["completion", "powershell"]) == 0
    script = capsys.readouterr().out
    assert "Register-ArgumentCompleter -Native -CommandName hailuo-mcp" in script
    assert script.count("{") == script.count("}")
