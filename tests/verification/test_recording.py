"""What a verification exchanged is written once, publishable, and can be read again."""

from __future__ import annotations

import json

import pytest

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.verification import recording
from hailuo_mcp.verification.facts import Exchange, Operation, Verdict
from tests.verification.documented import REPLIES, exchange

KEY = "sk-cp-9fQz7PlantedKey"
BEGAN = 1_795_360_000.0


def verdict(*exchanges: tuple[str, Exchange], provider: str = "minimax-cn") -> Verdict:
    return Verdict(
        provider=provider,
        dialect="minimax",
        own_host=True,
        version="0.1.0",
        began=BEGAN,
        exchanges=exchanges,
    )


def test_what_is_written_is_read_back(tmp_path):
    names = [name for name, row in REPLIES.items() if row[0] == "minimax-cn"]
    path = recording.write(tmp_path / "new", verdict(*((it, exchange(it)[1]) for it in names)))
    assert path.name == "minimax-cn-20261122-150640.json"
    found = recording.read(path)
    assert [row.step for row in found.exchanges] == names
    assert (found.provider.name, found.own_host, found.date) == ("minimax-cn", True, "2026-11-22")
    assert recording.redacted_again(found) == tuple(row.exchange for row in found.exchanges)
    for row in found.exchanges:
        assert row.differences == ()
        assert recording.reads(found.provider, row.exchange) == row.reads


def test_ids_are_equal_over_the_whole_recording(tmp_path):
    created = exchange("v2 created")[1]
    asked = exchange("v2 succeeded")[1]
    path = recording.write(tmp_path, verdict(("1", created), ("2", asked)))
    first, second = recording.read(path).exchanges
    # The documented id of the example is that of a published template, so it stays.
    assert first.reads["remote_id"] == "392753057216684038"
    assert second.exchange.request.path.endswith("/392753057216684038")
    file = recording.write(
        tmp_path, verdict(("1", exchange("001 query")[1]), ("2", exchange("1.7 file")[1]))
    )
    first, second = recording.read(file).exchanges
    given = first.reads["file_id"]
    assert given != "176844028768320"
    assert second.exchange.request.query["file_id"] == given
    assert second.exchange.reply.json()["file"]["file_id"] == int(given)


def test_a_second_recording_of_the_same_second_is_a_second_file(tmp_path):
    first, second = (recording.write(tmp_path, verdict()) for _ in range(2))
    assert first != second
    assert sorted(it.name for it in tmp_path.iterdir()) == sorted([first.name, second.name])


def test_what_was_asked_is_redacted_too(tmp_path):
    reply = HttpReply(status=503, headers={"content-type": KEY}, body=KEY.encode())
    request = HttpRequest(
        method="POST",
        path="/v1/video_generation",
        json={
            "model": "MiniMax-Hailuo-2.3",
            "prompt": KEY,
            "first_frame_image": f"data:image/png;base64,{KEY}",
            "subject_reference": [{"type": "character", "image": [f"https://{KEY}/a.png"]}],
            "callback_url": f"https://{KEY}.example.com",
            "duration": 6,
            "prompt_optimizer": False,
        },
    )
    secret = Exchange(operation=Operation.SUBMIT, request=request, reply=reply)
    path = recording.write(tmp_path, verdict(("a purchase", secret)))
    assert KEY not in path.read_text(encoding="utf-8")
    (row,) = json.loads(path.read_text(encoding="utf-8"))["exchanges"]
    assert row["request"]["json"] == {
        "model": "MiniMax-Hailuo-2.3",
        "prompt": "…",
        "first_frame_image": "data:image/png;base64,AAAA",
        "subject_reference": [{"type": "character", "image": ["https://link.invalid/clip.mp4"]}],
        "callback_url": "https://link.invalid/clip.mp4",
        "duration": 6,
        "prompt_optimizer": False,
    }
    assert row["reply"]["text"] == "…"
    assert row["reads"] == {"error": "UnconfirmedSubmitError"}
    assert row["differences"] == [{"kind": "HTTP status", "found": "503"}]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "provider": "nobody"}']
)
def test_what_is_no_recording_is_refused(tmp_path, text):
    path = tmp_path / "it.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"it\.json is not a recording"):
        recording.read(path)
