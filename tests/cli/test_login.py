"""login, logout and config: what is kept where, what is refused, and that no key ever shows."""

from __future__ import annotations

import stat
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailingKeyring

from hailuo_mcp.cli import main
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.parsing import parser
from hailuo_mcp.cli.set_up import config
from hailuo_mcp.cli.set_up.doctor.configuration import read_for_check
from hailuo_mcp.cli.set_up.init.command import client_named
from hailuo_mcp.cli.set_up.init.configure import configure
from hailuo_mcp.cli.set_up.init.entry import KEY, PLACEHOLDER
from hailuo_mcp.cli.set_up.kept import changing_section, forget, keep_account
from hailuo_mcp.cli.set_up.login import accepting, candidates_of
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    HailuoError,
    InvalidRequestError,
    ProviderUnavailableError,
)
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.config_file import Configuration, config_path, parse, read_configuration

from .homes import HOMES, linux

KEY_TEXT = "sk-planted-7c1f"
PATH = Path("/there/config.toml")


def kept(text: str) -> Configuration:
    return Configuration(path=PATH, table=parse(PATH, text.encode()))


def file_of(program) -> Path:
    return Path(program.environ["HOME"], ".config", "hailuo-mcp", "config.toml")


def kept_in(program) -> dict[str, Any]:
    return tomllib.loads(file_of(program).read_text("utf-8"))


@pytest.fixture
def served(idle, serve: Callable[..., Any]):
    """The program with a provider's address that is a served sandbox, and no key."""
    idle.environ["HAILUO_BASE_URL"] = serve().base_url
    return idle


# ── in the shell ──────────────────────────────────────────────────────────────────────────────


def test_a_key_is_tried_kept_used_and_forgotten_and_never_shown(served):
    seen = [served("login", "--key-stdin", typed=f"{KEY_TEXT}\n")]
    assert seen[0].code == 0, seen[0].err
    url = served.environ.pop("HAILUO_BASE_URL")
    assert kept_in(served) == {"provider": "minimax-cn", "base_url": url, "api_key": KEY_TEXT}
    assert stat.S_IMODE(file_of(served).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(served).parent.stat().st_mode) == 0o700

    looks = (["config"], ["config", "--json"], ["config", "get", "api_key"], ["doctor"])
    seen += [served(*argv) for argv in looks]
    assert "accepted" in seen[-1].out
    assert f"from {file_of(served)}" in seen[-1].out

    seen.append(served("logout", HAILUO_API_KEY="sk-other"))
    assert "HAILUO_API_KEY in this shell still gives one" in seen[-1].err
    assert f"The address {url}, which was kept with it, is forgotten" in seen[-1].err
    assert kept_in(served) == {"provider": "minimax-cn"}
    seen.append(served("tasks", "--wait", "--json", HAILUO_BASE_URL=url))
    seen.append(served("query", "provider-id", HAILUO_BASE_URL=url))
    assert "hailuo-mcp login" in seen[-1].err.replace("\n", " ") or "login`" in seen[-1].err
    assert all(KEY_TEXT not in ran.out + ran.err for ran in seen)


def test_an_address_that_was_kept_before_is_told_before_the_key_is_tried(idle):
    idle("config", "set", "base_url", "http://127.0.0.1:9")
    ran = idle("login", "--key-stdin", typed=f"{KEY_TEXT}\n")
    assert ran.err.startswith("Note: the key will be used at http://127.0.0.1:9, kept before; ")
    assert "config unset base_url" in ran.err
    other = idle("login", "--key-stdin", "--base-url", "http://127.0.0.1:7", typed=KEY_TEXT)
    assert "kept before" not in other.err
    assert "http://127.0.0.1:9 is still kept" in idle("logout").err


def test_a_refused_key_is_not_kept(served):
    ran = served("login", "--key-stdin", "--json", typed="sk-bad-planted\n")
    assert ran.code == 2
    assert ran.answer["error"] == {"code": "authentication", "charged": "no", "retry": False}
    assert "not kept" in ran.answer["message"]
    assert "sk-bad-planted" not in ran.out + ran.err
    assert not file_of(served).exists()


def test_a_provider_that_is_not_reached_keeps_nothing_unless_that_is_asked_for(idle):
    nobody = {"HAILUO_BASE_URL": "http://127.0.0.1:9"}
    ran = idle("login", "--key-stdin", typed=f"{KEY_TEXT}\n", **nobody)
    assert ran.code == 1
    assert "could not be tried, and was not kept" in ran.err.replace("\n", " ")
    assert not file_of(idle).exists()
    assert idle("login", "--key-stdin", "--no-check", typed=KEY_TEXT, **nobody).code == 0
    assert kept_in(idle)["api_key"] == KEY_TEXT


@pytest.mark.parametrize("typed", ["", "put your key here", "sk 1", "钥匙", "${KEY}"])
def test_what_is_no_key_is_refused_before_anything_is_sent(idle, typed):
    ran = idle("login", "--key-stdin", typed=typed, HAILUO_BASE_URL="http://127.0.0.1:9")
    assert ran.code == 2
    assert not file_of(idle).exists()


def test_without_a_terminal_the_way_for_scripts_is_named(idle):
    ran = idle("login")
    assert ran.code == 2
    assert "--key-stdin" in ran.err
    both = idle("login", "--key-stdin", "--no-check", typed=KEY_TEXT)
    assert "--provider minimax-cn or --provider minimax-global" in both.err.replace("\n", " ")


def test_a_variable_that_comes_before_the_kept_key_is_told(served):
    ran = served("login", "--key-stdin", "--json", typed=KEY_TEXT, HAILUO_API_KEY="sk-variable")
    assert ran.answer["overridden_by"] == ["HAILUO_API_KEY"]
    assert ran.answer["key_in"] == "file"
    assert served("login", "--key-stdin", "--json", typed=KEY_TEXT).answer["overridden_by"] == []


def test_profiles_keep_several_keys_and_comments_stay(served):
    file_of(served).parent.mkdir(parents=True)
    file_of(served).write_text('# mine\nbudget = 5 # a day\n\n[profiles.old]\nplan = "free"\n')
    for profile in ("work", "home"):
        ran = served("login", "--key-stdin", "--profile", profile, typed=f"{KEY_TEXT}-{profile}")
        assert ran.code == 0, ran.err
    assert "# mine\nbudget = 5 # a day\n" in file_of(served).read_text()
    profiles = kept_in(served)["profiles"]
    assert profiles["work"]["api_key"] == f"{KEY_TEXT}-work"
    assert profiles["old"] == {"plan": "free"}
    served.environ.pop("HAILUO_BASE_URL")
    row = served("config", "get", "api-key", "--json", HAILUO_PROFILE="home").answer
    assert row["from"] == "configuration [profiles.home]"
    wrong = served("tasks", "--profile", "wrok")
    assert (wrong.code, "Did you mean work?" in wrong.err) == (2, True)
    assert "Check --profile" in wrong.err.replace("\n", " ")
    assert served("logout", "--profile", "work").code == 0
    assert "api_key" not in kept_in(served)["profiles"]["work"]
    assert kept_in(served)["profiles"]["home"]["api_key"]


def test_a_setting_is_also_set_with_a_sign_between(idle):
    assert idle("config", "set", "budget=10").code == 0
    assert kept_in(idle) == {"budget": 10}


@pytest.mark.parametrize("argv", [["config", "bogus"], ["models", "zz"], ["init", "no-client"]])
def test_nothing_is_said_of_money_where_nobody_expects_any(idle, argv):
    ran = idle(*argv)
    assert ran.code == 2
    assert "charged" not in ran.err
    assert ran.err.endswith(".\n")


def test_a_provider_that_is_misspelt_is_called_by_its_option(idle):
    ran = idle("account", "--provider", "foo")
    assert "--provider" in ran.err
    assert "HAILUO_PROVIDER" not in ran.err


def test_the_profiles_are_listed_with_the_one_in_use(idle):
    assert idle("config", "profiles").out == "Profiles: none\n"
    idle("config", "set", "budget", "5", "--profile", "work")
    assert "Profiles: work; none of them is used here\n" in idle("config").out
    ran = idle("config", "profiles", "--json", "--profile", "work")
    assert (ran.answer["profile"], ran.answer["profiles"]) == ("work", ["work"])


def test_the_sandbox_is_kept_without_a_key(idle):
    assert idle("login", "--provider", "sandbox").code == 0
    assert kept_in(idle) == {"provider": "sandbox"}
    assert idle("config", "get", "provider").out == "sandbox\n"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A keyring in memory, and a folder of the test's own for the file."""
    found: dict[str, str] = {}

    class Memory(KeyringBackend):
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return found.get(username)

        def set_password(self, service: str, username: str, password: str) -> None:
            found[username] = password

        def delete_password(self, service: str, username: str) -> None:
            del found[username]

    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    monkeypatch.setattr("hailuo_mcp.cli.set_up.kept.config_path", lambda: tmp_path / "config.toml")
    yield found
    keyring.set_keyring(before)


def test_the_keyring_keeps_the_key_and_the_file_says_so(keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "config.toml"
    settings = Settings.from_env({"HAILUO_BASE_URL": RELAY})
    section = read_configuration(path).section()
    assert keep_account(settings, section, KEY_TEXT, with_keyring=True).in_keyring
    assert tomllib.loads(path.read_text()) == {
        "provider": "minimax-cn",
        "base_url": RELAY,
        "keyring": True,
    }
    assert keys == {f"minimax-cn {RELAY}": KEY_TEXT}
    configuration = read_configuration(path)
    assert Settings.from_env({}, configuration).key == KEY_TEXT
    assert Settings.from_env({}, configuration, provider="xcompute").key == ""
    # Who edits the file by hand does not send the key elsewhere either.
    path.write_text(path.read_text().replace("relay", "evil"))
    with pytest.raises(ConfigError, match="it has no key for minimax-cn https://evil"):
        Settings.from_env({}, read_configuration(path))
    path.write_text(path.read_text().replace("evil", "relay"))
    # Another account takes its place, and its own key goes to the file where that is asked for.
    other = Settings.from_env({"HAILUO_PROVIDER": "xcompute"})
    section = read_configuration(path).section()
    assert not keep_account(other, section, "sk-2", with_keyring=False).in_keyring
    assert keys == {}
    assert tomllib.loads(path.read_text()) == {"provider": "xcompute", "api_key": "sk-2"}


def test_a_key_in_the_keyring_is_forgotten(keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "config.toml"
    settings = Settings.from_env({})
    keep_account(settings, read_configuration(path).section(), KEY_TEXT, with_keyring=True)
    assert forget(read_configuration(path).section())
    assert keys == {}
    assert tomllib.loads(path.read_text()) == {"provider": "minimax-cn"}


def test_a_keyring_that_fails_leaves_the_file_and_says_so(keys: dict[str, str], tmp_path: Path):
    keyring.set_keyring(FailingKeyring())
    path = tmp_path / "config.toml"
    section = read_configuration(path).section()
    kept = keep_account(Settings.from_env({}), section, KEY_TEXT, with_keyring=True)
    assert (kept.in_keyring, kept.keyring_failed) == (False, True)
    assert tomllib.loads(path.read_text())["api_key"] == KEY_TEXT
    path.write_text('provider = "minimax-cn"\nkeyring = true\n')
    with pytest.raises(ConfigError, match="it cannot be used"):
        Settings.from_env({}, read_configuration(path))
    assert Settings.from_env({"HAILUO_API_KEY": "sk-1"}, read_configuration(path)).key == "sk-1"


# ── which account a key is tried for ──────────────────────────────────────────────────────────


def tried(
    given: Mapping[str, str], environ: Mapping[str, str] | None = None, text: str = ""
) -> list[tuple[str, str]]:
    found = candidates_of(given, environ or {}, kept(text))
    assert all(it.key == "" for it in found)
    return [(it.provider, it.address) for it in found]


CHINA = ("minimax-cn", "https://api.minimaxi.com")
GLOBAL = ("minimax-global", "https://api.minimax.io")
RELAY = "https://relay.example.com"


@pytest.mark.parametrize(
    ("given", "environ", "text", "expected"),
    [
        ({}, {}, "", [CHINA, GLOBAL]),
        ({}, {"HAILUO_API_KEY": "k", "MINIMAX_API_KEY": "k"}, "", [CHINA, GLOBAL]),
        ({}, {}, 'provider = "minimax-global"\napi_key = "k"', [GLOBAL, CHINA]),
        ({"provider": "minimax-global"}, {}, "", [GLOBAL]),
        ({}, {"HAILUO_PROVIDER": "minimax-cn"}, "", [CHINA]),
        ({"provider": "xcompute"}, {}, "", [("xcompute", "https://xcompute.us")]),
        ({"base_url": RELAY}, {}, "", [("minimax-cn", RELAY)]),
        ({}, {"HAILUO_BASE_URL": RELAY}, "", [("minimax-cn", RELAY)]),
        ({}, {"MINIMAX_API_HOST": RELAY}, "", [("minimax-cn", RELAY)]),
        ({}, {}, f'base_url = "{RELAY}"\napi_key = "k"', [("minimax-cn", RELAY)]),
        ({"provider": "minimax-cn"}, {}, f'base_url = "{RELAY}"\napi_key = "k"', [CHINA]),
        ({}, {}, 'provider = "xcompute"', [("xcompute", "https://xcompute.us")]),
        ({"profile": "new"}, {}, f'base_url = "{RELAY}"', [CHINA, GLOBAL]),
    ],
)
def test_a_key_is_tried_at_one_address_or_at_the_two_regions(given, environ, text, expected):
    assert tried(given, environ, text) == expected


@pytest.mark.anyio
async def test_the_first_account_that_takes_the_key_is_the_one():
    answers: dict[str, HailuoError | None] = {}

    class Client:
        def __init__(self, settings: Settings) -> None:
            self.name = settings.provider

        def need_key(self) -> None: ...
        async def probe(self) -> Any:
            return type("Reply", (), {"json": lambda _: {}, "status": 200})()

        def read_probe(self, _reply: Any) -> None:
            if error := answers[self.name]:
                raise error

        async def aclose(self) -> None: ...

    both = candidates_of({}, {}, kept(""))
    connect: Any = Client
    refused, away = AuthenticationError("No."), ProviderUnavailableError("Away.")
    answers |= {"minimax-cn": refused, "minimax-global": None}
    assert (await accepting(both, connect)).provider == "minimax-global"
    answers |= {"minimax-cn": away}
    assert (await accepting(both, connect)).provider == "minimax-global"
    answers |= {"minimax-global": refused}
    with pytest.raises(ProviderUnavailableError):
        await accepting(both, connect)
    answers |= {"minimax-cn": refused}
    with pytest.raises(AuthenticationError):
        await accepting(both, connect)


# ── config ────────────────────────────────────────────────────────────────────────────────────


def test_settings_are_set_shown_with_their_origin_and_unset(idle):
    assert idle("config", "path").out.strip() == str(file_of(idle))
    assert idle("config", "set", "HAILUO_BUDGET", "12.50").code == 0
    assert idle("config", "set", "Poll-Seconds", "20").code == 0
    assert idle("config", "set", "plan", "基础包").out == "plan is now basic.\n"
    assert idle("config", "set", "--profile", "free", "provider", "sandbox").code == 0
    assert kept_in(idle) == {
        "budget": 12.5,
        "poll_seconds": 20,
        "plan": "basic",
        "profiles": {"free": {"provider": "sandbox"}},
    }
    assert "budget = 12.50" in file_of(idle).read_text()
    rows = {it["name"]: it for it in idle("config", "--json").answer["settings"]}
    assert (rows["budget"]["value"], rows["budget"]["from"]) == ("12.50", "configuration")
    assert rows["poll_seconds"]["from"] == "variable HAILUO_POLL_SECONDS"
    assert rows["rpm"]["source"] == "default"
    listed = idle("config", "--budget", "3").out
    assert "budget\t3\toption --budget" in listed
    assert idle("config", "unset", "budget").code == 0
    assert "budget" not in kept_in(idle)
    note = idle("config", "set", "poll_seconds", "30")
    assert "HAILUO_POLL_SECONDS in this shell comes first" in note.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["set", "api_key", KEY_TEXT], "login"),
        (["set", "bugdet", "5"], "Did you mean budget?"),
        (["set", "budget", "much"], "is not an amount"),
        (["set", "provider", "minmax-cn"], "Did you mean minimax-cn?"),
        (["set", "base_url", "http://relay.example.com"], "https://"),
        (["set", "profile", "work"], "--profile"),
        (["set", "budget", ""], "unset"),
        (["set", "budget"], "VALUE"),
        (["get"], "NAME"),
        (["lst"], "did you mean list?"),
        (["unset", "api_key"], "logout"),
    ],
)
def test_nonsense_is_refused_with_what_to_write_and_changes_nothing(
    argv, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["config", *argv]) == 2
    err = capsys.readouterr().err
    assert said in err.replace("\n", " ")
    assert KEY_TEXT not in err
    assert not [*tmp_path.iterdir()]


def test_a_kept_key_cannot_be_moved_to_another_host_by_changing_the_file(idle):
    file_of(idle).parent.mkdir(parents=True)
    before = f'provider = "minimax-cn"\napi_key = "{KEY_TEXT}"\n[profiles.work]\nrpm = 3\n'
    file_of(idle).write_text(before)
    for argv in (
        ["set", "provider", "xcompute"],
        ["set", "base_url", RELAY],
        ["set", "--profile", "wrok", "rpm", "3"],
    ):
        assert idle("config", *argv).code == 2
    assert file_of(idle).read_text() == before
    assert idle("config", "set", "provider", "minimax-cn").code == 0


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The configuration file of this process."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = config_path()
    if not path.is_relative_to(tmp_path):
        pytest.skip("the folder is not chosen by a variable here")
    path.parent.mkdir()
    return path


def test_a_login_meanwhile_keeps_its_key_at_home(path):
    """What `config set` has read before it got the lock may be old."""
    before = f'provider = "minimax-cn"\napi_key = "{KEY_TEXT}"\n'
    path.write_text(before)
    for argv in (
        ["set", "provider", "xcompute"],
        ["set", "base_url", RELAY],
        ["unset", "provider"],
    ):
        args = parser(["config", *argv]).parse_args(["config", *argv])
        change = config._set if argv[0] == "set" else config._unset
        old = kept('provider = "hingnet"\n')
        if argv == ["unset", "provider"]:
            path.write_text(before := before.replace("minimax-cn", "hingnet"))
        with pytest.raises(InvalidRequestError, match="belongs to the provider"):
            change(args, argv[1], old, Terminal(StringIO(), StringIO()))
        assert path.read_text() == before


def test_the_next_change_removes_what_a_killed_one_has_left(path):
    path.with_name(f".{path.name}.part").write_text(f'api_key = "{KEY_TEXT}"\n')
    with changing_section() as table:
        table["rpm"] = 3
    assert path.read_text() == "rpm = 3\n"
    assert {it.name for it in path.parent.iterdir()} <= {path.name, f".{path.name}.lock"}


def test_a_broken_file_is_refused_with_its_line_by_every_command_and_told_by_doctor(idle):
    file_of(idle).parent.mkdir(parents=True)
    file_of(idle).write_text(f'plan = "payg"\napi_key = {KEY_TEXT}\n')
    for argv in (["tasks"], ["config"], ["config", "set", "rpm", "3"], ["login", "--key-stdin"]):
        ran = idle(*argv, typed="sk-1")
        assert ran.code == 2, argv
        assert "line 2" in ran.err
        assert KEY_TEXT not in ran.err
    assert idle("config", "path").code == 0
    assert "line 2" in idle("doctor").out
    file_of(idle).write_text("bugdet = 3\ncolour = 1\n")
    listed = idle("config")
    assert listed.code == 2
    assert "bugdet in the file is not a setting; did you mean budget?" in listed.err
    assert "rename it to budget" in listed.err.replace("\n", " ").lower()


def test_doctor_tells_who_else_can_read_the_file_and_what_does_nothing(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('colour = "red"\n[profiles.p]\nplann = "free"\n')
    path.chmod(0o644)
    _, results = read_for_check(path)
    said = [f"{it.level} {it.message} {it.fix}" for it in results]
    assert any("colour" in it and "does nothing" in it for it in said)
    assert any("profiles.p.plann" in it and "plan?" in it for it in said)
    if sys.platform != "win32":
        assert any(it.startswith("problem") and f"chmod 600 {path}" in it for it in said)


# ── init ──────────────────────────────────────────────────────────────────────────────────────

GLOBAL_KEPT = f'provider = "minimax-global"\napi_key = "{KEY_TEXT}"\n'


@pytest.mark.parametrize("home", HOMES)
def test_an_entry_repeats_nothing_of_what_is_kept(home, tmp_path):
    outcome = configure(
        client_named("claude-desktop"), HOMES[home](tmp_path), {}, kept(GLOBAL_KEPT)
    )
    assert outcome.entry.env == {"HAILUO_BUDGET": "10", "HAILUO_BUDGET_PERIOD": "day"}
    assert (outcome.provider, outcome.key_kept) == ("minimax-global", True)
    assert KEY_TEXT not in outcome.path.read_text()


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        ({}, f"{GLOBAL_KEPT}budget = 3\n", {}),
        ({"HAILUO_BUDGET": "3"}, f"{GLOBAL_KEPT}budget = 3\n", {}),
        ({"HAILUO_BUDGET": "4"}, f"{GLOBAL_KEPT}budget = 3\n", {"HAILUO_BUDGET": "4"}),
        ({"HAILUO_PROVIDER": "minimax-global"}, f"{GLOBAL_KEPT}budget = 3\n", {}),
        (
            {"HAILUO_PROFILE": "w"},
            'budget = 3\n[profiles.w]\nprovider = "xcompute"\nkeyring = true\n',
            {"HAILUO_PROFILE": "w"},
        ),
        ({}, 'provider = "sandbox"\nbudget = 3\n', {}),
    ],
)
def test_what_the_entry_says_is_only_what_the_file_does_not(given, text, expected, tmp_path):
    assert (
        configure(client_named("cursor"), linux(tmp_path), given, kept(text)).entry.env == expected
    )


def test_another_provider_s_entry_is_never_given_the_kept_key(tmp_path):
    given = {"HAILUO_PROVIDER": "hingnet"}
    env = configure(client_named("cursor"), linux(tmp_path), given, kept(GLOBAL_KEPT)).entry.env
    assert env == {"HAILUO_PROVIDER": "hingnet", KEY: PLACEHOLDER}


def test_an_entry_that_waits_for_a_key_gives_way_to_what_was_kept_since(tmp_path):
    system, app = linux(tmp_path), client_named("vscode")
    configure(app, system, {"HAILUO_BUDGET": "7"})
    env = configure(app, system, {}, kept(GLOBAL_KEPT)).entry.env
    assert env == {"HAILUO_BUDGET": "7", "HAILUO_BUDGET_PERIOD": "day"}


def test_a_key_of_the_entry_s_own_stays_and_the_same_key_is_not_there_twice(tmp_path):
    system, app = linux(tmp_path), client_named("cursor")
    configure(app, system, {KEY: "sk-own"})
    outcome = configure(app, system, {}, kept(GLOBAL_KEPT))
    assert outcome.entry.env[KEY] == "sk-own"
    assert any("own file" in note for note in outcome.notes)
    configure(app, system, {KEY: KEY_TEXT, "HAILUO_PROVIDER": "minimax-global"})
    outcome = configure(app, system, {}, kept(GLOBAL_KEPT))
    assert (outcome.status, KEY in outcome.entry.env) == ("written", False)


def test_the_launcher_brings_the_keyring_where_the_key_is_in_it(tmp_path):
    from dataclasses import replace

    from hailuo_mcp.cli.set_up.system import launcher

    from .homes import program

    system = linux(tmp_path)
    cached = program(system.home / ".cache/uv/archive-v0/x/bin/hailuo-mcp")
    program(system.home / ".local/bin/uvx")
    system = replace(system, called=str(cached), executable=str(cached.parent / "python"))
    assert launcher(system, keyring=True).args == (
        "--from",
        "hailuo-mcp[media,keyring]",
        "hailuo-mcp",
    )
    assert launcher(system).args[1] == "hailuo-mcp[media]"
