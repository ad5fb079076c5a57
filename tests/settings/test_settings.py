"""Settings from an environment: what counts as set, what wins, and what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.settings import Settings, variable_of
from hailuo_mcp.settings.table import SETTINGS


def test_an_empty_environment_gives_the_documented_defaults():
    settings = Settings.from_env({})

    assert settings.provider == "minimax-cn"
    assert settings.base_url == "https://api.minimaxi.com"
    assert settings.api_key is None
    assert settings.plan == "payg"
    assert settings.budget is None
    assert settings.budget_period == "day"
    assert settings.poll_seconds == 10
    assert settings.wait_seconds is None
    assert settings.auto_download is True
    assert settings.output_dir.name == "Hailuo"
    assert settings.allowed_dirs == (settings.output_dir, Path.home())


@pytest.mark.parametrize("text", ["", "   ", "${HAILUO_API_KEY}", "${user_config.key}"])
def test_empty_values_and_placeholders_count_as_unset(text):
    settings = Settings.from_env({"HAILUO_API_KEY": text, "HAILUO_BUDGET": text})

    assert settings.api_key is None
    assert settings.budget is None


def test_minimax_variables_serve_minimax_providers_only():
    both = {"MINIMAX_API_KEY": "k1", "MINIMAX_API_HOST": "https://api.minimax.io"}

    official = Settings.from_env(both)
    relay = Settings.from_env({**both, "HAILUO_PROVIDER": "hingnet"})

    assert (official.provider, official.key) == ("minimax-global", "k1")
    assert official.base_url == "https://api.minimax.io"
    assert relay.key == ""
    assert relay.base_url == "https://models.hingnet.com.cn"


def test_a_known_base_url_names_its_provider():
    settings = Settings.from_env({"HAILUO_BASE_URL": "https://models.hingnet.com.cn/minimaxi/v1"})

    assert (settings.provider, settings.base_url) == ("hingnet", "https://models.hingnet.com.cn")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HAILUO_BUGDET", "HAILUO_BUDGET"), ("HAILUO_CONFIRM_ABOVe", "HAILUO_CONFIRM_ABOVE")],
)
def test_a_misspelt_limit_on_spending_is_refused_and_not_ignored(name, meant):
    with pytest.raises(ConfigError, match="is not a setting, so it limits nothing") as refused:
        Settings.from_env({name: "5"})
    assert refused.value.then == (Step(Do.ARRANGE, f"rename it to {meant}, or remove it"),)


@pytest.mark.parametrize("name", ["HAILUO_FOLLOW", "HAILUO_API_HOST", "HAILUO_MODEL", "BUDGET"])
def test_other_unknown_names_are_left_alone(name):
    assert Settings.from_env({name: "x"}).budget is None


@pytest.mark.parametrize(
    ("name", "value", "flaw"),
    [
        ("HAILUO_BUDGET", "¥50", "is not an amount such as 50"),
        ("HAILUO_BUDGET", "1_000", "is not an amount such as 50 or 0.5, without"),
        ("HAILUO_BUDGET", "1,000", "is not an amount such as 50 or 0.5, without"),
        ("HAILUO_BUDGET", "１０００", "is not an amount such as 50 or 0.5, without"),
        ("HAILUO_UNPRICED_COST", "1_0", "is not an amount such as 50 or 0.5, without"),
        ("HAILUO_CONFIRM_ABOVE", "1_0", "is not an amount such as 50 or 0.5, without"),
        ("HAILUO_RPM", "1_0", "is not a whole number"),
        ("HAILUO_POLL_SECONDS", "1_0", "is not a number"),
        ("HAILUO_WAIT_SECONDS", "1_0", "is not a number"),
        ("HAILUO_RPM", "ten", "is not a whole number"),
        ("HAILUO_POLL_SECONDS", "often", "is not a number"),
        ("HAILUO_AUTO_DOWNLOAD", "perhaps", "is neither true nor false"),
        ("HAILUO_RPM", "-1", "should be greater than or equal to 0"),
        ("HAILUO_ALLOWED_DIRS", "pictures", "is not the full path of a folder"),
        ("HAILUO_CALLBACK_URL", "me", "is not an address"),
    ],
)
def test_a_flaw_is_said_in_plain_words_without_the_value(name, value, flaw):
    with pytest.raises(ConfigError) as refused:
        Settings.from_env({name: value})
    setting = name.removeprefix("HAILUO_").lower()
    assert refused.value.what.startswith(f"The setting {setting} {flaw}")
    assert refused.value.then == (Step(Do.CHECK, name),)
    assert f" {value} " not in str(refused.value)


def test_every_flaw_is_named_at_once():
    broken = {"HAILUO_OUTPUT_DIR": "clips", "HAILUO_RPM": "ten", "HAILUO_POLL_SECONDS": "0"}
    with pytest.raises(ConfigError) as refused:
        Settings.from_env(broken)
    assert [step.about for step in refused.value.then] == list(broken)


def test_chinese_plan_names_are_accepted():
    assert Settings.from_env({"HAILUO_PLAN": "企业包"}).plan == "enterprise"


def test_overrides_win_over_variables():
    settings = Settings.from_env({"HAILUO_PROVIDER": "hingnet"}, provider="xcompute", budget=None)

    assert settings.provider == "xcompute"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HAILUO_PROVIDER", "nobody"),
        ("HAILUO_PLAN", "gold"),
        ("HAILUO_BUDGET", "a lot"),
        ("HAILUO_BUDGET", "-1"),
        ("HAILUO_BUDGET", "NaN"),
        ("HAILUO_BUDGET_PERIOD", "year"),
        ("HAILUO_POLL_SECONDS", "0"),
        ("HAILUO_WAIT_SECONDS", "soon"),
        ("HAILUO_AUTO_DOWNLOAD", "perhaps"),
        ("HAILUO_OUTPUT_DIR", "videos"),
        ("HAILUO_HTTP_TOKENS", "alice"),
        ("HAILUO_HTTP_TOKENS", "a:1,a:2"),
        ("HAILUO_RPM", "many"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_without_repeating_it(variable, text):
    with pytest.raises(ConfigError) as refused:
        Settings.from_env({variable: text, "HAILUO_API_KEY": "sk-very-secret"})

    assert refused.value.then == (Step(Do.CHECK, variable),)
    assert "sk-very-secret" not in str(refused.value)


def test_one_token_is_one_name_s():
    with pytest.raises(ConfigError, match=r"http_tokens .* under two names") as refused:
        Settings.from_env({"HAILUO_HTTP_TOKENS": "alice:hush-hush, bob: hush-hush"})

    assert "hush" not in str(refused.value)


def test_keys_and_tokens_never_show():
    settings = Settings.from_env(
        {"HAILUO_API_KEY": "sk-very-secret", "HAILUO_HTTP_TOKENS": "alice:hush-hush"}
    )

    assert "sk-very-secret" not in f"{settings!r} {settings}"
    assert "hush-hush" not in f"{settings!r} {settings}"
    assert settings.key == "sk-very-secret"


def test_every_field_has_a_variable_and_a_meaning():
    for name, row in SETTINGS.items():
        assert variable_of(name).startswith("HAILUO_") or name == "proxies"
        assert row.metadata["meaning"]
    assert Settings.from_env({"HAILUO_BUDGET": "12.50"}).budget == Decimal("12.50")


@pytest.mark.parametrize("address", ["https://api.minimax.io", "http://10.0.0.7:8080", "nonsense"])
def test_the_free_provider_never_leaves_this_computer(address):
    with pytest.raises(ConfigError):
        Settings.from_env({"HAILUO_PROVIDER": "sandbox", "HAILUO_BASE_URL": address})

    local = Settings.from_env(
        {"HAILUO_PROVIDER": "sandbox", "HAILUO_BASE_URL": "http://127.0.0.1:8000"}
    )
    assert local.base_url == "http://127.0.0.1:8000"


def test_a_base_url_counts_as_given_only_where_it_was_given():
    own = {"HAILUO_PROVIDER": "compat"}
    insisting = {**own, "HAILUO_BASE_URL": "https://api.minimaxi.com"}

    assert Settings.from_env({**own, "MINIMAX_API_HOST": "https://api.minimaxi.com"}).base_url == ""
    assert Settings.from_env(insisting).base_url == "https://api.minimaxi.com"


@pytest.mark.parametrize(
    ("text", "bucket"),
    [
        ("s3://clips", ("clips", "")),
        ("s3://clips/", ("clips", "")),
        ("s3://clips/videos/2026/", ("clips", "videos/2026")),
        ("s3://my.clips-1/海螺", ("my.clips-1", "海螺")),
    ],
)
def test_a_bucket_is_named_with_its_prefix(text, bucket):
    assert Settings.from_env({"HAILUO_FILES": text}).bucket == bucket


@pytest.mark.parametrize(
    "text",
    [
        *("s3://", "s3:///videos", "s3://clips/../x", "s3://clips/./x", "s3://clips//x"),
        *("s3://clips/a b", "s3://clips/a?b", "s3://clips/a%2fb", "s3://id:key@clips/x"),
        *("https://clips.example/x", "gs://clips", "videos", "./videos"),
    ],
)
def test_a_place_for_files_that_is_neither_a_bucket_nor_a_full_path_is_refused(text):
    with pytest.raises(ConfigError, match=r"is not the full path|is neither s3:"):
        Settings.from_env({"HAILUO_FILES": text})


def test_a_shared_folder_takes_the_place_of_the_output_folder(tmp_path):
    given = {"HAILUO_FILES": str(tmp_path), "HAILUO_OUTPUT_DIR": "/elsewhere"}
    settings = Settings.from_env(given)

    assert (settings.output_dir, settings.bucket) == (tmp_path, None)
    assert settings.allowed_dirs[0] == tmp_path


def test_one_command_cannot_put_clips_elsewhere_than_the_others():
    with pytest.raises(ConfigError, match="output folder of one command cannot be changed"):
        Settings.from_env({"HAILUO_FILES": "s3://clips"}, output_dir="/elsewhere")


@pytest.mark.parametrize("key", ["put your key here", "一把钥匙", "sk-bad-region-poor"])
def test_the_sandbox_has_no_key_whatever_is_given(key):
    assert Settings.from_env({"HAILUO_PROVIDER": "sandbox", "HAILUO_API_KEY": key}).key == ""
