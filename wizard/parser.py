"""A parser of words that complains as everything else does, and that can refuse an option with its reason."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from textwrap import wrap
from typing import NoReturn

from wizard.errors import WrongUsage


class Parser(argparse.ArgumentParser):
    """What it cannot read it raises as WrongUsage."""

    def error(self, message: str) -> NoReturn:
        raise WrongUsage(f"{message[0].upper()}{message[1:]}. See: {self.prog} --help")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Refuse what it does not take; what may be the value of an option, and secret, is not repeated."""
        option = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
        if option and not option.startswith("--"):
            option = option[:2]  # a value may stand right behind a letter
        if option is None:
            self.error(f'"{words[0]}" is one word too many: a list has commas, a text with blanks has quotes')
        taken = [name for name, action in self._option_string_actions.items() if action.help is not _HIDDEN]
        near = get_close_matches(option, taken, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        what = self.prog.removeprefix("tls-wizard ")
        raise WrongUsage(f"There is no {option} for `{what}`.{hint} See: {self.prog} --help")

    def add_refused(self, option: str, sentence: str) -> None:
        """Never take this option: the sentence says why, and what to do instead."""
        self.add_argument(option, action=_Refused, sentence=sentence)

    def add_no_secret(self, option: str) -> None:
        """Never take a secret as an argument; the option with `-file` behind it takes a file instead."""
        self.add_refused(
            option,
            f"{option} is refused: others can read the words of a command while it runs, and the shell keeps "
            f"them. Write the passphrase into a file that only you can read, and give: {option}-file FILE",
        )


class Layout(argparse.RawDescriptionHelpFormatter):
    """The help, in which names such as `private-ca` stay in one piece."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(text, width, break_on_hyphens=False)


_HIDDEN = argparse.SUPPRESS


class _Refused(argparse.Action):
    """Takes what stands behind the option with it, and repeats nothing of that."""

    def __init__(self, option_strings: Sequence[str], dest: str, sentence: str) -> None:
        super().__init__(option_strings, dest, nargs="?", default=_HIDDEN, help=_HIDDEN)
        self.sentence = sentence

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise WrongUsage(self.sentence)
