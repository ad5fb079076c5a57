"""Both regional lists of templates, and ids that survive every digit."""

from decimal import Decimal

import pytest

from hailuo_mcp.catalog.video_templates import (
    find_template,
    nearest_template,
    templates,
)
from hailuo_mcp.domain.remote import Capabilities
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Quote, Unit
from hailuo_mcp.rules.judge import Seller
from hailuo_mcp.rules.template import judge_template

CHINA = {
    "392753057216684038": ("跳水", 1, 0),
    "393881433990066176": ("吊环", 1, 0),
    "393769180141805569": ("绝地求生", 1, 1),
    "394246956137422856": ("万物皆可 labubu", 1, 0),
    "393879757702918151": ("麦当劳宠物外卖员", 1, 0),
    "393766210733957121": ("藏族风写真", 1, 0),
    "394125185182695432": ("生无可恋", 0, 1),
    "393857704283172864": ("情书写真", 1, 0),
    "398574688191234048": ("四季写真", 1, 0),
    "393866076583718914": ("女模特试穿广告", 1, 0),
    "393876118804459526": ("男模特试穿广告", 1, 0),
}
GLOBAL = {
    "392747428568649728": ("Diving", 1, 0, "0.40"),
    "393769180141805569": ("Run for Life", 1, 1, "0.45"),
    "397087679467597833": ("Transformers", 1, 0, "0.45"),
    "393881433990066176": ("Still rings", 1, 0, "0.45"),
    "393498001241890824": ("Weightlifting", 1, 0, "0.45"),
    "393488336655310850": ("Climbing", 1, 0, "0.40"),
    "394514820878671878": ("Anime life sim", 0, 1, "1.50"),
    "393879757702918151": ("McDonald's delivery pet", 1, 0, "1.10"),
    "397017167949312007": ("Pet pilot", 1, 0, "2.00"),
    "394176968202485769": ("Miniature set ad", 1, 0, "1.40"),
    "393876118804459526": ("Male try-on", 1, 0, "1.00"),
    "393866076583718914": ("Female try-on", 1, 0, "1.00"),
    "394875727173492739": ("Art fonts", 0, 1, "0.35"),
    "394220989629177861": ("Drinkfall", 1, 0, "0.70"),
    "393853165953970178": ("E-commerce display", 0, 1, "0.86"),
    "401431836934868999": ("3D character product", 1, 1, "1.08"),
}


def test_the_chinese_list_is_the_faqs():
    assert {t.template_id: (t.chinese, t.images, t.texts) for t in templates("cn")} == CHINA


def test_the_global_list_is_the_faqs_with_its_prices():
    found = {t.template_id: (t.name, t.images, t.texts, str(t.usd)) for t in templates("global")}
    assert found == GLOBAL


@pytest.mark.parametrize("region", ["cn", "global"])
def test_every_template_is_found_by_id_and_by_each_name(region):
    for template in templates(region):
        assert find_template(template.template_id, region) == template
        for name in template.names:
            assert find_template(name.upper(), region) == template
            assert find_template(f"  {name} ", region) == template


def test_ids_keep_their_last_digits():
    changed = [t for t in templates("cn") if str(int(float(t.template_id))) != t.template_id]
    assert "392753057216684038" in {t.template_id for t in changed}
    for template in (*templates("cn"), *templates("global")):
        assert len(template.template_id) == 18
        assert find_template(str(int(template.template_id)), template.region) == template


def test_the_same_name_has_its_own_id_in_each_region():
    assert find_template("跳水", "cn").template_id == "392753057216684038"
    assert find_template("跳水", "global").template_id == "392747428568649728"


def test_china_publishes_no_prices_for_templates():
    assert all(t.usd is None for t in templates("cn"))


def test_a_template_is_priced_only_where_its_price_was_published():
    def quote(name, region, plan="payg"):
        capabilities = Capabilities(modes=frozenset(Mode))
        seller = Seller(
            name="here", capabilities=capabilities, price_list=region, templates=region, plan=plan
        )
        return seller.charge(judge_template(name, seller).price)

    assert quote("Diving", "global") == Quote(amount=Decimal("0.4"), unit=Unit.USD)
    assert quote("Diving", "cn") == Quote(amount=None, unit=Unit.CNY)
    assert quote("Diving", "global", "basic").amount is None
    assert quote("1" * 18, "global").amount is None


def test_a_near_name_is_known_for_what_it_means():
    assert nearest_template("divng", "cn").name == "Diving"
    assert nearest_template("labubu", "cn").chinese == "万物皆可 labubu"
    assert nearest_template("zzzzzzzz", "cn") is None


def test_a_provider_without_templates_has_none():
    assert templates("") == templates("mars") == ()
    assert find_template("Diving", "") is None
    assert find_template("", "cn") is None
