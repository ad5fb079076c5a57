"""The file of tenants: what a table means, and what is refused in words that hold no secret."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings
from hailuo_mcp.settings.tenants import Tenant, parse_tables, read_tables, tenants_of

HASH = f"sha256:{hashlib.sha256(b'a token').hexdigest()}"
OTHER = f"sha256:{hashlib.sha256(b'another').hexdigest()}"
KEY = "the-key-of-the-server"


def operator(tmp_path: Path, **more: str) -> Settings:
    return Settings.from_env(
        {
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": KEY,
            "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
            "HAILUO_STATE_DIR": str(tmp_path / "state"),
            **more,
        }
    )


def tenants(tmp_path: Path, toml: str, environ: dict[str, str] | None = None, **more: str) -> Any:
    found = tenants_of(parse_tables(toml.encode()), operator(tmp_path, **more), environ or {})
    return list(found.values())


def one(tmp_path: Path, rows: str, environ: dict[str, str] | None = None, **more: str) -> Tenant:
    (found,) = tenants(tmp_path, f"[tenants.acme]\n{rows}", environ, **more)
    return found


def test_an_empty_table_has_all_of_the_operators_settings(tmp_path: Path) -> None:
    found = one(tmp_path, "", HAILUO_RPM="7", HAILUO_CONFIRM_ABOVE="3")
    assert found.caller == "tenant:acme"
    assert found.settings == operator(tmp_path, HAILUO_CONFIRM_ABOVE="3")
    assert (found.rpm, found.tokens, found.shared_budget) == (None, frozenset(), None)


def test_each_key_takes_the_place_of_its_setting(tmp_path: Path) -> None:
    rows = f"""
        tokens = ["{HASH}", "{OTHER}"]
        provider = "minimax-global"
        api_key_env = "ACME_KEY"
        plan = "基础包"
        budget = 12.5
        budget_period = "total"
        rpm = 3
        confirm_above = "2"
        folder = "acme/clips"
    """
    found = one(tmp_path, rows, {"ACME_KEY": "its key"}, HAILUO_BUDGET="9")
    settings = found.settings
    assert found.tokens == {hashlib.sha256(text).digest() for text in (b"a token", b"another")}
    assert (settings.provider, settings.key) == ("minimax-global", "its key")
    assert settings.base_url.startswith("https://")
    assert settings.base_url != operator(tmp_path).base_url
    assert (settings.plan, settings.budget, settings.budget_period) == (
        "basic",
        Decimal("12.5"),
        "total",
    )
    assert (found.rpm, settings.confirm_above) == (3, Decimal(2))
    assert settings.output_dir == tmp_path / "clips" / "acme" / "clips"


def test_the_operators_budget_stands_above_those_who_share_its_account(tmp_path: Path) -> None:
    shared = {"HAILUO_BUDGET": "50", "HAILUO_BUDGET_PERIOD": "month"}
    sharing = one(tmp_path, "budget = 80", **shared)
    assert (sharing.settings.budget, sharing.shared_budget) == (80, (50, "month"))
    without = one(tmp_path, "", **shared)
    assert (without.settings.budget, without.shared_budget) == (None, (50, "month"))
    # With its own key, its own budget takes the operator's place; without one that one counts.
    environ = {"K": "its key"}
    own = one(tmp_path, 'api_key_env = "K"\nbudget = 80', environ, **shared)
    assert (own.settings.budget, own.shared_budget) == (80, None)
    own = one(tmp_path, 'api_key_env = "K"', environ, **shared)
    assert (own.settings.budget, own.shared_budget) == (None, (50, "month"))


def test_an_address_of_this_computer_serves_to_try_every_provider(tmp_path: Path) -> None:
    rows = 'provider = "minimax-global"\napi_key_env = "K"'
    found = one(tmp_path, rows, {"K": "k"}, HAILUO_BASE_URL="http://127.0.0.1:9")
    assert found.settings.base_url == "http://127.0.0.1:9"


def test_the_sandbox_needs_no_key_and_is_never_given_the_servers(tmp_path: Path) -> None:
    assert one(tmp_path, 'provider = "sandbox"').settings.key == ""


WRONG = [
    ("[tenant.acme]", "tenant"),
    ("[tenants.Acme]", "Acme"),
    ('[tenants."a:b"]', "a:b"),
    ("tenants = 3", "tenants"),
    ("[tenants]\nacme = 3", "acme"),
    ("[tenants.acme]\nbudgte = 3", "acme: budgte"),
    ("[tenants.acme]\ntokens = ['secret-in-the-clear']", "acme: tokens"),
    ("[tenants.acme]\ntokens = 'sha256:00'", "acme: tokens"),
    ("[tenants.acme]\nbudget = true", "acme: budget"),
    ("[tenants.acme]\nbudget = 'ten'", "acme: budget"),
    ("[tenants.acme]\nbudget = -1", "acme: budget"),
    ("[tenants.acme]\nbudget = nan", "acme: budget"),
    ("[tenants.acme]\nbudget_period = 'day'", "acme: budget_period"),
    ("[tenants.acme]\nbudget = 1\nbudget_period = 'week'", "acme: budget_period"),
    ("[tenants.acme]\nrpm = 0", "acme: rpm"),
    ("[tenants.acme]\nrpm = 2.5", "acme: rpm"),
    ("[tenants.acme]\nplan = 'gold'", "acme: plan"),
    ("[tenants.acme]\nprovider = 'nobody'", "acme: provider"),
    ("[tenants.acme]\nprovider = 'minimax-global'", "acme: provider"),
    ("[tenants.acme]\nprovider = 'hingnet'", "acme: provider"),
    ("[tenants.acme]\napi_key_env = 'NOT_SET'", "acme: api_key_env"),
    ("[tenants.acme]\napi_key_env = 'sk-secret-in-the-clear'", "acme: api_key_env"),
    ("[tenants.acme]\nfolder = '../theirs'", "acme: folder"),
    ("[tenants.acme]\nfolder = 'a/../../theirs'", "acme: folder"),
    ("[tenants.acme]\nfolder = '/srv/../theirs'", "acme: folder"),
    ("[tenants.acme]\nfolder = 'C:\\theirs'", "acme: folder"),
    ("[tenants.acme]\nfolder = '..\\theirs'", "acme: folder"),
    ("[tenants.acme]\nfolder = '.hailuo'", "acme: folder"),
    (f"[tenants.a]\ntokens = ['{HASH}']\n[tenants.b]\ntokens = ['{HASH}']", "a and b"),
    (f"[tenants.a]\ntokens = ['{HASH}', '{HASH}']", "Tenant a"),
    ("[tenants.acme", "end of document"),
    ("[tenants.acme]\nbudget 1\nrpm = 2", "line 2"),
    ("[tenants.acme]\nbudget = 1\nbudget = 2\n", "line 3"),
]


@pytest.mark.parametrize(("toml", "named"), WRONG)
def test_what_cannot_be_used_is_named_without_any_secret(
    tmp_path: Path, toml: str, named: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        tenants(tmp_path, toml)
    assert named in refused.value.what
    assert [step.about for step in refused.value.then] == ["HAILUO_TENANTS"]
    for secret in ("in-the-clear", KEY, HASH.removeprefix("sha256:")):
        assert secret not in refused.value.what


def test_a_wall_that_could_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"acme: budget is missing.*credits.*CNY"):
        one(tmp_path, 'plan = "basic"', HAILUO_BUDGET="50")
    assert one(tmp_path, 'plan = "basic"\nbudget = 10', HAILUO_BUDGET="50").shared_budget is None
    assert one(tmp_path, 'plan = "basic"').shared_budget is None


def test_a_full_path_is_the_operators_choice_if_clips_are_not_in_a_bucket(tmp_path: Path) -> None:
    elsewhere = tmp_path / "theirs"
    found = one(tmp_path, f"folder = '{elsewhere.as_posix()}'")
    assert found.settings.output_dir == elsewhere
    assert Path(found.folder) == elsewhere
    with pytest.raises(ConfigError, match=r"acme: folder is a full path.*bucket"):
        one(tmp_path, f"folder = '{elsewhere.as_posix()}'", HAILUO_FILES="s3://clips/here")


def test_a_folder_that_a_link_leads_out_of_the_servers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="acme: folder"):
        one(tmp_path, 'folder = "out/theirs"')


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_tables(tmp_path / "tenants.toml")
    with pytest.raises(ConfigError, match="UTF-8"):
        parse_tables(b"\xff")
