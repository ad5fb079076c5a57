"""The trial's short form; `python tests/replicas/trial.py --seed 1` is the long one."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TRIAL = Path(__file__).with_name("trial.py")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="replicas are killed with SIGKILL")
def test_no_promise_is_broken_while_replicas_database_and_proxy_fail(tmp_path: Path) -> None:
    command = [sys.executable, str(TRIAL), "--store", "postgres", "--files", "s3"]
    command += ["--small", "--seed", "7"]
    trial = subprocess.Popen(
        [*command, "--keep", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, complained = trial.communicate(timeout=480)
    except subprocess.TimeoutExpired:
        trial.send_signal(signal.SIGINT)  # it ends what it has started
        said, complained = trial.communicate()
    assert trial.returncode == 0, said[-6000:] + complained[-3000:]
    assert "requests bought twice (must be 0): 0" in said
    for what in ("killed with SIGKILL", "added", "proxy cut", "database stopped"):
        assert what in said
    accepted = re.search(r"submits accepted by the sandbox: (\d+)", said)
    assert accepted
    assert int(accepted[1]) >= 25
