"""Prompts that a person picks from a menu, and what their fields can be completed with."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)
from pydantic import Field

from hailuo_mcp.server.context import AppContext

_MOST = 100


Camera = Annotated[str, Field(description="A camera move, such as Push in")]
Model = Annotated[str, Field(description="A model; empty chooses")]
Resolution = Annotated[str, Field(description="768P, 1080P …; empty chooses")]


def direct_shot(
    shot: Annotated[str, Field(description="What happens in the clip")],
    camera: Camera = "",
    model: Model = "",
    resolution: Resolution = "",
) -> str:
    """Direct one shot from an idea to a saved clip."""
    wishes = _wishes(camera=camera, model=model, resolution=resolution)
    return (
        f"Direct one Hailuo video clip of this: {shot}\n{wishes}"
        "Write a prompt of two to four sentences: subject, action, setting, light, style; camera "
        "moves in square brackets where they happen. Tell me the price by estimate_cost and "
        "wait for my yes. Then generate_video, query_task until it is saved, and show me the path."
    )


def image_to_video(
    image: Annotated[str, Field(description="Path or https URL of the picture")],
    motion: Annotated[str, Field(description="What moves, and how")] = "",
    camera: Camera = "",
    model: Model = "",
    resolution: Resolution = "",
) -> str:
    """Make a clip that starts from a picture."""
    wishes = _wishes(motion=motion, camera=camera, model=model, resolution=resolution)
    return (
        f"Make a Hailuo video that starts from this picture: {image}\n{wishes}"
        "Describe only what moves; the picture already shows the rest. Tell me the price by "
        "estimate_cost (mode i2v) and wait for my yes. Then generate_video with first_frame_image, "
        "query_task until it is saved, and show me the path."
    )


def _wishes(**wishes: str) -> str:
    return "".join(f"{name.capitalize()}: {wish}\n" for name, wish in wishes.items() if wish)


def add_prompts(server: MCPServer[AppContext], app: AppContext) -> None:
    server.add_prompt(Prompt.from_function(direct_shot, title="Direct a shot"))
    server.add_prompt(Prompt.from_function(image_to_video, title="Bring a picture to life"))

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
    from hailuo_mcp.catalog.video_models import models, resolutions

    match name:
        case "model":
            known = [model.name for model in models()]
        case "resolution":
            known = resolutions()
        case "camera":
            known = [name for move in moves() for name in (move.english, move.chinese)]
        case "template_id":
            studio = await app.studio()
            known = [template.template_id for template in studio.templates()]
        case "task_id":
            studio = await app.studio()
            return await studio.recent_ids(typed, caller=app.caller().name)
        case "film_id":
            studio = await app.studio()
            return await studio.recent_film_ids(typed, caller=app.caller().name)
        case _:
            return []
    return [value for value in known if typed.casefold() in value.casefold()]
