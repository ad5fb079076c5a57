"""The settings: one field, one variable, one row of the README's table.

A new setting is a field here. Reading, the doctor's spelling help and the tables in the docs use
the fields; a type from values.py says which text a setting accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from hailuo_mcp.dialects import providers
from hailuo_mcp.domain.task import BUCKET
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.files.name_pattern import DEFAULT, FIELDS
from hailuo_mcp.settings import values
from hailuo_mcp.settings.config_file import Configuration, read_configuration
from hailuo_mcp.settings.sources import PREFIX, Sources, gather, is_set, nearest
from hailuo_mcp.settings.values import RefusedError, Secret

NO_FILE = Configuration()
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"})


class UnusableError(ValueError):
    """Settings that cannot be used."""

    def __init__(self, flaws: Mapping[str, str]) -> None:
        super().__init__(", ".join(flaws))
        self.flaws = flaws
        """What is wrong, by setting: the ends of sentences, without any value."""


def _setting(
    meaning: str,
    read: Callable[[Any], object],
    default: object = None,
    *,
    documented: str = "",
    variable: str = "",
) -> Any:  # noqa: ANN401
    """A field; `documented` describes its default where the value alone does not say enough."""
    shown = f"`{default}`" if isinstance(default, str) and default else str(default).lower()
    about = {
        "meaning": meaning,
        "read": read,
        "default": documented or (shown if default or default == 0 else "none"),
        "variable": variable,
    }
    if callable(default):
        return field(default_factory=default, metadata=about)
    return field(default=default, metadata=about)


def _default_output() -> Path:
    from platformdirs import user_videos_path

    return user_videos_path() / "Hailuo"


def _default_state() -> Path:
    from platformdirs import user_state_path

    return user_state_path("hailuo-mcp", appauthor=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, read once and passed down as values."""

    profile: str = _setting(
        "which profile of the configuration is used (`hailuo-mcp login --profile NAME`)",
        values.plain,
        "",
        documented="none: the top of the file",
    )
    provider: str = _setting(
        "who is paid: " + " · ".join(f"`{name}`" for name in providers.PROVIDERS),
        values.plain,
        documented=f"from a known `HAILUO_BASE_URL`, else `{providers.DEFAULT_PROVIDER}`",
    )
    api_key: Secret | None = _setting(
        "MiniMax providers only: falls back to `MINIMAX_API_KEY`", Secret
    )
    base_url: str = _setting(
        "with or without `/minimaxi` and `/v1`; MiniMax providers only: falls back to "
        "`MINIMAX_API_HOST`",
        values.plain,
        documented="the provider's",
    )
    output_dir: Path = _setting(
        "where clips go",
        values.folder,
        _default_output,
        documented="`Hailuo` in the user's videos folder",
    )
    files: str = _setting(
        "instead of `HAILUO_OUTPUT_DIR`, for several machines: `s3://bucket/prefix` (needs the "
        "extra `s3`) or the full path of a folder that they share",
        values.files,
        "",
    )
    filename: str = _setting(
        "names of clips, and folders below the output folder: "
        + " ".join(f"`{{{name}}}`" for name in FIELDS)
        + "; `{prompt:.24}` is its first 24 characters, `{date:%Y-%m}` the month; equal names get "
        "a number",
        values.filename,
        DEFAULT,
    )
    state_dir: Path = _setting(
        "the journal and its locks",
        values.folder,
        _default_state,
        documented="the platform's state folder",
    )
    database_url: Secret | None = _setting(
        "`postgresql://…`: the journal in a database, for servers on many computers; needs the "
        "extra `postgres`",
        values.database,
    )
    plan: str = _setting(
        "the price unit and the rate limit: `payg` · `free` · `basic` (基础包) · "
        "`advanced` (高级包) · `plus` (进阶包) · `enterprise` (企业包) · `custom` (商务定制)",
        values.plan,
        "payg",
    )
    rpm: int = _setting(
        "submits per minute, shared by every process on the journal",
        values.whole(0, 100_000),
        0,
        documented="the plan's",
    )
    budget: Decimal | None = _setting(
        "a hard limit on spending, in the plan's unit, per account", values.amount
    )
    budget_period: Literal["day", "month", "total"] = _setting(
        "`day` · `month` (local time) · `total`", values.period, "day"
    )
    unpriced_cost: Decimal | None = _setting(
        "what a clip without a published price counts as; if unset, a budget refuses such clips",
        values.amount,
    )
    confirm_above: Decimal | None = _setting("ask the person above this price", values.amount)
    poll_seconds: float = _setting("status interval", values.seconds(0.05, 600), 10)
    wait_seconds: float | None = _setting(
        "the longest wait of a tool call: `auto` depends on the client, at most 45; a number "
        "replaces the table of clients",
        values.wait,
        documented="`auto`",
    )
    auto_download: bool = _setting("save a clip as soon as it is ready", values.truth, default=True)
    allowed_dirs: tuple[Path, ...] = _setting(
        "where agents may read images and write clips; separated like `PATH`",
        values.folders,
        None,
        documented="the output folder and the home folder",
    )
    private_hosts: frozenset[str] = _setting(
        "loopback or private hosts that image and download links may point to",
        values.name_set,
        frozenset[str](),
        variable="HAILUO_ALLOWED_HOSTS_PRIVATE",
    )
    proxies: Mapping[str, Secret] = _setting(
        "with `ALL_PROXY` and `NO_PROXY`: the usual proxy variables, for the provider and for "
        "links; SOCKS needs the extra `socks`",
        values.proxies,
        dict[str, Secret],
        documented="none",
        variable="HTTPS_PROXY",
    )
    callback_url: str = _setting(
        "public base URL of the HTTP server: the provider calls back, so fewer polls",
        values.callback_url,
        "",
    )
    http_tokens: tuple[tuple[str, Secret], ...] = _setting(
        "who may use the HTTP server: `name:token`, comma-separated", values.tokens, ()
    )
    oauth_issuer: str = _setting(
        "the OAuth 2.1 authorization server whose access tokens the HTTP server accepts; needs the "
        "extra `oauth`",
        values.trusted_url,
        "",
    )
    oauth_audience: str = _setting(
        "the audience (`aud`) that an access token must be issued for",
        values.plain,
        "",
        documented="the addresses `/mcp` and `/sse` below `HAILUO_CALLBACK_URL`",
    )
    oauth_jwks_url: str = _setting(
        "where the issuer publishes its keys",
        values.trusted_url,
        "",
        documented="found in the issuer's metadata",
    )
    oauth_tenant_claim: str = _setting(
        "the claim that names the caller's tenant", values.plain, "tenant"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "the host names that the HTTP server answers to", values.names, ()
    )
    tenants: Path | None = _setting(
        "a TOML file of tenants: callers of the HTTP server with a key, a budget or a folder of "
        "their own (`hailuo-mcp tenant`)",
        values.file,
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
        texts: dict[str, object] = {**found.texts}
        if files := found.texts.get("files"):
            if found.origin("output_dir").kind == "option":
                raise ConfigError(
                    "Where clips go is set for all processes on the journal, so the output folder "
                    "of one command cannot be changed.",
                    Step(Do.TRY, "have the clip copied to a path instead"),
                    Step(Do.CHECK, found.place("files")),
                )
            if "://" not in files:
                texts["output_dir"] = files
        # Unchanged: the transport decides which of them applies.
        texts["proxies"] = {
            name: text
            for name, text in environ.items()
            if name.lower() in _PROXIES and is_set(text)
        }
        try:
            return cls.read(texts)
        except UnusableError as exc:
            what = "; ".join(f"the setting {name} {why}" for name, why in exc.flaws.items())
            raise ConfigError(
                f"{what[:1].upper()}{what[1:]}.",
                *(Step(Do.CHECK, found.place(name)) for name in exc.flaws),
            ) from None

    @classmethod
    def read(cls, texts: Mapping[str, Any]) -> Settings:
        """Read texts, by setting.

        Raises:
            UnusableError: some cannot be used.
        """
        read, flaws = dict[str, Any](), dict[str, str]()
        for name, text in texts.items():
            try:
                read[name] = SETTINGS[name].metadata["read"](text)
            except RefusedError as exc:
                flaws[name] = str(exc)
        if flaws:
            raise UnusableError(flaws)
        return cls(**read)

    def __post_init__(self) -> None:
        if self.allowed_dirs is None:  # pyright: ignore[reportUnnecessaryComparison]
            object.__setattr__(self, "allowed_dirs", (self.output_dir, Path.home()))

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


SETTINGS: Mapping[str, Field[Any]] = MappingProxyType({it.name: it for it in fields(Settings)})
"""The row of each setting; its metadata says what it means."""


def default_of(setting: str) -> object:
    """The value of a setting that nobody has set."""
    row = SETTINGS[setting]
    return row.default if row.default_factory is MISSING else row.default_factory()


def variable_of(setting: str) -> str:
    """Return the variable of a setting: HAILUO_ and its name, with a few exceptions."""
    return str(SETTINGS[setting].metadata["variable"]) or f"{PREFIX}{setting.upper()}"


def variables() -> dict[str, str]:
    """The variable of each setting."""
    return {name: variable_of(name) for name in SETTINGS}


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
        if value is not None and name in SETTINGS
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
