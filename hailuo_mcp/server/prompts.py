"""Prompts that a person picks from a menu; they teach a model to write for Hailuo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mcp import MCPError
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.types import INVALID_PARAMS
from pydantic import Field

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.server.completions import closed_list
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.text import shown

Camera = Annotated[str, Field(description="A camera move, such as Push in")]
Model = Annotated[str, Field(description="A model; empty chooses")]
Resolution = Annotated[str, Field(description="768P, 1080P, 2K …; empty chooses")]
AspectRatio = Annotated[str, Field(description="16:9, 9:16 …, with MiniMax-H3; empty chooses")]

_FROM_PICTURE = (
    "- From a picture, describe only what moves and the camera: the picture shows the rest, and "
    "what is described again may change.\n"
)
_BUYING = (
    "Tell me the price by estimate_cost and wait for my yes. Then generate_video (where the exact "
    "words or moves matter, with prompt_optimizer=false), query_task until it is saved, and look "
    "at it with preview_video. Show me the path and say honestly what is wrong with it, if "
    "anything; buy another take only if I ask for it. For a clip in 2K take drafts at 768P with "
    "MiniMax-H3, show them on one sheet (preview_video with compare_with), and make the one that I "
    "choose again with upgrade_video: its price first."
)


def direct_shot(
    shot: Annotated[str, Field(description="What happens in the clip")],
    camera: Camera = "",
    model: Model = "",
    resolution: Resolution = "",
    aspect_ratio: AspectRatio = "",
) -> str:
    """Direct one shot from an idea to a saved clip."""
    wishes = _wishes(camera=camera, model=model, resolution=resolution, aspect_ratio=aspect_ratio)
    return f"Direct one Hailuo video clip of this: {shot}\n{wishes}\n{_writing()}\n{_BUYING}"


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
        f"Make a Hailuo video that starts from this picture: {image}\n{wishes}\n"
        f"{_writing()}{_FROM_PICTURE}\n"
        f"The picture is first_frame_image, and its mode in estimate_cost is i2v. {_BUYING}"
    )


def storyboard(
    story: Annotated[str, Field(description="What the film tells")],
    shots: Annotated[str, Field(description="How many shots, in any words; empty chooses")] = "",
    style: Annotated[str, Field(description="Look, light and mood of the whole film")] = "",
    continuity: Annotated[
        str, Field(description="last_frame: one shot goes on from the other; none; empty chooses")
    ] = "",
    transition: Annotated[str, Field(description="cut or fade")] = "",
    model: Model = "",
    resolution: Resolution = "",
) -> str:
    """Make a film of several shots, from an idea to one file."""
    _need_one_of("continuity", continuity)
    _need_one_of("transition", transition)
    wishes = _wishes(
        shots=shots,
        style=style,
        continuity=continuity,
        transition=transition,
        model=model,
        resolution=resolution,
    )
    return (
        f"Make a film of several Hailuo shots of this: {story}\n{wishes}\n"
        f"{_writing()}{_FROM_PICTURE}{_read('filming.md')}"
    )


def _need_one_of(argument: str, given: str) -> None:
    """Refuse what the tool would refuse."""
    known = closed_list(argument)
    if given and given not in known:
        raise MCPError(INVALID_PARAMS, f"{argument} is {' or '.join(known)}, not {shown(given)!r}.")


def _writing() -> str:
    """How to write for these models."""
    known = ", ".join(f"[{move.english}]" for move in moves())
    return _read("writing.md").format(moves=known)


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _wishes(**wishes: str) -> str:
    return "".join(
        f"{name.replace('_', ' ').capitalize()}: {wish}\n" for name, wish in wishes.items() if wish
    )


def add_prompts(server: MCPServer[AppContext]) -> None:
    server.add_prompt(Prompt.from_function(direct_shot, title="Direct a shot"))
    server.add_prompt(Prompt.from_function(image_to_video, title="Bring a picture to life"))
    server.add_prompt(Prompt.from_function(storyboard, title="Make a film of several shots"))
