"""Prompts that a person picks from a menu, and what their fields can be completed with."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from hailuo_mcp.server.context import AppContext

_MOST = 100


def direct_shot(shot: str, camera: str = "", model: str = "", resolution: str = "") -> str:
    wishes = _wishes(camera=camera, model=model, resolution=resolution)
    return (
        f"Direct one Hailuo video clip of this: {shot}\n{wishes}"
        "Write a prompt of two to four sentences: subject, action, setting, light, style; camera "
        "moves in square brackets where they happen. Tell me the price by estimate_cost and "
        "wait for my yes. Then generate_video, query_task until it is saved, and show me the path."
    )


def image_to_video(
    image: str, motion: str = "", camera: str = "", model: str = "", resolution: str = ""
) -> str:
    wishes = _wishes(motion=motion, camera=camera, model=model, resolution=resolution)
    return (
        f"Make a Hailuo video that starts from this picture: {image}\n{wishes}"
        "Describe only what moves; the picture already shows the rest. Tell me the price by "
        "estimate_cost (mode i2v) and wait for my yes. Then generate_video with first_frame_image, "
        "query_task until it is saved, and show me the path."
    )


def _wishes(**wishes: str) -> str:
    return "".join(f"{name.capitalize()}: {wish}\n" for name, wish in wishes.items() if wish)


def _argument(name: str, description: str, *, required: bool = False) -> PromptArgument:
    return PromptArgument(name=name, description=description, required=required)


def _prompts() -> list[Prompt]:
    common = [
        _argument("camera", "A camera move, such as Push in"),
        _argument("model", "A model; empty chooses"),
        _argument("resolution", "768P, 1080P …; empty chooses"),
    ]
    shot = _argument("shot", "What happens in the clip", required=True)
    image = _argument("image", "Path or https URL of the picture", required=True)
    return [
        Prompt(
            name="direct_shot",
            title="Direct a shot",
            description="Direct one shot from an idea to a saved clip.",
            arguments=[shot, *common],
            fn=direct_shot,
            context_kwarg=None,
        ),
        Prompt(
            name="image_to_video",
            title="Bring a picture to life",
            description="Make a clip that starts from a picture.",
            arguments=[image, _argument("motion", "What is to move, and how"), *common],
            fn=image_to_video,
            context_kwarg=None,
        ),
    ]


def add_prompts(server: MCPServer[AppContext], app: AppContext) -> None:
    for prompt in _prompts():
        server.add_prompt(prompt)

    @server.completion()  # type: ignore[no-untyped-call,untyped-decorator]  # the SDK left it so
    async def complete(  # pyright: ignore[reportUnusedFunction]  registered
        _ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        _context: CompletionContext | None,
    ) -> Completion:
        found = await _values(app, argument.name, argument.value.strip())
        return Completion(values=found[:_MOST], total=len(found), has_more=len(found) > _MOST)


async def _values(app: AppContext, name: str, typed: str) -> list[str]:
    from hailuo_mcp.catalog.camera_moves import moves
    from hailuo_mcp.catalog.video_models import models

    match name:
        case "model":
            known = [model.name for model in models()]
        case "resolution":
            sizes = {s for m in models() for rules in m.modes.values() for s in rules.sizes}
            known = sorted(sizes, key=lambda size: int(size.rstrip("P")))
        case "camera":
            known = [name for move in moves() for name in (move.english, move.chinese)]
        case "template_id":
            studio = await app.studio()
            known = [template.template_id for template in studio.templates()]
        case "task_id":
            studio = await app.studio()
            return await studio.recent_ids(typed, caller=app.caller().name)
        case _:
            return []
    return [value for value in known if typed.casefold() in value.casefold()]
