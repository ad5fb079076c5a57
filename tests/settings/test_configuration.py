"""The configuration file: what wins, which profile counts, and whose the kept key is."""

import os
from pathlib import Path

import pytest

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings, read_settings
from hailuo_mcp.settings.config_file import Configuration, parse, read_configuration
from hailuo_mcp.settings.table import sources_of

PATH = Path("/there/config.toml")
KEPT = 'provider = "minimax-global"\napi_key = "sk-kept"\nplan = "basic"\nbudget = 0.50\n'
RELAY = 'base_url = "https://relay.example.com"\napi_key = "sk-kept"\n'
WORK = f'{KEPT}confirm_above = 3\n[profiles.work]\nprovider = "hingnet"\napi_key = "sk-work"\n'


def kept(text: str) -> Configuration:
    return Configuration(path=PATH, table=parse(PATH, text.encode()))


def read(text: str, environ: dict[str, str] | None = None, **options: str) -> Settings:
    return Settings.from_env(environ or {}, kept(text), **options)


def test_option_variable_configuration_default_in_this_order():
    variable = {"HAILUO_BUDGET": "7"}
    assert str(read(KEPT, variable, budget="8").budget) == "8"
    assert str(read(KEPT, variable).budget) == "7"
    assert str(read(KEPT).budget) == "0.50"
    assert read("").budget is None


def test_every_kind_of_value_is_read_as_its_variable_would_be():
    settings = read(
        'rpm = 7\npoll_seconds = 2.5\nauto_download = false\nallowed_hosts_private = ["a", "b"]\n'
        'allowed_dirs = ["/x", "/y"]\nplan = "基础包"\nwait_seconds = "auto"\nfiles = ""\n'
    )
    assert (settings.rpm, settings.poll_seconds, settings.auto_download) == (7, 2.5, False)
    assert settings.private_hosts == {"a", "b"}
    assert settings.allowed_dirs == (Path("/x"), Path("/y"))
    assert (settings.plan, settings.files) == ("basic", "")


def test_a_kept_account_is_used_whole():
    settings = read(KEPT)
    assert (settings.provider, settings.key, settings.plan) == (
        "minimax-global",
        "sk-kept",
        "basic",
    )
    assert settings.address == "https://api.minimax.io"


@pytest.mark.parametrize("text", [KEPT, RELAY, 'api_key = "sk-kept"', f"{KEPT}keyring = true\n"])
@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({"HAILUO_PROVIDER": "hingnet"}, {}),
        ({}, {"provider": "xcompute"}),
        ({}, {"provider": "sandbox"}),
        ({"HAILUO_BASE_URL": "https://evil.example.com"}, {}),
        ({"HAILUO_BASE_URL": "http://127.0.0.1:8700"}, {}),
        ({}, {"base_url": "https://evil.example.com"}),
        ({}, {"base_url": "https://models.hingnet.com.cn"}),
        ({"HAILUO_PROVIDER": "minimax-global"}, {"base_url": "https://evil.example.com"}),
        ({"HAILUO_PROVIDER": "minimax-cn", "HAILUO_BASE_URL": "https://evil.example.com"}, {}),
    ],
)
def test_a_kept_key_is_never_sent_to_another_host(text, environ, options):
    settings = read(text, environ, **options)
    assert settings.key == ""
    assert "relay" not in settings.address
    assert settings.plan == "payg"


@pytest.mark.parametrize("text", [KEPT, RELAY, 'api_key = "sk-kept"'])
def test_minimax_variables_cannot_lead_a_kept_key_elsewhere(text):
    last = {"MINIMAX_API_HOST": "https://evil.example.com", "MINIMAX_API_KEY": "sk-minimax"}
    settings = read(text, last)
    assert settings.key == "sk-kept"
    assert "evil" not in settings.address


def test_minimax_variables_are_the_last_resort():
    last = {"MINIMAX_API_HOST": "https://api.minimax.io", "MINIMAX_API_KEY": "sk-minimax"}
    settings = read("budget = 5\n", last)
    assert (settings.provider, settings.key) == ("minimax-global", "sk-minimax")
    elsewhere = read(KEPT, {**last, "HAILUO_PROVIDER": "minimax-cn"})
    assert elsewhere.key == "sk-minimax"


def test_the_same_provider_or_address_said_twice_is_no_other_one():
    assert read(KEPT, {"HAILUO_PROVIDER": "MINIMAX-Global"}).key == "sk-kept"
    assert read(KEPT, base_url="https://api.minimax.io/v1").key == "sk-kept"
    assert read(RELAY, base_url="https://relay.example.com/").key == "sk-kept"
    assert read(RELAY, provider="minimax-cn").address == "https://relay.example.com"


def test_a_key_of_a_variable_comes_before_the_kept_one():
    settings = read(KEPT, {"HAILUO_API_KEY": "sk-variable"})
    assert (settings.key, settings.provider) == ("sk-variable", "minimax-global")


def test_a_profile_inherits_everything_but_whose_account_it_is():
    settings = read(WORK, {"HAILUO_PROFILE": "work"})
    assert (settings.provider, settings.key, settings.plan) == ("hingnet", "sk-work", "payg")
    assert (str(settings.budget), str(settings.confirm_above)) == ("0.50", "3")
    assert read(WORK, {"HAILUO_PROFILE": "work"}, profile="").key == "sk-work"


def test_a_profile_without_a_provider_has_nothing_of_the_top_account():
    settings = read(f"{KEPT}[profiles.cheap]\nbudget = 1\n", profile="cheap")
    assert (settings.provider, settings.key, str(settings.budget)) == ("minimax-cn", "", "1")
    own = read(f'{KEPT}[profiles.own]\napi_key = "sk-own"\n', profile="own")
    assert (own.provider, own.key, own.address) == (
        "minimax-cn",
        "sk-own",
        "https://api.minimaxi.com",
    )


def test_an_option_chooses_another_profile_than_the_variable():
    text = f'{WORK}[profiles.play]\nprovider = "sandbox"\n'
    assert read(text, {"HAILUO_PROFILE": "work"}, profile="play").provider == "sandbox"


def test_an_unknown_profile_is_refused_with_the_nearest_and_the_list():
    with pytest.raises(ConfigError, match=r"no profile wrok.* Did you mean work\? .* are work"):
        read(WORK, profile="wrok")
    with pytest.raises(ConfigError, match="There is none so far"):
        Settings.from_env({"HAILUO_PROFILE": "x"})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("budget = 'much'\n", "budget in /there/config.toml"),
        ("provider = 'minmax'\n", "provider in /there/config.toml"),
        ("base_url = 'http://relay.example.com'\n", "base_url in /there/config.toml"),
        ("[profiles.p]\nplan = 'x'\n", "profiles.p.plan in /there/config.toml"),
        ("[profiles.p]\nbudget = 1979-05-27\n", "profiles.p.budget in /there/config.toml"),
    ],
)
def test_a_flaw_of_the_file_is_named_by_its_place(text, place):
    with pytest.raises(ConfigError) as refused:
        read(text, profile="p" if "profiles" in text else "")
    assert place in [step.about for step in refused.value.then]
    assert "HAILUO_BUDGET" not in str(refused.value.then)


@pytest.mark.parametrize("key", ["bugdet", "confirm-above", "budgets"])
def test_a_misspelt_limit_in_the_file_is_refused(key):
    with pytest.raises(ConfigError, match="is not a setting, so it limits nothing"):
        read(f"{key} = 5\n")
    with pytest.raises(ConfigError, match=r"profiles\.p\."):
        read(f"[profiles.p]\n{key} = 5\n", profile="p")
    assert read(f"color = 'red'\n[profiles.p]\n{key} = 5\n").budget is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'provider = "sandbox"\napi_key = sk-secret\n', "see line 2"),
        (b'a = 1\na = "sk-secret"\n', "not valid TOML"),
        (b"api_key = 'sk-secret\xff'", "not UTF-8"),
        (b'api_key = "sk-secret', "missing at its end"),
        (b'profiles = "sk-secret"', "not tables"),
        (b"[profiles]\nwork = 'sk-secret'", "not tables"),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_line_and_without_its_text(tmp_path, content, said):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_configuration(path)
    assert said in refused.value.what
    assert str(path) in refused.value.what
    assert "sk-secret" not in f"{refused.value.what}{refused.value.then}"


def test_a_file_of_another_editor_is_read(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf# mine\r\nbudget = 5\r\n")
    assert str(Settings.from_env({}, read_configuration(path)).budget) == "5"


def test_the_file_of_the_person_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = read_configuration().path
    assert path is not None
    if path.is_relative_to(tmp_path):  # not on Windows
        path.parent.mkdir()
        path.write_text("rpm = 3\n")
        assert read_settings({}).rpm == 3


def test_each_setting_knows_where_it_comes_from():
    found = sources_of({"HAILUO_RPM": "3"}, kept(WORK), {"profile": "work", "state_dir": "/x"})
    origins = {name: (it.kind, it.name) for name, it in found.origins.items()}
    assert origins["rpm"] == ("variable", "HAILUO_RPM")
    assert origins["state_dir"] == ("option", "state_dir")
    assert origins["budget"] == ("configuration", f"budget in {PATH}")
    assert origins["api_key"] == ("configuration", f"profiles.work.api_key in {PATH}")
    assert found.origin("plan").kind == "default"


def test_no_secret_of_the_file_shows():
    configuration = kept('api_key = "sk-kept"\nhttp_tokens = "a:token-1234567890"\n')
    found = sources_of({}, configuration)
    shown = f"{configuration!r}{configuration.section()!r}{found!r}{Settings.of(found, {})!r}"
    assert "sk-kept" not in shown
    assert "token-1" not in shown


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_what_never_ends_is_not_read_as_the_configuration(tmp_path):
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_configuration(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="more than"):
        read_configuration(path)
    path.unlink()
    path.symlink_to(os.devnull)
    assert not read_configuration(path).table


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "1e400000000", "-1e-400000000"])
def test_a_number_that_would_fill_the_memory_is_refused_by_its_place(number):
    with pytest.raises(ConfigError, match=r"budget in .* is neither text, nor a number"):
        read(f"budget = {number}\n")


@pytest.mark.parametrize("text", ["/x\\u0000y", "/x\\u001b[31my", "~no-such-user-here/x"])
@pytest.mark.parametrize("key", ["state_dir", "output_dir", "allowed_dirs", "tenants", "files"])
def test_a_path_that_no_system_has_is_refused_by_its_setting(key, text):
    with pytest.raises(ConfigError, match=f"he setting {key} (has an invisible|begins with ~)"):
        read(f'{key} = "{text}"\n')
