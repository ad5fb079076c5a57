"""What the operator decides: one field, one variable, one row of the README's table."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_core import PydanticKnownError

from hailuo_mcp.dialects import providers
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import reading
from hailuo_mcp.text import is_number


def _setting(variable: str, default: str, meaning: str, *, option: str = "") -> Any:  # noqa: ANN401
    """`option`: what the value is called in the help of the command line's option for it."""
    facts: dict[str, Any] = {"variable": variable, "default": default, "option": option}
    return Field(description=meaning, json_schema_extra=facts)


def _as_written(
    kind: Literal["decimal_parsing", "int_parsing", "float_parsing"],
) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and not is_number(value):
            raise PydanticKnownError(kind)
        return value

    return BeforeValidator(check)


Amount = Annotated[
    Decimal,
    Field(ge=0, max_digits=18, decimal_places=6, allow_inf_nan=False),
    _as_written("decimal_parsing"),
]
Whole = Annotated[int, _as_written("int_parsing")]
Seconds = Annotated[float, _as_written("float_parsing")]


class Settings(BaseModel):
    """All of it, read once and passed down as values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = _setting(
        "HAILUO_PROVIDER",
        f"from a known `HAILUO_BASE_URL`, else `{providers.DEFAULT_PROVIDER}`",
        "who is paid: " + " · ".join(f"`{name}`" for name in providers.PROVIDERS),
        option="NAME",
    )
    api_key: SecretStr | None = _setting(
        "HAILUO_API_KEY", "none", "MiniMax providers only: falls back to `MINIMAX_API_KEY`"
    )
    base_url: str = _setting(
        "HAILUO_BASE_URL",
        "the provider's",
        "with or without `/minimaxi` and `/v1`; MiniMax providers only: falls back to "
        "`MINIMAX_API_HOST`",
        option="URL",
    )
    output_dir: Path = _setting(
        "HAILUO_OUTPUT_DIR",
        "`Hailuo` in the user's videos folder",
        "where clips go",
        option="FOLDER",
    )
    state_dir: Path = _setting(
        "HAILUO_STATE_DIR",
        "the platform's state folder",
        "the journal and its locks",
        option="FOLDER",
    )
    plan: str = _setting(
        "HAILUO_PLAN",
        "`payg`",
        "the price unit and the rate limit: `payg` · `free` · `basic` (基础包) · "
        "`advanced` (高级包) · `plus` (进阶包) · `enterprise` (企业包) · `custom` (商务定制)",
        option="PLAN",
    )
    rpm: Annotated[Whole, Field(ge=0, le=100_000)] = _setting(
        "HAILUO_RPM", "the plan's", "submits per minute, shared by every process on the journal"
    )
    budget: Amount | None = _setting(
        "HAILUO_BUDGET", "none", "a wall, in the plan's unit, per account", option="AMOUNT"
    )
    budget_period: Literal["day", "month", "total"] = _setting(
        "HAILUO_BUDGET_PERIOD", "`day`", "`day` · `month` (local time) · `total`"
    )
    unpriced_cost: Amount | None = _setting(
        "HAILUO_UNPRICED_COST",
        "none",
        "what a clip without a published price counts as; without it a budget refuses such a clip",
    )
    confirm_above: Amount | None = _setting(
        "HAILUO_CONFIRM_ABOVE", "none", "ask the person above this cost"
    )
    poll_seconds: Annotated[Seconds, Field(ge=0.05, le=600)] = _setting(
        "HAILUO_POLL_SECONDS", "10", "status interval"
    )
    wait_seconds: Annotated[Seconds, Field(ge=0, le=3600)] | None = _setting(
        "HAILUO_WAIT_SECONDS",
        "`auto`",
        "the longest wait of a tool call: `auto` fits it to the client, at most 45; a number "
        "replaces the table of clients",
    )
    auto_download: bool = _setting(
        "HAILUO_AUTO_DOWNLOAD", "true", "save a clip as soon as it is ready"
    )
    allowed_dirs: tuple[Path, ...] = _setting(
        "HAILUO_ALLOWED_DIRS",
        "the output folder and the home folder",
        "where agents may have images read from and clips written to; separated as `PATH` is",
    )
    private_hosts: frozenset[str] = _setting(
        "HAILUO_ALLOWED_HOSTS_PRIVATE",
        "none",
        "loopback or private hosts that image and download links may point to",
    )
    proxies: Mapping[str, SecretStr] = _setting(
        "HTTPS_PROXY",
        "none",
        "with `ALL_PROXY` and `NO_PROXY`: the proxies on the way to the provider and to links, as "
        "every client reads them; SOCKS needs the extra `socks`",
    )
    callback_url: str = _setting(
        "HAILUO_CALLBACK_URL",
        "none",
        "public base URL of the HTTP server, to be told instead of asking",
    )
    http_tokens: tuple[tuple[str, SecretStr], ...] = _setting(
        "HAILUO_HTTP_TOKENS", "none", "who may use the HTTP server: `name:token`, comma-separated"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "HAILUO_ALLOWED_HOSTS", "none", "under which host names the HTTP server answers"
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: object) -> Settings:
        """Read the variables; an override that is not None wins over its variable.

        Raises:
            ConfigError: a value cannot be used; the message names its variable.
        """
        given = reading.given(environ)
        _refuse_broken_walls(given)
        for name, value in overrides.items():
            if value is not None and name in cls.model_fields:
                given[variable_of(name)] = str(value)
        provider = reading.provider(given)
        output_dir = reading.folder(given, "HAILUO_OUTPUT_DIR") or reading.default_output()
        values: dict[str, object] = {
            "provider": provider.name,
            "api_key": reading.api_key(provider, given),
            "base_url": reading.base_url(provider, given),
            "output_dir": output_dir,
            "state_dir": reading.folder(given, "HAILUO_STATE_DIR") or reading.default_state(),
            "plan": reading.plan(given.get("HAILUO_PLAN", "payg")),
            "rpm": given.get("HAILUO_RPM", 0),
            "budget": given.get("HAILUO_BUDGET"),
            "budget_period": given.get("HAILUO_BUDGET_PERIOD", "day").lower(),
            "unpriced_cost": given.get("HAILUO_UNPRICED_COST"),
            "confirm_above": given.get("HAILUO_CONFIRM_ABOVE"),
            "poll_seconds": given.get("HAILUO_POLL_SECONDS", 10),
            "wait_seconds": reading.auto(given.get("HAILUO_WAIT_SECONDS", "auto")),
            "auto_download": given.get("HAILUO_AUTO_DOWNLOAD", True),
            "allowed_dirs": reading.folders(given, "HAILUO_ALLOWED_DIRS")
            or (output_dir, Path.home()),
            "private_hosts": frozenset(
                reading.words(given.get("HAILUO_ALLOWED_HOSTS_PRIVATE", ""))
            ),
            "proxies": reading.proxies(environ),
            "callback_url": reading.callback_url(given),
            "http_tokens": reading.tokens(given.get("HAILUO_HTTP_TOKENS", "")),
            "allowed_hosts": tuple(reading.words(given.get("HAILUO_ALLOWED_HOSTS", ""))),
        }
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            rows = "; ".join(
                f"{variable_of(str(row['loc'][0]))} {reading.flaw(row['type'], row['msg'])}"
                for row in exc.errors()
            )
            raise ConfigError(
                f"The settings cannot be used: {rows}. Nothing was sent or charged. "
                "Correct them where this server is configured and start it again."
            ) from None

    @property
    def proxy_variables(self) -> dict[str, str]:
        return {name: text.get_secret_value() for name, text in self.proxies.items()}

    @property
    def address(self) -> str:
        """Where the provider is: the given base URL or its own; empty where this process is it."""
        return self.base_url or providers.PROVIDERS[self.provider].base_url

    @property
    def key(self) -> str:
        return self.api_key.get_secret_value() if self.api_key else ""


def variable_of(field: str) -> str:
    extra: Any = Settings.model_fields[field].json_schema_extra
    return str(extra["variable"])


def option_help() -> dict[str, tuple[str, str]]:
    """The settings that a command line may overrule: by field, its value's name and its meaning."""
    rows: dict[str, Any] = {n: f.json_schema_extra for n, f in Settings.model_fields.items()}
    return {
        name: (row["option"], str(Settings.model_fields[name].description).replace("`", ""))
        for name, row in rows.items()
        if row["option"]
    }


def nearest_variable(name: str, cutoff: float = 0.6) -> str:
    """The setting that an unknown HAILUO_ variable was probably meant to be; empty for none."""
    names = {variable_of(f).removeprefix(_PREFIX): variable_of(f) for f in Settings.model_fields}
    near = difflib.get_close_matches(name.removeprefix(_PREFIX), names, n=1, cutoff=cutoff)
    return names[near[0]] if near else ""


_PREFIX = "HAILUO_"
_WALLS = ("HAILUO_BUDGET", "HAILUO_BUDGET_PERIOD", "HAILUO_UNPRICED_COST", "HAILUO_CONFIRM_ABOVE")


def _refuse_broken_walls(given: Mapping[str, str]) -> None:
    """Whoever misspells a limit on spending believes to have one."""
    known = {variable_of(field) for field in Settings.model_fields}
    for name in given:
        if name.startswith(_PREFIX) and name not in known:
            meant = nearest_variable(name, cutoff=0.8)
            if meant in _WALLS:
                raise ConfigError(
                    f"{name} is no setting, so it limits nothing. Nothing was sent or charged. "
                    f"Rename it to {meant}, or remove it."
                )
