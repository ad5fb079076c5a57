"""What the operator decides: one field, one variable, one row of the README's table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from hailuo_mcp import catalog
from hailuo_mcp.dialects import providers
from hailuo_mcp.dialects.wire import Provider
from hailuo_mcp.errors import ConfigError


def _setting(variable: str, default: str, meaning: str, **more: Any) -> Any:  # noqa: ANN401
    return Field(
        description=meaning, json_schema_extra={"variable": variable, "default": default}, **more
    )


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6, allow_inf_nan=False)]


class Settings(BaseModel):
    """All of it, read once and passed down as values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = _setting(
        "HAILUO_PROVIDER",
        f"from a known `HAILUO_BASE_URL`, else `{providers.DEFAULT_PROVIDER}`",
        "who is paid: " + " · ".join(f"`{name}`" for name in providers.PROVIDERS),
    )
    api_key: SecretStr | None = _setting(
        "HAILUO_API_KEY", "none", "MiniMax providers only: falls back to `MINIMAX_API_KEY`"
    )
    base_url: str = _setting(
        "HAILUO_BASE_URL",
        "the provider's",
        "with or without `/minimaxi` and `/v1`; MiniMax providers only: falls back to "
        "`MINIMAX_API_HOST`",
    )
    output_dir: Path = _setting(
        "HAILUO_OUTPUT_DIR", "`Hailuo` in the user's videos folder", "where clips go"
    )
    state_dir: Path = _setting(
        "HAILUO_STATE_DIR", "the platform's state folder", "the journal and its locks"
    )
    plan: str = _setting(
        "HAILUO_PLAN",
        "`payg`",
        "the price unit and the rate limit: `payg` · `free` · `basic` (基础包) · "
        "`advanced` (高级包) · `plus` (进阶包) · `enterprise` (企业包) · `custom` (商务定制)",
    )
    rpm: Annotated[int, Field(ge=0, le=100_000)] = _setting(
        "HAILUO_RPM", "the plan's", "submits per minute, shared by every process on the journal"
    )
    budget: Amount | None = _setting(
        "HAILUO_BUDGET", "none", "a wall, in the plan's unit, per account"
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
    poll_seconds: Annotated[float, Field(ge=0.05, le=600)] = _setting(
        "HAILUO_POLL_SECONDS", "10", "status interval"
    )
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | None = _setting(
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
        "where images may be read from and clips written to; separated as `PATH` is",
    )
    private_hosts: frozenset[str] = _setting(
        "HAILUO_ALLOWED_HOSTS_PRIVATE",
        "none",
        "loopback or private hosts that image and download links may point to",
    )
    callback_url: str = _setting(
        "HAILUO_CALLBACK_URL",
        "none",
        "public base URL of this server, to be told instead of asking",
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
        given = _given(environ)
        for name, value in overrides.items():
            if value is not None and name in cls.model_fields:
                given[variable_of(name)] = str(value)
        provider = _provider(given)
        output_dir = _folder(given.get("HAILUO_OUTPUT_DIR")) or _default_output()
        values: dict[str, object] = {
            "provider": provider.name,
            "api_key": given.get("HAILUO_API_KEY")
            or (given.get("MINIMAX_API_KEY") if provider.minimax_env else None),
            "base_url": _base_url(provider, given),
            "output_dir": output_dir,
            "state_dir": _folder(given.get("HAILUO_STATE_DIR")) or _default_state(),
            "plan": _plan(given.get("HAILUO_PLAN", "payg")),
            "rpm": given.get("HAILUO_RPM", 0),
            "budget": given.get("HAILUO_BUDGET"),
            "budget_period": given.get("HAILUO_BUDGET_PERIOD", "day").lower(),
            "unpriced_cost": given.get("HAILUO_UNPRICED_COST"),
            "confirm_above": given.get("HAILUO_CONFIRM_ABOVE"),
            "poll_seconds": given.get("HAILUO_POLL_SECONDS", 10),
            "wait_seconds": _auto(given.get("HAILUO_WAIT_SECONDS", "auto")),
            "auto_download": given.get("HAILUO_AUTO_DOWNLOAD", True),
            "allowed_dirs": _folders(given.get("HAILUO_ALLOWED_DIRS")) or (output_dir, Path.home()),
            "private_hosts": frozenset(_words(given.get("HAILUO_ALLOWED_HOSTS_PRIVATE", ""))),
            "callback_url": given.get("HAILUO_CALLBACK_URL", "").rstrip("/"),
            "http_tokens": _tokens(given.get("HAILUO_HTTP_TOKENS", "")),
            "allowed_hosts": tuple(_words(given.get("HAILUO_ALLOWED_HOSTS", ""))),
        }
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            # pydantic's own text repeats the value, which may be a key in the wrong place
            rows = "; ".join(
                f"{variable_of(str(row['loc'][0]))}: {row['msg'].lower()}" for row in exc.errors()
            )
            raise ConfigError(
                f"The settings cannot be used: {rows}. Nothing was sent or charged. "
                "Correct them where this server is configured and start it again."
            ) from None

    @property
    def key(self) -> str:
        return self.api_key.get_secret_value() if self.api_key else ""


def variable_of(field: str) -> str:
    extra: Any = Settings.model_fields[field].json_schema_extra
    return str(extra["variable"])


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """What is really set: an empty value and an unsubstituted ${VAR} count as unset.

    Hosts start servers with both (reference: field notes P9, `${user_config.x}` left as it stands).
    """
    return {
        name: text.strip()
        for name, text in environ.items()
        if name.startswith(("HAILUO_", "MINIMAX_"))
        and text.strip()
        and not (text.strip().startswith("${") and text.strip().endswith("}"))
    }


def _provider(given: Mapping[str, str]) -> Provider:
    if name := given.get("HAILUO_PROVIDER"):
        return providers.provider_named(name)
    for variable in ("HAILUO_BASE_URL", "MINIMAX_API_HOST"):
        if found := providers.provider_for(given.get(variable, "")):
            return found
    return providers.PROVIDERS[providers.DEFAULT_PROVIDER]


def _base_url(provider: Provider, given: Mapping[str, str]) -> str:
    text = given.get("HAILUO_BASE_URL")
    if not text and provider.minimax_env:
        text = given.get("MINIMAX_API_HOST")
    if provider.embedded and not text:
        return ""
    if provider.embedded and urlsplit(text or "").hostname not in LOOPBACK:
        raise ConfigError(
            f"HAILUO_PROVIDER={provider.name} is free because it never leaves this computer, and "
            "HAILUO_BASE_URL points elsewhere. Nothing was sent or charged. Unset "
            "HAILUO_BASE_URL, or name the provider that it belongs to."
        )
    private = frozenset(_words(given.get("HAILUO_ALLOWED_HOSTS_PRIVATE", "")))
    return providers.clean_base_url(provider, text or provider.base_url, private_hosts=private)


def _plan(text: str) -> str:
    try:
        return catalog.plan_named(text).name
    except ValueError:
        names = ", ".join(f"{plan.name} ({plan.chinese})" for plan in catalog.plans())
        raise ConfigError(
            f"HAILUO_PLAN (or --plan) does not name a plan. Nothing was charged. It takes one of: "
            f"{names}."
        ) from None


def _auto(text: str) -> str | None:
    return None if text.lower() == "auto" else text


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.replace(";", ",").split(",") if word.strip()]


def _tokens(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    names = [name.strip() for name, _, _ in pairs]
    tokens = [token.strip() for _, _, token in pairs]
    if not (all(names) and all(tokens)):
        raise ConfigError(
            "HAILUO_HTTP_TOKENS is not a list of name:token pairs separated by commas. "
            "Nothing was charged. Write for example alice:<a long random text>."
        )
    if len(set(names)) != len(names):
        raise ConfigError(
            "HAILUO_HTTP_TOKENS has the same name twice. Nothing was charged. "
            "Give each token a name of its own."
        )
    if len(set(tokens)) != len(tokens):
        raise ConfigError(
            "HAILUO_HTTP_TOKENS has the same token under two names, so that nobody could tell them "
            "apart. Nothing was charged. Make another token for one of them."
        )
    return tuple(zip(names, tokens, strict=True))


def _folder(text: str | None) -> Path | None:
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ConfigError(
            "A folder in the settings is not an absolute path. Nothing was charged. Hosts start "
            "this server in folders of their own: write the whole path (~ for home works)."
        )
    return path


def _folders(text: str | None) -> tuple[Path, ...]:
    parts = (text or "").split(os.pathsep)
    return tuple(path for part in parts if (path := _folder(part.strip())))


def _default_output() -> Path:
    from platformdirs import user_videos_path

    return user_videos_path() / "Hailuo"


def _default_state() -> Path:
    from platformdirs import user_state_path

    return user_state_path("hailuo-mcp", appauthor=False)
