"""A provider with exact times: answers at once, keeps a book, serves one file from the disk.

    python benchmarks/rig/provider.py FOLDER --bytes 6000000

Standard library only, one process, so that it takes as little as can be of what is measured. A
prompt that holds `[ready:12.5]` is ready 12.5 seconds after its create; others at once. `GET /book`
tells what was asked and when, by this machine's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PIECE = 1 << 18
READY = re.compile(r"\[ready:([0-9.]+)\]")
MOVIE = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x08moov"


def write_clip(path: Path, size: int) -> None:
    """The outermost boxes of an MP4 of that size, its pictures a hole in the file."""
    rest = size - len(MOVIE)
    with path.open("wb") as file:
        file.write(MOVIE + b"\x00\x00\x00\x01mdat" + rest.to_bytes(8, "big"))
        file.truncate(size)


class Provider:
    def __init__(self, clip: Path, rate: float = 0.0) -> None:
        self.clip = clip
        self.rate = rate
        self.size = clip.stat().st_size
        self.tasks: dict[str, dict] = {}
        self.host = ""
        self.calls: set[asyncio.Task] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ", 2)
                fields = {
                    name.strip().lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                url = urlsplit(target)
                if url.path == "/clip":
                    await self.send_clip(url.query, writer)
                else:
                    self.answer(writer, self.reply(method, url.path, url.query, body))
                    await writer.drain()
                if fields.get("connection", "").lower() == "close":
                    break
        writer.close()

    def answer(self, writer: asyncio.StreamWriter, found: dict) -> None:
        data = json.dumps(found).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(data)
            + data
        )

    def reply(self, method: str, path: str, query: str, body: bytes) -> dict:
        now = time.time()
        fine = {"base_resp": {"status_code": 0, "status_msg": "success"}}
        if path == "/book":
            return {"tasks": self.tasks}
        if method == "POST":
            sent = json.loads(body)
            seconds = READY.search(sent.get("prompt", ""))
            task_id = f"{len(self.tasks) + 1:018d}"
            ready = now + (float(seconds[1]) if seconds else 0.0)
            self.tasks[task_id] = {
                "prompt": sent.get("prompt", ""),
                "created_at": now,
                "ready_at": ready,
                "polls": [],
                "links": 0,
                "downloads": 0,
            }
            if address := sent.get("callback_url"):
                call = asyncio.create_task(self.tell(address, task_id, ready))
                self.calls.add(call)
                call.add_done_callback(self.calls.discard)
            return {"task_id": task_id, **fine}
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        task_id = asked.get("task_id") or asked.get("file_id", "")
        task = self.tasks.get(task_id)
        if task is None:
            return {"base_resp": {"status_code": 1004, "status_msg": "unknown task"}}
        if path.endswith("/files/retrieve"):
            task["links"] += 1
            link = f"http://{self.host}/clip?{task_id}"
            return {"file": {"file_id": task_id, "bytes": self.size, "download_url": link}, **fine}
        task["polls"].append(now)
        return {**self.state(task_id, now), **fine}

    def state(self, task_id: str, now: float) -> dict:
        if now < self.tasks[task_id]["ready_at"]:
            return {"task_id": task_id, "status": "Processing", "file_id": ""}
        return {"task_id": task_id, "status": "Success", "file_id": task_id}

    async def tell(self, address: str, task_id: str, ready: float) -> None:
        """As the API does: a challenge first, then the news."""
        url = urlsplit(address)
        pauses = (0.0, ready)
        for until, body in zip(pauses, ({"challenge": task_id}, None), strict=True):
            await asyncio.sleep(max(0.0, until - time.time()))
            found = body or {**self.state(task_id, time.time()), "status": "success"}
            data = json.dumps(found).encode()
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(
                f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                + data
            )
            await reader.read()
            writer.close()

    async def send_clip(self, task_id: str, writer: asyncio.StreamWriter) -> None:
        if task_id in self.tasks:
            self.tasks[task_id]["downloads"] += 1
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n"
            b'ETag: "clip"\r\n\r\n' % self.size
        )
        await writer.drain()
        loop = asyncio.get_running_loop()
        with self.clip.open("rb") as file:
            if not self.rate:
                await loop.sendfile(writer.transport, file)
                return
            begun, sent = loop.time(), 0
            while sent < self.size:
                sent += await loop.sendfile(writer.transport, file, sent, PIECE)
                await asyncio.sleep(max(0.0, begun + sent / self.rate - loop.time()))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bytes", type=int, default=6_000_000)
    parser.add_argument("--rate", type=float, default=0.0, help="bytes a second, one link each")
    chosen = parser.parse_args()
    clip = chosen.folder / f"clip-{chosen.bytes}.mp4"
    write_clip(clip, chosen.bytes)
    provider = Provider(clip, chosen.rate)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, backlog=2048)
    provider.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(provider.host, flush=True)
    # Ends with whoever started it.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
