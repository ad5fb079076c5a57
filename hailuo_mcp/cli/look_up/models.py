"""models: what each model makes, and what it costs on the plan in use."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.output.styles import HEADING, QUIET, Cell, Styled
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import number, shown, squeeze

if TYPE_CHECKING:
    from hailuo_mcp.catalog.prices import Price
    from hailuo_mcp.catalog.video_models import Model, ModeRules
    from hailuo_mcp.rules.judge import Seller


def models_options(parser: ArgumentParser) -> None:
    what = "only those with this in their name, such as h3"
    parser.add_argument(
        "name", nargs="?", type=arguments.plain, default="", metavar="NAME", help=what
    )


def models(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.catalog.prices import plan_unit, prices_read
    from hailuo_mcp.client.preparing import seller_of
    from hailuo_mcp.dialects.providers import PROVIDERS, with_base_url

    wanted = _wanted(args.name)
    settings = setting_sources.settings(args)
    provider = PROVIDERS[settings.provider]
    seller = seller_of(with_base_url(provider, settings.base_url), settings.plan)
    unit = plan_unit(seller.plan, seller.price_list or seller.region)
    as_of = min(prices_read(model.name)[0] for model in wanted)
    if terminal.json:
        records = [record for model in wanted for record in _records(model, seller)]
        said = f"{', '.join(model.name for model in wanted)}; prices as of {as_of}."
        more = {
            "message": said,
            "provider": provider.name,
            "plan": settings.plan,
            "unit": unit.value,
        }
        terminal.data({**more, "prices_as_of": as_of, "models": records})
        return exits.DONE
    rows = list[Sequence[Cell]]()
    for model in wanted:
        rows += _rows(model, seller, once=terminal.is_terminal)
    terminal.table(("Model", "From", "Size", "Seconds", f"Price in {unit.value}"), rows)
    terminal.say()
    terminal.paragraph("From:", f"{', '.join(_modes(wanted))}.", result=True)
    if provider.is_sandbox:
        terminal.paragraph(
            "", "The sandbox charges nothing: this is what real clips would cost.", result=True
        )
    terminal.paragraph(
        "", f"Prices as of {as_of}, for the plan {settings.plan}.", style=QUIET, result=True
    )
    terminal.say(f"Many clips: {words.program()} estimate --model MODEL --count N", style=QUIET)
    return exits.DONE


def _wanted(name: str) -> list[Model]:
    """The models with this in their name, or in another name of theirs."""
    from hailuo_mcp.catalog.video_models import models as all_models
    from hailuo_mcp.catalog.video_models import nearest_model
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    asked = squeeze(name)
    found = [
        model
        for model in all_models()
        if any(asked in squeeze(known) for known in (model.name, *model.aliases))
    ]
    if found:
        return found
    near = nearest_model(name)
    step = Step(Do.NEAREST, near) if near else Step(Do.TRY, "leave the name out to see all models")
    raise InvalidRequestError(f"No model has {shown(name)!r} in its name.", step)


def _modes(wanted: Iterable[Model]) -> list[str]:
    from hailuo_mcp.rules.judge import MODE_WORDS

    shown_here = {mode for model in wanted for mode in model.modes}
    return [f"{mode} is {said}" for mode, said in MODE_WORDS.items() if mode in shown_here]


def _rows(model: Model, seller: Seller, *, once: bool) -> list[Sequence[Cell]]:
    """A row for each size; modes that have the same sizes share theirs.

    With `once` a person sees each name only in its first row.
    """
    from hailuo_mcp.catalog.video_models import length_words

    alike = dict[tuple[Any, ...], list[str]]()
    rules_of: dict[tuple[Any, ...], ModeRules] = {}
    for mode, rules in model.modes.items():
        key = tuple((size, tuple(lengths)) for size, lengths in rules.sizes.items())
        alike.setdefault(key, []).append(mode.value)
        rules_of[key] = rules
    rows = list[Sequence[Cell]]()
    name: Cell = Styled(model.name, HEADING)
    for key, modes in alike.items():
        source = ", ".join(modes)
        sizes = rules_of[key].sizes or {"": ()}
        for size, lengths in sizes.items():
            price = _price(model, size, lengths, seller)
            rows.append((name, source, size or "fixed", length_words(lengths), price))
            if once:
                name = source = ""
    return rows


def _size(size: str, lengths: Sequence[int]) -> str:
    """Such as "768P 6 or 10 s", or "768P 4-15 s"."""
    from hailuo_mcp.catalog.video_models import length_words

    return f"{size} {length_words(lengths)} s" if lengths else "fixed"


def _price(model: Model, size: str, lengths: Sequence[int], seller: Seller) -> Cell:
    """Such as "2 or 4" for each length in turn, or "0.6/s" for each second."""
    if not seller.capabilities.offers(model.name):
        return Styled(f"not at {seller.name}", QUIET)
    prices = [row for row in _prices(model, size, lengths, seller) if "unit" in row]
    if not prices:
        return "-"
    if each := prices[0].get("per_second"):
        return f"{each}/s"
    return " or ".join(row["amount"] for row in prices)


def _records(model: Model, seller: Seller) -> list[dict[str, object]]:
    return [
        {
            "model": model.name,
            "mode": mode.value,
            "sizes": ", ".join(_size(*size) for size in rules.sizes.items()) or "fixed",
            "offered": seller.capabilities.offers(model.name),
            "prices": [
                row
                for size, lengths in rules.sizes.items()
                for row in _prices(model, size, lengths, seller)
            ],
        }
        for mode, rules in model.modes.items()
    ]


def _prices(
    model: Model, size: str, lengths: Sequence[int], seller: Seller
) -> list[Mapping[str, Any]]:
    """By length, or by the second; without an amount where none is published."""
    from hailuo_mcp.catalog.prices import published, rate_of

    if rate := rate_of(model.name, size):
        amount = _amount(seller, rate.of_output, "per_second")
        return [{"resolution": size, "durations": list(lengths), **amount}]
    return [
        {"resolution": size, "duration": it}
        | _amount(seller, published(model.name, size, it), "amount")
        for it in lengths
    ]


def _amount(seller: Seller, price: Price, key: str) -> dict[str, str]:
    quote = seller.charge(price)
    return {} if quote.amount is None else {key: number(quote.amount), "unit": quote.unit.value}
