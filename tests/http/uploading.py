"""A caller elsewhere hands in a picture by its link."""

from __future__ import annotations

import io
import re


def picture(form="PNG"):
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (640, 480), (10, 90, 160)).save(data, form)
    return data.getvalue()


async def ask_with(server, path, way="auto", caller="alice"):
    """The answer to a purchase with a picture that is on the caller's own computer."""
    async with server.client(way, caller) as client:
        return await client.call_tool(
            "generate_video", {"prompt": "A boat", "first_frame_image": str(path)}
        )


async def link_of(server, path="cat.png", way="auto", caller="alice"):
    answer = await ask_with(server, path, way, caller)
    assert answer.is_error
    return re.search(r"http://\S+/uploads/\S+", answer.content[0].text)[0]


async def handed_in(server, path="cat.png", caller="alice"):
    link = await link_of(server, path, caller=caller)
    with server.http(caller="") as http:
        reply = http.post(link, content=picture())
    assert reply.status_code == 201, reply.text
    return reply.json()["upload"]


async def is_there(server, upload, caller="alice"):
    """Whether it is taken for a picture; what is refused then is the last frame alone."""
    async with server.client(caller=caller) as client:
        asked = {"prompt": "A boat", "last_frame_image": upload}
        answer = await client.call_tool("generate_video", asked)
    assert answer.is_error
    return "no uploaded picture" not in answer.content[0].text
