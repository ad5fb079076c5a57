"""A server between the program and a sandbox: it passes on, or does what a test tells it."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = (0, {})
"""Ends the connection without an answer."""

Answer = tuple[int, dict[str, Any]] | None


@dataclass
class Between:
    """`act` sees each request and may answer it; `change` may change what is passed on."""

    behind: str
    act: Callable[[str, str, bytes], Answer] = lambda *_: None
    change: Callable[[str, bytes], bytes] = lambda _path, body: body
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of all that came."""

    @property
    def posts(self) -> list[str]:
        return [path for method, path in self.asked if method == "POST"]


@contextmanager
def serving(between: Between) -> Iterator[Between]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            between.asked.append((self.command, path))
            answer = between.act(self.command, path, body)
            if answer == CUT:
                self.close_connection = True
                return
            if answer is not None:
                self.reply(answer[0], {"Content-Type": "application/json"}, json_of(answer[1]))
                return
            self.pass_on(between.change(path, body))

        do_POST = do_GET  # noqa: N815  # the base class's name

        def pass_on(self, body: bytes) -> None:
            sent = {k: v for k, v in self.headers.items() if k.lower() != "content-length"}
            asked = urllib.request.Request(
                between.behind + self.path, body or None, sent, method=self.command
            )
            try:
                with urllib.request.urlopen(asked) as came:
                    self.reply(came.status, dict(came.headers), came.read())
            except urllib.error.HTTPError as refused:
                self.reply(refused.code, dict(refused.headers), refused.read())

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    between.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield between
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def json_of(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
