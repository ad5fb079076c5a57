"""The workflows: linted by programs that find what is planted, and they check what .ci/run checks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
WORKFLOWS = {
    path.stem: yaml.load(path.read_text("utf-8"), yaml.BaseLoader)
    for path in (ROOT / ".github/workflows").iterdir()
}
CHECKS, RELEASE = WORKFLOWS["checks"], WORKFLOWS["release"]
LINT = (ROOT / ".ci/lint").read_text("utf-8")
ZIZMOR = re.search(r"^(zizmor .*) \.github$", LINT, re.MULTILINE)[1].split()[1:]
BAD = """\
name: Bad
on: issues
permissions: {}
jobs:
  greet:
    runs-on: ubuntu-lates
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.event.issue.title }}" $UNQUOTED
      - run: echo "${{ matrix.nothing }}"
"""


def lint(program: str, *args: str, where: Path) -> tuple[int, str]:
    found = shutil.which(program, path=str(PROGRAMS))
    assert found, f"{program} is in the extra dev"
    path = os.pathsep.join([str(PROGRAMS), os.environ["PATH"]])  # actionlint calls shellcheck
    done = subprocess.run(
        [found, *args],
        cwd=where,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "bad.yml").write_text(BAD, "utf-8")
    return tmp_path


def test_actionlint_finds_what_is_planted(bad: Path):
    code, told = lint("actionlint", "-no-color", where=bad)

    assert code == 1
    for found in ('"ubuntu-lates" is unknown', '"nothing" is not defined', "untrusted", "SC2086"):
        assert found in told


def test_zizmor_finds_what_is_planted(bad: Path):
    code, told = lint("zizmor", *ZIZMOR, "--color=never", ".github", where=bad)

    assert code != 0
    for found in (
        "[unpinned-uses]",
        "[artipacked]",
        "[template-injection]",
        "[concurrency-limits]",
    ):
        assert found in told


def test_every_supported_python_is_checked_on_every_platform():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    promised = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    (job,) = CHECKS["jobs"].values()
    assert job["strategy"]["matrix"] == {
        "os": ["ubuntu", "macos", "windows"],
        "python": promised,
    }
    assert project["requires-python"] == f">={promised[0]}"


def test_the_checks_are_those_of_ci_run_and_no_others():
    (job,) = CHECKS["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert RELEASE["jobs"]["checks"]["uses"].endswith("/checks.yml")


def test_nothing_is_published_that_was_not_checked():
    def before(name: str) -> set[str]:
        needs = RELEASE["jobs"][name].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*map(before, direct))

    for name, job in RELEASE["jobs"].items():
        if "write" in job["permissions"].values():
            assert before(name) >= {"checks", "build"}, name
    assert before("registry") >= {"pypi", "image", "github"}


def test_the_index_is_reached_from_one_job_that_runs_no_command():
    job = RELEASE["jobs"]["pypi"]
    assert job["environment"] == "pypi"
    assert job["permissions"] == {"id-token": "write"}
    assert all("run" not in step for step in job["steps"])


def _steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def test_every_action_is_pinned_to_a_commit_and_one_commit_only():
    pins: dict[str, set[str]] = {}
    for step in (step for workflow in WORKFLOWS.values() for step in _steps(workflow)):
        if "uses" in step:
            name, _, commit = step["uses"].partition("@")
            pins.setdefault(name, set()).add(commit)
            assert re.fullmatch(r"[0-9a-f]{40}", commit), name
    assert {name: len(commits) for name, commits in pins.items()} == dict.fromkeys(pins, 1)


def test_every_script_that_the_release_calls_exists():
    commands = "\n".join(step.get("run", "") for step in _steps(RELEASE))
    called = set(re.findall(r"packaging/[\w-]+", commands))
    assert len(called) == 4
    assert all((ROOT / name).is_file() for name in called)


def test_all_the_linters_and_type_checks_are_called():
    programs = {line.split()[0] for line in LINT.splitlines() if line and line[0].islower()}
    assert programs >= {"ruff", "shellcheck", "actionlint", "zizmor", "pre-commit"}
    everything = (ROOT / ".ci/run").read_text("utf-8")
    for called in ("step .ci/lint\n", "later mypy mypy\n", "later pyright .ci/types "):
        assert f"\n{called}" in everything
    types = (ROOT / ".ci/types").read_text("utf-8")
    assert "for platform in Linux Darwin Windows; do" in types
    assert "\n.ci/lint\n" in (ROOT / ".ci/fast").read_text("utf-8")


def test_pre_commit_runs_the_scripts_of_ci():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert (ROOT / hook["entry"].removeprefix("bash ")).is_file()
