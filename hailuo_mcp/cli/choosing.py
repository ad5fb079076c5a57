"""What may be asked for: models, with their sizes, lengths and prices, and camera moves."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from hailuo_mcp.catalog.camera_moves import moves
from hailuo_mcp.catalog.video_models import ModeRules, limits, models
from hailuo_mcp.cli import exits, words
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.domain import Mode
from hailuo_mcp.rules.judge import MODE_WORDS


def _models(_args: Namespace, terminal: Terminal) -> int:
    rows = [
        (model.name, mode.value, _sizes(rules))
        for model in models()
        for mode, rules in model.modes.items()
    ]
    if terminal.json:
        names = ("model", "mode", "sizes")
        terminal.data({"models": [dict(zip(names, row, strict=True)) for row in rows]})
        return exits.DONE
    terminal.table(("Model", "From", "Sizes and seconds"), rows)
    terminal.say()
    terminal.paragraph(
        "From:",
        ", ".join(
            f"{mode} is {said}" for mode, said in MODE_WORDS.items() if mode is not Mode.TEMPLATE
        )
        + ".",
        result=True,
    )
    terminal.say(f"Prices: {words.program()} estimate --model MODEL --count N", style="dim")
    return exits.DONE


def _sizes(rules: ModeRules) -> str:
    """Such as "768P 6 or 10 s, 1080P 6 s"."""
    sizes = [f"{size} {' or '.join(map(str, lengths))} s" for size, lengths in rules.sizes.items()]
    return ", ".join(sizes) or "its own"


def _moves(_args: Namespace, terminal: Terminal) -> int:
    rows = [(move.english, move.chinese, move.group) for move in moves()]
    if terminal.json:
        names = ("english", "chinese", "group")
        terminal.data({"moves": [dict(zip(names, row, strict=True)) for row in rows]})
        return exits.DONE
    terminal.table(("Move", "Chinese", "Kind"), rows)
    terminal.say()
    together = limits().moves_together
    terminal.paragraph(
        "",
        f"In brackets in the prompt: [Push in]. Up to {together} at once: [Pan left, Zoom in].",
        result=True,
    )
    return exits.DONE


def _no_options(_parser: ArgumentParser) -> None:
    pass


COMMANDS: tuple[Command, ...] = (
    Command(
        name="models",
        summary="the models, what they make and at which sizes",
        options=_no_options,
        run=_models,
    ),
    Command(
        name="moves",
        summary="the camera moves that a prompt may name",
        options=_no_options,
        run=_moves,
    ),
)
