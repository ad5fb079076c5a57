"""estimate, serve, sandbox, and the program itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from hailuo_mcp import __version__
from hailuo_mcp.client.preparing import seller_of
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.rules.estimate import estimate
from hailuo_mcp.wording.costs import cost_estimate


def test_the_version_is_printed(idle):
    assert idle("--version").out == f"hailuo-mcp {__version__}\n"


def test_estimates_are_the_tools_own(idle):
    ran = idle("estimate", "--resolution", "1080p", "--count", "30", "--plan", "compare", "--json")
    seller = seller_of(PROVIDERS["minimax-cn"], "payg")

    assert ran.answer == cost_estimate(
        estimate(seller, resolution="1080p", count=30, plan="compare")
    )


def test_a_comparison_names_the_cheapest(idle):
    ran = idle("estimate", "--resolution", "1080P", "--count", "30", "--plan", "compare")

    assert "payg\t-\t105\t3.5\t-\t20\tcheapest" in ran.out
    assert "basic\t1\t7000\t233.33\t3620\t20\tnever cheaper" in ran.out


def test_a_comparison_tells_where_packs_are_sold_and_shows_none_that_cannot_be_bought(idle):
    asked = ("estimate", "--plan", "compare", "--count", "4000")
    here = idle(*asked)
    abroad = idle(*asked, "--provider", "minimax-global")

    place = "https://platform.minimaxi.com/user-center/payment/subscription"
    assert f"Packs are sold at {place}\n" in here.out
    assert place not in abroad.out
    assert "enterprise" not in abroad.out
    assert "4000 are 1120 USD" in abroad.out


def test_an_estimate_leaves_nothing_on_disk(idle):
    idle("estimate")

    assert not (idle.cwd.parent / "state").exists()


def test_the_sandbox_serves_every_dialect_and_stops_at_ctrl_c(idle):
    process = idle.start("sandbox", "--port", "0", "--fast-clips", "--seconds", "0.2", "--json")
    told = json.loads(process.stdout.readline())
    made = {}
    for provider, base in told["providers"].items():
        assert base.startswith(told["base_url"])
        settings = {
            "HAILUO_PROVIDER": provider,
            "HAILUO_BASE_URL": base,
            "HAILUO_API_KEY": "free",
            "HAILUO_STATE_DIR": str(idle.cwd.parent / provider),
        }
        made[provider] = idle("generate", "hello", "--json", **settings).code
    with urllib.request.urlopen(f"{told['base_url']}/sandbox/book") as reply:
        book = json.load(reply)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)

    assert set(made) == {name for name, row in PROVIDERS.items() if not row.is_sandbox}
    assert set(made.values()) == {0}
    assert sum(len(account["tasks"]) for account in book["accounts"].values()) == len(made)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_said_in_a_sentence(idle, serve):
    ran = idle("sandbox", "--port", str(serve().port))

    assert ran.code == 2
    assert "--port" in ran.err


def test_serve_speaks_mcp_over_stdio_with_the_settings_given(idle):
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-03-26",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "hailuo_mcp", "serve", "--provider", "sandbox"],
        env=idle.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    idle.started.append(process)
    process.stdin.write(json.dumps(hello) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    process.communicate(timeout=20)

    assert answer["result"]["serverInfo"]["name"]
    assert process.returncode == 0


def test_local_callers_need_a_server_that_nobody_else_reaches(idle):
    ran = idle("serve", "--transport", "http", "--local", "--host", "0.0.0.0")

    assert ran.code == 2
    assert "other computers could come in as local callers (0.0.0.0)" in " ".join(ran.err.split())
    assert "Leave --local out" in ran.err


def test_an_ordinary_command_loads_nothing_heavy(idle):
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "hailuo_mcp", "--version"],
        env=idle.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}

    assert not loaded & {"mcp", "httpx", "pydantic", "rich", "PIL", "av", "starlette", "anyio"}


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="needs a shell's pipes")
def test_a_reader_who_has_had_enough_is_no_trouble(program):
    command = f"{sys.executable} -m hailuo_mcp template | head -1"
    ran = subprocess.run(
        command, shell=True, env=program.environ, capture_output=True, text=True, check=False
    )

    assert ran.stdout.startswith("Template")
    assert ran.stderr == ""
