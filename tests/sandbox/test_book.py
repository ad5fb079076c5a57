"""The account book: what was asked, bought, delivered and owed, whoever asks and whenever."""

import hashlib
import subprocess
from pathlib import Path

import warm

from hailuo_mcp.sandbox.report import read_book

from .conftest import TEXT, Bench, Serve
from .pictures import data_url, png

PATH = "/v1/video_generation"


def test_an_absent_book_is_empty(tmp_path: Path) -> None:
    book = read_book(tmp_path / "nowhere")
    assert book["accounts"] == {}
    assert book["totals"]["creates_received"] == 0


def test_two_front_doors_on_one_folder_are_one_provider(serve: Serve) -> None:
    one, two = serve(), serve()
    task_id = one.create()
    one.clock.pass_by(5)
    assert two.query(task_id)["status"] == "Success"
    url = two.link(task_id)
    path = url.removeprefix(two.sandbox.base_url)
    assert one.client.get(path).content == two.client.get(path).content


def test_a_task_survives_a_restart(serve: Serve) -> None:
    first = serve()
    task_id = first.create()
    first.sandbox.stop()
    second = serve()
    second.clock.pass_by(5)
    assert second.query(task_id)["status"] == "Success"


def test_another_process_can_write_the_same_book_at_the_same_time(
    bench: Bench, tmp_path: Path
) -> None:
    script = (
        "import sys, httpx\n"
        "from pathlib import Path\n"
        "from hailuo_mcp.sandbox.options import SandboxOptions\n"
        "from hailuo_mcp.sandbox.serve import serve_in_thread\n"
        "running = serve_in_thread(SandboxOptions(state_dir=Path(sys.argv[1]), fast_clips=True))\n"
        "with httpx.Client(trust_env=False, headers={'Authorization': 'Bearer sk-test'}) as http:\n"
        "    for number in range(20):\n"
        "        body = {'model': 'T2V-01', 'prompt': f'other {number} [sandbox:seconds=0]'}\n"
        "        answer = http.post(running.base_url + '/v1/video_generation', json=body).json()\n"
        "print(answer['task_id'])\n"
        "running.stop()\n"
    )
    other = subprocess.Popen(
        [*warm.python(), "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    for number in range(20):
        bench.create(f"mine {number}")
    printed, _ = other.communicate(timeout=30)
    assert other.returncode == 0
    account = bench.account()
    assert account["creates_accepted"] == 40
    assert account["duplicates"] == {}
    # Made by a process that is gone, and never rendered by it.
    bench.clock.pass_by(10**9)
    assert bench.query(printed.strip())["status"] == "Success"


def test_the_same_request_accepted_twice_is_a_duplicate(bench: Bench) -> None:
    bench.create()
    bench.create()
    bench.create("another")
    assert list(bench.account()["duplicates"].values()) == [2]
    assert bench.book()["totals"]["duplicates"] == 1


def test_the_bill_has_three_currencies_and_counts_what_has_no_price(bench: Bench) -> None:
    bench.create()
    bench.create("two", resolution="1080P")
    bench.create("three", model="T2V-01")
    bill = bench.account()["bill"]
    assert (bill["credits"], bill["cny"], bill["usd"]) == ("3", "5.50", "0.77")
    assert (bill["videos"], bill["unpriced"]) == (3, 1)


def test_keys_are_never_written_down(bench: Bench, tmp_path: Path) -> None:
    bench.create()
    bench.client.get(bench.link(next(iter(bench.account()["tasks"]))))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("sandbox.sqlite3*"))
    assert b"sk-test" not in written
    assert hashlib.sha256(b"sk-test").hexdigest()[:12].encode() in written


def test_the_book_and_one_task_can_be_read_over_http(bench: Bench) -> None:
    task_id = bench.create()
    bench.query(task_id)
    book = bench.get("/sandbox/book").json()
    assert book == bench.book()
    task = bench.get("/sandbox/book", task_id=task_id).json()
    assert task["status_requests"] == 1
    assert task["finished_at"] is None
    bench.clock.pass_by(5)
    task = bench.get("/sandbox/book", task_id=task_id).json()
    assert task["finished_at"] == task["created_at"] + 4
    assert bench.get("/sandbox/book", task_id="nobody").status_code == 404


def test_requests_can_be_read_back_with_pictures_cut_short(bench: Bench) -> None:
    picture = png()
    sent = {**TEXT, "first_frame_image": data_url(picture)}
    bench.post(PATH, sent)
    bench.post(PATH, {**TEXT, "prompt": ""})
    first, second = bench.get("/sandbox/requests").json()
    shown = first["body"].pop("first_frame_image")
    assert first["body"] == TEXT
    assert shown.startswith(data_url(picture)[:64])
    assert shown.endswith(hashlib.sha256(picture).hexdigest())
    assert (second["outcome"], second["code"]) == ("refused", 2013)
    (last,) = bench.get("/sandbox/requests", last="1").json()
    assert last == second


def test_many_processes_can_open_a_new_book_at_once(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from hailuo_mcp.sandbox.book import Book\n"
        "sys.stdin.read(1)\n"
        "for number in range(20):\n"
        "    Book(Path(sys.argv[1]) / str(number) / 'book.sqlite3').close()\n"
    )
    others = [
        subprocess.Popen([*warm.python(), "-c", script, str(tmp_path)], stdin=subprocess.PIPE)
        for _ in range(4)
    ]
    for other in others:
        assert other.stdin is not None
        other.stdin.write(b"1")
        other.stdin.close()
    assert [other.wait(timeout=30) for other in others] == [0, 0, 0, 0]
