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
from hailuo_mcp.journal.sqlite.processes import ProcessLocks
from hailuo_mcp.studio.pictures import Pictures

LIVE = """
import sys
from pathlib import Path
from hailuo_mcp.journal.sqlite.processes import ProcessLocks
processes = ProcessLocks(Path(sys.argv[1]))
processes.hold("2-other")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_process_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    me = ProcessLocks(tmp_path)
    me.hold("1-me")
    other = subprocess.Popen(
        [sys.executable, "-c", LIVE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == "held\n"
    assert me.dead(["2-other", "1-me"]) == []
    os.kill(other.pid, signal.SIGSTOP)  # one that hangs is alive too: its leases run out
    assert me.dead(["2-other"]) == []
    other.kill()
    other.wait(timeout=60)
    assert me.dead(["2-other", "1-me"]) == ["2-other"]
    assert me.dead(["2-other"]) == ["2-other"]
    other.stdin.close()
    other.stdout.close()
    me.release("1-me")


def test_two_in_one_process_are_two(tmp_path: Path) -> None:
    one, two = ProcessLocks(tmp_path), ProcessLocks(tmp_path)
    one.hold("1-one")
    two.hold("1-two")
    assert one.dead(["1-two"]) == two.dead(["1-one"]) == []
    two.release("1-two")
    assert one.dead(["1-two"]) == ["1-two"]
    one.release("1-one")
    assert list(tmp_path.iterdir()) == []


def test_an_owner_without_a_lock_is_dead(tmp_path: Path) -> None:
    me = ProcessLocks(tmp_path)
    me.hold("1-me")
    assert me.dead(["1-0000"]) == ["1-0000"]
    me.release("1-me")


def test_a_state_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    locks = ProcessLocks(tmp_path / "file" / "processes")
    with pytest.raises(JournalError, match="is not writable") as refused:
        locks.hold("1-me")
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
    me.hold("1-me")
    other.hold("1-other")
    other.release("1-other")
    assert me.dead(["1-other"]) == ["1-other"]
    me.release("1-me")
    await Pictures(FolderBlobs(folder)).sweep("")
