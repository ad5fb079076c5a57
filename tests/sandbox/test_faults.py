"""Every fault that a prompt can ask for does what its name says."""

import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from .conftest import TEXT, Bench, Serve

CREATE_CODES = [
    "1000",
    "1001",
    "1002",
    "1004",
    "1008",
    "1013",
    "1024",
    "1026",
    "1028",
    "1030",
    "1033",
    "1039",
    "1041",
    "1042",
    "2013",
    "2045",
    "2049",
    "2056",
    "2061",
]
PATH = "/v1/video_generation"


def ask(bench: Bench, *faults: str) -> httpx.Response:
    marks = " ".join(f"[sandbox:{fault}]" for fault in faults)
    return bench.post(PATH, {**TEXT, "prompt": f"a cat {marks}"})


@pytest.mark.parametrize("code", CREATE_CODES)
def test_every_code_refuses_the_create(bench: Bench, code: str) -> None:
    answer = ask(bench, code)
    assert answer.status_code == 200
    assert answer.json()["base_resp"]["status_code"] == int(code)
    assert bench.account()["creates_accepted"] == 0


@pytest.mark.parametrize("status", [401, 429, 500, 502, 503])
def test_an_edge_can_refuse_with_a_plain_status(bench: Bench, status: int) -> None:
    answer = ask(bench, f"http{status}")
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("2" if status == 429 else None)
    assert bench.account()["creates_accepted"] == 0


@pytest.mark.parametrize("code", ["1002", "1039", "1041", "2045", "http429"])
def test_a_counted_refusal_ends_after_that_many(bench: Bench, code: str) -> None:
    answers = [ask(bench, f"{code}x2") for _ in range(3)]
    assert ["task_id" in answer.json() for answer in answers] == [False, False, True]
    assert bench.account()["creates_received"] == 3


@pytest.mark.parametrize("fault", ["nonsense", "10022", "lostx2", "late", "seconds=soon", ""])
def test_an_unknown_fault_is_2013_and_names_those_that_exist(bench: Bench, fault: str) -> None:
    body = ask(bench, fault).json()
    assert body["base_resp"]["status_code"] == 2013


def test_the_refusal_of_an_unknown_fault_names_some_that_exist(bench: Bench) -> None:
    message = ask(bench, "nonsense").json()["base_resp"]["status_msg"]
    assert "cut-download" in message
    assert "1026" in message


def test_lost_accepts_and_never_answers(bench: Bench) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(bench, "lost")
    assert bench.account()["creates_accepted"] == 1


def test_reset_never_accepts(bench: Bench) -> None:
    with pytest.raises(httpx.ReadError):
        ask(bench, "reset")
    account = bench.account()
    assert (account["creates_received"], account["creates_accepted"]) == (1, 0)


def test_hang_accepts_and_outlasts_the_client(bench: Bench) -> None:
    bench.client.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        ask(bench, "hang")
    assert bench.account()["creates_accepted"] == 1


def test_late_answers_after_its_time(bench: Bench) -> None:
    began = time.monotonic()
    assert ask(bench, "late=0.4").json()["task_id"]
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize("fault", ["garbage", "cutjson"])
def test_an_accepted_create_can_answer_something_unreadable(bench: Bench, fault: str) -> None:
    answer = ask(bench, fault)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert bench.account()["creates_accepted"] == 1


def test_noid_accepts_without_saying_what(bench: Bench) -> None:
    assert ask(bench, "noid").json() == {"base_resp": {"status_code": 0, "status_msg": "success"}}
    assert bench.account()["creates_accepted"] == 1


def test_http500_after_accepts_all_the_same(bench: Bench) -> None:
    assert ask(bench, "http500-after").status_code == 500
    assert bench.account()["creates_accepted"] == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [("fail", 0), ("moderated", 1027), ("1027", 1027), ("input-moderated-late", 1026)],
)
def test_a_task_can_fail_at_the_end_and_is_not_billed(bench: Bench, fault: str, code: int) -> None:
    task_id = ask(bench, fault).json()["task_id"]
    assert bench.query(task_id)["base_resp"]["status_code"] == 0
    assert bench.account()["bill"]["credits"] == "1"
    bench.clock.pass_by(5)
    body = bench.query(task_id)
    assert body["status"] == "Fail"
    assert body["base_resp"]["status_code"] == code
    assert body["file_id"] == ""
    assert bench.account()["bill"]["credits"] == "0"


def test_seconds_sets_the_time_to_ready(bench: Bench) -> None:
    task_id = ask(bench, "seconds=100").json()["task_id"]
    bench.clock.pass_by(99)
    assert bench.query(task_id)["status"] == "Processing"
    bench.clock.pass_by(1)
    assert bench.query(task_id)["status"] == "Success"


def test_an_undocumented_word_can_come_in_the_middle(bench: Bench) -> None:
    task_id = ask(bench, "weird-status", "seconds=10").json()["task_id"]
    seen: list[str] = []
    for _ in range(11):
        seen.append(bench.query(task_id)["status"])
        bench.clock.pass_by(1)
    assert list(dict.fromkeys(seen)) == [
        "Preparing",
        "Queueing",
        "Processing",
        "Rendering",
        "Success",
    ]


def poll(bench: Bench, task_id: str) -> str:
    """Return in one word what a status request came to."""
    try:
        answer = bench.get("/v1/query/video_generation", task_id=task_id)
    except httpx.ReadError:
        return "reset"
    if answer.status_code != 200:
        return str(answer.status_code)
    if "json" not in answer.headers["content-type"]:
        return "html"
    code = answer.json()["base_resp"]["status_code"]
    return str(code) if code else "fine"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("poll-500x2", ["500", "500", "fine"]),
        ("poll-1002x2", ["1002", "1002", "fine"]),
        ("poll-html", ["html", "fine", "fine"]),
        ("poll-reset", ["reset", "fine", "fine"]),
        ("lost-task", ["2013", "2013", "2013"]),
    ],
)
def test_polls_can_fail_for_a_while(bench: Bench, fault: str, expected: list[str]) -> None:
    task_id = ask(bench, fault).json()["task_id"]
    assert [poll(bench, task_id) for _ in range(3)] == expected


def test_faults_can_be_mixed(bench: Bench) -> None:
    first = ask(bench, "1002x1", "poll-500", "fail", "seconds=1")
    assert first.json()["base_resp"]["status_code"] == 1002
    task_id = ask(bench, "1002x1", "poll-500", "fail", "seconds=1").json()["task_id"]
    bench.clock.pass_by(1)
    assert [poll(bench, task_id), bench.query(task_id)["status"]] == ["500", "Fail"]


def test_templates_take_faults_in_their_texts(bench: Bench) -> None:
    order: dict[str, Any] = {
        "template_id": "394125185182695432",
        "text_inputs": [{"value": "[sandbox:1026]"}],
    }
    answer = bench.post("/v1/video_template_generation", order).json()
    assert answer["base_resp"]["status_code"] == 1026


def test_the_rate_limit_counts_a_rolling_minute_for_each_key(serve: Serve) -> None:
    bench, other = serve(rpm=2), serve("sk-other", rpm=2)
    codes: list[int] = []
    for _ in range(3):
        answer = bench.post(PATH, TEXT).json()
        codes.append(answer["base_resp"]["status_code"])
    assert codes == [0, 0, 1002]
    assert other.post(PATH, TEXT).json()["base_resp"]["status_code"] == 0
    bench.clock.pass_by(61)
    assert bench.post(PATH, TEXT).json()["base_resp"]["status_code"] == 0


def test_chaos_is_seeded_and_the_book_still_tells_the_truth(serve: Serve) -> None:
    from hailuo_mcp.sandbox.options import Chaos

    chaos = Chaos(seed=7, reset=0.2, rate_refusal=0.2, error_before=0.2, error_after=0.2, lost=0.2)
    bench = serve(chaos=chaos)
    heard = 0
    for number in range(40):
        try:
            answer = bench.post(PATH, {**TEXT, "prompt": str(number)})
        except httpx.TransportError:
            continue
        heard += answer.status_code == 200 and "task_id" in answer.json()
    account = bench.account()
    assert account["creates_received"] == 40
    assert heard < account["creates_accepted"] < 40
    assert account["duplicates"] == {}


def test_chaos_reaches_polls_and_downloads(serve: Serve, bare: httpx.Client) -> None:
    from hailuo_mcp.sandbox.options import Chaos

    bench = serve(chaos=Chaos(poll_error=0.5, cut_download=1.0))
    task_id = str(ask(bench).json()["task_id"])
    assert {poll(bench, task_id) for _ in range(40)} > {"fine"}
    bench.clock.pass_by(5)
    reset_backoff = serve()
    with pytest.raises(httpx.RemoteProtocolError):
        bare.get(
            reset_backoff.link(task_id).replace(
                reset_backoff.sandbox.base_url, bench.sandbox.base_url
            )
        )


def test_without_the_media_extra_a_create_is_refused_and_says_what_to_install() -> None:
    script = (
        "import sys, tempfile, httpx\n"
        "sys.modules['av'] = None\n"
        "from pathlib import Path\n"
        "from hailuo_mcp.sandbox.options import SandboxOptions\n"
        "from hailuo_mcp.sandbox.serve import serve_in_thread\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    running = serve_in_thread(SandboxOptions(state_dir=Path(folder)))\n"
        "    answer = httpx.post(running.base_url + '/v1/video_generation', trust_env=False,\n"
        "        headers={'Authorization': 'Bearer k'}, json={'model': 'T2V-01', 'prompt': 'a'})\n"
        "    running.stop()\n"
        "print(answer.status_code, answer.text)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.startswith("503 ")
    assert "hailuo-mcp[media]" in done.stdout
