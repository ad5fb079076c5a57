"""Every legal and illegal call of the v2 models, and every limit of their references."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import ClipFacts, ImageFacts, Mode, SoundFacts, VideoRequest
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.video import check_video, judge_video, model_for
from hailuo_mcp.wording.agent import error_text

V2 = Capabilities(modes=frozenset(Mode))
V1_ONLY = replace(
    V2,
    modes=V2.modes - {Mode.R2V, Mode.UPGRADE},
    not_offered=frozenset({"MiniMax-H3", "MiniMax-H3-Max"}),
)
OTHERS = {"minimax-cn": V2, "old": V1_ONLY}
GIVEN = {
    Mode.T2V: {},
    Mode.I2V: {"first_frame_image": "f"},
    Mode.FL2V: {"first_frame_image": "f", "last_frame_image": "l"},
    Mode.S2V: {"subject_image": "s"},
    Mode.R2V: {"reference_images": ("r",)},
}
# Typed from reference/minimax_v2.md by hand, not derived from the catalogue.
SIZES = {"MiniMax-H3": ("768P", "2K"), "MiniMax-H3-Max": ("480P", "768P")}
SHORTEST = {"MiniMax-H3": 4, "MiniMax-H3-Max": 5}
RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")


def seller(price_list="cn", plan="payg", capabilities=V2):
    return Seller(
        name="minimax-cn" if capabilities is V2 else "old",
        capabilities=capabilities,
        price_list=price_list,
        plan=plan,
        others=OTHERS,
    )


def ask(mode=Mode.T2V, **fields):
    return VideoRequest(**{"prompt": "a cat", "model": "h3", **GIVEN[mode], **fields})


def references(images=0, videos=0, audios=0, **fields):
    return ask(
        reference_images=tuple(f"{at}.png" for at in range(images)),
        reference_videos=tuple(f"{at}.mp4" for at in range(videos)),
        reference_audios=tuple(f"{at}.wav" for at in range(audios)),
        **fields,
    )


def refused(request, where=None, **facts):
    with pytest.raises(InvalidRequestError) as error:
        check_video(request, where or seller(), **facts)
    message = error_text(error.value)
    assert message.count("Nothing was sent or charged.") == 1
    return message


def sent(model, mode, size, length, ratio):
    """Size, length and ratio as they are sent; None for an illegal call."""
    legal = {Mode.T2V: ("", *RATIOS), Mode.S2V: ()}.get(mode, ("", "adaptive", *RATIOS))
    size, length = size or "768P", length or 6
    if size not in SIZES[model] or not SHORTEST[model] <= length <= 15 or ratio not in legal:
        return None
    if mode is Mode.T2V:
        return size, length, ratio or "16:9"
    return size, length, ratio if mode is Mode.R2V else ""


@pytest.mark.parametrize("mode", GIVEN)
@pytest.mark.parametrize("model", SIZES)
def test_every_call_is_judged_as_the_reference_has_it(model, mode):
    where = seller()
    sizes = (None, "480P", "512P", "720P", "768P", "1080P", "2K", "4K")
    for size, length, ratio in product(
        sizes, (None, *range(1, 21)), ("", "adaptive", "2:1", "wide", *RATIOS)
    ):
        request = ask(
            mode, model=model.lower(), resolution=size, duration=length, aspect_ratio=ratio
        )
        verdict = judge_video(request, where)
        if (wanted := sent(model, mode, size, length, ratio)) is None:
            assert verdict.problems, request
            continue
        got = check_video(request, where).request
        assert (got.model, got.mode) == (model, mode)
        assert (got.resolution, got.duration, got.aspect_ratio) == wanted


@pytest.mark.parametrize("mode", GIVEN)
@pytest.mark.parametrize("model", SIZES)
def test_what_is_refused_names_the_nearest_call_that_works(model, mode):
    for size, length, ratio in product((None, "720P", "2K"), (None, 3, 16), ("", "2:1")):
        if sent(model, mode, size, length, ratio) is None:
            request = ask(mode, model=model, resolution=size, duration=length, aspect_ratio=ratio)
            assert "Nearest that works: model " in refused(request)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (ask(duration=3), "MiniMax-H3 at 768P makes 4-15 s, not 3 s"),
        (ask(resolution="2k", duration=16), "MiniMax-H3 at 2K makes 4-15 s, not 16 s"),
        (ask(resolution="1080p"), "MiniMax-H3 from text alone makes 768P or 2K, not 1080P"),
        (ask(model="h3 max", duration=4), "MiniMax-H3-Max at 768P makes 5-15 s, not 4 s"),
        (ask(aspect_ratio="adaptive"), "9:16, not adaptive"),
        (ask(aspect_ratio="2:1"), "9:16, not 2:1"),
        (ask(Mode.I2V, aspect_ratio="2:1"), "unknown aspect ratio 2:1 (with a first frame none"),
        (ask(Mode.S2V), "not from a subject picture (give it as a reference picture)"),
        (ask(last_frame_image="l"), "a last frame needs a first frame too"),
        (ask(prompt_optimizer=False), "MiniMax-H3 cannot switch the prompt optimizer off"),
        (
            ask(Mode.R2V, fast_pretreatment=True),
            "MiniMax-H3 from references has no fast pretreatment",
        ),
        (
            ask(Mode.R2V, first_frame_image="f"),
            "a first frame cannot be combined with references",
        ),
        (
            ask(Mode.R2V, first_frame_image="f", last_frame_image="l"),
            "a first frame cannot be combined with references; a last frame cannot be",
        ),
        (
            ask(Mode.R2V, subject_image="s"),
            "a subject picture cannot be combined with references (give it as a reference picture)",
        ),
        (
            ask(model="hailuo 2.3", aspect_ratio="9:16"),
            "works: model MiniMax-H3, 768P, 6 s, 9:16, 3 CNY",
        ),
        (
            ask(Mode.I2V, model="hailuo 2.3", aspect_ratio="9:16"),
            "model MiniMax-Hailuo-2.3, 768P, 6 s, without an aspect ratio, 2 CNY",
        ),
        (ask(Mode.S2V, model="", aspect_ratio="1:1"), "S2V-01 takes no aspect ratio"),
        (
            ask(Mode.R2V, model="hailuo 2.3"),
            "works: model MiniMax-H3, 768P, 6 s, 3 CNY",
        ),
        (ask(model="hailuo 2.3", aspect_ratio="1:1"), "MiniMax-Hailuo-2.3 takes no aspect ratio."),
        (
            ask(Mode.R2V, model="hailuo 2.3"),
            "clips from text alone or a first frame, not from references",
        ),
        (
            ask(Mode.R2V, model="Seedance-9"),
            "MiniMax-H3 and MiniMax-H3-Max make clips from references, not Seedance-9",
        ),
        (
            ask(model="Seedance-9", aspect_ratio="1:1"),
            "MiniMax-H3 and MiniMax-H3-Max take an aspect ratio, not Seedance-9",
        ),
        (
            ask(model="H3 Max Turbo"),
            "(fal, Muapi), not a model of MiniMax's API (nearest: MiniMax-H3-Max)",
        ),
        (ask(Mode.R2V, model="h3", prompt=" "), "the prompt is empty, and MiniMax-H3 needs one"),
        (ask(Mode.I2V, model="h3-max", prompt=""), "and MiniMax-H3-Max needs one"),
        (ask(Mode.FL2V, prompt=""), "the prompt is empty, and MiniMax-H3 needs one"),
        (ask(prompt="x" * 7001), "the prompt has 7,001 characters; the limit is 7,000"),
        (ask(model="", prompt="x" * 2001), "the prompt has 2,001 characters; the limit is 2,000"),
    ],
)
def test_each_wrong_thing_is_named(request_, says):
    assert says in refused(request_)


def test_the_longest_prompt_passes():
    assert len(check_video(ask(prompt="x" * 7000), seller()).request.prompt) == 7000


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"resolution": "2k"}, "MiniMax-H3"),
        ({"aspect_ratio": "16:9"}, "MiniMax-H3"),
        ({"aspect_ratio": "9x16", "resolution": "768"}, "MiniMax-H3"),
        ({"first_frame_image": "f", "resolution": "2K"}, "MiniMax-H3"),
        ({"reference_images": ("r",)}, "MiniMax-H3"),
        ({"reference_videos": ("r",), "resolution": "2K", "duration": 15}, "MiniMax-H3"),
        ({"model": "H3 max", "resolution": "480p"}, "MiniMax-H3-Max"),
        ({"model": "minimax h3"}, "MiniMax-H3"),
        ({}, "MiniMax-Hailuo-2.3"),
        ({"first_frame_image": "f"}, "MiniMax-Hailuo-2.3"),
        ({"first_frame_image": "f", "last_frame_image": "l"}, "MiniMax-Hailuo-02"),
        ({"resolution": "1080P"}, "MiniMax-Hailuo-2.3"),
        ({"subject_image": "s"}, "S2V-01"),
    ],
)
def test_the_model_is_chosen_and_told_before_pictures_are_opened(fields, model):
    request = ask(**{"model": "", **fields})
    assert check_video(request, seller()).request.model == model
    assert model_for(request, seller()) == model


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"model": "H3 Max Turbo"}, "MiniMax-H3-Max"),
        ({"model": "hailuo 2.4"}, "MiniMax-Hailuo-2.3"),
        ({"model": "Seedance-9"}, "Seedance-9"),
        ({"model": "x\u0000x"}, ""),
        ({"duration": 99, "resolution": "HUGE", "aspect_ratio": "\ud800"}, "MiniMax-H3"),
    ],
)
def test_a_model_is_told_for_wrong_requests_too(fields, model):
    assert model_for(ask(**fields), seller()) == model


@pytest.mark.parametrize("written", ["9:16", "9：16", " 9 x 16", "9/16", "9×16"])
def test_a_ratio_is_read_in_any_usual_spelling(written):
    assert check_video(ask(aspect_ratio=written), seller()).request.aspect_ratio == "9:16"


def test_with_frames_a_ratio_is_left_out_and_that_is_said():
    for mode in (Mode.I2V, Mode.FL2V):
        got = check_video(ask(mode, aspect_ratio="9:16"), seller())
        assert got.request.aspect_ratio == ""
        assert got.warnings == (
            "The aspect ratio 9:16 is left out: the clip has the shape of its first frame.",
        )
    assert check_video(ask(Mode.I2V, aspect_ratio="adaptive"), seller()).warnings == ()


def test_the_nearest_ratio_is_nearest_in_shape():
    for asked, near in {"2:1": "16:9", "9:20": "9:16", "10:9": "1:1", "adaptive": "16:9"}.items():
        assert f"768P, 6 s, {near}, 3 CNY" in refused(ask(aspect_ratio=asked))


def test_switches_that_the_model_lacks_are_not_sent():
    said = {"prompt_optimizer": True, "fast_pretreatment": False, "watermark": True}
    got = check_video(ask(**said), seller()).request
    assert (got.prompt_optimizer, got.fast_pretreatment, got.watermark) == (None, None, True)
    off = ask(model="h3 max", prompt_optimizer=False, fast_pretreatment=False)
    got = check_video(off, seller()).request
    assert (got.prompt_optimizer, got.fast_pretreatment) == (False, None)


@pytest.mark.parametrize("plan", ["basic", "advanced", "plus", "enterprise"])
def test_packs_exclude_them(plan):
    for request in (ask(), ask(model="h3 max"), ask(model="", resolution="2K")):
        message = refused(request, seller(plan=plan))
        assert f"is sold as pay as you go only: packs such as {plan} exclude it" in message
        assert "Nearest that works: model MiniMax-Hailuo-2.3, " in message
    assert "Nearest" in refused(ask(Mode.R2V), seller(plan=plan))


def test_other_plans_may_have_them():
    for plan in ("payg", "free", "custom"):
        assert check_video(ask(), seller(plan=plan)).request.model == "MiniMax-H3"


def test_a_provider_without_v2_names_who_has_it():
    where = seller(capabilities=V1_ONLY)
    assert "old does not offer MiniMax-H3 (minimax-cn can)" in refused(ask(), where)
    made = refused(ask(Mode.R2V, model=""), where)
    assert "old cannot make a clip from references (minimax-cn can)" in made
    assert "from text alone" in refused(ask(model="", resolution="2K"), where)
    assert "without an aspect ratio" in refused(ask(model="", aspect_ratio="1:1"), where)


# References ----------------------------------------------------------------------------------


def clip(seconds=5.0, **facts):
    usual = {
        "mime": "video/mp4",
        "size": 1000,
        "width": 1280,
        "height": 720,
        "fps": 24.0,
        "codec": "h264",
        "sound": "aac",
    }
    return ClipFacts(sha256="0" * 64, seconds=seconds, **{**usual, **facts})


def sound(seconds=5.0, **facts):
    return SoundFacts(
        sha256="0" * 64, seconds=seconds, **{"mime": "audio/wav", "size": 1000, **facts}
    )


def picture(**facts):
    usual = {"mime": "image/png", "size": 1000, "width": 1280, "height": 720}
    return ImageFacts(sha256="0" * 64, **{**usual, **facts})


def named(kind, facts):
    return {f"{kind}[{at}]": it for at, it in enumerate(facts)}


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((9, 0, 0), ()),
        ((9, 3, 0), ()),
        ((9, 2, 1), ()),
        ((6, 3, 3), ()),
        ((0, 3, 3), ()),
        ((0, 1, 0), ()),
        ((10, 0, 0), ("10 reference pictures are too many; at most 9",)),
        ((0, 4, 0), ("4 reference clips are too many; at most 3",)),
        ((1, 0, 4), ("4 reference sounds are too many; at most 3",)),
        ((9, 3, 1), ("13 references are too many; at most 12 of all kinds",)),
        ((0, 0, 1), ("reference sounds need a reference picture or clip beside them",)),
        (
            (10, 4, 4),
            (
                "10 reference pictures are too many",
                "4 reference clips are too many",
                "4 reference sounds are too many",
                "18 references are too many",
            ),
        ),
    ],
)
def test_references_are_counted(counts, says):
    request = references(*counts)
    clips = named("reference_videos", [clip()] * counts[1])
    clips = {name: replace(it, seconds=2.0) for name, it in clips.items()}
    sounds = named("reference_audios", [sound(2.0)] * counts[2])
    if not says:
        got = check_video(request, seller(), clips=clips, sounds=sounds).request
        assert (
            len(got.reference_images),
            len(got.reference_videos),
            len(got.reference_audios),
        ) == counts
        return
    message = refused(request, clips=clips, sounds=sounds)
    assert all(it in message for it in says)


def test_the_nearest_has_as_many_references_as_are_allowed():
    assert "with the first 9 reference pictures" in refused(references(10))
    message = refused(references(9, 3, 2))
    assert "model MiniMax-H3, 768P, 6 s, without reference sounds, at least" in message
    assert "with a reference picture or clip, 3 CNY" in refused(references(0, 0, 1))


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (clip(1.99), "reference clip 1 is 1.99 s long; it must be 2 to 15 s"),
        (clip(2.0), ""),
        (clip(15.0), ""),
        (clip(15.01), "reference clip 1 is 15.01 s long; it must be 2 to 15 s"),
        (clip(fps=23.9), "reference clip 1 has 23.9 frames a second; it must have 24 to 60"),
        (clip(fps=23.976), ""),
        (clip(fps=24.0), ""),
        (clip(fps=60.0), ""),
        (clip(fps=60.1), "reference clip 1 has 60.1 frames a second; it must have 24 to 60"),
        (clip(size=50_000_001), "reference clip 1 has 50.00 MB; it must have at most 50 MB"),
        (clip(size=47_000_000), ""),
        (clip(mime="video/quicktime"), ""),
        (clip(mime="video/webm"), "reference clip 1 is video/webm; it must be MP4 or MOV"),
        (clip(codec="hevc"), ""),
        (clip(codec="av1"), "the pictures of reference clip 1 are av1; they must be H.264 or"),
        (clip(sound=""), ""),
        (clip(sound="mp3"), ""),
        (clip(sound="opus"), "the sound of reference clip 1 is opus; it must be AAC or MP3"),
        (clip(width=256, height=256), ""),
        (clip(width=255, height=256), "is 255×256 px; its sides must be 256 to 5760 px"),
        (clip(width=5760, height=5760), ""),
        (clip(width=5761, height=5760), "is 5761×5760 px; its sides must be 256 to 5760 px"),
        (clip(width=1000, height=400), ""),
        (clip(width=1001, height=400), "its aspect ratio must be between 2:5 and 5:2"),
        (clip(width=400, height=1001), "its aspect ratio must be between 2:5 and 5:2"),
        (None, ""),
    ],
)
def test_a_clip_is_measured(facts, says):
    request = references(videos=1)
    clips = {"reference_videos[0]": facts}
    if says:
        assert says in refused(request, clips=clips)
    else:
        check_video(request, seller(), clips=clips)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (sound(1.99), "reference sound 1 is 1.99 s long; it must be 2 to 15 s"),
        (sound(2.0), ""),
        (sound(15.0), ""),
        (sound(15.01), "reference sound 1 is 15.01 s long"),
        (sound(mime="audio/mp3"), ""),
        (sound(mime="audio/ogg"), "reference sound 1 is audio/ogg; it must be WAV or MP3"),
        (sound(size=15_000_000), ""),
        (sound(size=15_000_001), "reference sound 1 has 15.00 MB; it must have at most 15 MB"),
        (None, ""),
    ],
)
def test_a_sound_is_measured(facts, says):
    request, sounds = references(images=1, audios=1), {"reference_audios[0]": facts}
    if says:
        assert says in refused(request, sounds=sounds)
    else:
        check_video(request, seller(), sounds=sounds)


@pytest.mark.parametrize("kind", ["reference_videos", "reference_audios"])
@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ((7.5, 7.5), ""),
        ((5.1, 4.9, 5.0), ""),
        ((7.5, 7.51), "15.01 s"),
        ((6.0, 6.0, 6.0), "18 s"),
        ((15.0, None), ""),
    ],
)
def test_clips_and_sounds_are_measured_together(kind, lengths, said):
    make = clip if kind == "reference_videos" else sound
    facts = named(kind, [None if it is None else make(it) for it in lengths])
    counts = {"videos" if kind == "reference_videos" else "audios": len(lengths)}
    request = references(images=1, **counts)
    given = {"clips" if kind == "reference_videos" else "sounds": facts}
    if said:
        assert f"are {said} long together; at most 15 s are allowed" in refused(request, **given)
    else:
        check_video(request, seller(), **given)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (picture(size=30_000_000), ""),
        (picture(size=30_000_001), "has 30.00 MB; it must have at most 30 MB"),
        (picture(width=256, height=256), ""),
        (
            picture(width=255, height=256),
            "is 255×256 px; its sides must be 256 to 5760 px (from 128 px on it is enlarged)",
        ),
        (picture(width=5760, height=5760), ""),
        (picture(width=5761, height=5000), "is 5761×5000 px; its sides must be 256 to 5760 px"),
        (
            picture(width=400, height=1001),
            "is 400×1001 px; its aspect ratio must be between 2:5 and 5:2",
        ),
        (picture(mime="image/heic"), "is image/heic; it must be JPEG, PNG or WebP"),
    ],
)
@pytest.mark.parametrize("argument", ["reference_images[0]", "first_frame_image"])
def test_pictures_are_held_to_the_limits_of_the_models_api(argument, facts, says):
    request = ask(Mode.I2V) if argument == "first_frame_image" else references(images=1)
    if not says:
        check_video(request, seller(), pictures={argument: facts})
        return
    name = "the first frame" if argument == "first_frame_image" else "reference picture 1"
    assert f"{name} {says}" in refused(request, pictures={argument: facts})


def test_v1_keeps_its_own_picture_limits():
    small, large = picture(width=256, height=256), picture(width=5761, height=5761)
    request = ask(Mode.I2V, model="hailuo 2.3")
    assert "short side must be over 300" in refused(request, pictures={"first_frame_image": small})
    assert check_video(request, seller(), pictures={"first_frame_image": large})


def test_the_whole_request_has_a_limit_that_only_data_counts_for():
    # base64 makes 4 bytes of 3, and 0.1 MB are kept for the rest.
    request = references(images=1, videos=2)
    pictures = {"reference_images[0]": picture(size=7_925_001)}
    clips = named("reference_videos", [clip(size=20_000_001), clip(size=19_999_998)])
    check_video(request, seller(), pictures=pictures, clips=clips)
    more = clips | {"reference_videos[1]": clip(size=19_999_999)}
    says = "the request would have 64.00 MB with what it is made from; at most 64 MB can be sent"
    assert says in refused(request, pictures=pictures, clips=more)
    by_address = replace(request, reference_videos=("https://x/0.mp4", "1.mp4"))
    check_video(by_address, seller(), pictures=pictures, clips=more)
    frames = {name: picture(size=29_000_000) for name in GIVEN[Mode.FL2V]}
    assert "the request would have 77.43 MB" in refused(ask(Mode.FL2V), pictures=frames)
    old = {name: picture(size=19_000_000) for name in GIVEN[Mode.FL2V]}
    check_video(ask(Mode.FL2V, model="hailuo 02"), seller(), pictures=old)


def test_everything_wrong_is_named_at_once():
    message = refused(
        references(10, 2, 1, prompt="", duration=3, resolution="4K", first_frame_image="f"),
        clips=named("reference_videos", [clip(1.0), clip(20.0, codec="vp9")]),
        sounds=named("reference_audios", [sound(40.0)]),
        unread={"reference_images[1]": InvalidRequestError("There is no file 'a.png'.")},
    )
    for said in (
        "a first frame cannot be combined with references",
        "makes 768P or 2K, not 4K",
        "not 3 s",
        "10 reference pictures",
        "13 references",
        "reference clip 1 is 1 s",
        "reference clip 2 is 20 s",
        "vp9",
        "the reference clips are 21 s long together",
        "reference sound 1 is 40 s",
        "the prompt is empty",
        "reference picture 2: there is no file",
    ):
        assert said in message


# Prices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "lengths", "cny", "usd"),
    [
        (ask(duration=4), (), "2", "0.32"),
        (ask(duration=15, resolution="2K"), (), "12", "1.95"),
        (ask(Mode.FL2V), (), "3", "0.48"),
        (references(5), (), "3", "0.48"),
        (references(6), (), "3.2", "0.52"),
        (references(9, resolution="2K"), (), "5.6", "0.94"),
        (references(videos=1), (2.0,), "4", "0.64"),
        (references(videos=1), (2.01,), "4.5", "0.72"),
        (references(videos=3), (2.2, 3.0, 4.1), "8.5", "1.36"),
        (references(6, 1, resolution="2k", duration=10), (15.0,), "20.2", "3.29"),
        (references(3, model="h3 max", resolution="480P"), (), ("1.98",), "0.374"),
        (references(0, 1, model="h3 max"), (4.5,), ("3",), "1.195"),
        (references(videos=2), (2.0, None), ("3",), ("0.48",)),
    ],
)
def test_a_clip_is_quoted_with_what_it_is_made_from(request_, lengths, cny, usd):
    clips = named("reference_videos", [it and clip(it) for it in lengths])
    for price_list, unit, wanted in (("cn", Unit.CNY, cny), ("global", Unit.USD, usd)):
        where = Seller(
            name="here", capabilities=V2, price_list=price_list, region=price_list, plan="payg"
        )
        got = check_video(request_, where, clips=clips)
        partly = isinstance(wanted, tuple)  # at least so much
        amount = Decimal(wanted[0] if partly else wanted)
        assert got.quote == Quote(amount=amount, unit=unit, lower_bound=partly)
        assert any("It costs at least" in it for it in got.warnings) == partly


def test_a_lower_bound_is_said_with_its_reason():
    (said,) = check_video(references(videos=1), seller()).warnings
    assert said == (
        "It costs at least 3 CNY: how long a reference clip is, is not known before it is made."
    )
    (said,) = check_video(references(3, model="h3 max"), seller()).warnings
    assert said == (
        "It costs at least 3 CNY: no price is published for a part of what it is made from."
    )
