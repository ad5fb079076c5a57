"""Whatever is asked, the check answers or refuses, and what it recommends it accepts."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.catalog.prices import plans
from hailuo_mcp.catalog.video_models import api_of, limits, models
from hailuo_mcp.catalog.video_templates import templates
from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import (
    PROVIDER_DEFAULTS,
    ImageFacts,
    Mode,
    TemplateRequest,
    VideoRequest,
)
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.estimate import estimate
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.template import check_template, judge_template
from hailuo_mcp.rules.video import check_video, judge_video, nearest_video
from hailuo_mcp.wording.agent import error_text

NAMES = [m.name for m in models()]
anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
commands = st.lists(
    st.sampled_from(
        [m.english for m in moves()]
        + [m.chinese for m in moves()]
        + ["Push out", "Dolly in", "music", "a:b"]
    ),
    min_size=1,
    max_size=5,
).map(lambda names: f"[{','.join(names)}]")
prompts = st.one_of(
    anything,
    st.text("ab [],，【】\u200b\u200d\ud800\n", max_size=60),
    st.lists(
        commands
        | st.sampled_from(
            ["a cat", "\u200b" * 9, " " * 1990, "x" * 1995, "x" * 5100, "[Pan lef]", "【推近】"]
        ),
        max_size=4,
    ).map("".join),
)
carriers = st.builds(
    Capabilities,
    modes=st.frozensets(st.sampled_from(Mode)),
    models=st.none() | st.frozensets(st.sampled_from(NAMES)),
    prompt_required=st.booleans(),
    options=st.frozensets(st.sampled_from(list(PROVIDER_DEFAULTS))),
)
maybe = st.none() | st.booleans()
pictures = st.sampled_from(["", "https://x/y.png"])
some = st.sampled_from([(), (), ("https://x/y",), ("mm_file://1", "c.mp4"), ("z.wav",) * 5])
ratios = st.sampled_from(["", "", "16:9", "9：16", "2:1", "Adaptive"]) | anything
requests = st.builds(
    VideoRequest,
    prompt=prompts,
    model=st.sampled_from(["", "hailuo 2.4", "H3 Max Turbo", "Seedance-9", *NAMES]) | anything,
    first_frame_image=pictures,
    last_frame_image=pictures,
    subject_image=pictures,
    reference_images=some | st.just(("p.png",) * 10),
    reference_videos=some,
    reference_audios=some,
    aspect_ratio=ratios,
    duration=st.none() | st.sampled_from([0, 6, 10, 7, -1]) | st.integers(-(10**400), 10**400),
    resolution=st.none()
    | st.sampled_from(["", "512P", "720p", "768P", "1080P", "4K", "1080", "2K", "480p"])
    | anything,
    image_fit=st.sampled_from(["", "crop", " Pad", "stretch"]) | anything,
    prompt_optimizer=maybe,
    fast_pretreatment=maybe,
    watermark=maybe,
)
facts = st.builds(
    ImageFacts,
    sha256=st.just(""),
    mime=st.sampled_from(["image/png", "image/gif"]),
    size=st.integers(0, 10**9),
    width=st.integers(1, 10**6),
    height=st.integers(1, 10**6),
)


def seller(capabilities, **more):
    return Seller(name="here", capabilities=capabilities, price_list="cn", **more)


def check(request, capabilities, **more):
    return check_video(request, seller(capabilities), **more)


def nearest(request, capabilities):
    where = seller(capabilities)
    return nearest_video(request, judge_video(request, where), where)


@settings(max_examples=400)
@given(
    requests,
    carriers,
    st.dictionaries(st.sampled_from(["first_frame_image", "last_frame_image"]), facts),
    carriers,
)
def test_any_request_is_returned_or_refused(request, capabilities, images, other):
    message = ""
    try:
        got = check_video(request, seller(capabilities, others={"there": other}), pictures=images)
    except InvalidRequestError as error:
        message = error_text(error)
        got = None
    if got is None:
        assert "Nothing was sent or charged." in message.encode().decode()
        assert len(message) < 6000
        return
    got.request.prompt.encode()
    got.request.model.encode()
    assert len(got.request.prompt) <= limits(api_of(got.request.model)).prompt_characters
    assert got.request.mode in capabilities.modes
    assert check(got.request, capabilities).request == got.request


@settings(max_examples=400)
@given(requests, carriers)
def test_the_nearest_request_is_itself_accepted(request, capabilities):
    near = nearest(request, capabilities)
    if near is None:
        return
    added = {
        "prompt": "a cat",
        "first_frame_image": "https://x/y.png",
        "reference_images": ("https://x/y.png",),
    }
    complete = replace(near.request, **{name: added[name] for name in near.needs})
    got = check(complete, capabilities).request
    assert (got.model, got.mode, got.resolution, got.duration) == (
        complete.model,
        complete.mode,
        complete.resolution,
        complete.duration,
    )


@given(requests, carriers)
def test_a_request_that_passes_is_its_own_nearest(request, capabilities):
    try:
        got = check(request, capabilities).request
    except InvalidRequestError:
        return
    near = nearest(got, capabilities)
    assert near is not None
    assert near.needs == ()
    assert (
        near.request.model,
        near.request.mode,
        near.request.resolution,
        near.request.duration,
    ) == (
        got.model,
        got.mode,
        got.resolution,
        got.duration,
    )


@given(
    st.sampled_from([t.template_id for t in templates("cn")])
    | st.integers(0, 10**19).map(str)
    | anything,
    st.lists(anything, max_size=3),
    st.lists(st.just("https://x/y.png"), max_size=3),
    st.sampled_from(["", "cn", "global"]),
    carriers,
)
def test_any_template_request_is_returned_or_refused(
    template_id, texts, media, region, capabilities
):
    request = TemplateRequest(
        template_id=template_id, text_inputs=tuple(texts), media_inputs=tuple(media)
    )
    message = ""
    try:
        got = check_template(request, seller(capabilities, templates=region))
    except InvalidRequestError as error:
        message = error_text(error)
        got = None
    if got is None:
        assert "Nothing was sent or charged." in message.encode().decode()
    elif template_id.strip().isdecimal() and template_id.isascii():
        assert got.request.template_id == template_id.strip()


PICTURES = {
    Mode.T2V: {},
    Mode.I2V: {"first_frame_image": "https://x/y.png"},
    Mode.FL2V: {
        "first_frame_image": "https://x/y.png",
        "last_frame_image": "https://x/z.png",
    },
    Mode.S2V: {"subject_image": "https://x/y.png"},
    Mode.R2V: {"reference_images": ("https://x/y.png",)},
}
sellers = st.builds(
    Seller,
    name=st.just("here"),
    capabilities=carriers,
    price_list=st.sampled_from(["", "cn", "global"]),
    region=st.sampled_from(["cn", "global"]),
    plan=st.sampled_from([plan.name for plan in plans()]),
    templates=st.sampled_from(["", "cn", "global"]),
)


def attempt(call):
    try:
        return call()
    except InvalidRequestError as error:
        return error


@settings(max_examples=300)
@given(
    model=st.sampled_from(["", "x" * 150, "hailuo\u20602.3", "hailuo 2.4", "fast", *NAMES])
    | anything,
    mode=st.sampled_from(["", *PICTURES]),
    duration=st.sampled_from([0, 6, 10, 7, -1, 99_999]) | st.integers(-(10**400), 10**400),
    resolution=st.sampled_from(["", "512p", "768", "1080P", "720P", "4K", "2k", "480", "HUGE!!"])
    | anything,
    seller=sellers,
)
def test_an_estimate_and_a_purchase_never_disagree(model, mode, duration, resolution, seller):
    def buy(kind):
        request = VideoRequest(
            prompt="a cat",
            model=model,
            duration=duration or None,
            resolution=resolution or None,
            **PICTURES[kind],
        )
        return attempt(lambda: check_video(request, seller))

    asked = {"model": model, "mode": mode, "duration": duration, "resolution": resolution}
    priced = attempt(lambda: estimate(seller, **asked))
    if isinstance(priced, InvalidRequestError):
        tried = [it for it in PICTURES if it is not Mode.R2V]  # whose references nobody described
        bought = [buy(kind) for kind in ([mode] if mode else tried)]
        assert all(isinstance(it, InvalidRequestError) for it in bought)
        assert priced.what in [it.what for it in bought]
        return
    got = buy(priced.clip.mode)
    assert not isinstance(got, InvalidRequestError)
    assert priced.clip.mode == (mode or priced.clip.mode)
    judged = judge_video(got.request, seller).combination
    assert replace(priced.clip, inputs=judged.inputs) == judged
    assert priced.clip.price == judged.price
    assert (priced.clip.model, priced.clip.resolution, priced.clip.duration) == (
        got.request.model,
        got.request.resolution,
        got.request.duration,
    )
    assert priced.charge == got.quote
    assert set(priced.warnings) <= set(got.warnings)


@given(
    name=st.sampled_from([word for it in templates("cn") for word in it.names])
    | st.sampled_from([it.template_id for it in (*templates("cn"), *templates("global"))])
    | st.integers(0, 10**19).map(str)
    | anything,
    seller=sellers,
)
def test_an_estimate_and_a_purchase_agree_on_templates_too(name, seller):
    priced = attempt(lambda: estimate(seller, model=name, mode="template"))
    if not name.strip() and not isinstance(priced, InvalidRequestError):
        return  # the cheapest of all: no template was named
    found = judge_template(name, seller).template
    media, texts = (found.images, found.texts) if found else (0, 0)
    request = TemplateRequest(
        template_id=name,
        media_inputs=("https://x/y.png",) * media,
        text_inputs=("a lion",) * texts,
    )
    got = attempt(lambda: check_template(request, seller))
    assert isinstance(priced, InvalidRequestError) == isinstance(got, InvalidRequestError)
    if isinstance(priced, InvalidRequestError):
        assert priced.what == got.what
    else:
        assert priced.charge == got.quote
