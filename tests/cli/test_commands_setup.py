"""init and doctor as a person runs them: exit codes, answers for machines, keys from stdin."""

import json
import subprocess
import sys
import tomllib


def test_init_alone_lists_the_clients_with_their_files(idle):
    ran = idle("init")
    assert ran.code == 0
    assert "claude-desktop\t-\t" in ran.out
    rows = idle("init", "--json").answer["clients"]
    assert {"claude-desktop", "claude-code", "cursor", "vscode"} <= {row["client"] for row in rows}


def test_init_writes_then_changes_nothing_and_doctor_examines_it(idle):
    first = idle("init", "cursor", "--provider", "sandbox", "--json")
    assert (first.code, first.answer["status"]) == (0, "written")
    again = idle("init", "cursor", "--json")
    assert (again.code, again.answer["status"]) == (0, "unchanged")
    doctor = idle("doctor", "--client", "cursor", "--json")
    assert [f for f in doctor.answer["findings"] if f["level"] == "problem"] == []
    assert (doctor.code, doctor.answer["status"]) == (0, "ok")


def test_a_printed_entry_alone_stands_on_stdout(idle):
    ran = idle("init", "claude-desktop", "--print")
    assert ran.code == 0
    assert json.loads(ran.out)["mcpServers"]["hailuo"]["env"]["HAILUO_BUDGET"] == "50"
    assert "claude_desktop_config.json" in ran.err


def test_a_broken_file_and_an_unknown_client_are_refused(idle):
    file = idle.cwd.parent / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text('{"mcpServers": ')
    broken = idle("init", "cursor")
    assert broken.code == 2
    assert "not valid JSON" in broken.err
    unknown = idle("init", "cursr")
    assert unknown.code == 2
    assert "Did you mean cursor" in unknown.err


def test_a_key_comes_from_stdin_and_is_told_to_nobody(idle):
    done = subprocess.run(
        [sys.executable, "-m", "hailuo_mcp", "init", "cursor", "--key-stdin"],
        input="sk-from-stdin\n",
        env=idle.environ,
        cwd=idle.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "sk-from-stdin" not in done.stdout + done.stderr
    written = json.loads((idle.cwd.parent / ".cursor" / "mcp.json").read_text())
    # It is kept for this computer, and the client's own file is free of it.
    assert written["mcpServers"]["hailuo"]["env"] == {
        "HAILUO_BUDGET": "50",
        "HAILUO_BUDGET_PERIOD": "day",
    }
    kept = tomllib.loads((idle.cwd.parent / ".config/hailuo-mcp/config.toml").read_text())
    assert kept == {"provider": "minimax-cn", "api_key": "sk-from-stdin"}
    assert "sk-from-stdin" not in idle("init", "cursor", "--print").out
    refused = idle("init", "cursor", "--key-stdin")
    assert refused.code == 2


def test_doctor_finds_nothing_wrong_with_the_sandbox_and_leaves_no_journal(idle):
    ran = idle("doctor", "--provider", "sandbox")
    assert ran.code == 0
    assert ran.out.endswith("Nothing is wrong. Nothing was bought.\n")
    assert not (idle.cwd.parent / "state" / "journal.sqlite3").exists()
    assert not (idle.cwd.parent / "videos").exists()


def test_doctor_ends_with_1_and_says_what_to_do(idle):
    ran = idle("doctor", "--provider", "sandbox", HAILUO_BUGET="5")
    assert ran.code == 1
    assert "problem  settings: HAILUO_BUGET is not a setting" in ran.out
    assert "→ Rename it to HAILUO_BUDGET." in ran.out


def test_doctor_asks_a_provider_over_http(program):
    ran = program("doctor", "--json")
    checks = {f["check"]: f["level"] for f in ran.answer["findings"]}
    assert checks["host"] == checks["key"] == checks["clock"] == "ok"
