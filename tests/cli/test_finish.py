"""--open, --preview, --notify and what a purchase says before it: without a screen, and with one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tools.fakes import a_task

from hailuo_mcp.cli.output import notify
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Unit
from hailuo_mcp.views import Offer, Spending
from hailuo_mcp.wording.costs import purchase_quote
from hailuo_mcp.wording.offers import offered_clip, offered_price

EVIL = "fox\x1b\\\x07; rm -rf\n"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;hailuo-mcp: fox ; rm -rf\x1b\\"),
        ({"TERM": "xterm-kitty"}, "\x1b]9;hailuo-mcp: fox ; rm -rf\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;hailuo-mcp;fox , rm -rf\x1b\\"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, ""),
        ({"TERM": "xterm-256color"}, ""),
    ],
)
def test_a_terminal_that_notifies_is_told_so(environ: dict[str, str], expected: str) -> None:
    assert notify.sequence(EVIL.replace("\x1b\\", "\x1b"), environ) == expected


def test_a_program_notifies_where_there_is_one() -> None:
    apple = notify.command(EVIL, {}, "darwin")
    windows = notify.command(EVIL, {}, "win32")

    assert apple[0] == "osascript"
    assert apple[-2:] == ["hailuo-mcp", "fox \\ ; rm -rf"]
    assert "rm -rf" not in " ".join(windows), "text is never part of a script"
    assert notify.command(EVIL, {"PATH": "/nowhere", "DISPLAY": ":0"}, "linux") == []
    assert notify.command(EVIL, {"SSH_CONNECTION": "1"}, "darwin") == []


def an_offer(*, lower_bound: bool = False, budget: Decimal | None = None) -> Offer:
    draft = a_task(prompt="A red fox runs through fresh snow", amount=Decimal("1.2"))
    zero = Decimal(0)
    so_far = Spending(
        provider=draft.provider,
        unit=Unit.CNY,
        period="day",
        spent=zero,
        reserved=zero,
        uncertain=zero,
        budget=budget,
        left=budget,
    )
    return Offer(
        draft=draft,
        reserved_amount=None if lower_bound else Decimal("1.2"),
        spending=so_far,
        lower_bound=lower_bound,
    )


def test_a_lower_bound_reads_as_one_everywhere() -> None:
    offer = an_offer(lower_bound=True)
    told = purchase_quote(offer)

    assert offered_price(offer) == "at least 1.2 CNY"
    assert "at least 1.2 CNY for" in told["message"]
    assert told.get("cost") == {
        "amount": "1.2",
        "lower_bound": True,
        "unit": "CNY",
        "charged": "no",
    }
    assert "lower_bound" not in purchase_quote(an_offer()).get("cost", {})


def test_what_will_be_made_is_one_line() -> None:
    request = VideoRequest(
        prompt="fox",
        first_frame_image="/home/me/portrait.jpg",
        last_frame_image="data:image/png;base64,AAAA",
        reference_images=("https://example.com/a/cat.png?x=1", "task:@last#2s"),
    )
    line = offered_clip(an_offer(), request, width=200)

    assert line.startswith('"A red fox runs through fresh snow": ')
    assert line.endswith("(portrait.jpg, a picture, cat.png, task:@last#2s)")
    assert len(offered_clip(an_offer(), width=80)) <= 80
    again = an_offer()
    again = replace(again, draft=replace(again.draft, mode=Mode.I2V, take=2))
    drawn = VideoRequest(first_frame_image="data:image/png;base64,AAAA")
    assert offered_clip(again, drawn, width=200).endswith("from a first frame (a picture), take 2")
    assert offered_price(an_offer(budget=Decimal(20))) == (
        "1.2 CNY; 18.8 of 20 CNY left today after it"
    )
