"""What the command says of a mistake: in its own words, with what may have been meant."""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence

from fastw2v.base.spelling import did_you_mean
from fastw2v.cli import SUBCOMMANDS

_QUOTE = "'"
NUMBER = re.compile(r"-\.?\d")
# What the functions that parse values take.
KINDS = {"int": "an integer", "float": "a number", "window": "an integer, or two such as 5,2"}
# What stands around names of settings in messages, where they are no plain English words.
BEFORE = (
    r"raise|lower|set|change the|let the|leave out|needs|is both|the run's|a lower|between 0 and"
)
AFTER = r"must|should|needs?|cannot|is|and|contradict"


def explained(parser: argparse.ArgumentParser, message: str, given: Sequence[str]) -> str:
    """Return argparse's message, or one that says more.

    parser: of the command.  given: its arguments.
    """
    flags = parser._option_string_actions
    for flag in _unknown_flags(flags, given):
        return f"unknown flag {flag}{did_you_mean(flag, flags, quote='')}"
    if match := re.match(r"argument (?:\S+/)?(\S+): invalid choice: '(.*?)' \(", message):
        flag, value = match.groups()
        choices = list(flags[flag].choices or ())
        return (
            f"{flag} must be one of {', '.join(choices)}, got {value!r}"
            f"{did_you_mean(value, choices)}"
        )
    if match := re.match(r"argument (?:\S+/)?(\S+): invalid (\w+) value: (.*)", message):
        flag, kind, value = match.groups()
        return f"{flag} must be {KINDS.get(kind, kind)}, got {value}"
    if match := re.match(r"unrecognized arguments: (\S+)", message):
        before = given[max(given.index(match[1]) - 1, 0)] if match[1] in given else ""
        if before in flags and flags[before].nargs == 0:
            return f"{message}; {before} takes no value"
    return message


def _unknown_flags(flags: Mapping[str, argparse.Action], given: Sequence[str]) -> Iterator[str]:
    """Yield the arguments that look like flags and are none."""
    for text in given:
        flag = text.partition("=")[0]
        if flag == "--":
            return
        is_flag = len(flag) > 1 and flag[0] == "-" and not NUMBER.match(flag)
        is_known = flag in flags or (flag[1:2] != "-" and flag[:2] in flags)
        if is_flag and (not is_known or f"-{flag}" in flags):
            yield flag


def unknown_command(name: str) -> str:
    """Return what to say of a command that does not exist."""
    hint = did_you_mean(name, SUBCOMMANDS) or f"; commands are {', '.join(SUBCOMMANDS)}"
    return f"unknown command {name!r}{hint}"


def flags_of(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the flag, or the name in the usage, of each setting that the parser takes."""
    found: dict[str, str] = {}
    for action in parser._actions:
        shown = max(action.option_strings, key=len, default=str(action.metavar or action.dest))
        if action.dest != "help":
            found.setdefault(action.dest, shown)
    return found


def in_flags(message: str, flags: Mapping[str, str]) -> str:
    """Return a message about settings, which Python names, with the names of the command line.

    flags: the name on the command line by that in Python.
    """
    if not flags:
        return message

    name = rf"(?:{'|'.join(sorted(flags, key=len, reverse=True))})"
    names = rf"{name}(?:(?:, | and | or ){name})*"
    begin, end = r"(?<![\w'\"/.=-])", r"(?![\w'\"/=-])(?!\.\w)"
    places = (
        rf"{begin}(?P<name>{name})=(?P<value>'[^']*'|[^\s,;:)]+)",
        rf"^{names}(?= (?:{AFTER}|'))",
        rf"(?<=[:;] ){names}(?= (?:was|{AFTER}))",
        rf"(?:(?<=^)|(?<=[ (]))(?:{BEFORE}) {names}{end}",
        rf"{begin}(?=[a-z]*_){name}{end}",  # with an underscore, like no English word
    )

    def replaced(match: re.Match[str]) -> str:
        if match["name"] is None:
            return re.sub(r"\w+", lambda word: flags.get(word[0], word[0]), match[0])
        flag, value = flags[match["name"]], match["value"]
        if value == "True":
            return flag
        if not flag.startswith("-"):
            return match[0]
        joined = "=" if flag.startswith("--") else " "  # -negative 0 of word2vec.c
        return f"{flag}{joined}{value.strip(_QUOTE)}"

    return re.sub("|".join(places), replaced, message)
