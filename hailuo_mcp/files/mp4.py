"""Checks that a file is a complete MP4, by its outermost boxes (ISO/IEC 14496-12, 4.2)."""

import os
import re
from typing import BinaryIO

HEAD = 12
"""Bytes to inspect before anything is written."""
_MOST_BOXES = 10_000
"""A clip has a handful; millions of tiny ones are an attack on our time."""
_PLAIN_HEADER = 8
_LARGE_HEADER = 16
_EXPIRY = re.compile(
    rb"expire|AccessDenied|SignatureDoesNotMatch|InvalidAccessKeyId|NoSuchKey|"
    rb"InvalidToken|Forbidden|not[ _]?found|\xe8\xbf\x87\xe6\x9c\x9f|\xe5\xa4\xb1\xe6\x95\x88",
    re.IGNORECASE,
)
"""What storage services and CDNs say about a dead link; the last two are Chinese for "expired"."""


def starts_well(head: bytes) -> bool:
    return len(head) >= HEAD and head[4:8] == b"ftyp"


def looks_expired(document: bytes) -> bool:
    return _EXPIRY.search(document) is not None


def kind_of_document(document: bytes) -> str:
    """Name the kind of document that arrived instead of a video."""
    start = document.lstrip()[:1]
    if not start:
        return "an empty file"
    if start in b"{[":
        return "a JSON message"
    return "a web page" if start == b"<" else "something that is not an MP4"


def flaw(file: BinaryIO, *, length_known: bool) -> str:
    """Say why the file is not a complete MP4; empty if it is one."""
    end = file.seek(0, os.SEEK_END)
    position = boxes = 0
    film = False
    while position < end:
        file.seek(position)
        header = file.read(_LARGE_HEADER)
        size, kind = int.from_bytes(header[:4]), header[4:8]
        if position == 0 and kind != b"ftyp":
            return "it does not start like an MP4"
        least = _PLAIN_HEADER
        if size == 1:
            size, least = int.from_bytes(header[8:16]), _LARGE_HEADER
        elif size == 0:
            # Allowed for the last box: "to the end of the file", as the server announced it.
            if not length_known:
                return "its end is not marked"
            size = end - position
        boxes += 1
        if size < least or boxes > _MOST_BOXES:
            return "its boxes are inconsistent"
        film = film or kind == b"moov"
        position += size
    if position != end or not end:
        return "it is truncated"
    return "" if film else "its index is missing"
