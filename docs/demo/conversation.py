"""Plays docs/conversation.md with a client of somebody else's, and writes the page.

    python3 -m venv /tmp/client && /tmp/client/bin/pip install fastmcp
    /tmp/client/bin/python docs/demo/conversation.py /path/to/hailuo-mcp > docs/conversation.md

The client is fastmcp's, which shares no code with this project. The provider is the free sandbox,
served by the same program, so that it goes on while the server is stopped. The calls are this
script's: no model chose them. The answers are shown as the client received them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

PORT = 8795
LOST = "A red fox runs through fresh snow [Tracking shot] [sandbox:lost]"
BOAT = "A paper boat on a rainy street [Push in]"
HEAD = """# A conversation, as a client saw it

Recorded on 2026-11-22 with fastmcp {client}, a client that this project did not write, over stdio, against the sandbox.
**No model took part**: a script ([demo/conversation.py](demo/conversation.py)) chose the words and the calls. Calls and answers are
what went over the wire: the text that a model reads, whole, with the ids and times of that run. Only the folder of the run is
written as `~/trial`. Answers repeat the beginning of a long prompt only.
`[sandbox:lost]` in a prompt makes the sandbox take the purchase and break the connection before it answers.
[tools.md](tools.md) explains the same tools one by one.
"""


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


class Talk:
    """Makes the calls and writes the page."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder

    def client(self) -> Client[Any]:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "HAILUO_PROVIDER": "minimax-cn",
            "HAILUO_API_KEY": "any",
            "HAILUO_BASE_URL": f"http://127.0.0.1:{PORT}",
            "HAILUO_BUDGET": "20",
            "HAILUO_STATE_DIR": str(self._folder / "state"),
            "HAILUO_OUTPUT_DIR": str(self._folder / "clips"),
        }
        transport = StdioTransport(self._program, [], env=environ, keep_alive=False)
        return Client(transport)

    def say(self, who: str, what: str) -> None:
        say(f"\n**{who}:** {what}")

    async def call(self, client: Client[Any], tool: str, **given: object) -> Mapping[str, Any]:
        answer = await client.call_tool(tool, given, raise_on_error=False)
        say(f"\n→ `{tool}`\n\n```json\n{json.dumps(given, ensure_ascii=False, indent=2)}\n```")
        say(f"\n← {'refused' if answer.is_error else 'answered'}\n\n```text")
        for part in answer.content:
            text = getattr(part, "text", f"[a picture: {getattr(part, 'mimeType', '')}]")
            say(text.replace(str(self._folder), "~/trial"))
        say("```")
        told = answer.structured_content
        if told is None:
            texts = " ".join(getattr(part, "text", "") for part in answer.content)
            told = {"text": texts}
        return told


async def play(talk: Talk) -> None:
    say(HEAD.format(client=version("fastmcp")))
    async with talk.client() as client:
        talk.say("Person", "A six-second clip of a paper boat in the rain. What will it cost?")
        await talk.call(client, "estimate_cost", duration=6)
        talk.say("Person", "Good, make it.")
        bought = await talk.call(client, "generate_video", prompt=BOAT, duration=6, wait_seconds=1)
        talk.say("Agent", "It is being made. I wait for it.")
        task_id = id_in(bought)
        while True:
            state = await talk.call(client, "query_task", task_id=task_id, wait_seconds=20)
            if state.get("file") or "saved" in str(state).lower():
                break
        talk.say("Agent", "I look at it before I say that it is good.")
        await talk.call(client, "preview_video", task_id=task_id)
        talk.say("Person", "Now a fox in the snow.")
        lost = await talk.call(client, "generate_video", prompt=LOST, wait_seconds=1)
        talk.say("Agent", "There was no answer. I ask for the same again, as many agents would.")
    say("\n*The app is closed, and with it the server. A new one starts.*")
    async with talk.client() as client:
        again = await talk.call(client, "generate_video", prompt=LOST, wait_seconds=1)
        if id_in(again) != id_in(lost):
            raise SystemExit("the lost clip was bought again")
        talk.say("Person", "What have I spent?")
        await talk.call(client, "list_tasks")


def id_in(answer: Mapping[str, Any]) -> str:
    return str(re.findall(r"\bv1[0-9a-z]{14}\b", json.dumps(answer))[0])


def creates() -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/sandbox/book") as book:
        return int(json.load(book)["totals"]["creates_received"])


def main() -> None:
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "HAILUO_STATE_DIR": f"{folder}/provider"}
        served = subprocess.Popen(  # noqa: S603  # the program that was named
            [program, "sandbox", "--port", str(PORT), "--seconds", "4"],
            env=environ,
            stdout=subprocess.PIPE,
        )
        try:
            if served.stdout:
                served.stdout.readline()  # it listens
            asyncio.run(play(Talk(program, Path(folder))))
            say(
                f"\n**The provider's book:** {creates()} purchases arrived. The agent had asked for two"
            )
            say("clips in three calls.")
        finally:
            served.terminate()
            served.wait()


if __name__ == "__main__":
    main()
