"""Templates: the right id for the region, the inputs that it takes, and every digit kept."""

import pytest

from hailuo_mcp.catalog.video_templates import templates
from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import ImageFacts, Mode, TemplateRequest
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.template import check_template
from hailuo_mcp.wording.agent import error_text

MINIMAX = Capabilities(modes=frozenset(Mode))
XCOMPUTE = Capabilities(modes=frozenset({Mode.T2V}))


def check(
    template_id,
    *,
    region="cn",
    capabilities=MINIMAX,
    provider="minimax-cn",
    images=None,
    unread=None,
    **inputs,
):
    return check_template(
        TemplateRequest(template_id=template_id, **inputs),
        Seller(
            name=provider,
            capabilities=capabilities,
            templates=region,
            others={"minimax-cn": MINIMAX, "xcompute": XCOMPUTE},
        ),
        pictures=images,
        unread=unread,
    )


def refused(*args, **kwargs):
    with pytest.raises(InvalidRequestError) as error:
        check(*args, **kwargs)
    said = error_text(error.value)
    assert "Nothing was sent or charged." in said
    return said


@pytest.mark.parametrize("region", ["cn", "global"])
def test_every_template_passes_by_id_and_names_with_its_inputs(region):
    for template in templates(region):
        for word in (template.template_id, *template.names):
            got = check(
                word,
                region=region,
                media_inputs=("https://x/y.png",) * template.images,
                text_inputs=("a lion",) * template.texts,
            )
            assert got.request.template_id == template.template_id
            assert got.warnings == ()


def test_an_empty_picture_is_named_once():
    unread = {"media_inputs[0]": InvalidRequestError("It is empty.")}
    assert refused("Diving", media_inputs=("",), unread=unread).count("picture 1") == 1
    assert refused("Diving", media_inputs=("",)).count("picture 1") == 1


@pytest.mark.parametrize("lost", ["392753057216684032", "393769180141805568", "393879757702918144"])
def test_an_id_that_lost_its_last_digits_is_recognised(lost):
    assert "after rounding; its id is 39" in refused(lost, media_inputs=("a",))


@pytest.mark.parametrize("unknown", ["401047179385389059", "123456789012345678", "999999"])
def test_an_unknown_id_passes_digit_for_digit_with_a_warning(unknown):
    got = check(unknown, media_inputs=("a", "b", "c"))
    assert got.request.template_id == unknown
    assert "not in hailuo-mcp's lists" in got.warnings[0]


def test_the_other_regions_id_is_refused_with_the_right_one():
    assert "here its id is 392747428568649728" in refused("392753057216684038", region="global")
    assert "here its id is 392753057216684038" in refused("392747428568649728", region="cn")
    assert "which only China offers" in refused("394246956137422856", region="global")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("divin", "unknown template divin (nearest: 跳水 Diving)"),
        ("跳", "(nearest: 跳水 Diving)"),
        ("Transformers", "Transformers is offered by the global site only"),
        (
            "zzzzzz",
            'Refused: unknown template zzzzzz. The templates here: "392753057216684038" 跳水 Diving: 1',
        ),
        ("", "no template given"),
        ("12", "12 is not a template's id"),
        ("1" * 5000, "is not a template's id"),
    ],
)
def test_an_unknown_name_is_refused_with_what_there_is(name, says):
    assert says in refused(name)


def test_inputs_are_counted_against_the_template():
    message = refused("Run for Life", media_inputs=("a", "b"))
    assert "Run for Life takes 1 picture, not 2" in message
    assert "Run for Life takes 1 text, not 0" in message
    assert "takes no pictures, not 1" in refused(
        "生无可恋", text_inputs=("x",), media_inputs=("a",)
    )
    assert "text 1 is empty" in refused("生无可恋", text_inputs=(" ",))
    assert "text 1 contains an unpaired surrogate" in refused("生无可恋", text_inputs=("\ud800",))


def test_pictures_follow_the_same_rules_as_frames():
    small = ImageFacts(sha256="0", mime="image/png", size=10, width=100, height=100)
    message = refused("Diving", media_inputs=("a",), images={"media_inputs[0]": small})
    assert "picture 1 is 100×100" in message


def test_a_provider_without_templates_names_who_has_them():
    message = refused(
        "Diving", capabilities=XCOMPUTE, region="", provider="xcompute", media_inputs=("a",)
    )
    assert "xcompute has no templates (minimax-cn can)" in message
