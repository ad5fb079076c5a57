"""tenant: add, list, rotate and remove the tenants of an HTTP server."""

from __future__ import annotations

import hashlib
import os
import secrets
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import number

if TYPE_CHECKING:
    from hailuo_mcp.cli.set_up.toml_file import Document
    from hailuo_mcp.errors import InvalidRequestError
    from hailuo_mcp.settings.tenants import Table
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import Spending

_ACTIONS = ("add", "list", "rotate", "remove")
_TEXTS = ("api_key_env", "provider", "plan", "budget_period", "folder")
_AMOUNTS = ("budget", "confirm_above")


def tenant_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "action",
        choices=_ACTIONS,
        metavar="ACTION",
        help="add: a new tenant with a new token; list: all, with what they have spent; rotate: "
        "replace the token; remove: refuse the token from now on",
    )
    add("name", nargs="?", default="", metavar="NAME", help="lower-case letters, digits, - and _")
    arguments.add_text(
        add, "--file", metavar="FILE", what="the file of tenants (default: HAILUO_TENANTS)"
    )
    arguments.add_flag(add, "--keep-old", "rotate: the old tokens stay valid, too")
    add = parser.add_argument_group(
        "of the new tenant",
        "With --provider, --plan and --budget; what is left out is as in the server's settings.",
    ).add_argument
    add(
        "--budget-period",
        choices=("day", "month", "total"),
        metavar="PERIOD",
        help="day, month or total",
    )
    add("--rpm", type=arguments.whole(1, 100_000), metavar="N", help="submits per minute")
    add("--confirm-above", type=arguments.money, metavar="AMOUNT", help="ask above this price")
    arguments.add_text(
        add, "--folder", metavar="FOLDER", what="for clips: a full path, or below the server's"
    )
    what = "the variable with its own key, which the server must have"
    arguments.add_text(add, "--api-key-env", metavar="VARIABLE", what=what)


def tenant(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    path = _file(args)
    if args.action == "list":
        return _list(args, path, terminal)
    from hailuo_mcp.settings.tenants import check_name

    if not args.name:
        raise InvalidRequestError(
            f"tenant {args.action} needs the tenant's name.",
            Step(Do.TRY, f"run {words.program()} tenant {args.action} NAME"),
        )
    check_name(args.name)
    if args.action == "add":
        return _add(args, path, terminal)
    if args.action == "rotate":
        return _rotate(args, path, terminal)
    return _remove(args.name, path, terminal)


def _file(args: Namespace) -> Path:
    from hailuo_mcp.errors import ConfigError, Do, Step

    if args.file:
        return Path(arguments.output_path(args.file))
    path = _file_of_settings(setting_sources.profile(args))
    if path is None:
        raise ConfigError(
            "It is not set which file the tenants are in.",
            Step(Do.SET, "HAILUO_TENANTS=/etc/hailuo/tenants.toml"),
            Step(Do.TRY, "or name it with --file; the server needs the variable in any case"),
        )
    return path


def _file_of_settings(profile: str) -> Path | None:
    """Nothing else is read: a tenant can be added where the other settings are not at hand."""
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.settings.config_file import read_configuration

    environ = {"HAILUO_TENANTS": os.environ.get("HAILUO_TENANTS", "")}
    if path := Settings.from_env(environ).tenants:
        return path
    section = read_configuration().section(profile)
    return Settings.from_env({"HAILUO_TENANTS": section.texts.get("tenants", "")}).tenants


def _add(args: Namespace, path: Path, terminal: Terminal) -> int:
    from hailuo_mcp.cli.serve.tenant_file import changing, put
    from hailuo_mcp.settings.tenants import check_values

    token, written = _new_token()
    table = _table(args, written)
    check_values(args.name, table)
    with changing(path, create=True) as document:
        if args.name in document.get("tenants", {}):
            raise _no_change(f"There is already a tenant {args.name}.")
        put(document, args.name, _toml(table))
    _show(token, args.name, terminal, f"Tenant {args.name} is in {path}.")
    if _file_of_settings(setting_sources.profile(args)) != path:
        terminal.note(f"The server needs HAILUO_TENANTS={path}; it reads the file at its start.")
    else:
        terminal.note("A running server takes it over within ten seconds.")
    if (variable := args.api_key_env) and not os.environ.get(variable):
        terminal.note(f"The server needs {variable}, which is not set in this shell.")
    return exits.DONE


def _rotate(args: Namespace, path: Path, terminal: Terminal) -> int:
    from hailuo_mcp.cli.serve.tenant_file import changing

    token, written = _new_token()
    with changing(path) as document:
        table = _existing(document, args.name)
        old: list[str] = table.get("tokens", []) if args.keep_old else []
        table["tokens"] = [*old, written]
    before = "Its old tokens stay valid" if args.keep_old else "Its old tokens are refused"
    _show(token, args.name, terminal, f"Tenant {args.name} has a new token.")
    terminal.note(f"{before}, from within ten seconds in a running server.")
    return exits.DONE


def _remove(name: str, path: Path, terminal: Terminal) -> int:
    from hailuo_mcp.cli.serve.tenant_file import changing

    with changing(path) as document:
        _existing(document, name)
        tenants: Any = document["tenants"]
        del tenants[name]
    if terminal.json:
        terminal.data({"tenant": name, "status": "removed"})
        return exits.DONE
    terminal.note(f"Removed {name}: a running server refuses its tokens within ten seconds.")
    terminal.note("What it has bought is still saved, and stays in the journal under its name.")
    return exits.DONE


def _existing(document: Document, name: str) -> Any:  # noqa: ANN401  # tomlkit's own types
    tenants: Any = document.get("tenants", {})
    if name not in tenants:
        raise _no_change(f"There is no tenant {name}.")
    return tenants[name]


def _no_change(what: str) -> InvalidRequestError:
    from hailuo_mcp.errors import Do, InvalidRequestError, Step

    return InvalidRequestError(
        f"{what} Nothing was changed.", Step(Do.TRY, f"see {words.program()} tenant list")
    )


def _new_token() -> tuple[str, str]:
    """A token, and its hash as the file has it: 256 random bits need no salt."""
    token = secrets.token_hex(32)
    return token, f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def _show(token: str, name: str, terminal: Terminal, what: str) -> None:
    if terminal.json:
        terminal.data({"tenant": name, "token": token})
    else:
        terminal.note(f"{what} Its token, shown only now:")
        terminal.say(token)


def _table(args: Namespace, written: str) -> dict[str, object]:
    table: dict[str, object] = {"tokens": [written]}
    given = {key: getattr(args, key) for key in (*_TEXTS, *_AMOUNTS, "rpm")}
    return table | {
        key: f"{value:f}" if isinstance(value, Decimal) else value
        for key, value in given.items()
        if value not in (None, "")
    }


def _toml(table: Table) -> dict[str, object]:
    """Amounts as numbers of TOML, with the digits that were typed."""
    import tomlkit

    return {
        key: tomlkit.value(f"{Decimal(str(value)):f}") if key in _AMOUNTS else value
        for key, value in table.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    name: str
    provider: str
    table: Table
    spending: Spending | None
    """None if its account is not known here."""
    fault: str = ""


def _list(args: Namespace, path: Path, terminal: Terminal) -> int:
    import anyio

    from hailuo_mcp.settings.tenants import hashes_of, read_tables

    _, tables = read_tables(path)
    rows = anyio.run(_rows, args, tables) if tables else []
    if terminal.json:
        terminal.data({"file": str(path), "tenants": [_facts(row) for row in rows]})
        return exits.DONE
    if not rows:
        terminal.say(f"There is no tenant in {path}.")
        return exits.DONE
    terminal.table(
        ("Tenant", "Provider", "Budget", "Spent", "Left", "Tokens"),
        [
            (
                row.name,
                row.provider,
                _budget(row.table),
                _spent(row.spending),
                _left(row.spending),
                str(len(hashes_of(row.table))),
            )
            for row in rows
        ],
    )
    for row in rows:
        if row.fault:
            terminal.paragraph("Note:", row.fault)
    return exits.DONE


async def _rows(args: Namespace, tables: dict[str, Table]) -> list[_Row]:
    from dataclasses import replace

    from hailuo_mcp.bootstrap import open_studio
    from hailuo_mcp.errors import HailuoError
    from hailuo_mcp.settings.tenants import tenant_of_table

    operator = setting_sources.settings(args)
    rows = list[_Row]()
    async with open_studio(operator, fenced=False, works=False) as main:
        for name, table in tables.items():
            provider = str(table.get("provider", operator.provider))
            row = _Row(name=name, provider=provider, table=table, spending=None)
            try:
                tenant = tenant_of_table(name, table, operator, os.environ)
                spending = await _studio(main, tenant).spending()
                rows.append(replace(row, spending=spending))
            except HailuoError as error:
                rows.append(replace(row, fault=error.what))
    return rows


def _studio(main: Studio, tenant: Any) -> Studio:  # noqa: ANN401  # imported where it is used
    """Good for questions to the journal alone."""
    from dataclasses import replace

    from hailuo_mcp.bootstrap import for_tenant
    from hailuo_mcp.dialects.providers import PROVIDERS
    from hailuo_mcp.studio.reader import account_of

    settings = tenant.settings
    account = replace(main, account=account_of(settings), provider=PROVIDERS[settings.provider])
    return for_tenant(account, tenant)


def _facts(row: _Row) -> dict[str, object]:
    from hailuo_mcp.settings.tenants import hashes_of
    from hailuo_mcp.wording.costs import spending

    facts: dict[str, object] = {
        "tenant": row.name,
        "provider": row.provider,
        "tokens": len(hashes_of(row.table)),
    }
    if "budget" in row.table:
        facts["budget"] = str(row.table["budget"])
    if row.spending is not None:
        facts["spending"] = spending(row.spending)
    if row.fault:
        facts["fault"] = row.fault
    return facts


def _budget(table: Table) -> str:
    if "budget" not in table:
        return "-"
    return f"{table['budget']} ({table.get('budget_period', 'as set')})"


def _spent(found: Spending | None) -> str:
    if found is None:
        return "?"
    reserved = f" + {number(found.reserved)} reserved" if found.reserved else ""
    return f"{number(found.spent)} {found.unit}{reserved}"


def _left(found: Spending | None) -> str:
    if found is None:
        return "?"
    return "-" if found.left is None else number(found.left)
