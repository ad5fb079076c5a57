"""One bucket of an S3-compatible service: objects whole or not there, with the digest beside them.

The only module that imports obstore. Keys, region and endpoint come from the standard AWS_
variables of the process, which the library reads itself: they are in no setting and in no log.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator, Awaitable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.errors import ConfigError, Do, Step

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta
    from obstore.store import S3Store

SECONDS = 10.0
"""The longest wait for a small object or for a part of a clip."""
LARGE = 64 << 20
"""Bytes; what is larger is sent in parts, for which services know no "only if it is new"."""
PART = 16 << 20
BLOCK = 1 << 20
"""Bytes of a clip that are read at once: a slow player must not hold a connection open."""
_PUTS = 4
"""Clips sent at once: each is in memory meanwhile."""
_SLOWEST = 50_000
"""Bytes a second that a put must reach."""
_DIGEST = "sha256"
"""The object's own metadata with the digest of what was sent."""

Result = TypeVar("Result")


class BucketError(OSError):
    """The bucket did not do it; the text says why, as the end of a sentence."""


class DamagedObjectError(BucketError):
    """An object is not what was put there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    key: str
    bytes: int
    modified: float
    """Unix seconds, by the service's clock."""
    etag: str
    sha256: str = ""
    """Of what was put, if this program put it; not known in a list."""


class Bucket:
    def __init__(self, name: str, environ: Mapping[str, str] = os.environ) -> None:
        """Raise ConfigError if the extra is missing or the AWS_ variables cannot be used."""
        self.name = name
        self._store = _open(name, environ)
        self._puts = anyio.CapacityLimiter(_PUTS)

    async def head(self, key: str) -> ObjectFacts | None:
        """Return the object's facts; None if there is no such object."""
        import obstore

        try:
            with _explained():
                asked = obstore.get_async(self._store, key, options={"head": True})
                answer = await _within(SECONDS, asked)
        except FileNotFoundError:
            # Such an answer has no text: an absent bucket looks the same.
            await self.get(key, most=1)
            return None
        return _facts(answer.meta, sha256=str(answer.attributes.get(_DIGEST, "")))

    async def get(self, key: str, *, most: int = 0) -> bytes | None:
        """Return the object's bytes, the first `most` if given; None if there is no such object."""
        import obstore

        try:
            with _explained():
                options: GetOptions = {"range": (0, most)} if most else {}
                asked = obstore.get_async(self._store, key, options=options)
                answer = await _within(SECONDS, asked)
                return bytes(await _within(SECONDS * 6, answer.bytes_async()))
        except FileNotFoundError:
            return None

    async def read(self, key: str, start: int, end: int, etag: str) -> AsyncGenerator[bytes]:
        """Yield these bytes, without `end`, in blocks; BucketError if the object changes."""
        import obstore

        while start < end:
            upto = min(start + BLOCK, end)
            with _explained():
                asked = obstore.get_async(
                    self._store, key, options={"range": (start, upto), "if_match": etag or None}
                )
                answer = await _within(SECONDS, asked)
                block = bytes(await _within(SECONDS, answer.bytes_async()))
            if len(block) != upto - start:
                raise BucketError("it gave another part of the clip than was asked for")
            yield block
            start = upto

    async def fetch(self, key: str, path: Path) -> ObjectFacts | None:
        """Write an object to a new file, and check its digest; None if there is no such object.

        Raises:
            DamagedObjectError: it is not what was put.
            OSError: the file cannot be written.
        """
        if (facts := await self.head(key)) is None:
            return None
        digest = hashlib.sha256()
        with await run_sync(path.open, "xb") as file:
            async for block in self.read(key, 0, facts.bytes, facts.etag):
                digest.update(block)
                await run_sync(file.write, block)
        if facts.sha256 and digest.hexdigest() != facts.sha256:
            raise DamagedObjectError("what it keeps differs from what was sent")
        return replace(facts, sha256=digest.hexdigest())

    async def put(self, key: str, data: bytes, *, once: bool = False, kind: str = "") -> None:
        """Put a small object. `once`: FileExistsError if there is one; else it is replaced."""
        attributes: Attributes = {"Content-Type": kind or "application/octet-stream"}
        await self._put(key, data, attributes, seconds=_seconds_for(len(data)), once=once)

    async def put_file(self, key: str, path: Path, *, sha256: str, kind: str) -> None:
        """Put a file whole under a free key, then read it back; FileExistsError if it is taken."""
        size = (await anyio.Path(path).stat()).st_size
        attributes: Attributes = {"Content-Type": kind, _DIGEST: sha256}
        async with self._puts:
            if size > LARGE:
                await self._put_parts(key, path, attributes, _seconds_for(size))
            else:
                data = await anyio.Path(path).read_bytes()
                seconds = _seconds_for(size)
                await self._put(key, data, attributes, seconds=seconds, once=True)
        if await self._digest_of(key) != (size, sha256):
            await self.delete(key)
            raise DamagedObjectError("what it keeps differs from what was sent; it was removed")

    async def _put(
        self, key: str, data: bytes, attributes: Attributes, *, seconds: float, once: bool
    ) -> None:
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotSupportedError

        def sent(*, new: bool) -> Awaitable[object]:
            return obstore.put_async(
                self._store,
                key,
                data,
                attributes=attributes,
                mode="create" if new else "overwrite",
                use_multipart=False,
            )

        with _explained():
            try:
                await _within(seconds, sent(new=once))
            except AlreadyExistsError:
                raise FileExistsError(key) from None
            except (NotImplementedError, NotSupportedError):
                # A service without "only if it is new". Two writers of a name send the same clip.
                await self._need_free(key)
                await _within(seconds, sent(new=False))

    async def _put_parts(
        self, key: str, path: Path, attributes: Attributes, seconds: float
    ) -> None:
        """It appears under its key when all parts have arrived."""
        import obstore

        await self._need_free(key)
        with _explained():
            await _within(
                seconds,
                obstore.put_async(
                    self._store,
                    key,
                    path,
                    attributes=attributes,
                    use_multipart=True,
                    chunk_size=PART,
                    max_concurrency=2,
                ),
            )

    async def _need_free(self, key: str) -> None:
        if await self.head(key) is not None:
            raise FileExistsError(key)

    async def _digest_of(self, key: str) -> tuple[int, str]:
        facts = await self.head(key)
        digest = hashlib.sha256()
        if facts is None:
            raise BucketError("it does not have what was sent")
        async for block in self.read(key, 0, facts.bytes, facts.etag):
            digest.update(block)
        return facts.bytes, digest.hexdigest()

    async def all(self, prefix: str) -> list[ObjectFacts]:
        """Return every object below the prefix."""
        import obstore

        with _explained():
            stream = obstore.list(self._store, f"{prefix}/", return_arrow=False)  # pyright: ignore[reportUnknownMemberType]
            return [_facts(row) for row in await _within(SECONDS * 6, stream.collect_async())]

    async def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        import obstore

        try:
            with _explained():
                await _within(SECONDS, obstore.delete_async(self._store, key))
        except FileNotFoundError:
            return


def _open(name: str, environ: Mapping[str, str]) -> S3Store:
    from datetime import timedelta

    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError as trouble:
        raise ConfigError(
            "A bucket needs a part of hailuo-mcp that is not installed.",
            Step(Do.ARRANGE, 'install it: pip install "hailuo-mcp[s3]"'),
        ) from trouble
    known = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    endpoint = next((environ[one] for one in known if environ.get(one)), "")
    try:
        return S3Store(
            name,
            client_options={
                # Unencrypted only where a person has written such an address.
                "allow_http": endpoint.lower().startswith("http://"),
                "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=_seconds_for(LARGE)),
                "user_agent": "hailuo-mcp",
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=SECONDS),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=1),
                    "base": 2,
                },
            },
        )
    except (BaseError, ValueError):
        raise ConfigError(
            f"The bucket {name} cannot be used with the AWS_ variables that are set.",
            Step(Do.ARRANGE, "check AWS_ENDPOINT_URL, AWS_REGION and the other AWS_ variables"),
        ) from None


async def _within(seconds: float, work: Awaitable[Result]) -> Result:
    with anyio.fail_after(seconds):
        return await work


@contextmanager
def _explained() -> Generator[None]:
    """Convert the library's errors, whose text has addresses and answers in it, to BucketError.

    FileNotFoundError stays, unless it is the bucket that does not exist.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except BucketError:
        raise
    except TimeoutError:
        raise BucketError("it does not answer in time") from None
    except FileNotFoundError as trouble:
        if "NoSuchBucket" in str(trouble):
            raise BucketError("there is no such bucket") from None
        raise FileNotFoundError from None
    except (BaseError, NotImplementedError) as trouble:
        raise BucketError(_reason(str(trouble))) from None


_REASONS = (
    (("RequestTimeTooSkewed",), "the clock of this computer is wrong"),
    (("NoSuchBucket",), "there is no such bucket"),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "incorrectly configured region"),
        "it is in another region: AWS_REGION names it",
    ),
    (("status: 403", "status: 401", "403 Forbidden", "401 Un"), "it refuses these credentials"),
    (
        ("169.254.", "redential"),
        "there are no credentials for it, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (("412 Precondition", "status: 412"), "the object was replaced meanwhile"),
    (("status: 429", "status: 503", "SlowDown"), "it is too busy"),
    (("status: 5",), "it answers with a server error"),
    (("kind: Connect",), "it cannot be reached"),
)


def _reason(text: str) -> str:
    """Our own words: theirs may repeat parts of a signed request."""
    found = (why for signs, why in _REASONS if any(sign in text for sign in signs))
    return next(found, "the connection to it failed")


def _seconds_for(size: int) -> float:
    return 30.0 + size / _SLOWEST


def _facts(row: ObjectMeta, *, sha256: str = "") -> ObjectFacts:
    return ObjectFacts(
        key=row["path"],
        bytes=row["size"],
        modified=row["last_modified"].timestamp(),
        etag=row["e_tag"] or "",
        sha256=sha256,
    )
