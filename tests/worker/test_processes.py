"""Who is alive: told by a lock of the operating system, whatever pids and clocks say."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hailuo_mcp.errors import Do, JournalError, Step
from hailuo_mcp.files.folder_storage import FolderBlobs
from hailuo_mcp.studio.pictures import Pictures
from hailuo_mcp.worker.processes import ProcessLocks

LIVE = """
import sys
from pathlib import Path
from hailuo_mcp.worker.processes import ProcessLocks
processes = ProcessLocks(Path(sys.argv[1]))
with processes.held():
    print(processes.owner, flush=True)
    sys.stdin.read()
"""


def test_a_process_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    me = ProcessLocks(tmp_path)
    with me.held():
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


def test_two_in_one_process_are_two(tmp_path: Path) -> None:
    one, two = ProcessLocks(tmp_path), ProcessLocks(tmp_path)
    with one.held():
        with two.held():
            assert one.owner != two.owner
            assert one.dead([two.owner]) == two.dead([one.owner]) == []
        assert one.dead([two.owner]) == [two.owner]
    assert list(tmp_path.iterdir()) == []


def test_an_owner_without_a_lock_is_dead(tmp_path: Path) -> None:
    me = ProcessLocks(tmp_path)
    with me.held():
        assert me.dead(["1-0000"]) == ["1-0000"]


def test_a_state_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    locks = ProcessLocks(tmp_path / "file" / "processes")
    with pytest.raises(JournalError, match="is not writable") as refused, locks.held():
        raise AssertionError
    assert Step(Do.SET, "HAILUO_STATE_DIR") in refused.value.then


class Stuck(type(Path())):  # type: ignore[misc]
    """A place where nothing can be removed or listed any more."""

    def unlink(self, missing_ok: bool = False) -> None:
        raise PermissionError(13, f"{missing_ok=}", str(self))

    def iterdir(self) -> Iterator[Path]:
        raise PermissionError(13, "no", str(self))


@pytest.mark.anyio
async def test_a_folder_that_cannot_be_changed_any_more_stops_nobody(tmp_path: Path) -> None:
    folder = Stuck(tmp_path)
    me, other = ProcessLocks(folder), ProcessLocks(folder)
    with me.held():
        with other.held():
            pass
        assert me.dead([other.owner]) == [other.owner]
    await Pictures(FolderBlobs(folder)).sweep("")
