"""An estimate is exact, a floor or unknown, and never a guess."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.catalog.prices import Price, plans
from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.estimate import estimate
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.nearest import legal_combinations
from hailuo_mcp.wording.agent import error_text
from hailuo_mcp.wording.costs import estimate_message

ANY = Capabilities(modes=frozenset(Mode))
TWO = Capabilities(
    modes=frozenset({Mode.T2V, Mode.I2V}),
    models=frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast"}),
)


def ask(model="", *, price_list="cn", region="cn", capabilities=ANY, **asked):
    seller = Seller(
        name="here",
        capabilities=capabilities,
        price_list=price_list,
        region=region,
        templates=price_list,
    )
    return estimate(seller, model=model, **asked)


def test_nothing_given_prices_the_default_clip():
    found = ask()
    assert (found.clip.model, found.clip.mode, found.clip.resolution, found.clip.duration) == (
        "MiniMax-Hailuo-2.3",
        Mode.T2V,
        "768P",
        6,
    )
    assert found.status == "exact"
    assert found.per_video == Price(credits=Decimal(1), cny=Decimal(2), usd=Decimal("0.28"))
    assert found.charge == Quote(amount=Decimal(2), unit=Unit.CNY)
    assert found.prices_as_of == "2026-07-10"
    assert "pricing-paygo" in found.source


def test_a_batch_is_the_sum():
    found = ask("hailuo 2.3 fast", count=10)
    assert found.total == Price(credits=Decimal(7), cny=Decimal("13.5"), usd=Decimal("1.9"))
    assert found.charge_total.amount == Decimal("13.5")
    assert "10 are 13.5 CNY" in estimate_message(found)


def test_a_global_account_pays_dollars():
    found = ask(price_list="global", region="global", count=3)
    assert found.charge_total == Quote(amount=Decimal("0.84"), unit=Unit.USD)


def test_a_pack_charges_credits():
    found = ask(plan="基础包", resolution="1080p")
    assert found.plan.name == "basic"
    assert found.charge == Quote(amount=Decimal(2), unit=Unit.CREDITS)
    assert "3.8 CNY a clip if all of it is used" in estimate_message(found)


@pytest.mark.parametrize(
    ("kwargs", "model", "mode"),
    [
        ({"resolution": "512P"}, "MiniMax-Hailuo-02", Mode.I2V),
        ({"mode": "FL2V"}, "MiniMax-Hailuo-02", Mode.FL2V),
        ({"model": "hailuo-02", "resolution": "512p"}, "MiniMax-Hailuo-02", Mode.I2V),
        ({"model": "Hailuo-2.3-Fast"}, "MiniMax-Hailuo-2.3-Fast", Mode.I2V),
        ({"model": "s2v-01"}, "S2V-01", Mode.S2V),
    ],
)
def test_what_is_left_out_is_chosen_as_the_check_would(kwargs, model, mode):
    found = ask(**kwargs)
    assert (found.clip.model, found.clip.mode) == (model, mode)


@pytest.mark.parametrize("model", ["S2V-01", "T2V-01", "I2V-01-live", "Seedance-9"])
def test_a_clip_without_a_published_price_is_unknown(model):
    found = ask(model)
    assert found.status == "unknown"
    assert found.per_video == found.total == Price()
    assert found.charge.amount is None
    assert "HAILUO_UNPRICED_COST" in estimate_message(found)


def test_an_unpriced_provider_gives_no_amount_at_all():
    found = ask(price_list="", capabilities=TWO)
    assert found.status == "unknown"
    assert found.per_video == Price()
    assert found.charge == Quote(amount=None, unit=Unit.CNY)
    assert "HAILUO_UNPRICED_COST" in estimate_message(found)
    assert ask(price_list="", region="global").charge.unit is Unit.USD


def test_credits_of_a_global_account_are_unknown_though_list_prices_are_told():
    found = ask(price_list="global", region="global", plan="basic")
    assert found.status == "unknown"
    assert found.charge == Quote(amount=None, unit=Unit.CREDITS)
    assert found.per_video.usd == Decimal("0.28")
    assert "basic plan of a global account" in estimate_message(found)


def test_a_template_of_which_only_the_mode_is_known_has_a_floor_or_nothing():
    floor = ask(mode="template", price_list="global", region="global", count=2)
    assert floor.status == "lower_bound"
    assert floor.charge_total == Quote(amount=Decimal("0.70"), unit=Unit.USD)
    assert ask(mode="template").status == "unknown"


def test_a_template_that_is_named_has_its_own_price():
    found = ask("Diving", mode="template", price_list="global", region="global", count=2)
    assert (found.status, found.charge_total.amount) == ("exact", Decimal("0.80"))
    assert "Diving is 0.4 USD; 2 are 0.8 USD" in estimate_message(found)
    unlisted = ask("1" * 18, mode="template", price_list="global", region="global")
    assert (unlisted.status, unlisted.per_video) == ("unknown", Price())
    with pytest.raises(InvalidRequestError, match="unknown template Dving") as refused:
        ask("Dving", mode="template", price_list="global", region="global")
    assert "Diving" in str(refused.value)


def test_a_short_name_gets_the_mode_of_the_model_that_is_meant():
    with pytest.raises(InvalidRequestError) as refused:
        ask("fast")
    told = error_text(refused.value)
    assert "nearest: MiniMax-Hailuo-2.3-Fast" in told
    assert "Nearest that works: MiniMax-Hailuo-2.3-Fast" in told.replace("model ", "")


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        (
            {"resolution": "1080P", "duration": 10},
            ["1080P makes 6 s, not 10 s", "768P, 10 s, from text alone, 4 CNY"],
        ),
        (
            {"model": "hailuo-2.4"},
            [
                "unknown model hailuo-2.4",
                "model MiniMax-Hailuo-2.3, 768P, 6 s, from text alone, 2 CNY",
            ],
        ),
        (
            {"model": "hailuo-2.3-fast", "mode": "t2v"},
            ["makes clips from a first frame", "MiniMax-Hailuo-2.3, 768P"],
        ),
        ({"mode": "s2v", "duration": 6}, ["S2V-01 takes no length", "no published price"]),
        (
            {"resolution": "HUGE!!", "duration": 99_999},
            ["makes 768P or 1080P, not HUGE!!", "makes 6 s or 10 s, not 99,999 s", "from text"],
        ),
        ({"model": "x" * 150}, ["is not a valid model name"]),
        ({"model": "zz\u2060zz"}, ["zz�zz is not a valid model name"]),
        ({"mode": "video"}, ["unknown mode video", "t2v, i2v, fl2v, s2v, r2v, template, upgrade"]),
        ({"plan": "gold"}, ["unknown plan gold", "基础包", "compare"]),
        ({"count": 0}, ["number of clips must be between 1 and"]),
        ({"count": 10**9}, ["number of clips must be between 1 and"]),
        ({"duration": -1}, ["not -1 s"]),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_nearest(kwargs, says):
    with pytest.raises(InvalidRequestError) as refused:
        ask(**kwargs)
    for words in (*says, "Nothing was sent or charged."):
        assert words in error_text(refused.value)


def test_what_the_provider_lacks_is_refused():
    with pytest.raises(InvalidRequestError, match="does not offer MiniMax-Hailuo-02"):
        ask("hailuo-02", capabilities=TWO)
    with pytest.raises(InvalidRequestError, match="cannot make a clip from a subject picture"):
        ask(mode="s2v", capabilities=TWO)


def test_a_model_that_is_not_offered_is_not_blamed_for_its_mode():
    with pytest.raises(InvalidRequestError) as refused:
        ask("s2v-01", capabilities=TWO)
    assert "text alone;" not in str(refused.value)


@pytest.mark.parametrize("size", [1080, "1080", "1080p"])
def test_a_bare_number_is_a_resolution(size):
    assert (ask(resolution=size).clip.resolution, ask(resolution=size).charge.amount) == (
        "1080P",
        Decimal("3.5"),
    )


def test_comparing_names_the_cheapest_and_counts_what_lapses():
    found = ask("hailuo 2.3", count=3600, plan="compare")
    ways = {way.plan.name: way for way in found.packs}
    assert list(ways) == ["payg", "basic", "advanced", "plus", "enterprise"]
    assert found.cheapest.plan.name == "basic"
    assert ways["payg"].cost == 7200
    assert (ways["basic"].cost, ways["basic"].credits_lapsing) == (7000, 80)
    assert ways["basic"].lapsing_cny == Decimal("152.17")
    assert ways["basic"].per_video == Decimal("1.94")
    assert ways["basic"].per_video_full == Decimal("1.90")
    assert "Cheapest for 3600 a month: 1 × basic, 7000 CNY" in estimate_message(found)


def test_comparing_tells_what_each_pack_offers_and_where_it_is_sold():
    found = ask("hailuo 2.3", count=3600, plan="compare")
    # Typed from the page on resource packs by hand (seed 000).
    assert [
        (way.plan.name, way.rpm, way.plan.list_cny, way.plan.saves_percent)
        for way in found.packs
        if way.packs
    ] == [
        ("basic", 20, 7368, 5),
        ("advanced", 30, 16667, 10),
        ("plus", 40, 35294, 15),
        ("enterprise", 50, 50000, 20),
    ]
    assert "advanced 30 RPM, 10 % off 16667 CNY" in estimate_message(found)
    assert "sold at https://platform.minimaxi.com/user-center/payment/subscription." in (
        estimate_message(found)
    )


def test_only_packs_that_the_account_can_buy_are_compared():
    found = ask(price_list="global", region="global", plan="compare", count=4000)
    assert (found.packs, found.cheapest) == ((), None)
    assert estimate_message(found).startswith("Nothing to compare:")
    assert "4000 are 1120 USD" in estimate_message(found)
    assert "enterprise" not in estimate_message(found)
    assert "compare" not in estimate_message(ask("S2V-01", plan="compare"))


def test_a_few_clips_are_cheapest_as_you_go():
    assert ask(count=10, plan="compare").cheapest.plan.name == "payg"


def test_packs_are_bought_whole_and_more_than_one_where_needed():
    ways = {way.plan.name: way for way in ask(count=4000, plan="compare").packs}
    assert (ways["basic"].packs, ways["basic"].cost) == (2, 14000)
    assert ways["basic"].credits_lapsing == 3360
    assert ask(count=25_000, plan="compare").cheapest.plan.name == "enterprise"


@pytest.mark.parametrize("model", ["hailuo 2.3", "hailuo 02", "hailuo 2.3 fast"])
def test_at_1080p_the_two_small_packs_are_dearer_even_at_full_use(model):
    found = ask(model, resolution="1080P", count=100_000, plan="compare")
    assert [way.plan.name for way in found.packs if way.dearer_at_full_use] == ["basic", "advanced"]
    assert (
        "basic and advanced cost more than pay as you go, even if every credit is used"
        in estimate_message(found)
    )
    full = {
        way.plan.name: way.per_video_full
        for way in ask("hailuo 2.3", resolution="1080P", plan="compare").packs
    }
    assert full == {
        "payg": Decimal("3.5"),
        "basic": Decimal("3.80"),
        "advanced": Decimal("3.60"),
        "plus": Decimal("3.40"),
        "enterprise": Decimal("3.20"),
    }


def test_at_other_sizes_no_pack_is_dearer_at_full_use():
    for clip in legal_combinations(list(Mode), ANY):
        if clip.resolution in {"512P", "768P"} and "H3" not in clip.model:  # packs exclude those
            found = ask(
                clip.model,
                mode=clip.mode,
                duration=clip.duration,
                resolution=clip.resolution,
                plan="compare",
            )
            assert found.packs
            assert not any(way.dearer_at_full_use for way in found.packs)


@pytest.mark.parametrize(
    ("price_list", "draft", "upgrade", "direct", "unit"),
    [("cn", "0.5", "0.3", "0.8", "CNY"), ("global", "0.08", "0.05", "0.13", "USD")],
)
@pytest.mark.parametrize("asked", [{}, {"resolution": "2K"}, {"mode": "upgrade"}])
def test_what_drafts_save_is_told_from_the_published_prices(
    price_list, draft, upgrade, direct, unit, asked
):
    found = ask("h3", price_list=price_list, region=price_list, duration=9, **asked)
    assert found.drafts.keeper_more == 0
    assert found.drafts.saved_percent == 38
    assert (
        f"Drafts: {draft} {unit} a second at 768P, and {upgrade} to upgrade the one that is kept to "
        f"2K, against {direct} directly: that saves nothing on the keeper, 38 % on every take that "
        "is dropped."
    ) in estimate_message(found)


def test_a_batch_of_drafts_is_compared_with_direct_takes():
    found = ask("h3", price_list="global", region="global", duration=6, count=3)
    assert "3 drafts and one upgrade: 1.74 USD; 3 directly: 2.34 USD." in estimate_message(found)
    for other in (ask(), ask("h3 max"), ask("h3", plan="free"), ask("h3", price_list="")):
        assert other.drafts is None
        assert "Drafts" not in estimate_message(other)


@pytest.mark.parametrize(
    ("asked", "clip", "price", "status"),
    [
        ({"model": "h3", "duration": 4}, ("MiniMax-H3", Mode.T2V, "768P", 4), "2", "exact"),
        ({"resolution": "2k"}, ("MiniMax-H3", Mode.T2V, "2K", 6), "4.8", "exact"),
        ({"mode": "r2v"}, ("MiniMax-H3", Mode.R2V, "768P", 6), "3", "lower_bound"),
        (
            {"model": "h3 max", "mode": "R2V", "resolution": "480p"},
            ("MiniMax-H3-Max", Mode.R2V, "480P", 6),
            "1.98",
            "lower_bound",
        ),
        ({"mode": "upgrade"}, ("MiniMax-H3", Mode.UPGRADE, "2K", 6), "1.8", "exact"),
        (
            {"mode": "upgrade", "model": "Hailuo 03", "resolution": "2k", "duration": 15},
            ("MiniMax-H3", Mode.UPGRADE, "2K", 15),
            "4.5",
            "exact",
        ),
    ],
)
def test_clips_sold_by_the_second_are_estimated(asked, clip, price, status):
    found = ask(**asked)
    made = found.clip
    assert (made.model, made.mode, made.resolution, made.duration) == clip
    assert (found.charge.amount, found.status) == (Decimal(price), status)
    assert (found.prices_as_of, "pricing-paygo" in found.source) == ("2026-10-24", True)
    least = "is at least" if status == "lower_bound" else "is"
    assert f" {least} {price} CNY" in estimate_message(found)


def test_what_references_add_is_said():
    said = estimate_message(ask(mode="r2v", count=2))
    assert (
        "is at least 3 CNY (0.48 USD pay as you go globally); 2 are 6 CNY. What it is made from is "
        "charged too (a second of a reference clip: 0.5 CNY; each picture beyond 5: 0.2 CNY)."
    ) in said
    said = estimate_message(ask(mode="upgrade"))
    assert (
        "charged again (a second of a reference clip: 0.3 CNY; each picture beyond 5: no published "
        "price)."
    ) in said


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            {"model": "hailuo 2.3"},
            [
                "clips of MiniMax-Hailuo-2.3 cannot be upgraded",
                "Nearest that works: model MiniMax-H3, 2K, 6 s, of a draft of 4-15 s, 1.8 CNY",
            ],
        ),
        ({"model": "h3 max"}, ["clips of MiniMax-H3-Max cannot be upgraded"]),
        ({"model": "Seedance-9"}, ["clips of Seedance-9 cannot be upgraded"]),
        ({"resolution": "768P"}, ["a draft is upgraded to 2K, not to 768P"]),
        ({"duration": 16}, ["makes 4-15 s, not 16 s", "model MiniMax-H3, 2K, 15 s"]),
        ({"plan": "plus"}, ["packs such as plus exclude it"]),
        ({"capabilities": TWO}, ["here cannot upgrade clips"]),
    ],
)
def test_an_upgrade_that_cannot_be_is_refused(asked, says):
    with pytest.raises(InvalidRequestError) as refused:
        ask(mode="upgrade", **asked)
    for words in says:
        assert words in error_text(refused.value)


def test_packs_are_not_compared_for_what_they_exclude():
    found = ask("h3", plan="compare", count=100)
    assert found.packs == ()
    assert estimate_message(found).startswith("Nothing to compare: packs exclude MiniMax-H3.")


def test_nothing_is_compared_without_a_price():
    assert ask(mode="s2v", plan="compare").packs == ()
    assert ask(price_list="", plan="compare").cheapest is None


@given(
    model=st.sampled_from(["", "hailuo 9", "zzz", *[m.name for m in models()]])
    | st.text(max_size=20),
    mode=st.sampled_from(["", *Mode]) | st.text(max_size=5),
    duration=st.integers(-(10**400), 10**400) | st.sampled_from([0, 6, 10]),
    resolution=st.sampled_from(["", "512p", "768P", "1080P", "720P", "4K"]) | st.text(max_size=8),
    count=st.integers(-5, 2_000_000),
    plan=st.sampled_from(["", "compare", *[p.name for p in plans()]]) | st.text(max_size=8),
    price_list=st.sampled_from(["", "cn", "global"]),
    capabilities=st.sampled_from([ANY, TWO, Capabilities(modes=frozenset())]),
)
def test_any_question_is_answered_or_refused(
    model, mode, duration, resolution, count, plan, price_list, capabilities
):
    try:
        found = ask(
            model,
            mode=mode,
            duration=duration,
            resolution=resolution,
            count=count,
            plan=plan,
            price_list=price_list,
            region=price_list,
            capabilities=capabilities,
        )
    except InvalidRequestError as refused:
        refusal = error_text(refused)
        found = None
    if found is None:
        assert "Nothing was sent or charged." in refusal.encode().decode()
        return
    assert (found.status == "unknown") == (found.charge.amount is None)
    if not price_list:
        assert found.per_video == Price()
