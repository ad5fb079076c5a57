"""Where an input file comes from: a path, a link, a data URL, an upload, a clip made here."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio.to_thread
from anyio.lowlevel import RunVar

from hailuo_mcp.domain.requests import PROVIDER_FILE, ClipFacts, ImageFacts, SoundFacts
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.files.folders import Folders
from hailuo_mcp.text import LONGEST_ID, shown

DECODERS = 2
"""Files decoded at once: each may take some hundred megabytes for a moment."""
_SCHEME = re.compile(r"(?:([A-Za-z][A-Za-z0-9+._-]+)://|(sandbox|blob|attachment|cid):)")
_decoders = RunVar[anyio.CapacityLimiter]("hailuo_picture_decoders")

Named = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Gives the bytes that such as upload:… or task:… names, and where they came from, or ""."""
Decoded = TypeVar("Decoded")
Facts_co = TypeVar("Facts_co", bound=ImageFacts | ClipFacts | SoundFacts, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a file is expected to be."""

    noun: str
    most_bytes: int
    """The largest one that is read."""
    fetch_seconds: float
    """How long a link may take to deliver it."""
    mime: str
    """A usual one, to show how a data URL begins."""
    in_base64: re.Pattern[str]
    """How its bytes begin in base64, if somebody forgets the start of the data URL."""


Fetch = Callable[[str, Kind], Awaitable[bytes]]
"""Reads what is behind an https URL, within the bounds of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Generic[Facts_co]):
    """An input file that was read and looked at."""

    facts: Facts_co
    data: bytes
    """Empty for a clip or sound that the provider fetches itself."""
    url: str = ""
    """Its URL, if the provider can fetch it itself."""
    origin: str = ""
    """The clip, or the frame of a clip, that it is: such as "task:<id>#last"."""

    @property
    def wire(self) -> str:
        """What a dialect sends: the public URL, else a data URL."""
        if self.url:
            return self.url
        return f"data:{self.facts.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The bytes of an input file that nobody has looked at."""

    name: str
    """What messages call it, at the start of a sentence."""
    data: bytes
    url: str = ""
    origin: str = ""


async def read_source(
    text: str,
    kind: Kind,
    *,
    folders: Folders | None,
    fetch: Fetch,
    named: Mapping[str, Named],
) -> Source:
    """Return the bytes that `text` names; raises InvalidRequestError.

    Without `folders` no path is read: the caller is on another computer. `named` has what begins
    with "task:" or "upload:", by that beginning.
    """
    text = text.strip()
    start = text[:8].lower()
    if not text:
        raise refused(f"The {kind.noun}'s path or address is empty", "give one or leave it out")
    if start.startswith("data:"):
        data = await decode_in_thread(lambda: _from_data_url(text, kind))
        return _bounded(kind, Source(name="The data URL", data=data))
    if start.startswith("https://"):
        if not text.isprintable() or " " in text:
            raise refused(
                f"{shown(text)!r} has spaces or control characters", "percent-encode them"
            )
        return _bounded(
            kind, Source(name=_host(text, kind), data=await fetch(text, kind), url=text)
        )
    if start.startswith("http://"):
        raise refused(
            f"{_host(text, kind)} has an http:// address",
            "give an https:// address or a local path",
        )
    for beginning, found in named.items():
        if start.startswith(beginning):
            data, origin = await found(text)
            return _bounded(kind, Source(name=shown(text), data=data, origin=origin))
    data = await decode_in_thread(lambda: _from_path(text, kind, folders))
    return Source(name=repr(shown(text)), data=data)


def is_provider_file(text: str) -> bool:
    """Whether it names a file that was uploaded to the provider, which is passed on as it is.

    Raises:
        InvalidRequestError: it should, but names none.
    """
    text = text.strip()
    if not text.lower().startswith(PROVIDER_FILE):
        return False
    number = text[len(PROVIDER_FILE) :]
    if not text.startswith(PROVIDER_FILE) or not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", number):
        raise refused(
            f"{shown(text)!r} names no file of the provider", f"write {PROVIDER_FILE} and its id"
        )
    return True


def task_in(text: str, kind: Kind, example: str) -> tuple[str, str]:
    """Return the id in task:<id>, and what follows a #."""
    task_id, mark, rest = text.strip()[5:].partition("#")
    task_id = task_id.strip()
    if not task_id or len(task_id) > LONGEST_ID or not task_id.isprintable():
        raise refused(f"{shown(text)!r} names no task", f"write {example}")
    if mark and kind.noun == "clip":
        raise refused(
            f"{shown(text)!r} is a frame, and a clip is needed", "leave out what follows the #"
        )
    return task_id, rest.strip().lower()


def refused(what: str, how: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what}.", Step(Do.TRY, how))


async def decode_in_thread(work: Callable[[], Decoded]) -> Decoded:
    """Run what reads or decodes a file in a thread, at most DECODERS at once."""
    try:
        limiter = _decoders.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(DECODERS)
        _decoders.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter)


def _bounded(kind: Kind, source: Source) -> Source:
    if len(source.data) > kind.most_bytes:
        raise _too_large(source.name, kind)
    return source


def _too_large(name: str, kind: Kind) -> InvalidRequestError:
    return refused(
        f"{name} has more than {kind.most_bytes // 10**6} MB", f"make the {kind.noun} smaller"
    )


def _from_path(text: str, kind: Kind, folders: Folders | None) -> bytes:
    if kind.in_base64.match(text):
        raise refused(
            f"The {kind.noun} is base64 without the start of a data URL",
            f"give the path of the file, or put data:{kind.mime};base64, before it",
        )
    if (found := _SCHEME.match(text)) and not text.lower().startswith("file:"):
        scheme = (found[1] or found[2]).lower()
        raise refused(
            f"A {scheme}: address cannot be opened here",
            "give a path on this computer, an https:// address or a data URL",
        )
    if folders is None:
        also = " or an upload:<id>" if kind.noun == "picture" else ""
        raise refused(
            f"{shown(text)!r} is a path, and hailuo-mcp reads no files for callers on other "
            "computers",
            f"give an https:// address{',' if also else ' or'} a data URL{also}",
        )
    return folders.read(text, limit=kind.most_bytes, noun=kind.noun)


def _from_data_url(text: str, kind: Kind) -> bytes:
    header, comma, payload = text.partition(",")
    # The declared type is ignored: the bytes decide.
    if not comma or not header.lower().rstrip().endswith(";base64"):
        raise refused(
            "The data URL is not base64",
            f"write it as data:{kind.mime};base64,<the bytes in base64>",
        )
    if len(payload) > kind.most_bytes * 2:
        raise _too_large("The data URL", kind)
    if "%" in payload:
        from urllib.parse import unquote

        payload = unquote(payload)
    plain = "".join(payload.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise refused(
            "The data URL is not valid base64, perhaps because it was cut off",
            "give the path of the file instead",
        ) from None


def _host(url: str, kind: Kind) -> str:
    from urllib.parse import urlsplit

    try:
        return f"The {kind.noun} at {shown(urlsplit(url).hostname or 'that address')}"
    except ValueError:
        return f"The {kind.noun} at that address"
