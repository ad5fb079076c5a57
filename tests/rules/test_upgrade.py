"""Upgrades: which clips can be made again at 2K, at what price, and what the refusal says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.client.preparing import seller_of
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.domain.requests import UpgradeRequest, VideoRequest
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.judge import Checked
from hailuo_mcp.rules.upgrade import check_upgrade
from hailuo_mcp.wording.programmer import error_text

PICTURE = {"sha256": "0" * 64, "mime": "image/png", "url": ""}


def ask(record: dict[str, Any] | None = None, **fields: Any) -> UpgradeRequest:
    made = {"prompt": "a cat"} if record is None else record
    facts = {
        "source_id": "v1",
        "remote_id": "77",
        "model": "MiniMax-H3",
        "resolution": "2K",
        "source_resolution": "768P",
        "duration": 6,
        "source_record": json.dumps(made),
    }
    return UpgradeRequest(**{**facts, **fields})


def check(
    request: UpgradeRequest, provider: str = "minimax-global", plan: str = "payg"
) -> Checked[UpgradeRequest]:
    return check_upgrade(request, seller_of(PROVIDERS[provider], plan))


def refused(request: UpgradeRequest, **seller: str) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        check(request, **seller)
    return error_text(caught.value)


def clip(**facts: Any) -> dict[str, Any]:
    return {"sha256": "1" * 64, "mime": "video/mp4", "url": "", **facts}


@pytest.mark.parametrize(
    ("record", "usd", "cny", "at_least"),
    [
        ({"prompt": "a cat"}, "0.30", "1.8", ""),
        ({"first_frame_image": PICTURE, "last_frame_image": PICTURE}, "0.30", "1.8", ""),
        ({"reference_images": [PICTURE] * 5}, "0.30", "1.8", ""),
        ({"reference_images": [PICTURE] * 9}, "0.40", "1.8", "CNY"),
        ({"reference_videos": [clip(seconds=2.1), clip(seconds=3)]}, "0.60", "3.6", ""),
        ({"reference_videos": [{"url": "mm_file://9"}]}, "0.30", "1.8", "CNY USD"),
        ({}, "0.30", "1.8", "CNY USD"),  # bought elsewhere: nobody knows what it was made from
    ],
)
def test_what_the_draft_was_made_from_is_priced_again(record, usd, cny, at_least):
    for provider, amount, unit in (("minimax-global", usd, "USD"), ("minimax-cn", cny, "CNY")):
        quote = check(ask(record), provider).quote
        assert (quote.amount, quote.unit) == (Decimal(amount), unit)
        assert quote.lower_bound is (unit in at_least)


def test_pictures_that_make_the_keeper_dearer_than_2k_at_once_are_told_with_both_prices():
    nine = {"reference_images": [PICTURE] * 9}
    (warning,) = check(ask(nine)).warnings  # 0.48 + 0.16 + 0.30 + 0.10 against 0.78 + 0.16 USD
    assert "together cost 1.04 USD" in warning
    assert "made at 2K at once 0.94 USD" in warning
    unpriced, at_least = check(ask(nine), "minimax-cn").warnings
    assert "together cost at least 5.6 CNY" in unpriced
    assert "It costs at least 1.8 CNY" in at_least
    assert check(ask({"reference_images": [PICTURE] * 5})).warnings == ()
    assert check(ask({"reference_videos": [clip(seconds=9)]})).warnings == ()


def test_names_are_spelt_and_the_clips_own_size_may_be_unknown():
    got = check(ask(model="hailuo 03", resolution="2k", source_resolution="")).request
    assert (got.model, got.resolution, got.source_resolution) == ("MiniMax-H3", "2K", "768P")


def test_what_is_opened_counts_as_its_record_does():
    opened = VideoRequest(reference_images=("a",) * 7)
    assert check(ask(source_record="", source=opened)).quote.amount == Decimal("0.35")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source_resolution": "2K"}, "it is already 2K"),
        ({"model": "MiniMax-Hailuo-2.3"}, "made by MiniMax-Hailuo-2.3, which cannot be upgraded"),
        ({"model": "MiniMax-H3-Max"}, "MiniMax-H3 can, from 768P to 2K"),
        ({"model": "nobody's"}, "made by nobody's, which cannot be upgraded"),
        ({"model": ""}, "its model is not known"),
        ({"resolution": "4K"}, "a clip of 768P is upgraded to 2K, not to 4K"),
        ({"resolution": "4K"}, "Nearest that works: 2K, 0.3 USD."),
        ({"source_resolution": "480P"}, "upgraded from 768P, not from 480P"),
        ({"remote_id": " "}, "the provider's id of the clip is not known"),
    ],
)
def test_a_refusal_names_what_is_wrong_and_the_nearest(fields, said):
    assert said in refused(ask(**fields))


def test_who_cannot_sell_upgrades_says_who_can():
    assert "hingnet cannot upgrade clips (minimax-cn, minimax-global can)" in refused(
        ask(), provider="hingnet"
    )
    assert "packs such as plus exclude it" in refused(ask(), provider="minimax-cn", plan="plus")


def test_every_problem_is_named_at_once():
    said = refused(ask(resolution="4K", remote_id=""), provider="minimax-cn", plan="plus")
    assert "Refused for 3 reasons" in said
