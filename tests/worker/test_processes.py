"""Who is alive: told by a lock of the operating system, whatever pids and clocks say."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hailuo_mcp.errors import JournalError
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.worker import ProcessLocks

LIVE = """
import sys
from pathlib import Path
from hailuo_mcp.worker import ProcessLocks
processes = ProcessLocks(Path(sys.argv[1]))
processes.sign_in()
print(processes.owner, flush=True)
sys.stdin.read()
"""


def test_a_process_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    me = ProcessLocks(tmp_path)
    me.sign_in()
    other = subprocess.Popen(
        [sys.executable, "-c", LIVE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdin is not None
    owner = other.stdout.readline().strip()
    assert me.dead([owner, me.owner]) == []
    os.kill(other.pid, signal.SIGSTOP)  # one that hangs is alive too: its leases run out
    assert me.dead([owner]) == []
    other.kill()
    other.wait(timeout=10)
    assert me.dead([owner, me.owner]) == [owner]
    assert me.dead([owner]) == [owner]
    other.stdin.close()
    other.stdout.close()
    me.sign_out()


def test_two_in_one_process_are_two(tmp_path: Path) -> None:
    one, two = ProcessLocks(tmp_path), ProcessLocks(tmp_path)
    one.sign_in()
    two.sign_in()
    assert one.owner != two.owner
    assert one.dead([two.owner]) == two.dead([one.owner]) == []
    two.sign_out()
    assert one.dead([two.owner]) == [two.owner]
    one.sign_out()
    assert list(tmp_path.iterdir()) == []


def test_whom_nobody_knows_is_dead(tmp_path: Path) -> None:
    me = ProcessLocks(tmp_path)
    me.sign_in()
    assert me.dead(["1-0000"]) == ["1-0000"]
    me.sign_out()


def test_a_state_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalError, match="HAILUO_STATE_DIR"):
        ProcessLocks(tmp_path / "file" / "processes").sign_in()


class Stuck(type(Path())):  # type: ignore[misc]
    """A place where nothing can be removed or listed any more."""

    def unlink(self, missing_ok: bool = False) -> None:
        raise PermissionError(13, f"{missing_ok=}", str(self))

    def iterdir(self) -> Iterator[Path]:
        raise PermissionError(13, "no", str(self))


def test_a_folder_that_cannot_be_changed_any_more_stops_nobody(tmp_path: Path) -> None:
    folder = Stuck(tmp_path)
    me, other = ProcessLocks(folder), ProcessLocks(folder)
    me.sign_in()
    other.sign_in()
    other.sign_out()
    assert me.dead([other.owner]) == [other.owner]
    me.sign_out()
    Pictures(folder).sweep("")
