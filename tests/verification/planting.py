"""Secrets of a person who does not exist, the disguises they come in, and how a trace is found."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, unquote

_WINDOW = 6
"""So many letters of a secret in a row are a trace."""
_DIGITS = 8
"""The same for digits: dates and prices are digits, too."""
_CODED = 8
"""The same for what is encoded in base64."""


@dataclass(frozen=True)
class Secret:
    text: str
    marks: tuple[str, ...]
    """The parts that give it away; the others are words that anyone may say."""


KEY = Secret("sk-cp-Zq7VexKwolm3BrungTaldor", ("Zq7VexKwolm3BrungTaldor",))
GROUP = Secret("1782658868262748467", ("1782658868262748467",))
USER = "wozniakowa"
HOME = Secret("/home/wozniakowa/Prjktkosz", ("wozniakowa", "Prjktkosz"))
PROXY = Secret(
    "http://tunelowy:Grzmot-Hasl0-55@wyjscie.quorvex.internal:3128",
    ("tunelowy", "GrzmotHasl055", "wyjscie", "quorvex"),
)
HOST = Secret("minibrama.quorvex.internal", ("minibrama", "quorvex"))
TASK = Secret("video_01K9QZXWVJ7MTR4GHC2YBNPD5F", ("01K9QZXWVJ7MTR4GHC2YBNPD5F",))
SECRETS = (
    KEY,
    GROUP,
    HOME,
    PROXY,
    HOST,
    Secret("10.83.217.46", ("10.83.217.46",)),
    Secret(
        "A vermilion wombat juggles brambles on Ploughshare Lane",
        ("vermilion", "wombat", "juggles", "brambles", "Ploughshare"),
    ),
    Secret("一只朱红色的袋熊在犁头巷", ("一只朱红色的袋熊在犁头巷",)),
    Secret("wilhelmina.krzyz@quorvex-labs.example", ("wilhelmina", "krzyz", "quorvex")),
    Secret("Krzyzewska Pracownia GmbH", ("Krzyzewska", "Pracownia")),
    Secret("org-Vantorelle", ("Vantorelle",)),
    Secret("+86 138 0571 9264", ("13805719264",)),
    Secret(
        "https://hushkubelek.oss-cn-wulanchabu.aliyuncs.com/lelek/out.mp4?Expires=1795000000"
        "&OSSAccessKeyId=LTAI5tQwrkVnzBHd&Signature=u7JkwXqPzzL0Rg8d",
        ("hushkubelek", "lelek", "LTAI5tQwrkVnzBHd", "u7JkwXqPzzL0Rg8d"),
    ),
    Secret("106916112219987", ("106916112219987",)),
    Secret("401047179385380077", ("401047179385380077",)),
    Secret("176844028766543", ("176844028766543",)),
    TASK,
    Secret("Wq9sTraceKvothe77Lumbrex", ("Wq9sTraceKvothe77Lumbrex",)),
)


def disguised(secret: str) -> Iterator[str]:
    """It and what becomes of it on the way through programs and people."""
    raw, half = secret.encode(), len(secret) // 2
    yield secret
    yield secret.upper()
    yield secret.lower()
    yield quote(secret, safe="")
    yield "".join(f"%{byte:02x}" for byte in raw)
    yield quote(quote(secret, safe=""), safe="")
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(b"x" + raw).decode().rstrip("=")
    yield base64.b64encode(b"xy" + raw).decode()
    yield raw.hex()
    yield f"{secret[:half]} {secret[half:]}"
    yield f"{secret[:half]}\u200b{secret[half:]}"
    yield f"{secret[:half]}\n{secret[half:]}"
    yield f"invalid api key {secret}"
    yield f"invalid params,{secret}"
    digits = "".join(filter(str.isdecimal, secret))
    if len(digits) >= _DIGITS and len(digits) * 2 > len(secret):
        yield f"id_{'_'.join(digits)}"
        yield f"id{'id'.join(digits)}"
    yield f"`{secret}` | **{secret}** <b>{secret}</b>"


@cache
def all_disguised() -> tuple[str, ...]:
    return tuple(text for secret in SECRETS for text in disguised(secret.text))


def traces(text: str, secrets: Iterable[Secret] = SECRETS) -> set[str]:
    """The parts of secrets that a text shows, in any disguise."""
    lines = "\n".join(dict.fromkeys(text.splitlines()))  # most lines of a recording are equal
    plain = _letters(lines) + "\n" + _letters(unquote(unquote(lines)))
    digits = re.sub(r"(?<=\d)(id|\W|_)+(?=\d)", "", plain)
    return {
        mark
        for secret in secrets
        for mark in secret.marks
        if any(it in plain or it in digits for it in _windows(_letters(mark)))
        or any(it in lines for it in (*_encoded(mark), *_encoded(secret.text)))
        or any(it in plain for it in (*_hexed(mark), *_hexed(secret.text)))
    }


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


@cache
def _windows(letters: str) -> list[str]:
    wanted = _DIGITS if letters.isdecimal() else 4 if not letters.isascii() else _WINDOW
    size = min(wanted, len(letters))
    return [letters[at : at + size] for at in range(len(letters) - size + 1)]


@cache
def _encoded(mark: str) -> list[str]:
    found = list[str]()
    for ahead in range(3):
        raw = b"x" * ahead + mark.encode()
        # A letter has six bits: the first and the last may also depend on the neighbours.
        first, end = -(-8 * ahead // 6), 8 * len(raw) // 6
        whole = base64.b64encode(raw).decode()[first:end]
        found += (whole[at : at + _CODED] for at in range(len(whole) - _CODED + 1))
    return found


@cache
def _hexed(mark: str) -> list[str]:
    whole = mark.encode().hex()
    size = min(2 * _WINDOW, len(whole))
    return [whole[at : at + size] for at in range(len(whole) - size + 1)]
