"""One bucket of an S3-compatible service: objects whole or not there, with the digest beside them.

The only module that imports botocore. Keys, region and endpoint come from the standard AWS_
variables and files of the process, which the library reads itself: they are in no setting.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol, TypeVar

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.errors import ConfigError, Do, Step

SECONDS = 10.0
"""The longest wait for a small object or for a block of a clip."""
BLOCK = 1 << 20
"""Bytes of a clip that are read at once: a slow player must not hold a connection open."""
PAGE = 1000
"""Objects in one answer to a list."""
_AT_ONCE = 16
"""Requests; a slow bucket must not take every thread of the process."""
_SLOWEST = 50_000
"""Bytes a second that a clip must go through at."""
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


class _Client(Protocol):
    """What is used of botocore's client, which is made at run time."""

    def head_object(self, **given: object) -> Mapping[str, Any]: ...
    def get_object(self, **given: object) -> Mapping[str, Any]: ...
    def put_object(self, **given: object) -> Mapping[str, Any]: ...
    def delete_object(self, **given: object) -> Mapping[str, Any]: ...
    def list_objects_v2(self, **given: object) -> Mapping[str, Any]: ...


class Bucket:
    def __init__(self, name: str, environ: Mapping[str, str] = os.environ) -> None:
        """Raise ConfigError if the extra is missing or the AWS_ variables cannot be used."""
        self.name = name
        self._client = _connect(name, environ)
        self._threads = anyio.CapacityLimiter(_AT_ONCE)

    async def head(self, key: str) -> ObjectFacts | None:
        """Return the object's facts; None if there is no such object."""
        return await self._do(SECONDS, self._head, key)

    def _head(self, key: str) -> ObjectFacts | None:
        try:
            with _explained():
                found = self._client.head_object(Bucket=self.name, Key=key)
        except FileNotFoundError:
            # Such an answer has no text: an absent bucket looks the same.
            self._get(key)
            return None
        return ObjectFacts(
            key=key,
            bytes=found["ContentLength"],
            modified=found["LastModified"].timestamp(),
            etag=found.get("ETag", ""),
            sha256=found.get("Metadata", {}).get(_DIGEST, ""),
        )

    async def get(self, key: str) -> bytes | None:
        """Return the object's bytes; None if there is no such object."""
        return await self._do(SECONDS * 6, self._get, key)

    def _get(self, key: str) -> bytes | None:
        try:
            with _explained():
                body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
                return bytes(body.read())
        except FileNotFoundError:
            return None

    async def read(self, key: str, start: int, end: int, etag: str) -> AsyncGenerator[bytes]:
        """Yield these bytes, without `end`, in blocks; BucketError if the object changes."""
        while start < end:
            upto = min(start + BLOCK, end)
            block = await self._do(SECONDS, self._read, key, start, upto, etag)
            yield block
            start = upto

    def _read(self, key: str, start: int, end: int, etag: str) -> bytes:
        only: dict[str, object] = {"IfMatch": etag} if etag else {}
        with _explained():
            answer = self._client.get_object(
                Bucket=self.name, Key=key, Range=f"bytes={start}-{end - 1}", **only
            )
            block = bytes(answer["Body"].read())
        if len(block) != end - start:
            raise BucketError("it gave another part of the clip than was asked for")
        return block

    async def fetch(self, key: str, path: Path) -> ObjectFacts | None:
        """Write an object to a new file, and check its digest; None if there is no such object.

        Raises:
            DamagedObjectError: it is not what was put.
            OSError: the file cannot be written.
        """
        if (facts := await self.head(key)) is None:
            return None
        sha256 = await self._do(_seconds_for(facts.bytes), self._fetch, facts, path)
        if facts.sha256 and sha256 != facts.sha256:
            raise DamagedObjectError("what it keeps differs from what was sent")
        return replace(facts, sha256=sha256)

    def _fetch(self, facts: ObjectFacts, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("xb") as file:
            for start in range(0, facts.bytes, BLOCK):
                end = min(start + BLOCK, facts.bytes)
                block = self._read(facts.key, start, end, facts.etag)
                digest.update(block)
                file.write(block)
        return digest.hexdigest()

    async def put(self, key: str, data: bytes, *, once: bool = False, kind: str = "") -> None:
        """Put a small object. `once`: FileExistsError if there is one; else it is replaced."""
        given = {"ContentType": kind or "application/octet-stream"}
        work = partial(self._put, key, BytesIO(data), given, once=once)
        await self._do(_seconds_for(len(data)), work)

    async def put_file(self, key: str, path: Path, *, sha256: str, kind: str) -> None:
        """Put a file whole under a free key, then read it back; FileExistsError if it is taken."""
        size = (await anyio.Path(path).stat()).st_size

        def put() -> None:
            with path.open("rb") as file:
                given = {"ContentType": kind, "Metadata": {_DIGEST: sha256}}
                self._put(key, file, given, once=True)

        await self._do(_seconds_for(size), put)
        facts = await self.head(key)
        if facts is None:
            raise BucketError("it does not have what was sent")
        kept = await self._do(_seconds_for(size), self._digest, facts)
        if (facts.bytes, kept) != (size, sha256):
            await self.delete(key)
            raise DamagedObjectError("what it keeps differs from what was sent; it was removed")

    def _put(self, key: str, body: BinaryIO, given: Mapping[str, object], *, once: bool) -> None:
        from botocore.exceptions import ClientError

        with _explained():
            if once:
                try:
                    self._client.put_object(
                        Bucket=self.name, Key=key, Body=body, IfNoneMatch="*", **given
                    )
                except ClientError as refused:
                    status = _status_of(refused.response)
                    if status in _TAKEN:
                        raise FileExistsError(key) from None
                    if status != HTTPStatus.NOT_IMPLEMENTED:
                        raise
                else:
                    return
                # A service without "only if it is new". Two writers of a name send the same clip.
                if self._head(key) is not None:
                    raise FileExistsError(key) from None
                body.seek(0)
            self._client.put_object(Bucket=self.name, Key=key, Body=body, **given)

    def _digest(self, facts: ObjectFacts) -> str:
        digest = hashlib.sha256()
        for start in range(0, facts.bytes, BLOCK):
            end = min(start + BLOCK, facts.bytes)
            digest.update(self._read(facts.key, start, end, facts.etag))
        return digest.hexdigest()

    async def all(self, prefix: str) -> list[ObjectFacts]:
        """Return every object below the prefix."""
        return await self._do(SECONDS * 6, self._all, f"{prefix}/")

    def _all(self, prefix: str) -> list[ObjectFacts]:
        found, asked = list[ObjectFacts](), dict[str, object]()
        while True:
            asked |= {"Bucket": self.name, "Prefix": prefix, "MaxKeys": PAGE}
            with _explained():
                page = self._client.list_objects_v2(**asked)
            found += [
                ObjectFacts(
                    key=row["Key"],
                    bytes=row["Size"],
                    modified=row["LastModified"].timestamp(),
                    etag=row.get("ETag", ""),
                )
                for row in page.get("Contents", ())
            ]
            if not page.get("IsTruncated"):
                return found
            asked["ContinuationToken"] = page["NextContinuationToken"]

    async def delete(self, key: str) -> None:
        """Delete an object, if there is one."""

        def delete() -> None:
            with _explained():
                self._client.delete_object(Bucket=self.name, Key=key)

        try:
            await self._do(SECONDS, delete)
        except FileNotFoundError:
            return

    async def _do(self, seconds: float, work: Callable[..., Result], *args: object) -> Result:
        """Run a request in a thread. A cancelled caller does not wait for it to end."""
        try:
            with anyio.fail_after(seconds):
                return await run_sync(work, *args, abandon_on_cancel=True, limiter=self._threads)
        except TimeoutError:
            raise BucketError("it does not answer in time") from None


_LOADERS: dict[str | None, Any] = {}
"""By folder, what the library has read of S3's description: much JSON, once for all buckets."""


def _connect(name: str, environ: Mapping[str, str]) -> _Client:
    try:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError as trouble:
        raise ConfigError(
            "A bucket needs a part of hailuo-mcp that is not installed.",
            Step(Do.ARRANGE, 'install it: pip install "hailuo-mcp[s3]"'),
        ) from trouble
    for library in ("botocore", "urllib3"):
        # Even for debugging: their lines have signed requests and names of clips in them.
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        session = Session()
        loader = session.get_component("data_loader")
        loader = _LOADERS.setdefault(session.get_config_variable("data_path"), loader)
        session.register_component("data_loader", loader)
        known: Mapping[str, Any] = session.get_scoped_config().get("s3") or {}
        own = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
        style: Any = known.get("addressing_style") or ("path" if own else "auto")
        region = environ.get("AWS_REGION") or session.get_config_variable("region")
        client: Any = session.create_client(
            "s3",
            region_name=region or "us-east-1",
            config=Config(
                connect_timeout=3,
                read_timeout=20,
                retries={"total_max_attempts": 2, "mode": "standard"},
                max_pool_connections=_AT_ONCE,
                # The digest is part of the signature, which every service checks; the newer
                # checksums are refused by some.
                s3={"addressing_style": style, "payload_signing_enabled": True},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except (BotoCoreError, ValueError):
        raise ConfigError(
            f"The bucket {name} cannot be used with the AWS_ variables that are set.",
            Step(Do.ARRANGE, "check AWS_ENDPOINT_URL, AWS_REGION and the other AWS_ variables"),
        ) from None
    found: _Client = client
    return found


@contextmanager
def _explained() -> Generator[None]:
    """Convert the library's errors, whose text has addresses and answers in it, to BucketError.

    Raises:
        FileNotFoundError: there is no such object.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as trouble:
        _explain(trouble.response)
    except BotoCoreError as trouble:
        raise BucketError(_FAULTS.get(type(trouble).__name__, _CUT)) from None
    except RecursionError:  # it follows a redirect that does not name the region
        raise BucketError(_CODES["PermanentRedirect"]) from None


_CUT = "the connection to it failed"
_UNREACHED = "it cannot be reached"
_NO_KEYS = "there are no credentials for it, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_FAULTS = {
    "EndpointConnectionError": _UNREACHED,
    "ConnectTimeoutError": _UNREACHED,
    "ProxyConnectionError": _UNREACHED,
    "SSLError": "its certificate is not valid",
    "ReadTimeoutError": "it does not answer in time",
    "NoCredentialsError": _NO_KEYS,
    "PartialCredentialsError": _NO_KEYS,
}
"""By the names of botocore's errors."""
_CODES = {
    "NoSuchBucket": "there is no such bucket",
    "RequestTimeTooSkewed": "the clock of this computer is wrong",
    "AuthorizationHeaderMalformed": "it is in another region: AWS_REGION names it",
    "PermanentRedirect": "it is in another region: AWS_REGION names it",
    "SlowDown": "it is too busy",
}
"""By the codes of the S3 API."""
_TAKEN = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)
_STATUSES = {
    301: _CODES["PermanentRedirect"],
    401: "it refuses these credentials",
    403: "it refuses these credentials",
    412: "the object was replaced meanwhile",
    429: _CODES["SlowDown"],
    503: _CODES["SlowDown"],
}


def _explain(answer: Mapping[str, Any]) -> NoReturn:
    """Our own words: the service's may repeat parts of a signed request."""
    code, status = str(answer.get("Error", {}).get("Code", "")), _status_of(answer)
    if why := _CODES.get(code):
        raise BucketError(why) from None
    if status == HTTPStatus.NOT_FOUND:
        raise FileNotFoundError from None
    raise BucketError(_STATUSES.get(status, f"it answers HTTP {status}")) from None


def _status_of(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _seconds_for(size: int) -> float:
    return 30.0 + size / _SLOWEST
