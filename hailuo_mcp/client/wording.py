"""Messages as a programmer reads them: settings go by the client's parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from hailuo_mcp.errors import HailuoError

_PARAMETERS = {
    "HAILUO_API_KEY": "api_key",
    "HAILUO_PROVIDER": "provider",
    "HAILUO_BASE_URL": "base_url",
    "HAILUO_ALLOWED_HOSTS_PRIVATE": "private_hosts",
    "HAILUO_ALLOWED_DIRS": "folders",
    "HAILUO_OUTPUT_DIR": "path",
}
_SETTING = re.compile(rf"\b({'|'.join(_PARAMETERS)})\b(?:=([^\s)]*[^\s).,;]))?")


@contextmanager
def worded(words: Callable[[str], str]) -> Generator[None]:
    """Have an error that leaves the block speak in these words."""
    try:
        yield
    except HailuoError as error:
        error.args = (words(str(error)),)
        raise


def by_parameter(message: str) -> str:
    """Call each setting by the parameter of HailuoClient that does the same."""
    return _SETTING.sub(_parameter, message)


def _parameter(found: re.Match[str]) -> str:
    name = _PARAMETERS[found[1]]
    return f'{name}="{found[2]}"' if found[2] else name
