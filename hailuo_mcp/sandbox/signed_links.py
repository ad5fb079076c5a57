"""Download links like the object store's: signed, expiring, valid without a key."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

from starlette.requests import Request

from hailuo_mcp.sandbox.backend import Backend
from hailuo_mcp.sandbox.job import Job


def base_of(request: Request, backend: Backend) -> str:
    """Return what links start with."""
    return backend.options.public_url or f"{request.url.scheme}://{request.url.netloc}"


def issue(request: Request, backend: Backend, task: Job) -> tuple[str, int]:
    """Return a fresh link and the Unix second at which it ends."""
    return issue_at(base_of(request, backend), backend, task)


def issue_at(base: str, backend: Backend, task: Job) -> tuple[str, int]:
    """Return the same for links that start with `base`, where there is no request."""
    _, serial = backend.book.record("link", at=backend.now(), task_id=task.task_id, key=task.key)
    # Templates' links live nine hours, nine times those of v1 files (facts 6.1, C1).
    life = backend.options.link_seconds * (9 if task.kind == "template" else 1)
    expires = int(backend.now() + life)
    if "http-link" in task.faults:
        base = base.replace("https://", "http://", 1)
    query = urlencode(
        {
            "Expires": expires,
            "OSSAccessKeyId": "sandbox",
            "serial": serial,
            "Signature": _sign(backend, task.task_id, expires, serial),
        }
    )
    return f"{base.rstrip('/')}/cdn/{task.task_id}/output.mp4?{query}", expires


def _sign(backend: Backend, task_id: str, expires: int, serial: int) -> str:
    signed = f"{task_id}:{expires}:{serial}".encode()
    return hmac.new(backend.book.link_secret, signed, hashlib.sha256).hexdigest()[:28]


def check(request: Request, backend: Backend, task: Job) -> str:
    """Return what is wrong with the link that was followed; empty: nothing."""
    query = request.query_params
    try:
        expires, serial = int(query.get("Expires", "")), int(query.get("serial", ""))
    except ValueError:
        return "AccessDenied"
    signature = _sign(backend, task.task_id, expires, serial)
    if not hmac.compare_digest(signature.encode(), query.get("Signature", "").encode()):
        return "SignatureDoesNotMatch"
    if backend.now() >= expires or task.faults.hits("expired-link", serial):
        return "AccessDenied: Request has expired."
    return ""
