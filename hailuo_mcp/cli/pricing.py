"""What clips would cost: estimate."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from decimal import Decimal

from hailuo_mcp.catalog.prices import Price
from hailuo_mcp.cli import arguments, exits
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
from hailuo_mcp.domain import Mode
from hailuo_mcp.rules.estimate import Estimate, PlanCost, estimate
from hailuo_mcp.text import number


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default="", type=arguments.plain, help="chosen by the mode")
    parser.add_argument("--mode", default="", type=arguments.plain, help=", ".join(Mode))
    parser.add_argument("--duration", type=arguments.whole(0, 3600), default=0, metavar="SECONDS")
    parser.add_argument("--resolution", default="", type=arguments.plain, help="512P … 1080P")
    parser.add_argument(
        "--count", type=arguments.whole(1), default=1, metavar="N", help="so many clips"
    )


def _run(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.client.preparing import seller_of
    from hailuo_mcp.wording.costs import cost_estimate, estimate_message

    plan = args.plan or ""
    comparing = plan.strip().lower() == "compare"
    if comparing:
        args.plan = None  # a way of asking, not a plan that an account can have
    settings = arguments.settings(args)
    provider = PROVIDERS[settings.provider]

    seller = seller_of(with_base_url(provider, settings.base_url), settings.plan)

    def price(plan: str) -> Estimate:
        return estimate(
            seller,
            model=args.model,
            mode=args.mode,
            duration=args.duration,
            resolution=args.resolution,
            count=args.count,
            plan=plan,
        )

    found = price("compare" if comparing else "")
    if terminal.json:
        terminal.data(dict(cost_estimate(found, notice=provider.notice)))
        return exits.DONE
    if found.packs:
        _comparison(terminal, found)
        found = price("")  # its sentence; the table has said the rest
    else:
        _prices(terminal, found.per_video, found.total, found.count)
    terminal.paragraph("", estimate_message(found), result=True)
    if provider.is_sandbox:
        terminal.say("The sandbox charges nothing: this is what real clips would cost.")
    if found.prices_as_of:
        terminal.say(f"Prices as of {found.prices_as_of}.", style="dim")
    return exits.DONE


def _prices(terminal: Terminal, one: Price, total: Price, count: int) -> None:
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
    columns = 3 if count > 1 else 2
    terminal.table(
        ("Price in", "One clip", f"{count} clips")[:columns], [row[:columns] for row in known]
    )
    terminal.say()


def _comparison(terminal: Terminal, found: Estimate) -> None:
    ways = found.packs
    payg = next((way.per_video for way in ways if not way.packs), None)
    terminal.table(
        (
            "Plan",
            "Packs",
            "CNY a month",
            "CNY a clip",
            "Unused credits",
            "RPM",
            "List price",
            "Saving",
            "Note",
        ),
        [
            (
                way.plan.name,
                str(way.packs) if way.packs else "-",
                number(way.cost),
                number(way.per_video),
                number(way.credits_lapsing) if way.packs else "-",
                str(way.rpm) if way.rpm else "-",
                number(way.plan.list_cny) if way.plan.list_cny else "-",
                f"{way.plan.saves_percent} %" if way.plan.saves_percent else "-",
                _verdict(way, found.cheapest, payg),
            )
            for way in ways
        ],
    )
    terminal.say()
    if place := next((way.plan.buy_at for way in ways if way.plan.buy_at), ""):
        terminal.say(f"Packs are sold at {place}")


def _verdict(way: PlanCost, cheapest: PlanCost | None, payg: Decimal | None) -> str:
    if way is cheapest:
        return "cheapest"
    if way.dearer_at_full_use:
        return "dearer than payg, even if used up"
    return "dearer for this many" if payg is not None and way.per_video > payg else ""


COMMANDS: tuple[Command, ...] = (
    Command(
        name="estimate",
        summary="what clips would cost; --plan compare compares the packs",
        options=_options,
        run=_run,
    ),
)
