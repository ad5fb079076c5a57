"""What lies beside a clip: the sidecar with its facts, a film's poster; and whose a name is.

A clip's name usually has its task's id in it, so that nobody else's file is taken for it. A name
without the id belongs to the task in the sidecar, which is written first: it claims the name.
"""

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from hailuo_mcp.files.name_pattern import DEFAULT, NameFacts, name_pattern
from hailuo_mcp.files.private import write_once
from hailuo_mcp.media.film import POSTER_MARK

SIDECAR, POSTER = ".json", ".jpg"
"""What they have in their names instead of the clip's ".mp4"."""
LARGEST_BESIDE = 4 << 20
"""Bytes; what is larger was not written here."""
_POSTER_HEAD = 4096
"""Bytes of a JPEG in which its comment is."""


def file_name(created_at: float, prompt: str, task_id: str) -> str:
    """Return `<date>_<start of the prompt>_<task_id>.mp4`, fit for every system."""
    facts = NameFacts(created_at=created_at, prompt=prompt, task_id=task_id)
    return name_pattern(DEFAULT).fill(facts)


_MOST_EQUAL = 99
"""Clips with equal names; more get their task's id, because each number has to be tried."""


def candidates(name: str, whose: str) -> Iterator[str]:
    """Yield the names that a clip may get if its own is taken: numbered, at last with its id."""
    yield from (numbered(name, number) for number in range(1, _MOST_EQUAL + 1))
    yield f"{name.removesuffix('.mp4')}_{whose}.mp4"


def needs_claim(name: str, whose: str) -> bool:
    """Whether the name does not say whose the clip is."""
    return whose not in name.rpartition("/")[2].removesuffix(".mp4")


def spooled(name: str, whose: str, claim: bytes) -> str:
    """The clip's name in a spool folder, where those of several places meet."""
    last = name.rpartition("/")[2]
    if not claim or not needs_claim(name, whose):
        return last
    return numbered(f"{whose}.mp4", owner_of(claim)[1])


def claim_name(folder: Path, name: str, claim: bytes) -> str:
    """Take the first free name for a clip, in a folder, by writing its sidecar.

    `claim` is the sidecar's first text. A name that was claimed for the same clip before is taken
    again, so a download that was interrupted goes on. Raises OSError.
    """
    whose = owner_of(claim)
    for one in candidates(name, whose[0]):
        clip = folder / one
        beside = clip.with_name(names_beside(clip.name, SIDECAR)[0])
        if _owner_at(beside) == whose:
            return one
        part = clip.with_name(clip.name + ".part")
        if any(place.exists() or place.is_symlink() for place in (clip, beside, part)):
            continue
        clip.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            write_once(beside, claim)
            if not (clip.exists() or clip.is_symlink()):
                return one
            beside.unlink()
            continue
        if _owner_at(beside) == whose:  # another process was faster, for the same clip
            return one
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / name))


def is_of(clip: Path, whose: str) -> bool:
    """Whether a file with this path is the clip of this task or film: by its name or sidecar."""
    if not whose:
        return False
    beside = clip.with_name(names_beside(clip.name, SIDECAR)[0])
    return whose in clip.stem or _owner_at(beside)[0] == whose


def _owner_at(sidecar: Path) -> tuple[str, int]:
    try:
        with sidecar.open("rb") as file:
            return owner_of(file.read(LARGEST_BESIDE + 1))
    except OSError:
        return "", 0


def owner_of(sidecar: bytes) -> tuple[str, int]:
    """Whose clip a sidecar describes: a task's id, or a film's and its revision; else ""."""
    try:
        known: object = json.loads(sidecar)
    except ValueError:
        return "", 0
    if not isinstance(known, dict):
        return "", 0
    facts = cast("dict[str, object]", known)
    if isinstance(film_id := facts.get("film_id"), str) and "task_id" not in facts:
        revision = facts.get("revision")
        return film_id, revision if isinstance(revision, int) else 0
    return str(facts.get("task_id", "")), 0


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
    return bool(owner_of(data)[0])
