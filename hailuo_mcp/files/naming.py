"""The name of a clip, and of what lies beside it: the sidecar with its facts, a film's poster."""

import errno
import json
import os
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from hailuo_mcp.media.film import POSTER_MARK

SIDECAR, POSTER = ".json", ".jpg"
"""What they have in their names instead of the clip's ".mp4"."""
LARGEST_BESIDE = 4 << 20
"""Bytes; what is larger was not written here."""
_PROMPT = 24
"""Characters of the prompt in a name."""
_LONGEST = 200
"""Bytes; most systems take 255, and .part.lock and a copy's number must fit too."""
_LONGEST_ID = 80
_POSTER_HEAD = 4096
"""Bytes of a JPEG in which its comment is."""


def file_name(created_at: float, prompt: str, task_id: str) -> str:
    """Return `<date>_<start of the prompt>_<task_id>.mp4`, fit for every system."""
    date = datetime.fromtimestamp(created_at, tz=UTC).astimezone().strftime("%Y-%m-%d")
    tail = f"_{_plain_id(task_id)}.mp4"
    words = _words(unicodedata.normalize("NFC", prompt.strip())[:_PROMPT])
    room = _LONGEST - len(f"{date}_{tail}")
    words = words.encode()[:room].decode(errors="ignore").rstrip("-")
    return f"{date}_{words or 'clip'}{tail}"


def numbered(name: str, number: int) -> str:
    """Return the name of the second or a later version of a file; the first has no number."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{number}{dot}{ending}" if number > 1 else name


def names_beside(clip: str, ending: str) -> tuple[str, str]:
    """Return the name of a file beside the clip, and another in case that is somebody else's.

    A foreign package.json beside package.mp4 must not be replaced.
    """
    return clip.removesuffix(".mp4") + ending, clip + ending


def write_beside(clip: Path, ending: str, data: bytes) -> Path:
    """Write a file beside the clip, atomically; FileExistsError if both names are taken.

    Return where it is.
    """
    places = (clip.with_name(name) for name in names_beside(clip.name, ending))
    place = next((place for place in places if _is_free(place)), None)
    if place is None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(clip))
    draft = place.with_name(place.name + ".part")
    # Never through a link with the draft's name.
    draft.unlink(missing_ok=True)
    with draft.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
    return place


def sidecar_text(facts: Mapping[str, object]) -> bytes:
    text = json.dumps(dict(facts), ensure_ascii=False, indent=2, default=str) + "\n"
    return text.encode()


def _is_free(place: Path) -> bool:
    """Whether nothing is there, or a file that this program wrote."""
    try:
        with place.open("rb") as file:
            return is_ours(file.read(LARGEST_BESIDE + 1))
    except FileNotFoundError:
        return True
    except OSError:
        return False


def is_ours(data: bytes) -> bool:
    """Whether this program wrote these bytes as a sidecar or a poster."""
    if data.startswith(b"\xff\xd8"):
        return POSTER_MARK in data[:_POSTER_HEAD]
    try:
        known: object = json.loads(data)
    except ValueError:
        return False
    return isinstance(known, dict) and ("task_id" in known or "film_id" in known)


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
