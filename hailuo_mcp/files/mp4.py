"""Checks that a file is a complete MP4 with a picture track, by its boxes (ISO/IEC 14496-12)."""

import re
from typing import BinaryIO

from hailuo_mcp.media import boxes

HEAD = 12
"""Bytes to inspect before anything is written."""
NO_PICTURE = "it has no picture track"
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
    """Say why the file is not a complete MP4 with a picture track; empty if it is one.

    Only its boxes are read: codecs that are unknown here are no flaw.
    """
    end = boxes.length(file)
    reached, film = 0, False
    try:
        for box in boxes.boxes(file, 0, end):
            if reached == 0 and box.kind != b"ftyp":
                return "it does not start like an MP4"
            if box.open_end and not length_known:
                # Allowed for the last box: "to the end of the file", as the server announced it.
                return "its end is not marked"
            film = film or box.kind == b"moov"
            reached = box.end
    except boxes.BrokenBoxesError as trouble:
        return str(trouble)
    if reached != end or not end:
        return "it is truncated"
    if not film:
        return "its index is missing"
    return NO_PICTURE if boxes.lacks_picture(file) else ""
