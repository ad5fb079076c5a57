"""Pictures: each rule with the numbers that were found and the ones that are needed."""

from dataclasses import replace

import pytest

from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import ImageFacts, Mode, TemplateRequest, VideoRequest
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.rules.images import changes_words, image_problems, size_problems, size_steps
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.template import check_template
from hailuo_mcp.rules.video import check_video
from hailuo_mcp.wording.agent import error_text

SELLER = Seller(
    name="minimax-cn", capabilities=Capabilities(modes=frozenset(Mode)), price_list="cn"
)


def picture(width=1024, height=768, size=1000, mime="image/jpeg"):
    return ImageFacts(sha256="0" * 64, mime=mime, size=size, width=width, height=height)


@pytest.mark.parametrize(
    "facts",
    [
        picture(),
        picture(301, 301),
        picture(301, 752),
        picture(400, 1000),
        picture(1000, 400),
        picture(size=19_999_999),
        picture(mime="image/png"),
        picture(mime="image/webp"),
    ],
)
def test_a_picture_at_the_edge_of_the_rules_passes(facts):
    assert image_problems("the first frame", facts) == []
    assert size_problems("the first frame", facts) == []


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (
            picture(140, 350),
            "is 140×350 px; its short side must be over 300 px (from 151 px on it is enlarged)",
        ),
        (picture(400, 1001), "is 400×1001 px; its aspect ratio must be between 2:5 and 5:2"),
        (picture(1001, 400), "is 1001×400 px; its aspect ratio must be between 2:5 and 5:2"),
        (
            picture(1000, 100),
            (
                "is 1000×100 px; its short side must be over 300 px (from 151 px on it is enlarged) "
                "and its aspect ratio must be between 2:5 and 5:2"
            ),
        ),
        (picture(size=20_000_000), "has 20.00 MB; it must have less than 20 MB"),
        (picture(mime="image/gif"), "is image/gif; it must be JPEG, PNG or WebP"),
    ],
)
def test_a_picture_beyond_them_is_refused_with_its_numbers(facts, says):
    found = [*image_problems("the last frame", facts), *size_problems("the last frame", facts)]
    assert found == [f"the last frame {says}"]


CROP, PAD = Step(Do.CROP_IMAGE), Step(Do.PAD_IMAGE)
LARGER = Step(Do.TRY, "give a larger picture")


@pytest.mark.parametrize(
    ("sizes", "steps"),
    [
        ([(1001, 400)], [CROP, PAD]),
        ([(1000, 100)], [PAD]),
        ([(1001, 400), (1000, 100)], [PAD]),
        ([(140, 30)], [LARGER]),
        ([(140, 140), (1001, 400)], [LARGER]),
        ([(200, 200)], []),
        ([(640, 480)], []),
    ],
)
def test_only_what_makes_every_picture_fit_is_offered(sizes, steps):
    assert size_steps({str(at): picture(*size) for at, size in enumerate(sizes)}) == steps


def test_every_broken_rule_of_every_picture_is_named():
    with pytest.raises(InvalidRequestError) as refused:
        check_video(
            VideoRequest(first_frame_image="a", last_frame_image="b"),
            SELLER,
            pictures={
                "first_frame_image": picture(100, 900, 30_000_000, "image/gif"),
                "last_frame_image": picture(200, 200),
            },
            unread={
                "subject_image": InvalidRequestError(
                    "There is no such file.", Step(Do.TRY, "give another path")
                )
            },
        )
    said = error_text(refused.value)
    assert said.startswith(
        "Refused for 5 reasons: the subject picture: there is no such file; the first frame is "
    )
    assert said.endswith(
        'Nothing was sent or charged. Give another path. With image_fit="pad" this call adds white '
        "bars."
    )


@pytest.mark.parametrize("asked", ["", "crop", " Pad "])
def test_a_way_to_fit_pictures_passes_without_any_with_a_note(asked):
    without = "No picture was given, so none is fitted."
    checked = check_video(VideoRequest(prompt="a cat", image_fit=asked), SELLER)
    assert checked.warnings == ((without,) if asked else ())


def test_an_unknown_way_to_fit_pictures_is_refused_with_the_ways_that_there_are():
    wanted = VideoRequest(prompt="a cat", first_frame_image="a", image_fit="stretch")
    with pytest.raises(
        InvalidRequestError, match=r"^Refused: .* by crop or pad, not by stretch\.$"
    ):
        check_video(wanted, SELLER, pictures={"first_frame_image": picture(1000, 100)})


def test_a_template_s_picture_is_fitted_by_hand():
    with pytest.raises(InvalidRequestError) as refused:
        check_template(
            TemplateRequest(template_id="393881433990066176", media_inputs=("a",)),
            replace(SELLER, templates="cn"),
            pictures={"media_inputs[0]": picture(1001, 400)},
        )
    assert refused.value.then == (Step(Do.TRY, "crop the picture, or add bars to it"),)


def test_what_was_done_to_a_picture_is_a_sentence():
    assert changes_words("first_frame_image", ["re-encoded as JPEG: it was a HEIC picture"]) == (
        "The first frame was re-encoded as JPEG: it was a HEIC picture."
    )
    assert changes_words("media_inputs[1]", ["turned", "scaled", "re-encoded"]) == (
        "Picture 2 was turned, scaled and re-encoded."
    )


def test_a_last_frame_of_another_shape_is_a_warning():
    def warnings(last):
        return check_video(
            VideoRequest(first_frame_image="a", last_frame_image="b"),
            SELLER,
            pictures={"first_frame_image": picture(1024, 768), "last_frame_image": last},
        ).warnings

    assert warnings(picture(512, 384)) == ()
    assert "cropped to the shape of the first (1024×768)" in warnings(picture(768, 768))[0]
