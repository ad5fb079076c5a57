"""doctor --report: what anybody may read, with a secret planted wherever one can be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.cli.set_up import report_file
from hailuo_mcp.cli.set_up.doctor.redaction import HIDDEN, Redaction, vocabulary
from hailuo_mcp.cli.set_up.doctor.report import page
from hailuo_mcp.cli.set_up.doctor.result import problem
from hailuo_mcp.cli.set_up.doctor.settings import check_settings
from hailuo_mcp.settings.table import NO_FILE, variables

from .homes import linux

PLANTED = re.compile(r"s3cr3t|lovelace|zanzibar|10\.9\.8\.7", re.IGNORECASE)
"""A part of each secret, of the person's name, of each host and of each prompt and tenant."""


def _home(tmp_path: Path) -> Path:
    """The home of a person, with a configuration, tenants and a client."""
    home = tmp_path / "Ada Lovelace"
    config = home / ".config" / "hailuo-mcp" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        'api_key = "sk-s3cr3t-kept"\n"zanzibar_key" = "s3cr3t"\n\n'
        '[profiles.zanzibar]\napi_key = "sk-s3cr3t-profile"\n'
        'base_url = "https://relay.zanzibar.example"\n'
    )
    (home / "tenants.toml").write_text(
        '[tenants.zanzibar]\napi_key = "sk-s3cr3t-tenant"\nprovider = "minimax-cn"\n'
    )
    (home / ".cursor").mkdir()
    env = {"HAILUO_API_KEY": "sk-s3cr3t-cursor", "HAILUO_S3CR3T": "1", "HAILUO_BUGDET": "s3cr3t"}
    entry = {"command": "/home/lovelace/bin/hailuo-mcp", "env": env}
    (home / ".cursor" / "mcp.json").write_text(json.dumps({"mcpServers": {"hailuo": entry}}))
    return home


def test_no_secret_name_path_or_host_is_in_the_report(program: Any, tmp_path: Path) -> None:
    home = _home(tmp_path)
    assert program("generate", "A letter to zanzibar, s3cr3t").code == 0
    variables = {
        "HOME": str(home),
        "USER": "lovelace",
        "HAILUO_PROVIDER": "minimax-cn",
        "HAILUO_BASE_URL": "http://lovelace:s3cr3t@zanzibar.invalid:8443/s3cr3t/v1",
        "HAILUO_API_KEY": "sk-s3cr3t-variable",
        "HAILUO_BUDGET": "50",
        "HAILUO_OUTPUT_DIR": str(home / "Films of Lovelace and key notes"),
        "HAILUO_ALLOWED_DIRS": str(home / "zanzibar"),
        "HAILUO_ALLOWED_HOSTS_PRIVATE": "10.9.8.7",
        "HAILUO_HTTP_TOKENS": "zanzibar:s3cr3t",
        "HAILUO_OAUTH_ISSUER": "https://login.zanzibar.example",
        "HAILUO_CALLBACK_URL": "https://zanzibar.local/s3cr3t",
        "HAILUO_ALLOWED_HOSTS": "zanzibar.example",
        "HAILUO_TENANTS": str(home / "tenants.toml"),
        "HTTPS_PROXY": "http://lovelace:s3cr3t@10.9.8.7:3128",
        "HTTP_PROXY": "http://lovelace:s3cr3t@127.0.0.1:1",
        "NO_PROXY": "zanzibar.invalid,10.9.8.0/24",
        "HAILUO_LOVELACE": "s3cr3t",
    }
    checked = program("doctor", "--report", "report.md", "--provider", "minimax-cn", **variables)
    assert checked.code == 1
    report = (program.cwd / "report.md").read_text("utf-8")
    assert not PLANTED.search(report), report
    assert str(tmp_path) not in report
    for fact in ("| HAILUO_BUDGET | 50 | variable |", "| HAILUO_API_KEY | set | variable |"):
        assert fact in report
    assert "| HAILUO_BASE_URL | another address | variable |" in report
    assert "| problem | settings |" in report
    assert report.count(HIDDEN) > 8
    kept = program("doctor", "--report", "kept.md", HOME=str(home), HAILUO_PROFILE="zanzibar")
    assert kept.code == 1
    assert not PLANTED.search((program.cwd / "kept.md").read_text("utf-8"))


@pytest.mark.parametrize("variable", sorted(variables().values()))
def test_a_secret_in_the_wrong_setting_is_not_shown(variable: str, tmp_path: Path) -> None:
    system = linux(tmp_path)
    for text in ("s3cr3t", "https://lovelace:s3cr3t@zanzibar.example/a b", "/home/lovelace/x"):
        environ = {"HAILUO_PROVIDER": "minimax-cn", variable: text}
        _, results = check_settings(environ, {})
        report = page(results, system, environ, NO_FILE, {})
        assert not PLANTED.search(report), report


def test_the_report_still_says_what_is_wrong(program: Any) -> None:
    told = program("doctor", "--report", "--json", HAILUO_BUGET="5").answer
    report = Path(told["report"])
    assert re.fullmatch(r"hailuo-doctor-\d{8}-\d{6}\.md", report.name)
    text = report.read_text("utf-8")
    assert "is not a setting and does nothing; did you mean HAILUO_BUDGET?" in text
    assert "| ok | journal | none yet: the first task creates it |" in text
    assert "| hailuo-mcp | 0.1.0 |" in text


def test_a_report_under_our_own_name_gets_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two within a second would have the same name."""
    monkeypatch.chdir(tmp_path)
    made = [report_file.make("", "report.md", text).name for text in "abc"]

    assert made == ["report.md", "report-2.md", "report-3.md"]
    assert [(tmp_path / name).read_text() for name in made] == ["a", "b", "c"]


def test_a_report_replaces_no_file(program: Any) -> None:
    (program.cwd / "mine.md").write_text("mine")
    refused = program("doctor", "--report", "mine.md")
    assert (refused.code, "exists" in refused.err) == (2, True)
    assert (program.cwd / "mine.md").read_text() == "mine"


def test_only_words_of_the_program_and_numbers_pass() -> None:
    shown = Redaction(["clips", "https://key:word@media.example:1/x"])
    said = "clips: /srv/clips (3 GB free) of Lisbon, 10.0.0.1, a@b.example key media.example:1 now"
    assert shown(said) == f"{HIDDEN} (3 GB free) of {HIDDEN} now"
    assert shown("It can be written to.") == "It can be written to."
    assert (
        shown("It can (PyAV 16.1.0) be (of Lisbon now) (of 10.1.2.3 now)")
        == f"It can (PyAV 16.1.0) be (of {HIDDEN} now) (of {HIDDEN} now)"
    )
    assert shown("It can (Lisbon now) be") == f"It can ({HIDDEN} now) be"
    assert "s3cr3t" not in vocabulary()


def test_without_its_own_source_the_program_shows_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from hailuo_mcp.cli.set_up.doctor import redaction

    monkeypatch.setattr(redaction, "_SOURCES", ())
    vocabulary.cache_clear()
    try:
        assert Redaction([])("Nobody knows: minimax-cn.") == f"{HIDDEN} minimax-cn."
    finally:
        vocabulary.cache_clear()


def test_a_finding_about_tenants_has_no_words(tmp_path: Path) -> None:
    found = [problem("tenants", "The key of provider was refused.", "Try the other key.")]
    text = page([*found, *found], linux(tmp_path), {}, NO_FILE, {})
    assert f"| problem | tenants | {HIDDEN} |  |" in text
    assert "## Findings: 0 ok, 0 notes, 2 problems" in text
