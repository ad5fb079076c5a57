"""What can be bought and what it costs: models, moves, estimate."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from decimal import Decimal
from functools import partial

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.catalog.video_models import ModeRules, length_words, limits, models
from hailuo_mcp.cli import arguments, exits, words
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url
from hailuo_mcp.domain import Mode
from hailuo_mcp.rules.estimate import Estimate, PlanCost, estimate
from hailuo_mcp.rules.judge import MODE_WORDS
from hailuo_mcp.text import number


def list_models(_args: Namespace, terminal: Terminal) -> int:
    rows = [
        (model.name, mode.value, _sizes(rules))
        for model in models()
        for mode, rules in model.modes.items()
    ]
    if terminal.json:
        terminal.records("models", ("model", "mode", "sizes"), rows)
        return exits.DONE
    terminal.table(("Model", "From", "Sizes and seconds"), rows)
    terminal.say()
    modes = [f"{mode} is {said}" for mode, said in MODE_WORDS.items() if mode is not Mode.TEMPLATE]
    terminal.paragraph("From:", f"{', '.join(modes)}.", result=True)
    terminal.say(f"Prices: {words.program()} estimate --model MODEL --count N", style="dim")
    return exits.DONE


def _sizes(rules: ModeRules) -> str:
    """Such as "768P 6 or 10 s, 1080P 6 s", or "768P 4-15 s"."""
    sizes = [f"{size} {length_words(lengths)} s" for size, lengths in rules.sizes.items()]
    return ", ".join(sizes) or "fixed"


def list_moves(_args: Namespace, terminal: Terminal) -> int:
    rows = [(move.english, move.chinese, move.group) for move in moves()]
    if terminal.json:
        terminal.records("moves", ("english", "chinese", "group"), rows)
        return exits.DONE
    terminal.table(("Move", "Chinese", "Kind"), rows)
    terminal.say()
    together = limits().moves_together
    said = f"In brackets in the prompt: [Push in]. Up to {together} at once: [Pan left, Zoom in]."
    terminal.paragraph("", said, result=True)
    return exits.DONE


def estimate_prices_options(parser: ArgumentParser) -> None:
    arguments.add_text(parser.add_argument, "-m", "--model", metavar="MODEL", what="chosen by the mode")
    arguments.add_text(parser.add_argument, "--mode", metavar="MODE", what=", ".join(Mode))
    add = parser.add_argument
    what = "6 or 10; MiniMax-H3: 4 to 15"
    add("-d", "--duration", type=arguments.whole(0, 3600), default=0, metavar="SECONDS", help=what)
    arguments.add_text(add, "-r", "--resolution", metavar="SIZE", what="480P … 2K")
    what = "how many clips"
    add("-n", "--count", type=arguments.whole(1), default=1, metavar="N", help=what)


def estimate_prices(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.client.preparing import seller_of
    from hailuo_mcp.wording.costs import cost_estimate, estimate_message

    comparing = (args.plan or "").strip().lower() == "compare"
    if comparing:
        args.plan = None  # a way of asking, not a plan that an account can have
    settings = arguments.settings(args)
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
        terminal.say("The sandbox charges nothing: this is what real clips would cost.")
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


def _verdict(way: PlanCost, cheapest: PlanCost | None, payg: Decimal | None) -> str:
    if way is cheapest:
        return "cheapest"
    if way.dearer_at_full_use:
        return "never cheaper"
    return "too few clips" if payg is not None and way.per_video > payg else ""
