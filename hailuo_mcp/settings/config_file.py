"""The configuration file: the settings that a person keeps for this computer, by profile.

At the top are the settings, each named as its variable, in lower case and without HAILUO_. A table
[profiles.NAME] has those of a profile; what says whose account it is does not come from the top.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import cast

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.text import shown, system_reason

FILE_NAME = "config.toml"
ACCOUNT = ("provider", "api_key", "base_url", "plan", "keyring")
"""What says whose account it is: a profile has its own, or none."""
KEYRING = "keyring"
"""The key that says: the API key is in the system's keyring."""
PROFILES = "profiles"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_LINE = re.compile(r"at line (\d+)")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST = 1 << 20
"""Bytes of the file; what is larger is something else."""
_MOST_DIGITS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the file says to one process: the top of the file, or a profile and what it inherits."""

    profile: str = ""
    path: Path | None = None
    texts: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """By the file's keys, as a variable would have it."""
    own: frozenset[str] = frozenset()
    """The keys of the profile itself."""

    def place(self, key: str) -> str:
        """Where a key is, such as "profiles.work.plan in /home/mei/.config/…/config.toml"."""
        inside = f"{PROFILES}.{self.profile}." if self.profile and key in self.own else ""
        return f"{inside}{key} in {self.path}"

    @property
    def name(self) -> str:
        """How a person would call it."""
        return f"profile {self.profile}" if self.profile else str(self.path)

    @property
    def has_key(self) -> bool:
        """Whether an API key is kept here, in the file or in the keyring."""
        return bool(self.texts.get("api_key")) or self.in_keyring

    @property
    def in_keyring(self) -> bool:
        return self.texts.get(KEYRING) == "true" and not self.texts.get("api_key")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What is in the file; empty where there is none."""

    path: Path | None = None
    table: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(self._profiles)

    @cached_property
    def _profiles(self) -> Mapping[str, Mapping[str, object]]:
        found = self.table.get(PROFILES, {})
        tables = cast("Mapping[str, object]", found if isinstance(found, dict) else {})
        return {
            name: cast("Mapping[str, object]", table)
            for name, table in tables.items()
            if isinstance(table, dict)
        }

    def section(self, profile: str = "", *, new: bool = False) -> Section:
        """What the file says to a process with this profile; with `new` it need not exist.

        Raises:
            ConfigError: there is no such profile, or a value of the file is of no use.
        """
        top = {key: value for key, value in self.table.items() if key != PROFILES}
        if not profile:
            return Section(path=self.path, texts=self._texts(top, ""))
        if not new or profile not in self._profiles:
            self._need(profile, new=new)
        own = self._profiles.get(profile, {})
        inherited = {key: value for key, value in top.items() if key not in ACCOUNT}
        texts = self._texts(inherited, "") | self._texts(own, f"{PROFILES}.{profile}.")
        return Section(profile=profile, path=self.path, texts=texts, own=frozenset(own))

    def keys(self) -> dict[str, tuple[str, ...]]:
        """The keys of the file by profile; those at the top under an empty name."""
        top = tuple(key for key in self.table if key != PROFILES)
        return {"": top, **{name: tuple(table) for name, table in self._profiles.items()}}

    def without_keys(self, *, account: bool = False) -> Configuration:
        """The same without the kept keys, or with `account` without anything of an account."""
        left = ACCOUNT if account else ("api_key", KEYRING)

        def stripped(table: Mapping[str, object]) -> dict[str, object]:
            return {key: value for key, value in table.items() if key not in left}

        profiles = {name: stripped(table) for name, table in self._profiles.items()}
        return Configuration(path=self.path, table={**stripped(self.table), PROFILES: profiles})

    def nearest_profile(self, name: str) -> str:
        """The profile that was probably meant; empty for none."""
        near = difflib.get_close_matches(name.lower(), [it.lower() for it in self._profiles], n=1)
        return next((it for it in self._profiles if it.lower() in near), "")

    def _need(self, profile: str, *, new: bool) -> None:
        if new:
            if not _NAME.fullmatch(profile):
                raise ConfigError(
                    f"{shown(profile)!r} is no name for a profile: letters, digits and - _ . at "
                    "most 40, and a letter or digit first.",
                    Step(Do.CHECK, "HAILUO_PROFILE"),
                )
            return
        if profile in self._profiles:
            return
        near = self.nearest_profile(profile)
        meant = f" Did you mean {near}?" if near else ""
        there = (
            f"The profiles are {', '.join(self._profiles)}."
            if self._profiles
            else ("There is none so far.")
        )
        raise ConfigError(
            f"There is no profile {shown(profile)} in {self.path or FILE_NAME}.{meant} {there}",
            Step(Do.CHECK, "HAILUO_PROFILE"),
        )

    def _texts(self, table: Mapping[str, object], prefix: str) -> dict[str, str]:
        texts = dict[str, str]()
        for key, value in table.items():
            if isinstance(value, dict):
                continue  # a table with an unknown name; the doctor tells of it
            text = _text(key, value)
            if text is None:
                raise ConfigError(
                    f"{prefix}{shown(key)} in {self.path} is neither text, nor a number of a usual "
                    "size, nor true or false, nor a list of texts.",
                    Step(Do.CHECK, f"{prefix}{shown(key)} in {self.path}"),
                )
            if text.strip():  # an empty value counts as unset
                texts[key] = text.strip()
        return texts


def _text(key: str, value: object) -> str | None:
    """The value as a variable has it; None if it is of no use."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return _digits(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = cast("list[object]", value)
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) == len(parts):
            return (os.pathsep if key.endswith("_dirs") else ",").join(texts)
    return None


def _digits(value: int | Decimal) -> str | None:
    """A number as people write it; written out, one such as 1e400000000 would fill the memory."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_MOST_DIGITS else None
    if not value.is_finite():
        return str(value)
    return f"{value:f}" if abs(value.adjusted()) < _MOST_DIGITS else None


def config_path() -> Path:
    """Where the file is, or would be, for the person who runs this."""
    from platformdirs import user_config_path

    return user_config_path("hailuo-mcp", appauthor=False) / FILE_NAME


def read_configuration(path: Path | None = None) -> Configuration:
    """Read the file; a missing one says nothing.

    Raises:
        ConfigError: it cannot be read, or is not TOML; the error names the line.
    """
    path = path or config_path()
    try:
        content = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return Configuration(path=path)
    except OSError as exc:
        raise ConfigError(
            f"The configuration {path} cannot be read ({system_reason(exc)}).",
            Step(Do.ARRANGE, "allow yourself to read it, or move it away"),
        ) from exc
    return Configuration(path=path, table=parse(path, content))


def _content(path: Path) -> bytes:
    """Its bytes; what never ends, or only when another program writes, is not read."""
    if stat.S_ISFIFO(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is not a file")
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, f"has more than {_LARGEST:,} bytes")
    return content


def parse(path: Path, content: bytes) -> dict[str, object]:
    """The file's table.

    Raises:
        ConfigError: it is not TOML. The parser's own words may repeat a key, so they are left out.
    """
    try:
        table: dict[str, object] = tomllib.loads(
            content.decode("utf-8-sig").replace("\r\n", "\n"), parse_float=Decimal
        )
    except UnicodeDecodeError:
        why = "is not UTF-8 text"
    except (tomllib.TOMLDecodeError, ArithmeticError, ValueError, RecursionError) as exc:
        line = _LINE.search(str(exc))
        why = f"is not valid TOML: see line {line[1]}" if line else "is not valid TOML"
        if "end of document" in str(exc):
            why = "is not valid TOML: something is missing at its end"
    else:
        profiles = table.get(PROFILES, {})
        if isinstance(profiles, dict) and all(
            isinstance(it, dict) for it in cast("dict[str, object]", profiles).values()
        ):
            return table
        why = f"has {PROFILES} that are not tables such as [{PROFILES}.work]"
    raise ConfigError(
        f"The configuration {path} {why}.",
        Step(Do.ARRANGE, "correct it (text stands in quotes), or move it away"),
    ) from None


def is_open_to_others(path: Path) -> bool:
    """Whether other users of this computer may read or change the file."""
    if os.name == "nt":
        return False  # there, the user's own folder is already private
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False
