"""The settings: one field, one variable, one row of the README's table.

A new setting is a field here. Reading, the doctor's spelling help and the tables in the docs use
the fields; a type from values.py says which text a setting accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.config import JsonDict

from hailuo_mcp.dialects import providers
from hailuo_mcp.domain import BUCKET
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.files.name_pattern import DEFAULT, FIELDS
from hailuo_mcp.settings.config_file import Configuration, read_configuration
from hailuo_mcp.settings.sources import PREFIX, Sources, gather, is_set, nearest
from hailuo_mcp.settings.values import (
    Amount,
    CallbackUrl,
    Database,
    File,
    Filename,
    FilesPlace,
    Folder,
    Folders,
    Names,
    NameSet,
    Period,
    PlanName,
    Seconds,
    Tokens,
    TrustedUrl,
    Wait,
    Whole,
    flaw,
)

NO_FILE = Configuration()
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"})


def _setting(
    meaning: str,
    default: object = None,
    *,
    documented: str = "",
    variable: str = "",
) -> Any:  # noqa: ANN401
    """A field; `documented` describes its default where the value alone does not say enough."""
    shown = f"`{default}`" if isinstance(default, str) and default else str(default).lower()
    extra: JsonDict = {
        "default": documented or (shown if default or default == 0 else "none"),
        "variable": variable,
    }
    if callable(default):
        return Field(description=meaning, json_schema_extra=extra, default_factory=default)
    return Field(description=meaning, json_schema_extra=extra, default=default)


def _default_output() -> Path:
    from platformdirs import user_videos_path

    return user_videos_path() / "Hailuo"


def _default_state() -> Path:
    from platformdirs import user_state_path

    return user_state_path("hailuo-mcp", appauthor=False)


def _default_allowed(read: dict[str, Any]) -> tuple[Path, ...]:
    return (read["output_dir"], Path.home())


class Settings(BaseModel):
    """All settings, read once and passed down as values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = _setting(
        "which profile of the configuration is used (`hailuo-mcp login --profile NAME`)",
        "",
        documented="none: the top of the file",
    )
    provider: str = _setting(
        "who is paid: " + " · ".join(f"`{name}`" for name in providers.PROVIDERS),
        documented=f"from a known `HAILUO_BASE_URL`, else `{providers.DEFAULT_PROVIDER}`",
    )
    api_key: SecretStr | None = _setting("MiniMax providers only: falls back to `MINIMAX_API_KEY`")
    base_url: str = _setting(
        "with or without `/minimaxi` and `/v1`; MiniMax providers only: falls back to "
        "`MINIMAX_API_HOST`",
        documented="the provider's",
    )
    output_dir: Folder = _setting(
        "where clips go",
        _default_output,
        documented="`Hailuo` in the user's videos folder",
    )
    files: FilesPlace = _setting(
        "instead of `HAILUO_OUTPUT_DIR`, for several machines: `s3://bucket/prefix` (needs the "
        "extra `s3`) or the full path of a folder that they share",
        "",
    )
    filename: Filename = _setting(
        "names of clips, and folders below the output folder: "
        + " ".join(f"`{{{name}}}`" for name in FIELDS)
        + "; `{prompt:.24}` is its first 24 characters, `{date:%Y-%m}` the month; equal names get "
        "a number",
        DEFAULT,
    )
    state_dir: Folder = _setting(
        "the journal and its locks",
        _default_state,
        documented="the platform's state folder",
    )
    database_url: Database | None = _setting(
        "`postgresql://…`: the journal in a database, for servers on many computers; needs the "
        "extra `postgres`"
    )
    plan: PlanName = _setting(
        "the price unit and the rate limit: `payg` · `free` · `basic` (基础包) · "
        "`advanced` (高级包) · `plus` (进阶包) · `enterprise` (企业包) · `custom` (商务定制)",
        "payg",
    )
    rpm: Annotated[Whole, Field(ge=0, le=100_000)] = _setting(
        "submits per minute, shared by every process on the journal", 0, documented="the plan's"
    )
    budget: Amount | None = _setting("a hard limit on spending, in the plan's unit, per account")
    budget_period: Period = _setting("`day` · `month` (local time) · `total`", "day")
    unpriced_cost: Amount | None = _setting(
        "what a clip without a published price counts as; if unset, a budget refuses such clips"
    )
    confirm_above: Amount | None = _setting("ask the person above this price")
    poll_seconds: Annotated[Seconds, Field(ge=0.05, le=600)] = _setting("status interval", 10)
    wait_seconds: Wait = _setting(
        "the longest wait of a tool call: `auto` depends on the client, at most 45; a number "
        "replaces the table of clients",
        documented="`auto`",
    )
    auto_download: bool = _setting("save a clip as soon as it is ready", default=True)
    allowed_dirs: Folders = _setting(
        "where agents may read images and write clips; separated like `PATH`",
        _default_allowed,
        documented="the output folder and the home folder",
    )
    private_hosts: NameSet = _setting(
        "loopback or private hosts that image and download links may point to",
        frozenset[str](),
        variable="HAILUO_ALLOWED_HOSTS_PRIVATE",
    )
    proxies: Mapping[str, SecretStr] = _setting(
        "with `ALL_PROXY` and `NO_PROXY`: the usual proxy variables, for the provider and for "
        "links; SOCKS needs the extra `socks`",
        variable="HTTPS_PROXY",
    )
    callback_url: CallbackUrl = _setting(
        "public base URL of the HTTP server: the provider calls back, so fewer polls", ""
    )
    http_tokens: Tokens = _setting("who may use the HTTP server: `name:token`, comma-separated", ())
    oauth_issuer: TrustedUrl = _setting(
        "the OAuth 2.1 authorization server whose access tokens the HTTP server accepts; needs the "
        "extra `oauth`",
        "",
    )
    oauth_audience: str = _setting(
        "the audience (`aud`) that an access token must be issued for",
        "",
        documented="the addresses `/mcp` and `/sse` below `HAILUO_CALLBACK_URL`",
    )
    oauth_jwks_url: TrustedUrl = _setting(
        "where the issuer publishes its keys", "", documented="found in the issuer's metadata"
    )
    oauth_tenant_claim: str = _setting("the claim that names the caller's tenant", "tenant")
    allowed_hosts: Names = _setting("the host names that the HTTP server answers to", ())
    tenants: File | None = _setting(
        "a TOML file of tenants: callers of the HTTP server with a key, a budget or a folder of "
        "their own (`hailuo-mcp tenant`)"
    )

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str],
        configuration: Configuration = NO_FILE,
        **overrides: object,
    ) -> Settings:
        """Read the variables and the configuration; an override that is not None wins.

        Raises:
            ConfigError: a value cannot be used; the error names its variable, or its place in the
                configuration.
        """
        return cls.of(sources_of(environ, configuration, overrides), environ)

    @classmethod
    def of(cls, found: Sources, environ: Mapping[str, str]) -> Settings:
        """Read what was gathered.

        Raises:
            ConfigError: see from_env.
        """
        values: dict[str, object] = {**found.texts}
        if files := found.texts.get("files"):
            if found.origin("output_dir").kind == "option":
                raise ConfigError(
                    "Where clips go is set for all processes on the journal, so the output folder "
                    "of one command cannot be changed.",
                    Step(Do.TRY, "have the clip copied to a path instead"),
                    Step(Do.CHECK, found.place("files")),
                )
            if "://" not in files:
                values["output_dir"] = files
        # Unchanged: the transport decides which of them applies.
        values["proxies"] = {
            name: text
            for name, text in environ.items()
            if name.lower() in _PROXIES and is_set(text)
        }
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            flaws = flaws_of(exc)
            what = "; ".join(f"the setting {name} {why}" for name, why in flaws.items())
            raise ConfigError(
                f"{what[:1].upper()}{what[1:]}.",
                *(Step(Do.CHECK, found.place(name)) for name in flaws),
            ) from None

    @property
    def bucket(self) -> tuple[str, str] | None:
        """The bucket that clips go to and the prefix in it; None if they go to a folder."""
        if not self.files.startswith(BUCKET):
            return None
        name, _, prefix = self.files.removeprefix(BUCKET).partition("/")
        return name, prefix

    @property
    def proxy_variables(self) -> dict[str, str]:
        return {name: text.get_secret_value() for name, text in self.proxies.items()}

    @property
    def address(self) -> str:
        """The given base URL or the provider's; empty for the sandbox in this process."""
        return self.base_url or providers.PROVIDERS[self.provider].base_url

    @property
    def key(self) -> str:
        return self.api_key.get_secret_value() if self.api_key else ""


def flaws_of(exc: ValidationError) -> dict[str, str]:
    """What is wrong, by setting: the ends of sentences, without any value."""
    return {
        str(row["loc"][0]): flaw(row["type"], row["msg"])
        for row in exc.errors()
        if row["type"] != "default_factory_not_called"
    }


def variable_of(field: str) -> str:
    """Return the variable of a setting: HAILUO_ and its name, with a few exceptions."""
    extra: Any = Settings.model_fields[field].json_schema_extra
    return str(extra["variable"]) or f"{PREFIX}{field.upper()}"


def variables() -> dict[str, str]:
    """The variable of each setting."""
    return {name: variable_of(name) for name in Settings.model_fields}


def sources_of(
    environ: Mapping[str, str],
    configuration: Configuration = NO_FILE,
    overrides: Mapping[str, object] = MappingProxyType({}),
    *,
    new_profile: bool = False,
    to_show: bool = False,
) -> Sources:
    """The settings as text, and where each comes from; see `gather`.

    Raises:
        ConfigError: what says whose account it is cannot be used, or a limit is misspelt.
    """
    options = {
        name: str(value)
        for name, value in overrides.items()
        if value is not None and name in Settings.model_fields
    }
    return gather(
        environ,
        configuration,
        options,
        variables(),
        new_profile=new_profile,
        to_show=to_show,
    )


def read_settings(environ: Mapping[str, str], **overrides: object) -> Settings:
    """The settings of this process: options, variables, the person's configuration, defaults.

    Raises:
        ConfigError: a value cannot be used, or the configuration cannot be read.
    """
    return Settings.from_env(environ, read_configuration(), **overrides)


def nearest_variable(name: str, cutoff: float = 0.6) -> str:
    """Guess which setting an unknown HAILUO_ variable was meant to be; empty for none."""
    return nearest(name, variables().values(), cutoff)
