"""Where a provider's replies can hold secrets: each way fills a whole reply with all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

from verification.deviating import Answer, Asked, Deviating, Deviation
from verification.deviations import (
    BALANCE,
    FILE,
    STATUS,
    SUBMIT,
    TEMPLATE,
    TEMPLATE_STATUS,
    V2_LIST,
    V2_STATUS,
    V2_SUBMIT,
)
from verification.planting import GROUP, HOST, KEY, PROXY, SECRETS, all_disguised, disguised

PLACES = (BALANCE, STATUS, FILE, TEMPLATE_STATUS, V2_STATUS, V2_LIST)
REFUSING = (SUBMIT, V2_SUBMIT, TEMPLATE)
NUMBERS = tuple(int(it.text) for it in SECRETS if it.text.isdecimal())
_ROW = (
    *("id", "model", "status", "created_at", "updated_at", "resolution", "duration", "ratio"),
    *("task_type", "modality", "usage", "error", "content"),
)
Fill = Callable[[Answer], None]


def _message(answer: Answer) -> None:
    answer.json = {"base_resp": {"status_code": 2013, "status_msg": "; ".join(all_disguised())}}


def _fields(answer: Answer) -> None:
    named = {text: text for text in all_disguised()}
    answer.json = {
        **named,
        "extra": {"list": [named], "again": list(named)},
        "base_resp": {**named, "status_code": 2013, "status_msg": "invalid params"},
    }


def _codes(answer: Answer) -> None:
    """One code cannot be all of them; the rest stand where relays have theirs."""
    texts = all_disguised()
    answer.json = {
        "base_resp": {"status_code": KEY.text, "status_msg": "invalid api key"},
        "code": texts[0],
        "error": {"code": PROXY.text, "type": HOST.text, "message": "\n".join(texts)},
        "type": KEY.text.upper(),
        "request_id": GROUP.text,
    }


def _numbers(answer: Answer) -> None:
    answer.json = {
        "base_resp": {"status_code": NUMBERS[0], "status_msg": str(NUMBERS)},
        "video_width": NUMBERS[1],
        "video_height": NUMBERS[0],
        "file": {"file_id": NUMBERS[0], "bytes": NUMBERS[1], "created_at": NUMBERS[2]},
        "task": {"created_at": NUMBERS[0], "duration": NUMBERS[1], "usage": {"x": NUMBERS[2]}},
        "items": [
            {
                "created_at": number,
                "updated_at": 13805719264,
                "duration": number,
                "usage": {"total_seconds": number, "total_tokens": 13805719264},
            }
            for number in NUMBERS
        ],
        "total": 13805719264,
        "group": list(NUMBERS),
        "created_at": float(NUMBERS[2]),
        "error": {"code": NUMBERS[0], "message": 13805719264, "http_code": NUMBERS[2]},
        str(NUMBERS[0]): NUMBERS[0],
    }


def _words(answer: Answer) -> None:
    answer.status = 200
    answer.json = {
        "task_id": SECRETS[-5].text,
        "platform_id": SECRETS[-2].text,
        "status": KEY.text,
        "file_id": SECRETS[-3].text,
        "video_url": SECRETS[-6].text,
        "file": {
            "file_id": NUMBERS[0],
            "filename": PROXY.text,
            "purpose": HOST.text,
            "download_url": SECRETS[-6].text,
            "backup_download_url": PROXY.text,
        },
        "task": {
            **dict.fromkeys(_ROW, KEY.text),
            "content": {"url": f"https://{HOST.text}/{KEY.text}?Expires=1795000000"},
            "error": {"code": PROXY.text, "message": GROUP.text},
            "usage": dict.fromkeys(_ROW, HOST.text),
        },
        "items": [dict.fromkeys(_ROW, it.text) for it in SECRETS],
        "total": NUMBERS[0],
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }


def _page(answer: Answer) -> None:
    rows = "".join(f"<p id='{text}'>{text}</p>" for text in all_disguised())
    answer.headers["content-type"] = "text/html; charset=utf-8"
    answer.body = f"<html><title>{KEY.text}</title>{rows}</html>".encode()


def _redirect(answer: Answer) -> None:
    answer.status = 302
    answer.headers["location"] = f"https://{HOST.text}/{quote(PROXY.text)}?key={KEY.text}"
    answer.body = "\n".join(all_disguised()).encode()


def _headers(answer: Answer) -> None:
    texts = (text for secret in SECRETS for text in islice(disguised(secret.text), 7))
    for number, text in enumerate(texts):
        answer.headers[f"x-{number}"] = text.encode("ascii", "ignore").decode().replace("\n", " ")
    answer.headers |= {
        f"x-{KEY.text.lower()}": KEY.text,
        "trace-id": SECRETS[-1].text,
        "content-type": f'application/json; charset="{KEY.text}"',
        "retry-after": "13805719264",
        "date": f"Sun, 22 Nov 2026 15:00:00 {HOST.text}",
        "set-cookie": f"session={KEY.text}; domain={HOST.text}",
        "server": PROXY.text,
        "www-authenticate": f'Bearer realm="{HOST.text}"',
    }


def _type(answer: Answer) -> None:
    answer.headers["content-type"] = f"application/{KEY.text}+{GROUP.text}"
    answer.body = b"\x89" + "\n".join(all_disguised()).encode()


def _text(answer: Answer) -> None:
    answer.json = "\n".join(all_disguised())


def _cut(answer: Answer) -> None:
    answer.body = json.dumps({"base_resp": list(all_disguised())}).encode()[:-2]


def _envelope(answer: Answer) -> None:
    """As v2 and gateways word errors, with the secrets where a code is read from."""
    texts = all_disguised()
    answer.status = 400
    answer.json = {
        "type": "error",
        "error": {
            "type": texts[0],
            "message": f"{KEY.text} ({GROUP.text}) (13805719264)",
            "http_code": texts[1],
            "param": list(texts),
        },
        "request_id": SECRETS[-1].text,
    }


WAYS: tuple[Fill, ...] = (
    *(_message, _fields, _codes, _numbers, _words, _page),
    *(_redirect, _headers, _type, _text, _cut, _envelope),
)


def everywhere(turn: int) -> list[Deviation]:
    """Every place in another way; after as many turns as there are ways, each had every one."""
    places = (*PLACES, REFUSING[turn % len(REFUSING)])
    ways = islice(cycle(WAYS), turn, None)
    return [at(place, way) for place, way in zip(places, ways, strict=False)]


def while_bought() -> Iterable[Deviation]:
    """What a purchase sees: secrets beside everything that it needs."""

    def more(answer: Answer, *within: str) -> None:
        body = answer.json
        place: dict[str, Any] = body
        for name in within:
            place = place.get(name, {})
        place |= {text: text for text in all_disguised()}
        body.setdefault("base_resp", {})["status_msg"] = "; ".join(all_disguised())
        answer.json = body
        _headers(answer)

    yield at(BALANCE, more)
    yield at(SUBMIT, more)
    yield at(STATUS, more)
    yield at(FILE, lambda answer: more(answer, "file"))


def at(place: tuple[str, str], fill: Fill) -> Deviation:
    def change(server: Deviating, asked: Asked, answer: Answer) -> None:
        del server, asked
        fill(answer)
        if place[0] == "POST" and fill is _words:  # what is accepted here would end the run
            body = {**answer.json, "task_id": "", "task": {}, "items": []}
            answer.json = {**body, "base_resp": {"status_code": 2013, "status_msg": KEY.text}}

    return Deviation(f"{fill.__name__} {place}", *place, change)
