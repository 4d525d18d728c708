"""`fastw2v completion`: let a shell complete commands, flags and files.

argcomplete asks the parser itself, so no list of flags can fall behind, and knows fish, which shtab
does not.
"""

import argparse
from typing import Any

from fastw2v.base.optional import import_optional

SHELLS = ("bash", "zsh", "fish")
NEEDED = ("argcomplete", "completion", "completion in shells")


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "completion",
        help="let a shell complete commands and flags",
        description="Print what makes a shell complete commands, flags and files. For bash, "
        'add eval "$(fastw2v completion bash)" to ~/.bashrc; for zsh, the same to ~/.zshrc. '
        "For fish: fastw2v completion fish > ~/.config/fish/completions/fastw2v.fish",
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")
    parser.set_defaults(run=run, imports="fastw2v.errors")


def run(args: argparse.Namespace) -> int:
    """Print the code for the shell."""
    print(import_optional(*NEEDED).shellcode(["fastw2v"], shell=args.shell))
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks for completions, and exit."""
    import_optional(*NEEDED).autocomplete(parser, always_complete_options="long")
