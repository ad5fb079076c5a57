"""The system's keyring: where an API key is kept if the extra `keyring` is installed."""

from __future__ import annotations

from importlib.util import find_spec

from hailuo_mcp.errors import ConfigError, Do, Step

_SERVICE = "hailuo-mcp"


def is_installed() -> bool:
    return find_spec("keyring") is not None


def entry_name(profile: str, provider: str, address: str) -> str:
    """Under which name a key is kept: a key of another provider or address is never found."""
    return " ".join(part for part in (profile, provider, address) if part)


def read_key(entry: str) -> str:
    """The key that is kept under that name.

    Raises:
        ConfigError: the keyring cannot be used, or does not have it.
    """
    if not is_installed():
        raise _unusable("the extra keyring is not installed with this program")
    import keyring
    from keyring.errors import KeyringError

    try:
        key = keyring.get_password(_SERVICE, entry)
    except (KeyringError, RuntimeError, OSError) as exc:
        raise _unusable(f"it cannot be used ({type(exc).__name__})") from None
    if not key:
        raise _unusable(f"it has no key for {entry}")
    return key


def keep_key(entry: str, key: str) -> bool:
    """Keep a key; False if that cannot be done, or not be relied on."""
    if not is_installed():
        return False
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, entry, key)
        return keyring.get_password(_SERVICE, entry) == key
    except (KeyringError, RuntimeError, OSError, ValueError):
        return False


def forget_key(entry: str) -> bool:
    """Forget a key; False if it may still be there."""
    if not is_installed():
        return False
    import keyring
    from keyring.errors import KeyringError

    try:
        if keyring.get_password(_SERVICE, entry) is not None:
            keyring.delete_password(_SERVICE, entry)
    except (KeyringError, RuntimeError, OSError):
        return False
    return True


def _unusable(why: str) -> ConfigError:
    return ConfigError(
        f"The API key is kept in the system's keyring, but {why}.",
        Step(Do.ARRANGE, "run `hailuo-mcp login` again, or install hailuo-mcp[keyring]"),
        Step(Do.SET, "HAILUO_API_KEY"),
    )
