"""What can be bought: moves, and what clips cost: estimate."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, setting_sources
from hailuo_mcp.cli.output.styles import GOOD, QUIET, Cell, Styled
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import number

if TYPE_CHECKING:
    from hailuo_mcp.rules.estimate import Estimate, PlanCost


def list_moves(_args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.catalog.camera_moves import moves
    from hailuo_mcp.catalog.video_models import limits

    rows = [(move.english, move.chinese, move.group) for move in moves()]
    if terminal.json:
        said = f"{len(rows)} camera moves, in brackets in a prompt: [Push in]."
        terminal.records("moves", ("english", "chinese", "group"), rows, message=said)
        return exits.DONE
    terminal.table(("Move", "Chinese", "Kind"), rows)
    terminal.say()
    together = limits().moves_together
    said = f"In brackets in the prompt: [Push in]. Up to {together} at once: [Pan left, Zoom in]."
    terminal.paragraph("", said, result=True)
    return exits.DONE


_MODES = "t2v, i2v, fl2v, s2v, r2v, template, upgrade"


def estimate_prices_options(parser: ArgumentParser) -> None:
    arguments.add_text(
        parser.add_argument, "-m", "--model", metavar="MODEL", what="chosen by the mode"
    )
    arguments.add_text(parser.add_argument, "--mode", metavar="MODE", what=_MODES)
    add = parser.add_argument
    what = "6 or 10; MiniMax-H3: 4 to 15"
    add("-d", "--duration", type=arguments.length, default=0, metavar="SECONDS", help=what)
    arguments.add_text(add, "-r", "--resolution", metavar="SIZE", what="480P … 2K")
    what = "how many clips"
    add("-n", "--count", type=arguments.whole(1), default=1, metavar="N", help=what)


def estimate_prices(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.client.preparing import seller_of
    from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
    from hailuo_mcp.rules.estimate import estimate
    from hailuo_mcp.wording.costs import cost_estimate, estimate_message

    comparing = (args.plan or "").strip().lower() == "compare"
    if comparing:
        args.plan = None  # a way of asking, not a plan that an account can have
    settings = setting_sources.settings(args)
    provider = PROVIDERS[settings.provider]
    price = partial(
        estimate,
        seller_of(with_base_url(provider, settings.base_url), settings.plan),
        model=args.model,
        mode=args.mode,
        duration=args.duration,
        resolution=args.resolution,
        count=args.count,
    )
    found = price(plan="compare" if comparing else "")
    if terminal.json:
        terminal.data(dict(cost_estimate(found, notice=provider.notice)))
        return exits.DONE
    if found.packs:
        _print_comparison(terminal, found)
        found = price(plan="")  # its sentence; the table has said the rest
    else:
        _print_prices(terminal, found)
    terminal.paragraph("", estimate_message(found), result=True)
    if provider.is_sandbox:
        terminal.paragraph(
            "", "The sandbox charges nothing: this is what real clips would cost.", result=True
        )
    if found.prices_as_of:
        terminal.say(f"Prices as of {found.prices_as_of}.", style="dim")
    return exits.DONE


def _print_prices(terminal: Terminal, found: Estimate) -> None:
    one, total = found.per_video, found.total
    rows = [
        ("credits of a pack", one.credits, total.credits),
        ("CNY, pay as you go in China", one.cny, total.cny),
        ("USD, pay as you go globally", one.usd, total.usd),
    ]
    known = [
        (name, number(each), number(many))
        for name, each, many in rows
        if each is not None and many is not None
    ]
    if not known:
        return
    shown = 3 if found.count > 1 else 2
    least = ", at least" if found.status == "lower_bound" else ""
    columns = ("Price in", f"One clip{least}", f"{found.count} clips{least}")
    terminal.table(columns[:shown], [row[:shown] for row in known])
    terminal.say()


def _print_comparison(terminal: Terminal, found: Estimate) -> None:
    payg = next((way.per_video for way in found.packs if not way.packs), None)
    terminal.table(
        ("Plan", "Packs", "CNY a month", "CNY a clip", "Unused credits", "RPM", "Note"),
        [
            (
                way.plan.name,
                str(way.packs) if way.packs else "-",
                number(way.cost),
                number(way.per_video),
                number(way.credits_lapsing) if way.packs else "-",
                str(way.rpm) if way.rpm else "-",
                _verdict(way, found.cheapest, payg),
            )
            for way in found.packs
        ],
    )
    terminal.say()
    if place := next((way.plan.buy_at for way in found.packs if way.plan.buy_at), ""):
        terminal.say(f"Packs are sold at {place}")


def _verdict(way: PlanCost, cheapest: PlanCost | None, payg: Decimal | None) -> Cell:
    if way is cheapest:
        return Styled("cheapest", GOOD)
    if way.dearer_at_full_use:
        return Styled("never cheaper", QUIET)
    return "too few clips" if payg is not None and way.per_video > payg else ""
