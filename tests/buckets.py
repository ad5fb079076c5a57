"""An S3 service over HTTP on loopback, and a way to it that breaks as a test says."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import httpx

SECRET = "sEcReT-0123456789-access-key"
_numbers = itertools.count(1)
_CONDITIONAL = threading.Lock()


@cache
def _service() -> int:
    """The port of one service for all tests of this process."""
    from moto.server import ThreadedMotoServer  # 0.3 s, which only who has a bucket pays

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return int(server.get_host_and_port()[1])


@cache
def _http() -> httpx.Client:
    """One for all tests of this process: making one reads every certificate authority."""
    return httpx.Client(trust_env=False)


@dataclass
class Way:
    """Passes bytes on to the service, one request on each connection of a client.

    `away`: it closes every connection at once. `silent`: it never answers. `cut_after`: it cuts
    after so many bytes of a request's body. `lose_answer`: the service gets the request, and its
    answer is lost. `turn`: it replaces these bytes on their way to the service.
    """

    port: int = 0
    away: bool = False
    silent: bool = False
    cut_after: int | None = None
    lose_answer: str = ""
    """To requests that begin like this."""
    turn: tuple[bytes, bytes] | None = None
    unconditional: bool = False
    """It refuses "only if it is new", as some services do."""
    answer: bytes = b""
    """Given to every request instead of the service's."""
    requests: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Way]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                with suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:  # noqa: PLR0911  # a manner a line
        with client, suppress(OSError, ValueError):
            client.settimeout(30)
            while not self.away:
                head, body = self._request(client)
                if not head:
                    return
                self.requests.append(head.split(b" HTTP/")[0].decode())
                self.heads.append(head)
                if self.silent:
                    client.recv(1)
                    return
                if self.away or (self.cut_after is not None and len(body) > self.cut_after):
                    return
                if self.unconditional and b"If-None-Match" in head:
                    client.sendall(
                        b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n"
                        b"Connection: close\r\n\r\n"
                    )
                    return
                if self.answer:
                    client.sendall(self.answer)
                    return
                if self.turn:
                    body = body.replace(*self.turn)
                # The service looks and writes in two steps; S3 does "only if it is new" in one.
                one_at_a_time = _CONDITIONAL if b"If-None-Match" in head else nullcontext()
                with one_at_a_time, socket.create_connection(("127.0.0.1", _service())) as service:
                    head = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
                    service.sendall(head + body)
                    answer = b"".join(iter(lambda s=service: s.recv(1 << 16), b""))
                if self.lose_answer and self.requests[-1].startswith(self.lose_answer):
                    return
                client.sendall(answer)
                return  # the service's own answer says that the connection ends

    def _request(self, client: socket.socket) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (block := client.recv(1 << 16)):
                return b"", b""
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        if b"100-continue" in head and not self.away:
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(
                line for line in head.split(b"\r\n") if not line.startswith(b"Expect:")
            )
        sizes = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        size = sizes[0] if sizes else 0
        while len(body) < size:
            if self.cut_after is not None and len(body) > self.cut_after:
                raise ValueError
            if not (block := client.recv(1 << 16)):
                return b"", b""
            body += block
        return head + b"\r\n\r\n", body


@dataclass
class S3:
    """One bucket, seen by the product through `way` and by a test directly."""

    name: str
    way: Way

    @property
    def url(self) -> str:
        return f"s3://{self.name}/videos"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.way.port}",
            "AWS_ACCESS_KEY_ID": "an-id",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }

    def _ask(self, method: str, key: str = "", **more: Any) -> httpx.Response:
        url = f"http://127.0.0.1:{_service()}/{self.name}/{key}"
        signed = "AWS4-HMAC-SHA256 Credential=an-id/20260101/us-east-1/s3/aws4_request"
        headers = {"Authorization": signed, **more.pop("headers", {})}
        return _http().request(method, url.rstrip("/"), headers=headers, **more)

    def make(self) -> None:
        assert self._ask("PUT").status_code == 200

    def remove(self) -> None:
        for key in self.keys():
            self.delete(key)
        assert self._ask("DELETE").status_code == 204

    def keys(self, start: str = "") -> list[str]:
        found = ET.fromstring(self._ask("GET", params={"list-type": "2", "prefix": start}).content)
        return [row.text or "" for row in found.iter() if row.tag.endswith("}Key")]

    def clips(self) -> list[str]:
        return [key for key in self.keys() if key.endswith(".mp4")]

    def read(self, key: str) -> bytes:
        reply = self._ask("GET", key)
        assert reply.status_code == 200, (key, reply.status_code)
        return reply.content

    def write(self, key: str, data: bytes, **metadata: str) -> None:
        headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
        assert self._ask("PUT", key, content=data, headers=headers).status_code == 200

    def delete(self, key: str) -> None:
        self._ask("DELETE", key)

    def key_of(self, file: str) -> str:
        assert file.startswith(f"s3://{self.name}/")
        return file.removeprefix(f"s3://{self.name}/")


@contextmanager
def served_bucket() -> Iterator[S3]:
    with Way().running() as way:
        bucket = S3(f"clips-{next(_numbers)}", way)
        bucket.make()
        yield bucket
