"""Follow a README literally: every bash block, in a fresh clone, with a fresh home folder.

    python tests/readme/follow.py                         README.md, all of it
    python tests/readme/follow.py --page docs/README.zh-CN.md
    python tests/readme/follow.py --first                 only the first block, which makes a clip

It clones the last commit, so what is not committed is not tested. Blocks marked ```bash are commands
that have to work for anybody; ```shell ones need a key or change the machine, and are not run.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FAILED_LINE = "trap 'echo \"FAILED, line $LINENO of the block: $BASH_COMMAND\" >&2' ERR\n"
_LOOK = """
import av, sys
with av.open(sys.argv[1]) as clip:
    video = clip.streams.video[0]
    frames = sum(1 for _ in clip.decode(video))
    seconds = float(clip.duration / av.time_base)
    print(video.codec_context.width, video.codec_context.height, round(seconds), frames)
"""


class NotFollowedError(Exception):
    """A command of the page did not do what the page says."""


def main() -> int:
    """Run it; 0 if everything worked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", default="README.md")
    parser.add_argument("--first", action="store_true", help="only the first block")
    args = parser.parse_args()
    # Started with & from a script, it would pass on that Ctrl-C is ignored, and tests try Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="hailuo-readme-") as folder:
        try:
            follow(args.page, Path(folder), first=args.first)
        except NotFollowedError as error:
            say(f"\nFAILED: {error}")
            return 1
    return 0


def follow(page: str, folder: Path, *, first: bool = False) -> None:
    """Do what the page says.

    Raises:
        NotFollowedError: a command failed, or the first block left no clip.
    """
    clone, home = folder / "clone", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    blocks = BLOCK.findall((clone / page).read_text("utf-8"))
    if not blocks:
        raise NotFollowedError(f"{page} has no bash block")
    environ = newcomer(home)
    for number, block in enumerate(blocks[:1] if first else blocks, 1):
        say(f"== {page}, block {number} of {len(blocks)}\n{block}")
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-ec", _FAILED_LINE + block],
            cwd=clone,
            env=environ,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        say(f"== {time.monotonic() - began:.0f} s, exit {done.returncode}\n")
        if done.returncode:
            raise NotFollowedError(f"block {number} of {page} ended with {done.returncode}")
        if number == 1:
            say(look_at_the_clip(clone, home, environ))


def newcomer(home: Path) -> dict[str, str]:
    """The environment of somebody who has just arrived, with this machine's way to the registries."""
    strange = ("HAILUO_", "MINIMAX_", "XDG_", "PYTHON", "VIRTUAL_ENV", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    if sys.prefix != sys.base_prefix:  # started in a venv, which a newcomer does not have
        own = str(Path(sys.prefix) / "bin")
        kept["PATH"] = os.pathsep.join(
            part for part in kept["PATH"].split(os.pathsep) if part != own
        )
    return kept | {"HOME": str(home)}


def look_at_the_clip(clone: Path, home: Path, environ: dict[str, str]) -> str:
    """Open what the first block made, with the PyAV that it installed.

    Raises:
        NotFollowedError: there is not exactly one clip, or it is not what was asked for.
    """
    found = list(home.rglob("*.mp4"))
    # The sandbox keeps its own copy among its state, as a provider would.
    clips = [path for path in found if "sandbox" not in path.parts]
    if len(clips) != 1:
        raise NotFollowedError(f"one clip was expected in the home folder, found: {clips}")
    said = subprocess.run(
        [str(clone / ".venv" / "bin" / "python"), "-c", _LOOK, str(clips[0])],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    width, height, seconds, frames = map(int, said)
    if (width, height, seconds) != (1366, 768, 6):
        raise NotFollowedError(f"{clips[0].name} is {width}x{height}, {seconds} s")
    return (
        f"{clips[0].relative_to(home)}: {width}x{height}, {seconds} s, {frames} frames, "
        f"{clips[0].stat().st_size // 1024} kB\n"
    )


def say(text: str) -> None:
    """Print in step with the commands, which write to the same place."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
