"""verify, as a person runs it: what it sends, what it buys, and what its report holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import warm

from hailuo_mcp.sandbox.report import read_book, read_requests

from .between import CUT, Between, serving
from .conftest import Program, Ran
from .test_json import fits

KEY = "sk-planted-0123456789"
PROMPT = "paper boat"
BUY = "/v1/video_generation"


@pytest.fixture
def account(program: Program) -> Program:
    """A person's own account with a provider."""
    program.environ |= {"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": KEY}
    return program


def report_of(program: Program) -> str:
    (file,) = program.cwd.glob("hailuo-verify-*.md")
    return file.read_text(encoding="utf-8")


def data_of(report: str) -> dict[str, Any]:
    found = re.search(r"```json\n(.*)\n```", report, re.DOTALL)
    assert found
    return json.loads(found[1])


def bought(program: Program) -> list[str]:
    accounts = read_book(program.books)["accounts"].values()
    return [task for account in accounts for task in account["tasks"]]


def outcomes(ran: Ran) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in ran.answer["steps"]}


def test_without_buy_everything_is_as_documented_and_nothing_is_bought(account):
    ran = account("verify")

    assert ran.code == 0, ran.out + ran.err
    assert "9 steps as documented. Nothing was bought." in ran.out
    assert ran.out.partition("\n\n")[0].endswith("Nothing is bought."), "before anything is sent"
    assert bought(account) == []
    assert ran.err.count("The provider must refuse it") == 3
    report = report_of(account)
    assert data_of(report)["bought"] == "no"
    assert "| the key | as documented | HTTP 200, code 0" in report


def test_buy_buys_exactly_one_clip_and_follows_it_to_the_file(account):
    ran = account("verify", "--buy", "--yes", "--json", "--report", "one.md")

    assert ran.code == 0, ran.out + ran.err
    (task_id,) = bought(account)
    fits(ran.answer, "verification")
    assert ran.answer["bought"] == "yes"
    paid = [step["name"] for step in ran.answer["steps"] if step["paid"]]
    assert paid == ["the purchase"]
    assert [*outcomes(ran)][-6:] == [
        *("the purchase", "the states", "the file", "the link", "the clip", "the plan's quota")
    ]
    assert outcomes(ran)["the plan's quota"] == "noted"
    assert "Price: 0.60 CNY" in ran.err
    clips = list(Path(account.environ["HAILUO_OUTPUT_DIR"]).glob("*.mp4"))
    assert len(clips) == 1
    report = account.cwd.joinpath("one.md").read_text(encoding="utf-8")
    ours = re.search(r"_(\w+)\.mp4", clips[0].name)
    assert ours
    for secret in (KEY, PROMPT, task_id, ours[1], "http", str(account.cwd), "127.0.0.1"):
        assert secret not in report, secret
    for secret in (KEY, PROMPT, task_id, ours[1], "http"):
        assert secret not in ran.out, secret

    again = account("verify", "--buy", "--yes", "--no-refusals")
    assert again.code == 0
    assert len(bought(account)) == 2, "a later verification buys a clip of its own"


def test_other_clips_that_are_followed_meanwhile_are_not_in_it(account):
    account("generate", "another clip [sandbox:seconds=3600]", "--no-wait")
    ran = account("verify", "--buy", "--yes", "--no-refusals", "--json", "--record", "kept")

    assert ran.code == 0, ran.out + ran.err
    (file,) = account.cwd.joinpath("kept").iterdir()
    rows = json.loads(file.read_text(encoding="utf-8"))["exchanges"]
    asked = [row["request"]["query"]["task_id"] for row in rows if row["step"] == "the states"]
    assert len(asked) > 1
    assert len(set(asked)) == 1


@pytest.mark.parametrize("provider", ["xcompute", "compat"])
def test_a_purchase_is_as_documented_in_every_format(account, provider):
    unpriced = {"HAILUO_PROVIDER": provider}
    refused = account("verify", "--buy", "--yes", **unpriced)
    assert (refused.code, read_requests(account.books, 10)) == (2, []), "nobody knows the price"
    assert "HAILUO_UNPRICED_COST" in refused.err

    ran = account("verify", "--buy", "--yes", "--json", HAILUO_UNPRICED_COST="2", **unpriced)

    assert ran.code == 0, ran.out + ran.err
    assert set(outcomes(ran).values()) == {"as documented"}
    assert len(bought(account)) == 1


def test_where_nobody_can_answer_buy_needs_yes_and_nothing_is_sent(account):
    ran = account("verify", "--buy")

    assert ran.code == 2
    assert "add --yes" in ran.err.lower()
    assert read_requests(account.books, 10) == []
    assert list(account.cwd.iterdir()) == []


def test_a_no_at_the_question_buys_nothing(account):
    code, seen = account.at_a_terminal("verify", "--buy", types=b"n\n")

    assert code == 0
    assert b"Buy this clip for 0.60 CNY? [y/N]" in seen
    assert b"Nothing was bought." in seen
    assert bought(account) == []
    last = data_of(report_of(account))["steps"][-1]
    assert (last["name"], last["outcome"]) == ("the purchase", "skipped")
    assert last["reason"] == "the price was not agreed to"
    assert "| the purchase (paid) | skipped | - | the price was not agreed to |" in report_of(
        account
    )


def test_a_budget_refuses_the_clip_before_anything_is_sent(account):
    ran = account("verify", "--buy", "--yes", HAILUO_BUDGET="0.5")

    assert ran.code == 2
    assert read_requests(account.books, 10) == []


no_signal = pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process")


def start(program: Program, *argv: str, url: str) -> subprocess.Popen[str]:
    """The program as a process that can be interrupted."""
    program.environ |= {"HAILUO_PROVIDER": "minimax-cn", "HAILUO_API_KEY": KEY}
    process = subprocess.Popen(
        [*warm.program(), *argv],
        env={**program.environ, "HAILUO_BASE_URL": url},
        cwd=program.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    program.started.append(process)
    return process


@no_signal
def test_ctrl_c_in_the_middle_writes_the_report_and_says_how_to_go_on(idle, serve):
    url = serve(seconds_to_ready=3600).base_url
    process = start(idle, "verify", "--buy", "--yes", url=url)
    assert process.stderr
    assert any(" queued" in line for line in process.stderr), "it is at the provider"
    (task_id,) = bought(idle)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130, out + err
    assert "query" in err
    assert "--wait" in err, "the command that goes on"
    report = report_of(idle)
    assert "It was interrupted at: the states." in report
    data = data_of(report)
    assert data["bought"] == "yes"
    last = {step["name"]: step["outcome"] for step in data["steps"][-2:]}
    assert last == {"the purchase": "as documented", "the states": "interrupted"}
    assert "One clip was bought." in out
    assert "failed" not in out
    assert task_id not in report


@no_signal
def test_ctrl_c_before_the_answer_leaves_open_what_became_of_the_request(idle, serve):
    held, free = threading.Event(), threading.Event()

    def hold(method: str, _path: str, _body: bytes) -> None:
        if method == "POST":
            held.set()
            free.wait(30)

    with serving(Between(serve().base_url, act=hold)) as provider:
        process = start(idle, "verify", url=provider.url)
        assert held.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        free.set()

    assert process.returncode == 130, out + err
    data = data_of(report_of(idle))
    assert data["state"] == "It was interrupted at: a request without a model."
    assert data["bought"] == "maybe"
    assert "Something may have been bought." in out


def test_a_refused_key_ends_it_at_once(account):
    refusal = {"base_resp": {"status_code": 2049, "status_msg": f"invalid key {KEY}"}}
    with serving(Between("", act=lambda *_: (200, refusal))) as provider:
        ran = account("verify", "--json", HAILUO_BASE_URL=provider.url)

    assert ran.code == 1
    assert len(provider.asked) == 1
    assert KEY not in ran.out + ran.err + report_of(account)
    assert set(outcomes(ran).values()) == {"failed", "skipped"}
    assert {step["reason"] for step in ran.answer["steps"]} == {"the key was refused"}


def test_without_a_key_nothing_is_sent_or_written(idle):
    ran = idle("verify", "--provider", "minimax-cn")

    assert ran.code == 2
    assert list(idle.cwd.iterdir()) == []


def test_a_report_that_exists_is_not_overwritten(account):
    account.cwd.joinpath("mine.md").write_text("mine")
    ran = account("verify", "--report", "mine.md")

    assert ran.code == 2
    assert "exists" in ran.err
    assert account.cwd.joinpath("mine.md").read_text() == "mine"
    assert read_requests(account.books, 10) == []


def test_where_no_recording_can_be_kept_nothing_is_sent(account):
    account.cwd.joinpath("taken").write_text("mine")
    ran = account("verify", "--record", "taken")

    assert ran.code == 2
    assert "No recording can be written to" in ran.err
    assert read_requests(account.books, 10) == []


def test_a_report_that_is_lost_meanwhile_is_told_in_json_too(account):
    folder = account.cwd / "here"
    folder.mkdir()

    def lose(method: str, _path: str, _body: bytes) -> None:
        if method == "GET" and folder.exists():
            shutil.rmtree(folder)

    with serving(Between(account.environ["HAILUO_BASE_URL"], act=lose)) as provider:
        ran = account(
            *("verify", "--no-refusals", "--json", "--report", "here"), HAILUO_BASE_URL=provider.url
        )

    assert (ran.code, ran.answer["status"]) == (1, "failed")
    assert ran.answer["problem"].startswith("The report could not be written to its end")


def test_the_report_says_what_is_about_to_be_sent_before_it_is_sent(account):
    said = list[str]()

    def look(method: str, _path: str, _body: bytes) -> None:
        if method == "POST":
            said.append(str(data_of(report_of(account))["state"]))

    with serving(Between(account.environ["HAILUO_BASE_URL"], act=look)) as provider:
        account("verify", HAILUO_BASE_URL=provider.url)

    assert said == [
        "About to send: a request without a model.",
        "About to send: a v2 request without a model.",
        "About to send: a template that does not exist.",
    ]


def test_what_is_not_refused_ends_it_and_the_task_can_be_followed(account):
    """A provider that makes a clip of a request without a model: the worst that it can do."""

    def grant(path: str, body: bytes) -> bytes:
        legal = b'{"model": "MiniMax-Hailuo-2.3", "prompt": "anything"}'
        return legal if (path, body) == (BUY, b"{}") else body

    with serving(Between(account.environ["HAILUO_BASE_URL"], change=grant)) as provider:
        url = {"HAILUO_BASE_URL": provider.url}
        ran = account("verify", "--buy", "--yes", "--json", **url)
        (task_id,) = bought(account)
        command = next(line for line in ran.err.splitlines() if task_id in line)
        followed = account(*command.partition("hailuo_mcp")[2].split(), "--json", **url)

    assert ran.code == 1
    assert ran.answer["bought"] == "maybe"
    assert provider.posts == [BUY], "no other such request, and no purchase"
    assert task_id not in ran.out + report_of(account)
    assert outcomes(ran)["the purchase"] == "skipped"
    assert followed.code == 0, followed.err
    assert Path(followed.answer["file"]).is_file()


def test_a_request_whose_answer_is_lost_is_not_sent_again(account):
    lost = Between(account.environ["HAILUO_BASE_URL"])
    lost.act = lambda method, *_: CUT if method == "POST" else None
    with serving(lost) as provider:
        ran = account("verify", "--json", HAILUO_BASE_URL=provider.url)

    assert ran.code == 1
    assert provider.posts == [BUY]
    assert ran.answer["bought"] == "maybe"
    assert outcomes(ran)["a request without a model"] == "failed"


def test_an_unconfirmed_purchase_is_a_finding_and_is_not_sent_again(account):
    lost = Between(account.environ["HAILUO_BASE_URL"])
    lost.act = lambda method, *_: CUT if method == "POST" else None
    with serving(lost) as provider:
        again = ("verify", "--buy", "--yes", "--no-refusals", "--json", "--report")
        ran = account(*again, "1.md", HAILUO_BASE_URL=provider.url)
        second = account(*again, "2.md", HAILUO_BASE_URL=provider.url)

    assert (ran.code, second.code) == (3, 3)
    assert provider.posts == [BUY]
    assert "settle" in ran.err
    assert ran.answer["bought"] == "maybe"


def test_a_refused_purchase_is_a_finding_and_free(account):
    empty = Between(account.environ["HAILUO_BASE_URL"])
    refusal = {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}
    empty.act = lambda method, *_: (200, refusal) if method == "POST" else None
    with serving(empty) as provider:
        ran = account("verify", "--buy", "--yes", "--no-refusals", HAILUO_BASE_URL=provider.url)

    assert ran.code == 1
    assert "Nothing was bought." in ran.out
    assert "1008" in ran.out


def test_a_new_difference_is_named_and_a_known_one_does_not_count(account):
    def strange(method: str, path: str, _body: bytes) -> Any:
        if path != "/v1/files/retrieve":
            return None
        base = {"status_code": 2013, "status_msg": "no"}
        return 200, {"base_resp": base, "queue_position": 3, KEY: 1}

    with serving(Between(account.environ["HAILUO_BASE_URL"], act=strange)) as provider:
        ran = account("verify", HAILUO_BASE_URL=provider.url)

    assert ran.code == 1
    assert "fields that are not documented: `queue_position` (a whole number), `…`" in ran.out
    assert "--record` shows its form" in ran.out
    assert "8 steps as documented, 1 differs. Nothing was bought." in ran.out
    assert "issues/new?template=provider-report.yml\n" in ran.out
    assert KEY not in ran.out + report_of(account)


def test_a_report_can_go_to_a_folder_and_not_where_nothing_can_be_written(account):
    folder = account.cwd / "reports"
    folder.mkdir()
    there = account("verify", "--no-refusals", "--report", "reports")
    nowhere = account("verify", "--no-refusals", "--report", f"missing{os.sep}x.md")

    assert there.code == 0
    assert read_requests(account.books, 10) == [], "requests that must be refused are left out"
    assert len(list(folder.glob("hailuo-verify-*.md"))) == 1
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err
