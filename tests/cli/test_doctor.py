"""doctor on computers of three kinds: each thing that can be wrong is named with what to do."""

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from buckets import S3
from until import until_now

from hailuo_mcp.cli.set_up.doctor.command import environ_of
from hailuo_mcp.cli.set_up.doctor.installation import (
    check_clients,
    check_media,
    check_program,
    clients_with_key,
)
from hailuo_mcp.cli.set_up.doctor.journal import check_journal, tasks
from hailuo_mcp.cli.set_up.doctor.result import Level, Result
from hailuo_mcp.cli.set_up.doctor.settings import (
    check_bucket,
    check_folders,
    check_http,
    check_settings,
)
from hailuo_mcp.cli.set_up.init.command import client_named
from hailuo_mcp.cli.set_up.init.config_file import config_path
from hailuo_mcp.cli.set_up.init.configure import configure
from hailuo_mcp.cli.set_up.init.entry import PLACEHOLDER
from hailuo_mcp.cli.set_up.system import System
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.journal.sql.contents import Contents
from hailuo_mcp.journal.sqlite.processes import ProcessLocks
from hailuo_mcp.journal.sqlite.schema import VERSION
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME
from hailuo_mcp.settings import Settings

from .homes import HOMES, linux, mac, program

KEY = "sk-good-key"


@pytest.fixture(params=HOMES)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    return HOMES[request.param](tmp_path)


def settings(folder: Path, **more: str) -> Settings:
    given = {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_STATE_DIR": str(folder / "state"),
        "HAILUO_OUTPUT_DIR": str(folder / "clips"),
    }
    return Settings.from_env({**given, **more})


def bad(findings: list[Result], level: Level = Level.PROBLEM) -> list[str]:
    return [finding.message for finding in findings if finding.level is level]


def examined(environ: Mapping[str, str]) -> list[Result]:
    return check_settings(environ, {})[1]


@pytest.mark.anyio
async def test_a_bucket_is_written_to_and_what_is_wrong_with_it_is_said(tmp_path: Path, s3: S3):
    given = settings(tmp_path, HAILUO_FILES=s3.url)
    (found,) = await check_bucket(given)
    assert (found.level, found.message) == (Level.OK, f"clips: {s3.url} (can be written to)")
    s3.remove()
    (found,) = await check_bucket(given)
    assert found.level is Level.PROBLEM
    assert "there is no such bucket" in found.message
    assert await check_bucket(settings(tmp_path)) == []
    assert [it.message.split(":")[0] for it in check_folders(given, {})] == ["journal"]


# ── the program ───────────────────────────────────────────────────────────────────────────────


def test_an_installed_copy_is_found_on_every_platform(system: System):
    findings = [*check_program(system)]
    assert bad(findings) == bad(findings, Level.NOTE) == []
    assert "Python 3.12.1" in findings[0].message


def test_an_old_python_is_a_problem(system: System):
    assert "too old" in bad([*check_program(replace(system, version=(3, 10, 9)))])[0]


def test_a_runner_that_only_a_shell_finds_is_named_with_its_path(tmp_path: Path):
    system = mac(tmp_path)
    uvx = program(system.home / ".local/bin/uvx")
    (finding,) = [f for f in [*check_program(system)] if f.level is Level.NOTE]
    assert str(uvx) in finding.fix
    assert "ENOENT" in finding.fix


def test_a_folder_that_macos_guards_is_pointed_out(tmp_path: Path):
    system = mac(tmp_path)
    inside = program(system.home / "Documents/venv/bin/hailuo-mcp")
    assert "Documents" in bad([*check_program(replace(system, called=str(inside)))], Level.NOTE)[0]


def test_a_missing_media_extra_is_worth_knowing(system: System):
    assert next(check_media(system)).level is Level.OK
    (finding,) = [*check_media(replace(system, has_media=False))]
    assert finding.level is Level.NOTE
    assert "hailuo-mcp[media]" in finding.fix


# ── the settings ──────────────────────────────────────────────────────────────────────────────


def test_good_settings_are_one_line():
    findings = examined({"HAILUO_API_KEY": KEY, "HAILUO_BUDGET": "50", "PATH": "/bin"})
    assert [f.message for f in findings] == ["provider minimax-cn, plan payg, budget 50 a day"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("HAILUO_BUGET", "HAILUO_BUDGET"),
        ("HAILUO_APIKEY", "HAILUO_API_KEY"),
        ("HAILOU_API_KEY", "HAILUO_API_KEY"),
        ("HAILUO_OUTPUT_DIRECTORY", "HAILUO_OUTPUT_DIR"),
        ("HAILUO_RESOURCE_MODE_OF_OTHERS", "does nothing."),
    ],
)
def test_a_misspelt_variable_is_a_problem_with_the_nearest_name(wrong: str, right: str):
    (said,) = bad(examined({wrong: "secret-value", "HAILUO_BUDGET": "1"}))
    assert wrong in said
    assert right in said
    assert "secret-value" not in said


def test_variables_of_others_are_left_alone():
    env = {"HAIR": "1", "MINIMAX_API_KEY": KEY, "MINIMAX_MCP_BASE_PATH": "/x", "HAILUO_BUDGET": "1"}
    assert [f.level for f in examined(env)] == [Level.OK]


def test_empty_and_unsubstituted_values_are_said_to_count_as_unset():
    findings = examined({"HAILUO_BUDGET": " ", "HAILUO_PLAN": "${user_config.plan}"})
    notes = bad(findings, Level.NOTE)
    assert "HAILUO_BUDGET is empty and counts as unset." in notes
    assert any("${user_config.plan}" in text for text in notes)


@pytest.mark.parametrize("key", ["put your key here", "YOUR_API_KEY", "<key>", "sk-xxxx"])
def test_the_examples_words_instead_of_a_key_are_a_problem(key: str):
    assert "instead of a key" in bad(examined({"HAILUO_API_KEY": key, "HAILUO_BUDGET": "1"}))[0]


def test_settings_that_cannot_be_used_name_their_variable():
    read, findings = check_settings({"HAILUO_BUDGET": "much"}, {})
    assert read is None
    (finding,) = [finding for finding in findings if finding.level is Level.PROBLEM]
    assert "budget is not an amount" in finding.message
    assert "HAILUO_BUDGET" in finding.fix


def test_a_budget_that_would_refuse_every_clip_is_a_problem():
    env = {"HAILUO_PROVIDER": "hingnet", "HAILUO_BUDGET": "5"}
    assert "publishes no prices" in bad(examined(env))[0]
    assert bad(examined({**env, "HAILUO_UNPRICED_COST": "1"})) == []


def test_the_examples_words_for_a_key_are_good_enough_for_the_sandbox():
    environ = {"HAILUO_API_KEY": PLACEHOLDER}
    assert "example's placeholder" in bad(examined(environ))[0]
    assert bad(examined({**environ, "HAILUO_PROVIDER": "sandbox"})) == []
    assert bad(check_settings(environ, {"provider": "sandbox"})[1]) == []


def test_no_budget_is_worth_knowing_but_not_for_the_free_sandbox():
    assert bad(examined({}), Level.NOTE) == ["Nothing limits what may be spent."]
    assert bad(examined({"HAILUO_PROVIDER": "sandbox"}), Level.NOTE) == []


def test_the_http_servers_settings_are_looked_at_where_there_are_any(tmp_path: Path):
    assert [*check_http(settings(tmp_path))] == []
    good = settings(tmp_path, HAILUO_HTTP_TOKENS="mei:" + "x" * 32)
    assert next(check_http(good)).level is Level.OK
    short = settings(tmp_path, HAILUO_HTTP_TOKENS="mei:abc")
    assert "guessed: mei" in bad([*check_http(short)], Level.NOTE)[0]
    bare = settings(tmp_path, HAILUO_ALLOWED_HOSTS="video.example")
    assert "without" in bad([*check_http(bare)], Level.NOTE)[0]
    for url in ("http://video.example", "https://10.0.0.1", "https://localhost:1", "https://nas"):
        assert "cannot" not in url
        assert bad([*check_http(settings(tmp_path, HAILUO_CALLBACK_URL=url))])
    public = settings(tmp_path, HAILUO_CALLBACK_URL="https://video.example/x")
    assert bad([*check_http(public)]) == []


def test_an_issuer_guards_the_http_server_if_it_is_known_for_whom_its_tokens_are(tmp_path: Path):
    environ = {
        "HAILUO_OAUTH_ISSUER": "https://login.example",
        "HAILUO_ALLOWED_HOSTS": "video.example",
    }
    unclear = settings(tmp_path, **environ)
    assert "for whom" in bad([*check_http(unclear)])[0]
    clear = settings(tmp_path, **environ, HAILUO_OAUTH_AUDIENCE="hailuo")
    (found,) = check_http(clear)
    assert (found.level, "https://login.example" in found.message) == (Level.OK, True)


# ── the folders and the journal ───────────────────────────────────────────────────────────────


def test_folders_are_tried_without_being_made(tmp_path: Path):
    findings = [*check_folders(settings(tmp_path), {})]
    assert [f.level for f in findings] == [Level.OK, Level.OK]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_and_one_that_is_missing_are_named(tmp_path: Path):
    (tmp_path / "clips").write_text("")
    env = {"HAILUO_ALLOWED_DIRS": str(tmp_path / "gone")}
    findings = [*check_folders(settings(tmp_path, **env), env)]
    assert "clips for clips cannot be written" in bad(findings)[0]
    assert "HAILUO_OUTPUT_DIR" in next(f.fix for f in findings if f.level is Level.PROBLEM)
    assert "gone of HAILUO_ALLOWED_DIRS does not exist" in bad(findings, Level.NOTE)[0]


def test_no_journal_yet_is_fine_and_none_is_made(tmp_path: Path):
    assert next(check_journal(settings(tmp_path), 0.0)).level is Level.OK
    assert not (tmp_path / "state").exists()


def test_a_store_without_a_file_is_said_and_not_looked_for(tmp_path: Path, monkeypatch):
    def elsewhere(_settings):
        raise ConfigError("The journal is in a database.")

    monkeypatch.setattr("hailuo_mcp.cli.set_up.doctor.journal.journal_file", elsewhere)
    (told,) = check_journal(settings(tmp_path), 0.0)
    assert (told.level, told.message) == (Level.NOTE, "The journal is in a database.")


def made_journal(folder: Path) -> Path:
    async def make() -> None:
        journal = SqliteStore(folder / "state" / FILE_NAME)
        await journal.open()
        await journal.register("1-gone", account="a b c", provider="a", base_url="b", pid=1, now=0)
        await journal.close()

    anyio.run(make)
    return folder / "state" / FILE_NAME


def add_task(path: Path, task_id: str, **values: object) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        columns = [(row[1], row[2], row[3]) for row in db.execute("PRAGMA table_info(tasks)")]
        zero = {"TEXT": "", "INTEGER": 0, "REAL": 0.0}
        row = {name: zero[kind] for name, kind, needed in columns if needed} | {"task_id": task_id}
        row |= {"mode": "t2v", "unit": "CNY", "money": "reserved"}
        row |= {"warnings": "[]", "candidates": "[]"} | values
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO tasks ({', '.join(row)}) VALUES ({marks})", [*row.values()])


def test_unfinished_and_unconfirmed_tasks_are_counted_with_the_command_for_them(tmp_path: Path):
    path = made_journal(tmp_path)
    assert bad([*check_journal(settings(tmp_path), 0.0)], Level.NOTE) == []
    add_task(path, "a", status="running", created_at=0.0)
    add_task(path, "b", status="queued", created_at=1e9)
    add_task(path, "c", status="unconfirmed")
    add_task(path, "d", status="succeeded", due_at=5.0)
    add_task(path, "e", status="failed")
    findings = [*check_journal(settings(tmp_path), 1e9)]
    told = {f.message: f.fix for f in findings if f.level is Level.NOTE}
    unfinished, old, unconfirmed = told
    assert unfinished.startswith("2 unfinished, 1 finished but not saved")
    assert old.startswith("1 of them")
    assert unconfirmed.startswith("1 unconfirmed")
    assert "hailuo-mcp settle" in told[unconfirmed]
    assert "5 tasks" in findings[0].message


def test_films_that_are_to_be_joined_are_counted_too():
    (found,) = tasks(Contents(version=VERSION, counts={"succeeded": 3}, films_due=2))
    assert "2 films" in found.message
    assert "tasks --wait" in found.fix


def test_processes_that_live_are_told_from_those_that_ended(tmp_path: Path):
    path = made_journal(tmp_path)
    # A program that another test is just starting may hold this one's lock for a moment.
    until_now(lambda: "no other" in [*check_journal(settings(tmp_path), 0.0)][-1].message)
    processes = ProcessLocks(tmp_path / "state" / "processes")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO owners VALUES (?, 'minimax-cn x y', 77, 0)", ("77-other",))
    processes.hold("77-other")
    found = [*check_journal(settings(tmp_path), 0.0)][-1].message
    processes.release("77-other")
    assert "1 running on this journal: pid 77 (minimax-cn" in found


def test_a_damaged_a_newer_and_a_set_aside_journal_are_told_apart(tmp_path: Path):
    path = made_journal(tmp_path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
        db.execute("UPDATE shape SET readable_since = ?", (VERSION + 1,))
    assert "newer hailuo-mcp" in bad([*check_journal(settings(tmp_path), 0.0)])[0]
    path.write_bytes(b"not a database at all" * 300)
    (path.parent / "journal-unreadable-1.sqlite3").touch(mode=0o600)
    findings = [*check_journal(settings(tmp_path), 0.0)]
    assert "is damaged" in bad(findings)[0]
    assert "set aside" in bad(findings, Level.NOTE)[0]
    assert path.read_bytes().startswith(b"not a database")


def _problems(folder: Path) -> list[Result]:
    findings = [*check_journal(settings(folder), 0.0)]
    return [finding for finding in findings if finding.level is Level.PROBLEM]


def test_a_journal_that_is_gone_or_has_lost_tasks_is_a_problem_with_its_command(tmp_path: Path):
    path = made_journal(tmp_path)
    add_task(path, "a", status="running", created_at=0.0)
    made_journal(tmp_path)
    path.unlink()
    (finding,) = _problems(tmp_path)
    assert "was deleted or emptied" in finding.message
    made_journal(tmp_path)
    (finding,) = _problems(tmp_path)
    assert "1 of 1 tasks may be lost" in finding.message
    assert "hailuo-mcp journal accept" in finding.fix


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_state_folder_that_others_may_read_is_a_problem(tmp_path: Path):
    path = made_journal(tmp_path)
    assert bad([*check_journal(settings(tmp_path), 0.0)]) == []
    path.chmod(0o644)
    assert "Other users of this computer" in bad([*check_journal(settings(tmp_path), 0.0)])[0]


# ── the clients ───────────────────────────────────────────────────────────────────────────────


def test_no_client_set_up_is_worth_knowing(system: System):
    (finding,) = [*check_clients(system)]
    assert finding.level is Level.NOTE
    assert "init" in finding.fix


def test_what_init_writes_doctor_approves(system: System):
    for name in ("claude-desktop", "claude-code", "vscode", "cursor", "codex", "zed"):
        configure(client_named(name), system, {"HAILUO_API_KEY": KEY})
    findings = [*check_clients(system)]
    assert [f.level for f in findings] == [Level.OK] * 6
    assert "claude-desktop" in [*clients_with_key(system)]


def configured(system: System, name: str, entry: Mapping[str, object]) -> None:
    app = client_named(name)
    config_path(app, system).parent.mkdir(parents=True, exist_ok=True)
    config_path(app, system).write_text(json.dumps({app.key: {"hailuo": entry}}))


def test_a_command_that_is_gone_is_a_problem(system: System):
    configured(system, "cursor", {"command": str(system.home / "gone/hailuo-mcp")})
    (finding,) = [*check_clients(system)]
    assert finding.level is Level.PROBLEM
    assert "hailuo-mcp init cursor" in finding.fix


def test_a_bare_name_that_only_a_shell_finds_is_spawn_enoent(tmp_path: Path):
    system = mac(tmp_path)
    configured(system, "claude-desktop", {"command": "hailuo-mcp"})
    configured(system, "claude-code", {"command": "hailuo-mcp"})  # started from a shell
    desktop, code = [*check_clients(system)]
    assert (desktop.level, code.level) == (Level.PROBLEM, Level.OK)
    assert "ENOENT" in desktop.message
    assert str(system.home / ".local/bin/hailuo-mcp") in desktop.fix


def test_a_clients_own_variables_are_examined_like_the_shells(tmp_path: Path):
    system = linux(tmp_path)
    command = str(system.home / ".local/bin/hailuo-mcp")
    env = {"HAILUO_BUGET": "5", "HAILUO_API_KEY": "put your key here", "HAILUO_PLAN": "${env:P}"}
    configured(system, "cursor", {"command": command, "env": env})
    said = bad([*check_clients(system)])
    assert any("HAILUO_BUGET in Cursor's configuration" in text for text in said)
    assert any("instead of a key" in text for text in said)
    assert len(said) == 2


def test_a_broken_client_file_is_a_problem_and_the_others_are_still_seen(system: System):
    app = client_named("claude-desktop")
    config_path(app, system).parent.mkdir(parents=True, exist_ok=True)
    config_path(app, system).write_text("{")
    configure(client_named("cursor"), system, {"HAILUO_API_KEY": KEY})
    broken, good = [*check_clients(system)]
    assert "not valid JSON" in broken.message
    assert good.level is Level.OK


def test_comments_do_not_hide_an_entry(tmp_path: Path):
    system = linux(tmp_path)
    app = client_named("zed")
    command = system.home / ".local/bin/hailuo-mcp"
    config_path(app, system).write_text(
        f'// Zed\n{{"context_servers": {{"hailuo": {{"command": "{command}",}},}},}}'
    )
    assert next(check_clients(system)).message == f"Zed starts {command}"


def test_a_clients_settings_can_be_examined_in_place_of_the_shells(tmp_path: Path):
    system = linux(tmp_path)
    shell = {"HAILUO_API_KEY": "sk-shell", "MINIMAX_API_HOST": "x"}
    system = replace(system, environ={**system.environ, **shell})
    with pytest.raises(ConfigError, match="not set up for hailuo-mcp") as refused:
        environ_of("cursor", system)
    assert "hailuo-mcp init cursor" in refused.value.then[0].about
    configure(client_named("cursor"), system, {"HAILUO_BUDGET": "9", "HAILUO_API_KEY": KEY})
    environ, asks = environ_of("cursor", system)
    assert not asks
    assert environ["HAILUO_API_KEY"] == KEY
    assert environ["HAILUO_BUDGET"] == "9"
    assert "MINIMAX_API_HOST" not in environ
    configure(client_named("vscode"), system, {})
    environ, asks = environ_of("vscode", system)
    assert asks
    assert "HAILUO_API_KEY" not in environ


@pytest.mark.parametrize(("name", "seen"), [("cursor", False), ("claude-code", True)])
def test_a_shells_proxies_are_not_taken_for_those_of_an_app_from_the_dock(
    name: str, seen: bool, tmp_path: Path
):
    system = linux(tmp_path)
    system = replace(system, environ={**system.environ, "https_proxy": "http://127.0.0.1:7890"})
    configure(client_named(name), system, {"HAILUO_API_KEY": KEY})
    assert ("https_proxy" in environ_of(name, system)[0]) is seen
