"""The commands: what each is called, what it is for, and where its code is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from hailuo_mcp.cli.output.terminal import Terminal

_PACKAGE = "hailuo_mcp.cli"

ACCOUNT = ("provider", "profile", "plan")
"""Settings that say which account is meant."""
PURCHASE = ("provider", "profile", "filename")


class Command(NamedTuple):
    """One row of the help.

    Its code is `function`, and `function_options` in the same module for its options. It is
    imported when the command runs: the help of all commands needs none of it.
    """

    name: str
    summary: str
    group: str
    code: str
    """Such as "buy.generate": the module below hailuo_mcp.cli, and the function."""
    aliases: tuple[str, ...] = ()
    """Names of other programs' commands that are understood, and not shown."""
    examples: tuple[str, ...] = ()
    """At most three; what follows "hailuo-mcp NAME"."""
    settings: tuple[str, ...] = ()
    """The settings whose options its help shows; the options of the others work as well."""

    def run(self, args: Namespace, terminal: Terminal) -> int:
        """Returns the exit code; the program prints a HailuoError and maps it to one."""
        module = import_module(f"{_PACKAGE}.{self._module}")
        code: int = getattr(module, self._function)(args, terminal)
        return code

    def options(self, parser: ArgumentParser) -> None:
        """Add the command's own options, if it has any."""
        module = import_module(f"{_PACKAGE}.{self._module}")
        if add := getattr(module, f"{self._function}_options", None):
            add(parser)

    @property
    def _module(self) -> str:
        return self.code.rpartition(".")[0]

    @property
    def _function(self) -> str:
        return self.code.rpartition(".")[2]


MAKE, FOLLOW, LOOK_UP, SET_UP, SERVE = (
    "make clips",
    "follow and fetch",
    "look up",
    "set up",
    "serve",
)

COMMANDS = (
    Command(
        name="generate",
        summary="make a clip from a prompt or pictures, and save it",
        group=MAKE,
        code="make.buy.generate",
        examples=(
            '"A red fox runs in snow [Push in]" --provider sandbox',
            '"She turns and smiles" -i portrait.jpg -d 10 -o smile.mp4',
            "--file prompts.txt --count 2",
        ),
        settings=PURCHASE,
    ),
    Command(
        name="template",
        summary="make a clip from a Video Agent template, or list the templates",
        group=MAKE,
        code="make.buy.template",
        examples=('"Diving" --media cat.jpg --provider sandbox',),
        settings=PURCHASE,
    ),
    Command(
        name="upgrade",
        summary="make a finished draft again at 2K",
        group=MAKE,
        code="make.upgrade.upgrade",
        examples=("@last",),
        settings=PURCHASE,
    ),
    Command(
        name="film",
        summary="make a film of several shots from a text file, a shot a line",
        group=MAKE,
        code="make.film.film",
        examples=(
            "script.txt --provider sandbox",
            "script.txt --continuity last_frame --transition fade",
            "--film FILM_ID --redo 2,4",
        ),
        settings=PURCHASE,
    ),
    Command(
        name="tasks",
        summary="list the clips and the money so far",
        group=FOLLOW,
        code="follow.task_list.tasks",
        examples=(
            "--since 2d --search fox --sort cost",
            "--status unsaved --wait",
            "--watch",
        ),
        aliases=("list", "ls", "ps"),
        settings=ACCOUNT,
    ),
    Command(
        name="show",
        summary="tell one task's whole story",
        group=FOLLOW,
        code="follow.show.show",
        examples=("@last", "@-2 --json"),
        aliases=("view", "info"),
        settings=ACCOUNT,
    ),
    Command(
        name="query",
        summary="show a clip's or film's status",
        group=FOLLOW,
        code="follow.task.query",
        examples=("@last --wait",),
        aliases=("status",),
        settings=ACCOUNT,
    ),
    Command(
        name="download",
        summary="save a finished clip or film, or copy it",
        group=FOLLOW,
        code="follow.task.download",
        examples=(
            "@last clips/",
            "@last -o fox.mp4 --overwrite",
        ),
        aliases=("get",),
        settings=ACCOUNT,
    ),
    Command(
        name="preview",
        summary="look at clips: frames, and what is wrong",
        group=FOLLOW,
        code="follow.preview.preview",
        examples=(
            "@last",
            "@last @-2 --frames 4",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="gallery",
        summary="look at the clips in a browser",
        group=FOLLOW,
        code="follow.gallery.gallery",
        examples=(
            "",
            "@last @-2",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="cancel",
        summary="cancel what is not sent, or is queued (MiniMax-H3)",
        group=FOLLOW,
        code="follow.task.cancel",
        examples=("@last",),
        settings=ACCOUNT,
    ),
    Command(
        name="settle",
        summary="record the outcome of an unconfirmed purchase",
        group=FOLLOW,
        code="follow.task.settle",
        examples=(
            "TASK_ID bought --remote-id 123456",
            "TASK_ID not-bought",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="account",
        summary="the account book: what was charged, by day, provider and model",
        group=FOLLOW,
        code="follow.account.account",
        examples=(
            "--since 2026-11",
            "--since 2026-11 --until 2026-11 --csv > november.csv",
            "--items --since 2d",
        ),
        settings=("provider", "profile"),
    ),
    Command(
        name="estimate",
        summary="show what clips cost; --plan compare compares the packs",
        group=LOOK_UP,
        code="look_up.offers.estimate_prices",
        examples=(
            "-r 1080P -n 30 --plan compare",
            "-m MiniMax-H3 -d 8",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="models",
        summary="list the models, their sizes and prices",
        group=LOOK_UP,
        code="look_up.models.models",
        examples=(
            "h3",
            "2.3 --json",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="moves",
        summary="list the camera moves that a prompt can name",
        group=LOOK_UP,
        code="look_up.offers.list_moves",
    ),
    Command(
        name="login",
        summary="keep an API key for this computer, after trying it",
        group=SET_UP,
        code="set_up.login.login",
        examples=(
            "",
            "--key-stdin --profile work",
        ),
        settings=("profile", "provider", "base_url"),
    ),
    Command(
        name="logout",
        summary="forget the key",
        group=SET_UP,
        code="set_up.login.logout",
        settings=("profile",),
    ),
    Command(
        name="config",
        summary="show or change the settings that are kept",
        group=SET_UP,
        code="set_up.config.config",
        examples=(
            "list",
            "set plan basic",
        ),
        aliases=("settings",),
        settings=("profile",),
    ),
    Command(
        name="init",
        summary="set up Claude Desktop, Cursor, VS Code or another MCP client",
        group=SET_UP,
        code="set_up.init.options.init",
        examples=(
            "",
            "cursor",
        ),
        settings=("provider", "profile", "plan", "budget"),
    ),
    Command(
        name="doctor",
        summary="check the installation, settings and provider, free",
        group=SET_UP,
        code="set_up.doctor.command.doctor",
        examples=(
            "",
            "--client cursor",
            "--report",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="verify",
        summary="compare what the provider answers with its documents",
        group=SET_UP,
        code="set_up.verify.command.verify",
        examples=(
            "--provider sandbox",
            "--buy",
        ),
        settings=ACCOUNT,
    ),
    Command(
        name="completion",
        summary="print what makes a shell complete commands, ids and models",
        group=SET_UP,
        code="set_up.completion.completion",
        examples=(
            "bash",
            "fish",
        ),
    ),
    Command(
        name="journal",
        summary="check, back up or copy the record of purchases; accept losses",
        group=SET_UP,
        code="set_up.journal.journal",
        examples=(
            "check",
            "backup",
        ),
        settings=("profile",),
    ),
    Command(
        name="serve",
        summary="serve MCP; over stdio, as hailuo-mcp alone does, or HTTP",
        group=SERVE,
        code="serve.serving.serve",
        examples=("--transport http --local",),
        settings=ACCOUNT,
    ),
    Command(
        name="tenant",
        summary="add, list, rotate or remove the tenants of a server",
        group=SERVE,
        code="serve.tenant.tenant",
    ),
    Command(
        name="sandbox",
        summary="serve the free imitation of every provider",
        group=SERVE,
        code="serve.serving.sandbox",
        examples=("--port 8700",),
    ),
)
"""In the order of the help."""


FREE = frozenset(
    command
    for command in COMMANDS
    if command.group in (LOOK_UP, SET_UP, SERVE) and command.name != "verify"
)
"""Those that buy and fetch nothing, whatever happens."""


def command_named(name: str) -> Command | None:
    """The command of that name or alias."""
    return next((it for it in COMMANDS if name == it.name or name in it.aliases), None)
