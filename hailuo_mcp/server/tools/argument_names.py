"""Arguments that do not exist: which of ours the caller probably meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.text import shown

OTHER_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Other APIs' and servers' spellings: the seeds, the official server 0.0.19, common SDKs.
        "watermark": ("aigc_watermark",),
        "prompt_optimizer": (
            *("enable_prompt_expansion", "prompt_expansion", "enhance_prompt"),
            "prompt_expansion_mode",
        ),
        "subject_image": ("subject_reference", "character_image"),
        "first_frame_image": (
            *("first_frame", "image", "image_url", "image_path", "image_file", "images"),
            *("init_image", "start_image"),
        ),
        "media_inputs": ("image", "image_url", "image_path", "image_file", "images"),
        "last_frame_image": ("last_frame", "end_frame", "end_image", "tail_image"),
        "reference_images": (
            *("reference_image", "ref_images", "ref_image", "image_references", "references"),
            *("reference_image_urls", "reference_image_url", "input_reference"),
        ),
        "reference_videos": (
            *("reference_video", "ref_videos", "ref_video", "reference_video_urls"),
            *("video", "videos", "video_url", "video_urls", "video_path", "input_video"),
        ),
        "reference_audios": (
            *("reference_audio", "ref_audios", "ref_audio", "reference_audio_urls", "sounds"),
            *("audio", "audios", "audio_url", "audio_urls", "audio_path", "input_audio"),
        ),
        "aspect_ratio": ("ratio", "aspect", "video_ratio"),
        "image_fit": ("fit", "object_fit", "resize_mode", "crop"),
        "prompt": ("text", "description"),
        "text_inputs": ("text", "texts"),
        "duration": ("seconds", "length"),
        "resolution": ("size", "quality"),
        "model": ("model_name", "model_id"),
        "template_id": ("template", "template_name"),
        "task_id": ("id", "remote_id", "video_id", "generation_id", "source_task_id", "draft"),
        "output_path": (*("output_directory", "output_dir", "output_file", "path", "filename"),),
        "overwrite": ("force",),
        "wait_seconds": ("timeout", "wait", "max_wait"),
        "max_cost": ("budget", "max_price"),
        "request_key": ("idempotency_key", "client_request_id"),
        "shots": ("prompt", "prompts", "scenes", "storyboard", "script"),
        "durations": ("duration", "seconds", "lengths"),
        "images": ("image", "first_frame_image", "first_frame_images", "image_urls"),
        "film_id": ("id", "task_id", "storyboard_id", "video_id"),
        "dry_run": ("preview", "plan_only", "estimate_only"),
        "count": ("n", "num_videos"),
        "frames": ("n", "num_frames", "frame_count", "count"),
        "at_seconds": ("timestamp", "time", "at", "seconds"),
        "compare_with": ("task_ids", "ids", "compare", "others"),
        "take": ("n", "num_videos", "count"),
    }
)
_ELSEWHERE = "clips go to the server's folder; download_video copies one elsewhere"
_SOUND = "clips of MiniMax-H3 always have sound, those of other models never"
_UPGRADE = "upgrade_video makes a finished clip again at 2K"
NOT_OFFERED: Mapping[str, str] = MappingProxyType(
    {
        "callback_url": "callbacks are a setting of the server, HAILUO_CALLBACK_URL",
        "output_directory": _ELSEWHERE,
        "output_dir": _ELSEWHERE,
        "output_path": _ELSEWHERE,
        "async_mode": "every call returns before the clip is ready",
        "seed": "the API has no seed; take buys another clip of the same request",
        "negative_prompt": "the API has none; describe in the prompt what is there instead",
        "api_key": "keys are a setting of the server, HAILUO_API_KEY; never send one in a call",
        "mode": "the mode follows from the frames and references that are given",
        "generate_audio": _SOUND,
        "with_audio": _SOUND,
        "sound": _SOUND,
        "content": "text, frames and references have arguments of their own",
        "source_task_id": _UPGRADE,
        "base_video": _UPGRADE,
    }
)


def our_name(name: str, known: Collection[str]) -> str:
    """What an argument with another API's name is called here; empty if it has no such name."""
    word = _plain(name)
    others = (ours for ours, names in OTHER_NAMES.items() if word in map(_plain, names))
    return next((ours for ours in others if ours in known), "")


def unknown_arguments(
    tool: str, wrong: Sequence[str], known: Collection[str]
) -> InvalidRequestError:
    named = "; ".join(_hint(name, known) for name in wrong[:8])
    return InvalidRequestError(
        f"{tool} was not called. It has no argument {named}. "
        f"It takes: {', '.join(known) or 'none'}."
    )


def _hint(name: str, known: Collection[str]) -> str:
    seen, word = shown(name), _plain(name)
    if ours := our_name(name, known):
        return f"{seen!r} (here it is called {ours!r})"
    if why := next((why for other, why in NOT_OFFERED.items() if _plain(other) == word), ""):
        return f"{seen!r} ({why})"
    same = [ours for ours in known if _plain(ours) == word]
    close = same or get_close_matches(name.strip().lower(), known, 1)
    return f"{seen!r} (did you mean {close[0]!r}?)" if close else repr(seen)


def _plain(name: str) -> str:
    """A name in any case: image_url, imageUrl and Image-URL are one."""
    return name.strip().lower().replace("-", "").replace("_", "")
