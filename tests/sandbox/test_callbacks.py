"""callback_url: the challenge, then every change in lowercase words."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest

from .conftest import Bench, Serve


class Listener:
    """A server of the client's: it keeps what it is told."""

    def __init__(self) -> None:
        self.told: Queue[dict[str, Any]] = Queue()
        self.echoes = True
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                listener.told.put(body)
                answer = json.dumps(body if listener.echoes else {}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self) -> dict[str, Any]:
        return self.told.get(timeout=5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def settled(bench: Bench, name: str) -> int:
    """Wait for the book to say that something happened."""
    for _ in range(200):
        if count := bench.account()[name]:
            return int(count)
        threading.Event().wait(0.02)
    return 0


def test_a_listener_that_echoes_is_told_of_every_change(bench: Bench, listener: Listener) -> None:
    task_id = bench.create(callback_url=listener.url)
    assert listener.next().keys() == {"challenge"}
    bench.clock.pass_by(2)
    processing = listener.next()
    assert (processing["task_id"], processing["status"]) == (task_id, "processing")
    bench.clock.pass_by(2)
    done = listener.next()
    assert done["status"] == "success"
    assert done["file_id"] == bench.query(task_id)["file_id"]
    assert done["base_resp"]["status_code"] == 0
    assert settled(bench, "callbacks")


def test_a_failed_task_is_told_as_failed(bench: Bench, listener: Listener) -> None:
    bench.create("[sandbox:moderated]", callback_url=listener.url)
    listener.next()
    bench.clock.pass_by(9)
    assert listener.next()["status"] == "processing"
    failed = listener.next()
    assert failed["status"] == "failed"
    assert failed["base_resp"]["status_code"] == 1027


def test_a_listener_that_does_not_echo_is_told_nothing_and_the_task_goes_on(
    bench: Bench, listener: Listener
) -> None:
    listener.echoes = False
    task_id = bench.create(callback_url=listener.url)
    listener.next()
    assert settled(bench, "challenges_failed") == 1
    bench.clock.pass_by(9)
    assert bench.query(task_id)["status"] == "Success"
    assert bench.account()["callbacks"] == 0


@pytest.mark.parametrize("url", ["https://example.com/", "http://10.0.0.1/", "http://127.0.0.1:9/"])
def test_nobody_else_is_called(serve: Serve, url: str) -> None:
    bench = serve()
    bench.create(callback_url=url)
    assert settled(bench, "challenges_failed") == 1


def test_v2_tells_the_whole_task_at_each_change(bench: Bench, listener: Listener) -> None:
    from .test_v2 import create, read

    task_id = create(bench, callback_url=listener.url)
    assert listener.next().keys() == {"challenge"}
    bench.clock.pass_by(2)
    assert listener.next()["task"]["status"] == "running"
    bench.clock.pass_by(2)
    done = listener.next()["task"]
    assert done.pop("content")["url"].startswith(bench.sandbox.base_url)
    shown = read(bench, task_id)
    del shown["content"]
    assert done == shown


def test_v2_tells_of_a_cancelled_task_and_of_nothing_after_it(
    bench: Bench, listener: Listener
) -> None:
    from .test_v2 import create

    task_id = create(bench, callback_url=listener.url)
    listener.next()
    assert settled(bench, "challenges") == 1
    bench.client.delete(f"/v2/video_generation/{task_id}")
    assert listener.next()["task"]["status"] == "cancelled"
    assert settled(bench, "callbacks") == 1
    bench.clock.pass_by(9)
    create(bench, callback_url=listener.url)
    assert listener.next().keys() == {"challenge"}
