"""tenant: the file of tenants from the shell, and a server that takes it over."""

from __future__ import annotations

import hashlib
import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def file(program: Any, tmp_path: Path) -> Path:
    path = tmp_path / "tenants.toml"
    program.environ["HAILUO_TENANTS"] = str(path)
    return path


def tables(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text())["tenants"]


def hashed(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.strip().encode()).hexdigest()}"


def test_add_makes_the_file_and_prints_the_token_alone_and_once(program: Any, file: Path) -> None:
    ran = program(
        *("tenant", "add", "acme", "--budget", "20", "--budget-period", "total", "--rpm", "3"),
        *("--confirm-above", "2.50", "--folder", "of/acme", "--plan", "基础包"),
    )
    assert ran.code == 0
    token = ran.out.removesuffix("\n")
    assert len(token) == 64
    assert token not in ran.err
    assert token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert tables(file) == {
        "acme": {
            "tokens": [hashed(token)],
            "budget": 20,
            "budget_period": "total",
            "rpm": 3,
            "confirm_above": 2.5,
            "folder": "of/acme",
            "plan": "基础包",
        }
    }


def test_a_change_keeps_comments_and_whose_file_it_is(program: Any, file: Path) -> None:
    file.write_text("# ours\n[tenants.old] # the first\nbudget = 5 # a week\n")
    file.chmod(0o640)
    token = program("tenant", "add", "new").out
    text = file.read_text()
    assert "# ours\n[tenants.old] # the first\nbudget = 5 # a week\n" in text
    assert hashed(token) in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_rotate_replaces_the_token_or_adds_one(program: Any, file: Path) -> None:
    first = program("tenant", "add", "acme", "--json").answer
    assert first.keys() == {"tenant", "token"}
    second = program("tenant", "rotate", "acme", "--keep-old").out
    assert tables(file)["acme"]["tokens"] == [hashed(first["token"]), hashed(second)]
    third = program("tenant", "rotate", "acme").out
    assert tables(file)["acme"]["tokens"] == [hashed(third)]


def test_remove_takes_a_tenant_out_and_leaves_the_others(program: Any, file: Path) -> None:
    for name in ("acme", "bird"):
        assert program("tenant", "add", name).code == 0
    assert program("tenant", "remove", "acme").code == 0
    assert list(tables(file)) == ["bird"]
    assert program("tenant", "remove", "bird").code == 0
    assert program("tenant", "list").out.startswith("There is no tenant in")


def test_list_shows_what_each_has_spent(program: Any, file: Path) -> None:
    program("tenant", "add", "acme", "--budget", "20", "--budget-period", "total")
    program("tenant", "add", "coco", "--provider", "minimax-cn", "--api-key-env", "COCO_KEY")
    listed = program("tenant", "list", "--json").answer["tenants"]
    acme, coco = listed
    assert (acme["budget"], acme["tokens"], acme["provider"]) == ("20", 1, "sandbox")
    assert acme["spending"]["left"] == "20"
    assert "COCO_KEY" in coco["fault"]
    shown = program("tenant", "list", COCO_KEY="a key")
    assert shown.code == 0
    assert [line.split("\t")[0] for line in shown.out.splitlines()] == ["Tenant", "acme", "coco"]


REFUSED = [
    (("add", "Acme"), "Acme"),
    (("add", "acme", "--folder", "../x"), "folder"),
    (("add", "acme", "--plan", "gold"), "plan"),
    (("add", "acme", "--provider", "nobody"), "provider"),
    (("add", "acme", "--budget", "ten"), "budget"),
    (("add", "acme", "--budget-period", "day"), "budget_period"),
    (("add", "acme", "--api-key-env", "sk-a-key-in-the-clear"), "api_key_env"),
    (("add",), "name"),
    (("rotate", "nobody"), "cannot be read"),
    (("remove", "nobody"), "cannot be read"),
]


@pytest.mark.parametrize(("argv", "named"), REFUSED)
def test_what_cannot_be_used_is_refused_and_writes_nothing(
    program: Any, file: Path, argv: tuple[str, ...], named: str
) -> None:
    ran = program("tenant", *argv)
    assert (ran.code, ran.out) == (2, "")
    assert named in ran.err
    assert "in-the-clear" not in ran.err
    assert not file.exists()


def test_what_is_there_is_not_added_and_what_is_not_there_not_changed(
    program: Any, file: Path
) -> None:
    program("tenant", "add", "acme")
    before = file.read_bytes()
    for argv in (("add", "acme"), ("rotate", "bird"), ("remove", "bird")):
        assert program("tenant", *argv).code == 2
    file.write_text("[tenants.acme")
    assert program("tenant", "add", "bird").code == 2
    assert file.read_text() == "[tenants.acme"
    assert before


def test_without_the_variable_the_file_is_named_or_asked_for(program: Any, tmp_path: Path) -> None:
    refused = program("tenant", "add", "acme")
    assert (refused.code, "HAILUO_TENANTS=" in refused.err) == (2, True)
    named = program("tenant", "add", "acme", "--file", "own.toml")
    assert named.code == 0
    assert "acme" in tables(program.cwd / "own.toml")
    assert f"HAILUO_TENANTS={program.cwd / 'own.toml'}" in named.err


def test_two_at_once_do_not_lose_one(program: Any, file: Path) -> None:
    names = [f"t{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        ran = list(pool.map(lambda name: program("tenant", "add", name), names))
    assert [one.code for one in ran] == [0] * 6
    assert sorted(tables(file)) == names
    assert [path.name for path in file.parent.glob("*tenants.toml*")] in (
        ["tenants.toml", ".tenants.toml.lock"],
        [".tenants.toml.lock", "tenants.toml"],
    )


def test_the_doctor_names_what_is_wrong_with_a_tenant(program: Any, file: Path) -> None:
    program("tenant", "add", "acme")
    assert "1 in" in program("doctor").out
    program("tenant", "add", "coco", "--provider", "minimax-cn", "--api-key-env", "COCO_KEY")
    found = program("doctor").out
    assert "COCO_KEY, which is not set" in " ".join(found.split())
    wrong = program("doctor", COCO_KEY="[sandbox:1004]")
    assert "coco" in wrong.out
    file.write_text("[tenants.acme]\nbudgte = 3")
    broken = program("doctor")
    assert (broken.code, "budgte" in broken.out) == (1, True)
