"""The crash test's short form; `python tests/crash/run.py --kills 500 --seed 1` is the long one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import warm

DRIVER = Path(__file__).with_name("run.py")


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_every_step_is_there(store: str) -> None:
    arm_all = (
        f"import sys; sys.path.insert(0, {str(DRIVER.parent)!r})\n"
        "import steps\n"
        f"steps.STORE = {store!r}\n"
        "for install in steps.STEPS.values():\n"
        "    install(lambda: None)\n"
    )
    subprocess.run([*warm.python(), "-c", arm_all], check=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="workers are forked")
@pytest.mark.parametrize(("store", "kills"), [("sqlite", 45), ("postgres", 25)])
def test_no_promise_is_broken_by_killing(tmp_path: Path, store: str, kills: int) -> None:
    command = [sys.executable, str(DRIVER), "--store", store, "--kills", str(kills)]
    command += ["--seed", "7", "--servers", "1"]
    done = subprocess.run(
        [*command, "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert f"{kills} kills" in done.stdout
    assert "requests bought twice (must be 0): 0" in done.stdout
    assert "of these neither (must be 0): 0" in done.stdout
    at_steps = re.search(r"at named steps: (\d+)", done.stdout)
    assert at_steps
    assert int(at_steps[1]) >= kills // 5  # a busy machine does not reach each step in time
    accepted = re.search(r"submits accepted by the sandbox: (\d+)", done.stdout)
    assert accepted
    assert int(accepted[1]) >= 20
