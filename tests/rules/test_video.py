"""Everything that would be refused is refused here, all at once, with what would work."""

from dataclasses import replace

import pytest

from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.domain.remote import Api, Capabilities
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.nearest import legal_combinations
from hailuo_mcp.rules.video import check_video
from hailuo_mcp.wording.agent import error_text

MINIMAX = Capabilities(modes=frozenset(Mode))
XCOMPUTE = Capabilities(
    modes=frozenset({Mode.T2V, Mode.I2V}),
    models=frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast"}),
    prompt_required=True,
    callback=False,
)
COMPAT = Capabilities(
    modes=frozenset({Mode.T2V, Mode.I2V, Mode.FL2V}),
    models=frozenset({"MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"}),
    prompt_required=True,
    options=frozenset({"prompt_optimizer"}),
)
EVERYBODY = {"minimax-cn": MINIMAX, "xcompute": XCOMPUTE, "compat": COMPAT}
PICTURES = {
    Mode.T2V: {},
    Mode.I2V: {"first_frame_image": "f"},
    Mode.FL2V: {"first_frame_image": "f", "last_frame_image": "l"},
    Mode.S2V: {"subject_image": "s"},
}


def check(request, *, provider="minimax-cn", price_list="cn", plan="payg", **more):
    seller = Seller(
        name=provider,
        capabilities=EVERYBODY[provider],
        price_list=price_list,
        plan=plan,
        others=EVERYBODY,
    )
    return check_video(request, seller, **more)


def unread(what, name="first_frame_image"):
    return {name: InvalidRequestError(what)}


def refused(request, **more):
    with pytest.raises(InvalidRequestError) as error:
        check(request, **more)
    message = error_text(error.value)
    assert message.count("Nothing was sent or charged.") == 1
    return message


def ask(mode=Mode.T2V, **fields):
    return VideoRequest(**{"prompt": "a cat", **PICTURES[mode], **fields})


LEGAL = {
    (c.model, c.mode, c.resolution, c.duration) for c in legal_combinations(list(Mode), MINIMAX)
}
WHOLE = [
    (model.name, mode, resolution, duration)
    for model in models()
    for mode in PICTURES
    for resolution in (None, "512P", "720P", "768P", "1080P")
    for duration in (None, 5, 6, 10)
]


@pytest.mark.parametrize("model", [m.name for m in models() if m.api is Api.V1])
def test_the_whole_matrix_is_judged_as_the_reference_has_it(model):
    for name, mode, resolution, duration in WHOLE:
        if name != model:
            continue
        request = ask(
            mode,
            model=name.lower(),
            resolution=resolution and resolution.lower(),
            duration=duration,
        )
        default = "768P" if "Hailuo" in name else "720P"
        if mode is Mode.S2V:
            wanted = (name, mode, resolution, duration)
        else:
            wanted = (name, mode, resolution or default, duration or 6)
        if wanted in LEGAL:
            got = check(request).request
            assert (got.model, got.mode, got.resolution, got.duration) == wanted
        else:
            assert "Nearest that works: model " in refused(request)


def test_defaults_are_resolved_and_names_are_spelt():
    got = check(ask(model=" hailuo 02 ", resolution="512p", mode=Mode.I2V, duration=0)).request
    assert (got.model, got.resolution, got.duration) == ("MiniMax-Hailuo-02", "512P", 6)


@pytest.mark.parametrize(
    ("mode", "fields", "model"),
    [
        (Mode.T2V, {}, "MiniMax-Hailuo-2.3"),
        (Mode.I2V, {}, "MiniMax-Hailuo-2.3"),
        (Mode.I2V, {"resolution": "512p"}, "MiniMax-Hailuo-02"),
        (Mode.FL2V, {}, "MiniMax-Hailuo-02"),
        (Mode.S2V, {}, "S2V-01"),
    ],
)
def test_an_empty_model_is_chosen(mode, fields, model):
    assert check(ask(mode, **fields)).request.model == model


def test_what_was_not_said_stays_unsaid():
    got = check(ask()).request
    assert (got.prompt_optimizer, got.fast_pretreatment, got.watermark) == (None, None, None)
    said = check(ask(prompt_optimizer=True, fast_pretreatment=False, watermark=False)).request
    assert (said.prompt_optimizer, said.fast_pretreatment, said.watermark) == (True, False, False)


def test_every_problem_is_named_at_once_with_the_nearest_call_and_its_price():
    message = refused(
        ask(
            model="hailuo 2.3",
            resolution="1080p",
            duration=10,
            prompt="x [Dolly in]",
            fast_pretreatment=True,
            prompt_optimizer=False,
        ),
        unread=unread("It cannot be read."),
    )
    assert message == (
        "Refused for 4 reasons: MiniMax-Hailuo-2.3 at 1080P makes 6 s, not 10 s; fast pretreatment "
        "only speeds up the prompt optimizer, which is off; unknown camera move [Dolly in] "
        "(nearest: [Push in]); the first frame: it cannot be read. Nothing was sent or charged. "
        "Nearest that works: model MiniMax-Hailuo-2.3, 768P, 10 s, without fast pretreatment, "
        "4 CNY."
    )


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (ask(Mode.I2V), {"unread": unread("There is no file 'a.png'.")}),
        (ask(Mode.I2V), {"unread": unread("Its host answered HTTP 404.")}),
        (ask(prompt="x" * 2001), {}),
        (ask(prompt=""), {}),
        (ask(prompt="x [Dolly in]"), {}),
    ],
)
def test_no_other_call_is_offered_where_the_prompt_or_a_picture_is_at_fault(request_, more):
    assert "Nearest" not in refused(request_, **more)


@pytest.mark.parametrize("size", [768, "768", " 768p "])
def test_a_bare_number_is_a_resolution(size):
    assert check(ask(resolution=size)).request.resolution == "768P"
    assert check(ask(model="T2V-01", resolution=720)).request.resolution == "720P"
    assert check(ask(resolution="1080")).request.resolution == "1080P"
    assert check(ask(Mode.I2V, resolution=512)).request.model == "MiniMax-Hailuo-02"
    assert "makes 768P or 1080P, not 480P" in refused(ask(resolution=480))
    assert "Nearest that works: model MiniMax-Hailuo-2.3, 1080P, 6 s" in refused(
        ask(resolution=1080, duration=7)
    )


@pytest.mark.parametrize(
    ("price_list", "plan", "price"),
    [
        ("cn", "payg", "4 CNY"),
        ("global", "payg", "0.56 USD"),
        ("cn", "plus", "2 credits"),
        ("", "payg", "no published price"),
    ],
)
def test_the_nearest_is_priced_in_the_plans_unit(price_list, plan, price):
    message = refused(ask(resolution="1080P", duration=10), price_list=price_list, plan=plan)
    assert message.endswith(f"768P, 10 s, {price}.")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (
            ask(model="MiniMax-Hailuo-2.4"),
            "unknown model MiniMax-Hailuo-2.4 (nearest: MiniMax-Hailuo-2.3)",
        ),
        (ask(model="2.3-fast", mode=Mode.I2V), "(nearest: MiniMax-Hailuo-2.3-Fast)"),
        (
            ask(model="hailuo-2.3-fast"),
            "makes clips from a first frame, not from text alone (add a first frame)",
        ),
        (ask(Mode.FL2V, model="hailuo-2.3"), "not from a first and a last frame"),
        (ask(Mode.FL2V, resolution="512P"), "makes 768P or 1080P, not 512P"),
        (ask(resolution="512P"), "not 512P"),
        (ask(last_frame_image="l"), "a last frame needs a first frame too"),
        (
            ask(Mode.S2V, first_frame_image="f"),
            "a first frame cannot be combined with a subject picture",
        ),
        (ask(Mode.S2V, duration=6), "S2V-01 takes no length: the provider decides both"),
        (ask(Mode.S2V, resolution="1080P"), "S2V-01 takes no resolution"),
        (
            ask(Mode.FL2V, fast_pretreatment=True),
            "MiniMax-Hailuo-02 from a first and a last frame has no fast pretreatment",
        ),
        (
            ask(model="T2V-01", fast_pretreatment=True),
            "T2V-01 from text alone has no fast pretreatment",
        ),
        (ask(fast_pretreatment=True, prompt_optimizer=False), "the prompt optimizer, which is off"),
        (ask(duration=-6), "not -6 s"),
        (ask(resolution="HD\u202e"), "not HD�"),
        (ask(model="zz\u0000zz"), "zz�zz is not a valid model name"),
        (
            ask(model="zz-9", duration=-1, resolution="1:1"),
            "unknown resolution 1:1; a clip cannot be -1 s long",
        ),
    ],
)
def test_each_wrong_thing_is_named(request_, says):
    assert says in refused(request_)


def test_fast_pretreatment_passes_where_it_exists():
    for mode, model in (
        (Mode.T2V, "hailuo-2.3"),
        (Mode.I2V, "hailuo-2.3-fast"),
        (Mode.I2V, "hailuo-02"),
    ):
        assert check(ask(mode, model=model, fast_pretreatment=True)).request.fast_pretreatment


def test_a_name_like_nothing_known_passes_with_a_warning():
    got = check(ask(model="Seedance-9", resolution="2k", duration=12))
    assert (got.request.model, got.request.resolution, got.request.duration) == (
        "Seedance-9",
        "2K",
        12,
    )
    assert "unchecked and has no published price" in got.warnings[0]


def test_a_provider_that_sells_only_some_models_takes_no_unknown_one():
    message = refused(ask(model="Seedance-9"), provider="xcompute")
    assert (
        "xcompute offers MiniMax-Hailuo-2.3 and MiniMax-Hailuo-2.3-Fast, not Seedance-9" in message
    )
    message = refused(ask(model="MiniMax-H3"), provider="xcompute")
    assert "xcompute does not offer MiniMax-H3 (minimax-cn can)" in message


@pytest.mark.parametrize(
    ("request_", "provider", "says"),
    [
        (
            ask(Mode.FL2V),
            "xcompute",
            "xcompute cannot make a clip from a first and a last frame (minimax-cn, compat can)",
        ),
        (
            ask(Mode.S2V),
            "compat",
            "compat cannot make a clip from a subject picture (minimax-cn can)",
        ),
        (
            ask(model="hailuo-02"),
            "xcompute",
            "xcompute does not offer MiniMax-Hailuo-02 (minimax-cn, compat can)",
        ),
        (ask(watermark=True), "compat", "compat cannot add a watermark (minimax-cn, xcompute can)"),
        (
            ask(fast_pretreatment=True),
            "compat",
            "compat has no fast pretreatment (minimax-cn, xcompute can)",
        ),
        (ask(Mode.I2V, prompt=" \n"), "xcompute", "the prompt is empty, and xcompute needs one"),
    ],
)
def test_what_a_dialect_cannot_carry_is_refused_with_who_could(request_, provider, says):
    assert says in refused(request_, provider=provider, price_list="")


def test_what_a_dialect_cannot_say_and_nobody_asked_for_is_left_out():
    got = check(ask(watermark=False, fast_pretreatment=False), provider="compat").request
    assert (got.watermark, got.fast_pretreatment) == (None, None)


def test_dropping_a_picture_is_said():
    message = refused(ask(Mode.FL2V), provider="xcompute", price_list="")
    assert message.endswith(
        "model MiniMax-Hailuo-2.3, 768P, 6 s, without a last frame, no published price."
    )


def test_a_missing_first_frame_is_asked_for():
    assert "768P, 6 s, with a first frame, 2 CNY." in refused(ask(last_frame_image="l"))


def test_a_provider_without_video_names_no_nearest_call():
    with pytest.raises(InvalidRequestError) as error:
        check_video(ask(), Seller(name="p", capabilities=Capabilities(modes=frozenset())))
    assert error.value.then == ()


def test_a_checked_request_passes_again_unchanged():
    once = check(ask(model="hailuo 2.3", prompt="a [push OUT] b【左摇，上升】", resolution="1080p"))
    again = check(once.request)
    assert again.request == once.request
    assert again.warnings == ()
    assert replace(once.request) == once.request
