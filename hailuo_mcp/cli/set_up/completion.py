"""completion: print what makes a shell complete commands, options, ids and models."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from hailuo_mcp.cli import exits
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.suggestions import PROGRAM

_INSTALL = {
    "bash": 'eval "$(hailuo-mcp completion bash)"  # at the end of ~/.bashrc',
    "zsh": 'eval "$(hailuo-mcp completion zsh)"  # in ~/.zshrc, after compinit',
    "fish": "hailuo-mcp completion fish > ~/.config/fish/completions/hailuo-mcp.fish",
    "powershell": "hailuo-mcp completion powershell | Out-String | Invoke-Expression # $PROFILE",
}
_COMPINIT = "autoload -Uz compinit && (( $+functions[compdef] )) || compinit\n"
"""A zsh without its completion system would not know compdef."""


def completion_options(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(_INSTALL), metavar="SHELL", help=", ".join(_INSTALL))


def completion(args: Namespace, terminal: Terminal) -> int:
    script = shell_script(args.shell)
    if terminal.json:
        said = f"To have it in every {args.shell}, add: {_INSTALL[args.shell]}"
        told = {"shell": args.shell, "script": script, "install": _INSTALL[args.shell]}
        terminal.data({"message": said, **told})
        return exits.DONE
    terminal.script(script)
    if terminal.is_terminal:
        terminal.note(f"\nTo have it in every {args.shell}, add:\n  {_INSTALL[args.shell]}")
    return exits.DONE


def shell_script(shell: str) -> str:
    """What the shell has to load; it calls the program whenever the Tab key is pressed."""
    from argcomplete.shell_integration import shellcode

    # Without the option `default`: the program offers files itself, where a file is meant.
    made = shellcode([PROGRAM], shell=shell, complete_arguments=["-o", "nospace"])
    return _COMPINIT + made if shell == "zsh" else made
