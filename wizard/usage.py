"""What may be typed behind `tls-wizard`: the commands with their options, and the flags of what is named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from wizard import __version__, commands
from wizard.address import Address
from wizard.errors import WrongUsage
from wizard.inert import inert
from wizard.parser import Layout, Parser

if TYPE_CHECKING:
    from wizard.flags import Setup

EXIT_CODES = """\
exit codes:
  0  done, changed or not
  1  failed, nothing changed
  2  changed (only with --detailed-exitcode), or wrong usage
  3  a file cannot be edited with certainty, so nothing was changed
  4  a file was changed by somebody else meanwhile, so nothing was changed
  5  another run is at work
  6  the proof failed"""

DESCRIPTION = """\
Secure an API with TLS: see every change first, lose nothing, and watch it proven.
Without a command it opens the wizard. Without the screens, begin like this:

  tls-wizard targets
  tls-wizard questions hub-rest > answers.toml
  tls-wizard plan answers.toml

Each question is a flag as well: tls-wizard plan hub-rest --help"""

JSON = "--json"
HELP = ("-h", "--help")
WRITING = {
    "--check": "only say what would change; write nothing",
    "--diff": "show what `plan` shows as well",
    "--yes": "do not ask before writing",
    "--in-place": "also write files that cannot be replaced",
    "--detailed-exitcode": "exit with 2 when something changed",
}
"""The options of a command that writes."""
ADDRESS = ("--mode", "--ca", "--cert", "--key", "--connect")
"""The options of `prove` that go with an address."""

ABOUT = ("questions", "plan", "apply", "prove")
"""The commands that are about something, whose flags they take."""
SWITCHES = (JSON, *HELP, *WRITING)
"""Their options that take no value; all others, and all flags, take one."""


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """What is typed: the options, the command as `run` (None for the wizard), and what it is `about`.

    `again` are the words that give the same command, from any folder where it is about a target.
    Raises WrongUsage, or BadAnswers where what it is about cannot be used.
    """
    parser, parsers = _parsers()
    name = words[0] if words else ""
    about = _about(parsers[name], name, words[1:]) if name in ABOUT else None
    options, left = parser.parse_known_args(words)
    if options.command in ABOUT and about is None:
        parser.error(f"the command comes first: tls-wizard {options.command}")
    if left:
        parsers.get(options.command, parser).refuse(left)
    options.about, options.again = about, tuple(words)
    if about is not None and not isinstance(about, Address):
        from wizard import flags

        options.about = setup = flags.over(about, options)
        switches = [word for word in words if word in SWITCHES]
        options.again = (name, setup.name, *switches, *setup.words)
    return options


def _about(parser: Parser, command: str, words: Sequence[str]) -> Setup | Address | None:
    """What is named behind a command, whose parser then takes what goes with that; None: only help is asked.

    Raises WrongUsage or BadAnswers.
    """
    word, only_help = _named(words), bool(set(HELP) & set(words))
    if word is None:
        if not only_help:
            what = "a target" if command == "questions" else "a target or an answers file"
            parser.error(f"say first what it is about, {what}")
        if command == "prove":
            _address_options(parser)
        return None
    parser.prog += f" {quote(inert(word))}"
    parser.usage = "%(prog)s [OPTION ...]"
    if command == "prove" and "://" in word:
        _address_options(parser)
        return _address(word)
    from wizard import flags, host

    setup = flags.of_target(word) if command == "questions" else flags.named(word)
    flags.add(parser, setup.target, host.look() if only_help else None)
    if command == "prove":
        for option in {*ADDRESS} - {asked.flag for asked in setup.target.questions()}:
            what = "goes with an address: tls-wizard prove https://api.example.com/"
            parser.add_refused(option, f"{option} {what}")
    return setup


def _named(words: Sequence[str]) -> str | None:
    """The first word that is neither an option nor the value of one."""
    for before, word in pairwise(("", *words)):
        value = before.startswith("-") and "=" not in before and before not in SWITCHES
        if before == "--" or not (value or word.startswith("-")):
            return word
    return None


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise WrongUsage(str(error)) from None


def _parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of it all, and that of each command by its name."""
    parser = Parser(
        prog="tls-wizard",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=Layout,
        allow_abbrev=False,  # what is clear for the questions of one target is not for those of another
    )
    parser.add_argument("--version", action="version", version=f"tls-wizard {__version__}")
    demo = "try it on sample services, in a throw-away folder"
    parser.add_argument("--demo", action="store_true", help=demo)
    parser.add_argument("--answers", type=Path, metavar="FILE", help="open the wizard with these answers")
    plain = "ask line by line instead: for screen readers and slow lines; so does the variable ACCESSIBLE"
    parser.add_argument("--plain", action="store_true", help=plain)
    themes = ("terminal", "dark", "light")
    parser.add_argument("--theme", choices=themes, default=themes[0], help="its colours; F2 changes them too")
    parser.set_defaults(run=None)
    group = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    parsers = {}
    for command in _commands():
        parsers[command.name] = added = group.add_parser(
            command.name,
            help=command.text,
            description=f"{command.text[0].upper()}{command.text[1:]}.",
            epilog=EXIT_CODES,
            formatter_class=Layout,
            allow_abbrev=False,
        )
        added.set_defaults(run=command.run)
        for add in command.takes:
            add(added)
    return parser, parsers


# The commands -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and what adds its options."""

    name: str
    run: Callable[[argparse.Namespace], int]
    text: str
    takes: tuple[Callable[[Parser], None], ...]


def _commands() -> Iterator[Command]:
    text = "list what can be secured, and what was found on this host"
    yield Command("targets", commands.targets, text, (_json,))
    text = "print an answers file to fill in, explained"
    yield Command("questions", commands.questions, text, (_target,))
    text = "show what would be written, to the byte, and write nothing"
    yield Command("plan", commands.plan, text, (_json, _answers))
    text = "write what `plan` shows, all of it or nothing"
    yield Command("apply", commands.apply, text, (_json, _answers, _writing))
    text = "connect to the service for real and show who gets in"
    yield Command("prove", commands.prove, text, (_json, _answers_or_address))
    text = "list the certificates made here and what is wrong with them"
    yield Command("certificates", commands.certificates, text, (_json,))
    text = "go on with a setup that waits for its certificate"
    yield Command("resume", commands.resume, text, (_json, _writing, _delivered, _passphrase))
    text = "make a certificate again, for the same key or a new one"
    yield Command("reissue", commands.reissue, text, (_json, _writing, _made_before, _passphrase))
    yield Command("history", commands.history, "list what was done on this host", (_json,))
    text = "take the last run, or the one named, back to the byte"
    yield Command("undo", commands.undo, text, (_json, _run_to_undo))
    text = "roll back a run that a kill or a power cut interrupted"
    yield Command("recover", commands.recover, text, (_json,))


def _json(parser: Parser) -> None:
    parser.add_argument(JSON, action="store_true", help="print one JSON object, nothing else")


_FILE_OR_TARGET = (
    "a file made with: tls-wizard questions TARGET; or a target itself, with the answers as flags, which "
    "TARGET --help lists"
)


def _target(parser: Parser) -> None:
    about = "a name that `tls-wizard targets` lists; TARGET --help lists its questions as flags"
    parser.add_argument("named", metavar="TARGET", help=about)


def _answers(parser: Parser) -> None:
    parser.add_argument("named", metavar="ANSWERS|TARGET", help=_FILE_OR_TARGET)


def _answers_or_address(parser: Parser) -> None:
    about = f"{_FILE_OR_TARGET}; or any address that begins with https://"
    parser.add_argument("named", metavar="ANSWERS|TARGET|URL", help=about)


def _address_options(parser: Parser) -> None:
    group = parser.add_argument_group("with an address")
    modes = "full (mutual TLS), verify-ca or skip; the default follows from the files"
    group.add_argument("--mode", choices=("full", "verify-ca", "skip"), help=modes)
    authority = "the server's authority, instead of the public ones"
    group.add_argument("--ca", type=Path, metavar="FILE", help=authority)
    group.add_argument("--cert", type=Path, metavar="FILE", help="the client's certificate")
    group.add_argument("--key", type=Path, metavar="FILE", help="the client's key")
    where = "where to connect instead of where its name leads, HOST:PORT"
    group.add_argument("--connect", metavar="HOST:PORT", help=where)


def _writing(parser: Parser) -> None:
    for switch, about in WRITING.items():
        parser.add_argument(switch, action="store_true", help=about)


def _delivered(parser: Parser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="what the authority sent; - for pasted text")
    parser.add_argument("--run", dest="run_name", metavar="RUN", help="which one, where several wait")


def _made_before(parser: Parser) -> None:
    parser.add_argument("certificate", type=Path, metavar="FILE", help="one that `certificates` lists")
    parser.add_argument("--new-key", action="store_true", help="with a new key instead of the same")


def _passphrase(parser: Parser) -> None:
    about = "a file, mode 0600, with the passphrase that is needed, instead of asking for it"
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help=about)
    parser.add_no_secret("--passphrase")


def _run_to_undo(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="RUN", help="a name that `tls-wizard history` lists")
    parser.add_argument("--yes", action="store_true", help=WRITING["--yes"])
