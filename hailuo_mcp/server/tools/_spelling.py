"""Arguments that do not exist: what the caller probably meant, in our words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

OURS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Other APIs' and servers' spellings: the seeds, the official server 0.0.19, common SDKs.
        "aigc_watermark": ("watermark",),
        "enable_prompt_expansion": ("prompt_optimizer",),
        "prompt_expansion": ("prompt_optimizer",),
        "enhance_prompt": ("prompt_optimizer",),
        "subject_reference": ("subject_image",),
        "reference_image": ("subject_image",),
        "character_image": ("subject_image",),
        "first_frame": ("first_frame_image",),
        "image": ("first_frame_image", "media_inputs"),
        "image_url": ("first_frame_image", "media_inputs"),
        "image_path": ("first_frame_image", "media_inputs"),
        "image_file": ("first_frame_image", "media_inputs"),
        "images": ("media_inputs", "first_frame_image"),
        "init_image": ("first_frame_image",),
        "start_image": ("first_frame_image",),
        "last_frame": ("last_frame_image",),
        "end_frame": ("last_frame_image",),
        "end_image": ("last_frame_image",),
        "tail_image": ("last_frame_image",),
        "text": ("prompt", "text_inputs"),
        "texts": ("text_inputs",),
        "description": ("prompt",),
        "seconds": ("duration",),
        "length": ("duration",),
        "size": ("resolution",),
        "quality": ("resolution",),
        "model_name": ("model",),
        "model_id": ("model",),
        "template": ("template_id",),
        "template_name": ("template_id",),
        "id": ("task_id",),
        "remote_id": ("task_id",),
        "video_id": ("task_id",),
        "generation_id": ("task_id",),
        "output_directory": ("output_path",),
        "output_dir": ("output_path",),
        "output_file": ("output_path",),
        "path": ("output_path",),
        "filename": ("output_path",),
        "force": ("overwrite",),
        "timeout": ("wait_seconds",),
        "wait": ("wait_seconds",),
        "max_wait": ("wait_seconds",),
        "budget": ("max_cost",),
        "max_price": ("max_cost",),
        "idempotency_key": ("request_key",),
        "client_request_id": ("request_key",),
        "n": ("count", "take"),
        "count": ("take",),
        "num_videos": ("count", "take"),
    }
)
_ELSEWHERE = "clips go to the server's folder; download_video copies one elsewhere"
NONE_HERE: Mapping[str, str] = MappingProxyType(
    {
        "callback_url": "callbacks are a setting of the server, HAILUO_CALLBACK_URL",
        "output_directory": _ELSEWHERE,
        "output_dir": _ELSEWHERE,
        "output_path": _ELSEWHERE,
        "async_mode": "every call returns before the clip is ready",
        "aspect_ratio": "a clip has its first frame's shape, else 16:9",
        "ratio": "a clip has its first frame's shape, else 16:9",
        "seed": "the API has no seed; take buys another clip of the same request",
        "negative_prompt": "the API has none; say in the prompt what is there instead",
        "api_key": "keys are a setting of the server, HAILUO_API_KEY; never send one in a call",
        "mode": "the mode follows from the pictures that are given",
    }
)


def _spelt(name: str) -> str:
    """A name whatever its case: image_url, imageUrl and Image-URL are one."""
    return name.strip().lower().replace("-", "").replace("_", "")


_OURS = {_spelt(name): ours for name, ours in OURS.items()}
_NONE_HERE = {_spelt(name): why for name, why in NONE_HERE.items()}


def unknown_arguments(tool: str, wrong: Sequence[str], known: Collection[str]) -> str:
    """The whole refusal."""
    named = "; ".join(_hint(name, known) for name in wrong[:8])
    return (
        f"{tool} was not called, nothing was sent or charged. It has no argument {named}. "
        f"It takes: {', '.join(known) or 'none'}."
    )


def _hint(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    from hailuo_mcp.text import shown

    seen = shown(name)
    word = _spelt(name)
    if ours := next((our for our in _OURS.get(word, ()) if our in known), ""):
        return f"{seen!r} (here it is called {ours!r})"
    if word in _NONE_HERE:
        return f"{seen!r} ({_NONE_HERE[word]})"
    same = [our for our in known if _spelt(our) == word]
    close = same or get_close_matches(name.strip().lower(), known, 1)
    return f"{seen!r} (did you mean {close[0]!r}?)" if close else repr(seen)
