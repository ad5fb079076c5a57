"""A proxy on loopback, HTTP or SOCKS5, in a thread with real sockets; and what stands behind it."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

Place = tuple[str, int]


async def _rounds(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@dataclass
class Proxy:
    """`routes` says which place on loopback stands for a host:port; nothing leaves this computer.

    `manner` is how it behaves: "open" ways, refuse them with a "403", stay "silent", "cut" at once,
    answer a "half" or "nonsense", "drip" byte by byte, or "hang up" on a way that it has opened.
    """

    kind: str = "http"
    routes: Mapping[str, Place] = field(default_factory=dict)
    credentials: tuple[str, str] | None = None
    manner: str = "open"
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    """The ways that it was asked for: "CONNECT host:port", or a method and a whole URL."""
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else self.kind
        return f"{scheme}://{self._named}127.0.0.1:{self.port}"

    @property
    def _named(self) -> str:
        return "{}:{}@".format(*self.credentials) if self.credentials else ""

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        ready, loop = threading.Event(), asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []
        self._loop = loop

        async def run() -> None:
            server = await asyncio.start_server(self._visit, "127.0.0.1", 0, ssl=self.tls)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await self._stop.wait()
            with suppress(NotImplementedError):  # the loop of Windows has no readers
                for listener in server.sockets:
                    loop.remove_reader(listener.fileno())
            await _rounds(10)  # whoever was let in at the last moment gets a writer to be closed;
            server.close()  # asyncio leaks the socket of one whose turn comes after this
            self._close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await _rounds(3)  # what was aborted closes its sockets in the loop's next rounds

        thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(self._stop.set)
            thread.join(10)
            loop.close()

    def cut(self) -> None:
        """Drop every connection, from any thread."""
        self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            if self.manner == "cut":
                return
            await (self._socks if self.kind == "socks5" else self._http)(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        pieces = [bytes((byte,)) for byte in data] if self.manner == "drip" else [data]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, place, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {place}")
        if self.manner == "silent":
            await self._stop.wait()
        elif self.manner == "half":
            await self._say(writer, b"HTTP/1.1 200 Conn")
        elif self.manner == "nonsense":
            await self._say(writer, b"\x05\x00 SSH-2.0\r\n\r\n")
        elif not self._knows(head):
            await self._say(
                writer,
                b"HTTP/1.1 407 who?\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            )
        elif self.manner.isdigit():
            body = b"<html>blocked"
            await self._say(
                writer,
                b"HTTP/1.1 %b No\r\nContent-Length: 13\r\n\r\n%b" % (self.manner.encode(), body),
            )
        elif method == "CONNECT":
            await self._open(place, reader, writer, b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            scheme, _, rest = place.partition("://")
            netloc, slash, path = rest.partition("/")
            netloc += "" if ":" in netloc else f":{80 if scheme == 'http' else 443}"
            onward = head.replace(place.encode(), f"{slash}{path}".encode(), 1)
            await self._open(netloc, reader, writer, b"", onward)

    def _knows(self, head: bytes) -> bool:
        if self.credentials is None:
            return True
        pair = base64.b64encode(":".join(self.credentials).encode())
        return b"\r\nproxy-authorization: basic " + pair.lower() in head.lower()

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if self.manner == "silent":
            await self._stop.wait()
        if self.manner == "nonsense":
            await self._say(writer, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        if self.manner == "half":
            await self._say(writer, b"\x05")
            return
        wanted = 2 if self.credentials else 0
        if wanted not in methods:
            await self._say(writer, b"\x05\xff")
            return
        await self._say(writer, bytes((5, wanted)))
        if self.credentials:
            await reader.readexactly(1)
            pair = tuple(
                [
                    (await reader.readexactly((await reader.readexactly(1))[0])).decode()
                    for _ in range(2)
                ]
            )
            good = pair == self.credentials
            await self._say(writer, b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            raw = await reader.readexactly(4 if kind == 1 else 16)
            host = socket.inet_ntop(family, raw)
        port = int.from_bytes(await reader.readexactly(2))
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.asked.append(f"CONNECT {place}")
        if self.manner.isdigit():
            await self._say(writer, b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")
            return
        # An answer with a name in it, which is rare and legal.
        await self._open(place, reader, writer, b"\x05\x00\x00\x03\x05there\x00\x50")

    async def _open(
        self,
        place: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        yes: bytes,
        onward: bytes = b"",
    ) -> None:
        if place not in self.routes:
            no = b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"
            gone = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
            await self._say(writer, no if self.kind == "socks5" else gone)
            return
        if self.manner == "hang up":
            await self._say(writer, yes)
            return
        there, back = await asyncio.open_connection(*self.routes[place])
        self._writers.append(back)
        await self._say(writer, yes)
        back.write(onward)

        async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            finally:
                sink.close()

        await asyncio.gather(pass_on(reader, back), pass_on(there, writer), return_exceptions=True)


@dataclass
class Asked:
    line: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Host:
    """A host behind the proxy. `answer` has the last word on each request; none: an empty object."""

    place: Place
    asked: list[Asked] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """What each TLS client called it."""


@contextmanager
def host(answer: Answer | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind.asked.append(Asked(self.requestline, dict(self.headers), body))
            (answer or said(b"{}"))(self)

        do_GET = do_POST = _serve  # noqa: N815  # the base class's names

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever is cut off leaves a trace here

    with Server(("127.0.0.1", 0), Handler) as server:
        behind = Host(server.server_address[:2])
        if tls is not None:
            tls.sni_callback = lambda _line, name, _tls: behind.names.append(name)
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield behind
        finally:
            server.shutdown()
            thread.join()


def trusted(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> ssl.SSLContext:
    """What hosts of these names show, from an authority that this process trusts from now on."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    authority.issue_cert(*names).configure_cert(context)
    return context


def said(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer
