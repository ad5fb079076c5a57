"""init on computers of three kinds: what it writes, what it leaves alone, what it refuses."""

import json
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from hailuo_mcp.catalog.mcp_clients import ClientSetup, client_setups
from hailuo_mcp.cli.set_up.init.command import client_named
from hailuo_mcp.cli.set_up.init.config_file import config_path
from hailuo_mcp.cli.set_up.init.configure import Outcome, configure
from hailuo_mcp.cli.set_up.init.entry import PLACEHOLDER
from hailuo_mcp.cli.set_up.system import System, launcher
from hailuo_mcp.errors import ConfigError

from .homes import CLAUDE, HOMES, linux, mac, program, windows

NOTHING = {}
NAMES = [app.name for app in client_setups()]
ONE_OTHER = (
    '{\n\t"mcpServers": {\n\t\t"files": {"command": "npx", "args": ["-y", "x"]}\n\t},\n'
    '\t"theme":   "dark"\n}'
)


@pytest.fixture(params=HOMES)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    return HOMES[request.param](tmp_path)


def servers(app: ClientSetup, path: Path) -> dict:
    text = path.read_text("utf-8")
    return (tomllib.loads(text) if app.format == "toml" else json.loads(text))[app.key]


def test_every_client_is_set_up_from_nothing_on_every_platform(system: System):
    for name in NAMES:
        app = client_named(name)
        outcome = configure(app, system, NOTHING)
        assert outcome.status == "written"
        assert outcome.backup is None
        entry = servers(app, outcome.path)["hailuo"]
        assert Path(entry["command"]).is_file()
        assert entry["env"]["HAILUO_PROVIDER"] == "minimax-cn"
        assert entry["env"]["HAILUO_BUDGET"] == "50"
        assert outcome.path.is_relative_to(system.home)


def test_a_second_run_changes_nothing(system: System):
    for name in NAMES:
        path = configure(client_named(name), system, NOTHING).path
        before = path.read_bytes(), sorted(path.parent.iterdir())
        assert configure(client_named(name), system, NOTHING).status == "unchanged"
        assert (path.read_bytes(), sorted(path.parent.iterdir())) == before


PLACES = {
    ("mac", "claude-desktop"): f"Library/Application Support/Claude/{CLAUDE}",
    ("mac", "vscode"): "Library/Application Support/Code/User/mcp.json",
    ("mac", "zed"): ".config/zed/settings.json",
    ("windows", "claude-desktop"): f"AppData/Roaming/Claude/{CLAUDE}",
    ("windows", "vscode"): "AppData/Roaming/Code/User/mcp.json",
    ("windows", "zed"): "AppData/Roaming/Zed/settings.json",
    ("linux", "claude-desktop"): f".config/Claude/{CLAUDE}",
    ("linux", "vscode"): ".config/Code/User/mcp.json",
    ("linux", "zed"): ".config/zed/settings.json",
    ("linux", "claude-code"): ".claude.json",
    ("mac", "cursor"): ".cursor/mcp.json",
    ("windows", "windsurf"): ".codeium/windsurf/mcp_config.json",
    ("windows", "codex"): ".codex/config.toml",
    ("linux", "gemini-cli"): ".gemini/settings.json",
}


@pytest.mark.parametrize(("home", "client"), PLACES)
def test_each_client_has_its_file_where_its_documents_say(tmp_path: Path, home: str, client: str):
    system = HOMES[home](tmp_path)
    assert config_path(client_named(client), system) == system.home / PLACES[home, client]


def test_the_packaged_claude_desktop_of_windows_is_written_in_its_container(tmp_path: Path):
    system = windows(tmp_path)
    local = system.home / "AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming"
    local.mkdir(parents=True)
    (system.home / "AppData/Roaming/Claude" / CLAUDE).write_text("{}")  # left by an older one
    assert config_path(client_named("claude-desktop"), system) == local / "Claude" / CLAUDE
    assert configure(client_named("claude-desktop"), system, NOTHING).status == "written"


def test_cline_is_written_where_it_has_its_data(tmp_path: Path):
    system = linux(tmp_path)
    extension = system.home / ".config/Code/User/globalStorage/saoudrizwan.claude-dev"
    extension.mkdir(parents=True)
    assert config_path(client_named("cline"), system).is_relative_to(extension)
    (system.home / ".cline/data").mkdir(parents=True)
    assert config_path(client_named("cline"), system).is_relative_to(system.home / ".cline")


def test_folders_that_a_person_has_moved_are_followed(tmp_path: Path):
    system = linux(tmp_path)
    moved = {"XDG_CONFIG_HOME": str(tmp_path / "cfg"), "CODEX_HOME": str(tmp_path / "cdx")}
    (tmp_path / "cdx").mkdir()
    system = replace(system, environ={**system.environ, **moved})
    assert config_path(client_named("zed"), system) == tmp_path / "cfg/zed/settings.json"
    assert config_path(client_named("codex"), system) == tmp_path / "cdx/config.toml"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_what_is_there_stays_byte_for_byte(system: System, ends: str, bom: str):
    app = client_named("claude-desktop")
    path = config_path(app, system)
    before = bom + ONE_OTHER.replace("\n", ends)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before.encode())
    outcome = configure(app, system, NOTHING, clock=lambda: 0.0)
    after = path.read_bytes().decode()
    head, tail = before.split("\n\t}," if ends == "\n" else "\r\n\t},")
    assert after.startswith(head + ",")
    assert after.endswith(f"{ends}\t}},{tail}")
    assert after.count("\n") == after.count(ends)
    assert servers(app, path)["files"] == {"command": "npx", "args": ["-y", "x"]} if not bom else 1
    assert outcome.backup is not None
    assert outcome.backup.read_bytes().decode() == before
    assert outcome.backup.name.startswith(f"{CLAUDE}.19")


def test_comments_and_other_tables_of_a_toml_file_stay(tmp_path: Path):
    system = mac(tmp_path)
    app = client_named("codex")
    before = '# mine\nmodel = "o"  # best\n\n[mcp_servers.files]\ncommand = "npx"\n'
    config_path(app, system).write_text(before)
    configure(app, system, NOTHING)
    after = config_path(app, system).read_text()
    assert after.startswith(before)
    assert servers(app, config_path(app, system))["hailuo"]["startup_timeout_sec"] == 60
    configure(app, system, {"HAILUO_BUDGET": "7"})
    changed = config_path(app, system).read_text()
    assert changed == after.replace('HAILUO_BUDGET = "50"', 'HAILUO_BUDGET = "7"')


def test_an_own_entry_keeps_what_works_and_gets_what_is_missing(system: System):
    app = client_named("cursor")
    mine = program(system.home / "venv" / ("hailuo-mcp.exe"))
    entry = {
        "command": str(mine),
        "args": ["serve"],
        "disabled": False,
        "env": {"HAILUO_API_KEY": "sk-real", "HAILUO_PROVIDER": "minimax-global", "X": "1"},
    }
    config_path(app, system).parent.mkdir(parents=True, exist_ok=True)
    config_path(app, system).write_text(json.dumps({"mcpServers": {"my hailuo-mcp": entry}}))
    configure(app, system, NOTHING)
    now = servers(app, config_path(app, system))
    assert list(now) == ["my hailuo-mcp"]
    expected = {**entry["env"], "HAILUO_BUDGET": "10", "HAILUO_BUDGET_PERIOD": "day"}
    assert now["my hailuo-mcp"] == {**entry, "env": expected}


def test_a_command_that_the_app_cannot_start_is_replaced(system: System):
    app = client_named("claude-desktop")
    gone = {"command": "/gone/hailuo-mcp", "args": [], "env": {"HAILUO_BUDGET": "3"}}
    config_path(app, system).parent.mkdir(parents=True, exist_ok=True)
    config_path(app, system).write_text(json.dumps({"mcpServers": {"hailuo": gone}}))
    configure(app, system, NOTHING)
    now = servers(app, config_path(app, system))["hailuo"]
    assert Path(now["command"]).is_file()
    assert now["env"]["HAILUO_BUDGET"] == "3"


@pytest.mark.parametrize(
    "broken",
    ['{"mcpServers": {,}}', '{"mcpServers": {', "[]", '{"mcpServers": []}', "hello", '{"a": 1} x'],
)
def test_a_broken_file_is_refused_in_one_sentence_and_left_alone(system: System, broken: str):
    app = client_named("claude-desktop")
    path = config_path(app, system)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(broken)
    with pytest.raises(ConfigError, match=r"is not valid JSON: .*Nothing was changed"):
        configure(app, system, NOTHING)
    assert path.read_text() == broken
    assert list(path.parent.iterdir()) == [path]
    assert configure(app, system, NOTHING, only_print=True).status == "printed"


def test_broken_toml_and_text_that_is_not_utf8_are_refused(tmp_path: Path):
    system = linux(tmp_path)
    config_path(client_named("codex"), system).write_text("[mcp_servers\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        configure(client_named("codex"), system, NOTHING)
    config_path(client_named("cursor"), system).write_bytes('{"a": "é"}'.encode("utf-16"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        configure(client_named("cursor"), system, NOTHING)


@pytest.mark.parametrize("text", ['{\n  // mine\n  "servers": {}\n}', '{"servers": {"a": {},},}'])
def test_json_with_comments_is_printed_for_instead_of_rewritten(system: System, text: str):
    app = client_named("vscode")
    path = config_path(app, system)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    outcome = configure(app, system, NOTHING)
    assert outcome.status == "refused"
    assert "comments" in outcome.why
    assert path.read_text() == text
    assert list(json.loads(outcome.paste)) == ["servers", "inputs"]


def test_a_read_only_file_is_printed_for(system: System):
    app = client_named("claude-desktop")
    path = config_path(app, system)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    path.chmod(stat.S_IRUSR)
    outcome = configure(app, system, NOTHING)
    assert outcome.status == "refused"
    assert "read-only" in outcome.why
    assert path.read_text() == "{}"
    assert list(path.parent.iterdir()) == [path]
    assert json.loads(outcome.paste)["mcpServers"]["hailuo"]


def test_a_linked_file_stays_a_link_and_private_files_stay_private(tmp_path: Path):
    system = mac(tmp_path)
    app = client_named("cursor")
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o600)
    config_path(app, system).symlink_to(real)
    assert configure(app, system, NOTHING).status == "written"
    assert config_path(app, system).is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert "hailuo" in json.loads(real.read_text())["mcpServers"]
    fresh = configure(client_named("windsurf"), system, NOTHING).path
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o600


def test_a_key_is_written_only_where_it_was_given_and_never_printed(system: System):
    app = client_named("claude-desktop")
    environ = {**system.environ, "HAILUO_API_KEY": "sk-of-the-shell"}
    system = replace(system, environ=environ)
    outcome = configure(app, system, NOTHING)
    assert servers(app, outcome.path)["hailuo"]["env"]["HAILUO_API_KEY"] == PLACEHOLDER
    outcome = configure(app, system, {"HAILUO_API_KEY": "sk-typed"})
    assert servers(app, outcome.path)["hailuo"]["env"]["HAILUO_API_KEY"] == "sk-typed"
    assert outcome.backup is not None
    again = configure(app, system, NOTHING, only_print=True)
    assert "sk-typed" not in again.paste
    assert PLACEHOLDER in again.paste


def test_vs_code_is_told_to_ask_for_the_key_itself(tmp_path: Path):
    system = mac(tmp_path)
    app = client_named("vscode")
    config_path(app, system).write_text('{\n  "inputs": [{"id": "other"}],\n  "servers": {}\n}\n')
    path = configure(app, system, NOTHING).path
    document = json.loads(path.read_text())
    assert document["servers"]["hailuo"]["type"] == "stdio"
    assert document["servers"]["hailuo"]["env"]["HAILUO_API_KEY"] == "${input:hailuo_api_key}"
    assert [row["id"] for row in document["inputs"]] == ["other", "hailuo_api_key"]
    assert configure(app, system, NOTHING).status == "unchanged"
    sandbox = {"HAILUO_PROVIDER": "sandbox"}
    configure(app, system, sandbox)
    assert "HAILUO_API_KEY" not in servers(app, path)["hailuo"]["env"]


def test_the_sandbox_is_set_up_without_a_key_and_told_to_be_free(tmp_path: Path):
    """Also where the file holds the example with its words in the key's place."""
    app, system = client_named("cursor"), linux(tmp_path)
    path = config_path(app, system)
    env = {"HAILUO_PROVIDER": "sandbox", "HAILUO_API_KEY": PLACEHOLDER}
    entry = {"command": "hailuo-mcp", "args": [], "env": env}
    path.write_text(json.dumps({app.key: {"hailuo": entry}}))

    outcome = configure(app, system, NOTHING)

    assert "HAILUO_API_KEY" not in outcome.entry.env
    (told,) = [note for note in outcome.notes if "key" in note]
    assert "free" in told
    assert "init cursor --provider minimax-cn" in told


def test_a_provider_without_prices_gets_no_budget_that_would_refuse_everything(tmp_path: Path):
    outcome = configure(client_named("cursor"), linux(tmp_path), {"HAILUO_PROVIDER": "hingnet"})
    assert "HAILUO_BUDGET" not in outcome.entry.env
    assert any("HAILUO_UNPRICED_COST" in note for note in outcome.notes)


def test_a_budget_that_changes_its_currency_is_pointed_out(tmp_path: Path):
    system = linux(tmp_path)
    configure(client_named("cursor"), system, NOTHING)
    wishes = {"HAILUO_PROVIDER": "minimax-global"}
    notes = configure(client_named("cursor"), system, wishes).notes
    assert any("an amount in CNY and is now one in USD" in note for note in notes)


def test_settings_that_the_server_would_refuse_are_refused_before_anything_is_written(
    tmp_path: Path,
):
    system = linux(tmp_path)
    for wrong in ({"HAILUO_PROVIDER": "minimaxx"}, {"HAILUO_BUDGET": "much"}, {"HAILUO_PLAN": "x"}):
        with pytest.raises(ConfigError):
            configure(client_named("cursor"), system, wrong)
    assert not config_path(client_named("cursor"), system).exists()


def test_a_misspelt_client_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean cursor"):
        client_named("cursr")
    assert client_named("Claude Desktop").name == "claude-desktop"
    assert client_named("claude").name == "claude-desktop"


def test_the_launcher_is_an_absolute_path_that_a_login_less_app_can_start(system: System):
    start = launcher(system)
    assert Path(start.command).is_absolute()
    assert Path(start.command).is_file()
    assert start.lasts


def test_without_a_script_the_module_is_started_by_this_python(system: System):
    system = replace(system, called=str(system.home / "x/__main__.py"))
    start = launcher(system)
    assert (start.command, start.args) == (system.executable, ("-m", "hailuo_mcp"))


@pytest.mark.parametrize(
    ("runner", "cache", "args"),
    [
        ("uvx", ".cache/uv/archive-v0/Ab3/bin", ("--from", "hailuo-mcp[media]", "hailuo-mcp")),
        (
            "pipx",
            ".local/state/pipx/.cache/4f/bin",
            ("run", "--spec", "hailuo-mcp[media]", "hailuo-mcp"),
        ),
    ],
)
def test_a_copy_in_a_cache_is_started_through_its_runner(
    tmp_path: Path, runner: str, cache: str, args: tuple[str, ...]
):
    system = linux(tmp_path)
    cached = program(system.home / cache / "hailuo-mcp")
    system = replace(system, called=str(cached), executable=str(cached.parent / "python"))
    assert not launcher(system).lasts
    installed = program(tmp_path / "bin" / runner)
    start = launcher(system)
    assert (start.command, start.args, start.lasts) == (str(installed), args, True)


def test_what_is_pasted_by_hand_makes_the_same_entry(system: System):
    for name in NAMES:
        app = client_named(name)
        printed: Outcome = configure(app, system, NOTHING, only_print=True)
        parsed = tomllib.loads(printed.paste) if app.format == "toml" else json.loads(printed.paste)
        written = configure(app, system, NOTHING)
        assert parsed[app.key] == servers(app, written.path)
