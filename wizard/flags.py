"""Flags: the answers as words of a command line, made from the declarations of the questions.

    tls-wizard plan hub-rest --common-name hub.example.com
    tls-wizard apply answers.toml --validity-days 90

The flag of a question is its key in an answers file, with dashes, and takes the same value; it goes over what
stands in the file. Paths may begin where the command is given; a list has commas, or its flag is repeated.
"""

from __future__ import annotations

import argparse
import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from wizard import answers, targets
from wizard.errors import BadAnswers
from wizard.host import Host
from wizard.inert import inert
from wizard.kinds import (
    Account,
    Choice,
    Delivered,
    FilePath,
    HostAndPort,
    IPv4Address,
    Passphrase,
    PerhapsFilePath,
    Raw,
    Several,
    Url,
    Whole,
    YesNo,
)
from wizard.parser import Parser
from wizard.questions import Question, rule
from wizard.targets import Target, catalogue

_SHOWN = {
    Account: "ACCOUNT",
    Choice: "CHOICE",
    Delivered: "FILES",
    FilePath: "PATH",
    HostAndPort: "HOST:PORT",
    IPv4Address: "ADDRESS:PORT",
    Passphrase: "FILE",
    PerhapsFilePath: "PATH",
    Several: "LIST",
    Url: "URL",
    Whole: "NUMBER",
    YesNo: "yes|no",
}
"""What stands for the value of a flag in the help; for texts TEXT."""
_LARGEST_OFFERED = 50_000
"""Bytes of a file that is read only to be suggested."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a command is about: a target, with the answers that are given."""

    target: type[Target]
    name: str
    """What names it on a command line, in any folder: the target's key, or the path of an answers file."""
    written: Mapping[str, Raw] = field(default_factory=dict)
    """The answers by their keys, the flags over those of the file; of a secret it is the name of its file."""
    words: tuple[str, ...] = ()
    """The flags as words, to give the command again in any folder."""

    def given(self, *, secrets: bool = True) -> dict[str, Raw]:
        """The answers by the names of their questions; without `secrets` the files of secrets are left alone.

        Raises BadAnswers: such a file cannot be used.
        """
        return answers.from_keys(self.target, self.written, secrets=secrets)

    def secret_files(self) -> dict[str, str]:
        """The files of secrets, by their keys."""
        keys = [asked.key for asked in self.target.questions() if asked.secret]
        return {key: str(self.written[key]) for key in keys if key in self.written}


def of_target(key: str) -> Setup:
    """What the key of a target stands for; raises BadAnswers where there is no such target."""
    return Setup(targets.named(key), key)


def named(word: str) -> Setup:
    """What the key of a target or an answers file stands for; a file named as a target is ./NAME.

    Raises BadAnswers: it is neither, or the file cannot be used.
    """
    keys = [offered.key for offered in catalogue.EVERY]
    if word in keys:
        return of_target(word)
    if "://" in word:
        raise BadAnswers(
            "An address is no target and no answers file. `prove` takes one; the other commands take it as "
            "the answer to a question: connector --url URL"
        )
    # What else is there is told when it is read.
    if "/" not in word and (not os.path.lexists(word) or os.path.isdir(word)):  # noqa: PTH112 -- as lexists
        offered = get_close_matches(word, [*keys, *(path.name for path in Path().glob("*.toml"))])
        near = next((name for name in offered if name in keys or _is_answers_file(name)), None)
        hint = f'Did you mean "{near}"?' if near else f"The targets are: {', '.join(keys)}."
        raise BadAnswers(
            f'There is no target "{word}", and no answers file of that name in this folder. {hint}'
        )
    path = Path(word).absolute()
    target, written = answers.load(path)
    return Setup(target, str(path), written)


def _is_answers_file(name: str) -> bool:
    """Whether it is one in this folder, and no larger than those are."""
    path = Path(name).absolute()
    try:
        return path.stat().st_size <= _LARGEST_OFFERED and bool(answers.load(path))
    except (BadAnswers, OSError):
        return False


def add(parser: Parser, target: type[Target], host: Host | None) -> None:
    """Let a command take the flags of a target's questions; its help needs the host, to name the choices."""
    about = "Keys of an answers file, with dashes; they go over what stands there."
    group = parser.add_argument_group(f"answers for {target.title}", about)
    for asked in target.questions():
        yes_or_no = isinstance(asked.kind, YesNo)
        group.add_argument(
            asked.flag,
            action="append",
            dest=_place(asked),
            nargs="?" if yes_or_no else None,
            const="yes" if yes_or_no else None,
            metavar=_SHOWN.get(type(asked.kind), "TEXT"),
            help=_help(target, asked, host).replace("%", "%%") if host else None,
        )
        if asked.secret:
            parser.add_no_secret(asked.flag.removesuffix("-file"))


def over(setup: Setup, options: argparse.Namespace) -> Setup:
    """The same with the flags that were given, over the answers of the file."""
    typed = {
        asked: _value(asked, texts)
        for asked in setup.target.questions()
        if (texts := getattr(options, _place(asked))) is not None
    }
    words = tuple(
        f"{asked.flag}={text}"
        for asked, value in typed.items()
        for text in ([value] if isinstance(value, str) else value or [""])
    )
    written = {**setup.written, **{asked.key: value for asked, value in typed.items()}}
    return replace(setup, written=written, words=words)


def _place(asked: Question) -> str:
    """Where the parser keeps what is typed; no option of a command has such a name."""
    return f"answer {asked.name}"


def _value(asked: Question, texts: Sequence[str]) -> str | list[str]:
    """What is typed behind a flag: the last time, or for a list each time."""
    kind = asked.kind
    whole = _whole_path if isinstance(kind, FilePath | PerhapsFilePath | Delivered | Passphrase) else str
    if isinstance(kind, Several | Delivered):
        return [whole(item) for text in texts for item in kind.items(text)]
    return whole(texts[-1])


def _whole_path(text: str) -> str:
    """The path from the root, as its user means it; what is none stays, and its question says so."""
    text = text.strip()
    if not text or "-----BEGIN" in text:
        return text
    try:
        return str(Path(text).expanduser().absolute())
    except RuntimeError:  # the home of nobody
        return text


def _help(target: type[Target], asked: Question, host: Host) -> str:
    """The line under the field, with the choices."""
    if asked.secret:
        return f"{asked.help} In a file, mode 0600."
    if not isinstance(asked.kind, Choice):
        return asked.help
    # As long as nothing is answered.
    options = rule(target.__new__(target), "options", asked, host) or asked.kind.options
    more = ", or what is found on this host" if len(options) == 1 else ""
    return f"{asked.help} One of: {', '.join(inert(value) for value, _ in options)}{more}."
