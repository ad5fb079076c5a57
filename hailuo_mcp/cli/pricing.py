"""What clips would cost: estimate."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, words
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import Mode

if TYPE_CHECKING:
    from hailuo_mcp.answers import CostEstimate


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default="", type=arguments.plain, help="chosen by the mode")
    parser.add_argument("--mode", default="", type=arguments.plain, help=", ".join(Mode))
    parser.add_argument("--duration", type=arguments.whole(0, 3600), default=0, metavar="SECONDS")
    parser.add_argument("--resolution", default="", type=arguments.plain, help="512P … 1080P")
    parser.add_argument(
        "--count", type=arguments.whole(1), default=1, metavar="N", help="so many clips"
    )


def _run(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp import answers, catalog
    from hailuo_mcp.dialects.providers import PROVIDERS, dialect_of

    plan = args.plan or ""
    comparing = plan.strip().lower() == "compare"
    if comparing:
        args.plan = None  # a way of asking, not a plan that an account can have
    settings = arguments.settings(args)
    provider = PROVIDERS[settings.provider]
    estimate = catalog.estimate(
        args.model,
        args.mode,
        args.duration,
        args.resolution,
        args.count,
        "compare" if comparing else settings.plan,
        price_list=provider.price_list,
        region=provider.region,
        carries=dialect_of(provider).carries,
    )
    answer = answers.cost_estimate(estimate, notice=provider.notice)
    if terminal.json:
        terminal.data(dict(answer))
        return exits.DONE
    if "compared" in answer:
        _comparison(terminal, answer)
    else:
        _prices(terminal, answer)
    message = words.spoken(estimate.message)
    terminal.say()
    terminal.paragraph("", message, result=True)
    if "prices_as_of" in answer:
        terminal.say(f"Prices as of {answer['prices_as_of']}.", style="dim")
    return exits.DONE


def _prices(terminal: Terminal, answer: CostEstimate) -> None:
    one, all_ = answer.get("per_video", {}), answer.get("total", {})
    names = {
        "credits": "credits of a pack",
        "cny": "CNY, pay as you go in China",
        "usd": "USD, pay as you go globally",
    }
    if not one:
        return
    many = answer.get("count", 1)
    columns = ["Price in", "One clip", *([f"{many} clips"] if many > 1 else [])]
    terminal.table(
        columns,
        [
            (name, str(one[unit]), *([str(all_[unit])] if many > 1 else []))
            for unit, name in names.items()
            if unit in one
        ],
    )


def _comparison(terminal: Terminal, answer: CostEstimate) -> None:
    terminal.table(
        ("Plan", "Packs", "CNY a month", "CNY a clip", "Credits that lapse", ""),
        [
            (
                row["plan"],
                str(row.get("packs", "-")),
                row["cny"],
                row["per_video_cny"],
                row.get("credits_lapsing", "-"),
                "cheapest" if row["plan"] == answer.get("cheapest") else "",
            )
            for row in answer["compared"]
        ],
    )


COMMANDS = (
    Command(
        name="estimate",
        summary="what clips would cost; --plan compare compares the packs",
        options=_options,
        run=_run,
    ),
)
