"""The name of a clip, and the sidecar with its facts."""

import json
import os
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

_PROMPT = 24
"""Characters of the prompt in a name."""
_LONGEST = 200
"""Bytes; most systems take 255, and .part.lock and a copy's number must fit too."""
_LONGEST_ID = 80


def file_name(created_at: float, prompt: str, task_id: str) -> str:
    """Return `<date>_<start of the prompt>_<task_id>.mp4`, fit for every system."""
    date = datetime.fromtimestamp(created_at, tz=UTC).astimezone().strftime("%Y-%m-%d")
    tail = f"_{_plain_id(task_id)}.mp4"
    words = _words(unicodedata.normalize("NFC", prompt.strip())[:_PROMPT])
    room = _LONGEST - len(f"{date}_{tail}")
    words = words.encode()[:room].decode(errors="ignore").rstrip("-")
    return f"{date}_{words or 'clip'}{tail}"


def write_sidecar(clip: Path, facts: Mapping[str, object]) -> None:
    """Write the facts beside the clip as JSON, atomically."""
    place = clip.with_suffix(".json")
    if not _is_ours(place):
        # A foreign package.json beside package.mp4 must not be replaced.
        place = clip.with_name(clip.name + ".json")
    draft = place.with_name(place.name + ".part")
    text = sidecar_text(facts)
    # Never through a link with the draft's name.
    draft.unlink(missing_ok=True)
    with draft.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)


def sidecar_text(facts: Mapping[str, object]) -> str:
    return json.dumps(dict(facts), ensure_ascii=False, indent=2, default=str) + "\n"


def _is_ours(sidecar: Path) -> bool:
    try:
        known: object = json.loads(sidecar.read_text("utf-8"))
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and "task_id" in known


def _plain_id(task_id: str) -> str:
    kept = "".join(c for c in task_id if c.isascii() and (c.isalnum() or c in "-_"))
    return kept.strip("-_")[:_LONGEST_ID] or "task"


def _words(text: str) -> str:
    """Keep letters of any script, digits and pictographs; the rest separates words or goes."""
    out: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "LMN" or category == "So":
            out.append(character)
        elif (category[0] in "ZPS" or character in "\t\r\n") and character not in "'’":
            out.append("-")
    return "-".join(word for word in "".join(out).split("-") if word)
