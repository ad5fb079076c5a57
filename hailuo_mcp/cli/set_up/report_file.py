"""Where a report goes: a new file, never one that exists."""

from __future__ import annotations

import itertools
from pathlib import Path

from hailuo_mcp.cli import arguments
from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.text import system_reason


def make(given: str, name: str, text: str) -> Path:
    """Write a report to the file or folder that the person gave, or here, and return its path.

    Under our own name, which is `name`, it gets a number if there is such a file already.

    Raises:
        InvalidRequestError: the person's file exists, or nothing can be written there.
    """
    path = Path(arguments.output_path(given or name)).expanduser()
    is_ours = not given or path.is_dir()
    path = path / name if path.is_dir() else path
    for number in itertools.count(2):
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            if not is_ours:
                raise refused(path, "exists, and is not overwritten") from None
            path = path.with_name(f"{Path(name).stem}-{number}.md")
        except OSError as exc:
            raise refused(path, f"cannot be written ({system_reason(exc)})") from None
        else:
            break
    return path


def refused(path: Path, why: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The report {path} {why}.", Step(Do.TRY, "name another file with --report")
    )
