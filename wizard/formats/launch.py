"""Which command of a script starts a program, and what words bash will pass to it.

Wrappers such as `exec nohup sudo -u hub` are stepped over, variables and arrays that are set once and for
certain are looked through, and so is one level of `bash -c '...'`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import groupby, pairwise

from wizard.formats.shell import Assignment, Command, Part, Script, Word, parse
from wizard.formats.splice import CannotEdit, line_of


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """How a program that starts another takes its own words before that one's."""

    valued: tuple[str, ...] = ()
    """Its options that take the next word."""
    operands: int = 0
    """Its own words that are no options."""


_WRAPPERS = {
    "builtin": _Wrapper(),
    "chpst": _Wrapper(("-u", "-U", "-b", "-e", "-/", "-n", "-l", "-L", "-m", "-d", "-o", "-p", "-f", "-c")),
    "chroot": _Wrapper((), 1),
    "chrt": _Wrapper(("-p", "-T", "-P", "-D"), 1),
    "command": _Wrapper(),
    "coproc": _Wrapper(),
    "daemonize": _Wrapper(("-c", "-e", "-E", "-l", "-o", "-p", "-u")),
    "doas": _Wrapper(("-u", "-C")),
    "env": _Wrapper(("-u", "--unset", "-C", "--chdir")),
    "exec": _Wrapper(("-a",)),
    "gosu": _Wrapper((), 1),
    "ionice": _Wrapper(("-c", "--class", "-n", "--classdata")),
    "nice": _Wrapper(("-n", "--adjustment")),
    "nohup": _Wrapper(),
    "numactl": _Wrapper(("-m", "-N", "-C", "-i", "-p")),
    "runuser": _Wrapper(("-u", "--user", "-g", "--group", "-G", "--supp-group")),
    "screen": _Wrapper(("-S", "-t", "-c", "-T", "-e", "-h", "-p", "-s", "-Logfile")),
    "setpriv": _Wrapper(("--reuid", "--regid", "--groups", "--inh-caps")),
    "setsid": _Wrapper(),
    "setuidgid": _Wrapper((), 1),
    "stdbuf": _Wrapper(("-i", "--input", "-o", "--output", "-e", "--error")),
    "strace": _Wrapper(("-o", "-e", "-p", "-s", "-u", "-P")),
    "su-exec": _Wrapper((), 1),
    "sudo": _Wrapper(
        ("-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-C", "-D", "--chdir", "-R", "-T")
    ),
    "taskset": _Wrapper((), 1),
    "time": _Wrapper(("-o", "-f")),
    "timeout": _Wrapper(("-k", "--kill-after", "-s", "--signal"), 1),
    "tini": _Wrapper(("-p", "-e")),
    "tmux": _Wrapper(("-s", "-n", "-c", "-t", "-x", "-y", "-e", "-L", "-S", "-f", "-F"), 1),
    "unbuffer": _Wrapper(),
    "xvfb-run": _Wrapper(("-n", "-s", "-e", "-f")),
}
_SHELLS = frozenset({"bash", "sh", "dash", "ash", "su", "runuser"})
"""Programs that run the string after -c as a script."""


class Place(Enum):
    """Where an argument stands, which decides how another value is written there."""

    WORD = auto()
    """A word of a command or an element of an array."""
    SPLIT = auto()
    """Text that bash splits at blanks and does not unquote."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One word as the program will get it, and the span it is written at."""

    text: str
    """The word, or its beginning as far as it is known."""
    known: bool
    """Whether `text` is the whole word."""
    start: int
    end: int
    word: int
    """Position of the command's word it comes from; an array gives several arguments for one word."""
    place: Place = Place.WORD
    certain: bool = True
    """Passed at every run, not only under a condition."""
    several: bool = False
    """May become no word, or several, at run time."""
    variable: str = ""
    """The variable or array it comes through, if its span lies in an assignment."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command that starts the program."""

    script: Script
    """The script it stands in; that may be a quoted string within the file."""
    command: Command
    program: Word
    arguments: tuple[Argument, ...]
    words: tuple[Word, ...]
    """The words after the program, as written."""


def find_launches(script: Script, program: str, nested: bool = True) -> list[Launch]:
    """The commands of `script` that start `program`, known by the last part of its path.

    Raises CannotEdit when one does so in a way that cannot be edited, such as by `eval`.
    """
    launches: list[Launch] = []
    for command in script.commands:
        words = _without_wrappers(command.words)
        if not words:
            continue
        if len(words) == 1 != len(command.words) and " " in words[0].text.strip():
            # tmux and screen take the whole command as one word.
            inner = _inner_script(words[0], program, script) if nested else None
            launches += find_launches(inner, program, nested=False) if inner else []
        elif _starts(words[0], program, script):
            launches.append(_launch(script, command, words))
        elif _name(words[0]) in ("bazel", "bazelisk") and (rest := _bazel_run(words, program, script)):
            launches.append(_launch(script, command, rest))
        elif (
            nested and (string := _shell_string(words)) and (inner := _inner_script(string, program, script))
        ):
            launches += find_launches(inner, program, nested=False)
        else:
            _refuse_hidden(words, program, script)
    return launches


def _launch(script: Script, command: Command, words: tuple[Word, ...]) -> Launch:
    arguments: list[Argument] = []
    for position, word in enumerate(words[1:]):
        arguments += (replace(a, word=position) for a in _Resolver(script, command.start).arguments(word))
    return Launch(script, command, words[0], tuple(arguments), words[1:])


def _name(word: Word) -> str:
    return word.text.rpartition("/")[2]


def _starts(word: Word, program: str, script: Script) -> bool:
    """Whether the word is a path to the program; a variable is enough if one of its values is."""
    last = word.parts[-1]
    if last.kind != "variable":
        return _is_path_to(program, word)
    values = [a.words[0] for a in script.assignments if a.name == last.text and a.words and not a.array]
    if any(
        value.known and _name_of(value.text.strip().partition(" ")[0]) == program != _tail(value)
        for value in values
    ):
        raise CannotEdit(
            f"The whole command is kept in the variable {last.text}.",
            f"Write the command where it is run, in place of ${last.text}.",
            line_of(script.data, word.start),
        )
    return any(_is_path_to(program, value) for value in values if value.parts)


def _is_path_to(program: str, word: Word) -> bool:
    last = word.parts[-1].text
    return _tail(word) == program and (word.known or "/" in last)


def _tail(word: Word) -> str:
    """The last part of a path; a blank at its end is a slip: `hub\\ ` at the end of a line."""
    text = "".join(part.text for part in word.parts) if word.known else word.parts[-1].text
    return _name_of(text).strip()


def _name_of(path: str) -> str:
    return path.rpartition("/")[2]


def _without_wrappers(words: tuple[Word, ...]) -> tuple[Word, ...]:
    while words:
        if "=" in words[0].text and words[0].text.partition("=")[0].rstrip("+").isidentifier():
            words = words[1:]
            continue
        wrapper = _WRAPPERS.get(_name(words[0])) if words[0].known else None
        if wrapper is None or (_name(words[0]) in _SHELLS and any(w.text == "-c" for w in words)):
            return words
        words = _after_options(words[1:], wrapper.valued, wrapper.operands)
    return words


def _after_options(words: tuple[Word, ...], valued: tuple[str, ...], operands: int) -> tuple[Word, ...]:
    while words:
        text = words[0].text
        if text == "--":
            return words[1 + operands :]
        if text.startswith("-") and len(text) > 1:
            # `screen -dmS name`: the last letter of a bundle may be the one that takes a word.
            takes = text in valued or (not text.startswith("--") and f"-{text[-1]}" in valued)
            takes = takes and (
                len(text) == 2 or text.startswith("--") or (text.isascii() and text[1:].isalpha())
            )
            words = words[2 if takes else 1 :]
        elif operands:
            words, operands = words[1:], operands - 1
        else:
            return words
    return words


def _bazel_run(words: tuple[Word, ...], program: str, script: Script) -> tuple[Word, ...]:
    """`bazel run //hub:hub -- --flag`: the flags begin after the two dashes."""
    texts = [word.text for word in words]
    label = next(
        (i for i, text in enumerate(texts) if text in (f"//{program}", f"//{program}:{program}")), None
    )
    if "run" not in texts or label is None:
        return ()
    if "--" not in texts[label:]:
        raise CannotEdit(
            "bazel run has no -- after the target, so it is not clear whose flags follow.",
            f"Write: bazel run //{program}:{program} -- and then the flags.",
            line_of(script.data, words[0].start),
        )
    return words[label + texts[label:].index("--") :]


def _shell_string(words: tuple[Word, ...]) -> Word | None:
    """The word after -c of `bash -c '...'` or `su hub -c '...'`."""
    if _name(words[0]) not in _SHELLS:
        return None
    for option, word in pairwise(words[1:]):
        if option.text.startswith("-") and not option.text.startswith("--") and option.text.endswith("c"):
            return word
    return None


def _inner_script(word: Word, program: str, script: Script) -> Script | None:
    """The script inside one quoted word, if it mentions the program."""
    if not _mentions(word, program, script):
        return None
    quote = script.data[word.start : word.start + 1].decode("latin-1")
    whole = script.data[word.start + 1 : word.end - 1]
    if quote not in ("'", '"') or not word.known or whole.decode("utf-8", "surrogateescape") != word.text:
        raise CannotEdit(
            f"{program} is started inside a quoted command that holds expansions or escapes of its own.",
            "Write the command without the shell around it, or edit the quoted text by hand.",
            line_of(script.data, word.start),
        )
    return parse(script.data, word.start + 1, word.end - 1, quote)


def _mentions(word: Word, program: str, script: Script) -> bool:
    text = script.data[word.start : word.end].decode("utf-8", "surrogateescape")
    return any(_name_of(piece) == program for piece in text.replace('"', " ").replace("'", " ").split())


def _refuse_hidden(words: tuple[Word, ...], program: str, script: Script) -> None:
    line = line_of(script.data, words[0].start)
    if _name(words[0]) == "eval" and any(
        _mentions(w, program, script) or _starts(w, program, script) for w in words[1:]
    ):
        raise CannotEdit(
            "The script builds a command with eval; what reaches the program cannot be read from it.",
            "Write the command without eval.",
            line,
        )


class _Resolver:
    """What bash will make of the words of the command at `position`."""

    def __init__(self, script: Script, position: int) -> None:
        self.script = script
        self.position = position

    def arguments(self, word: Word) -> Iterator[Argument]:
        """The arguments a word becomes."""
        parts = [part for part in word.parts if part.text or part.kind != "text"]
        if len(parts) == 1 and parts[0].kind == "array":
            yield from self._elements(word, parts[0])
            return
        argument = self._argument(word)
        if argument.known or len(parts) != 1 or parts[0].kind != "variable" or parts[0].quoted:
            yield argument
        else:
            yield from self._split(word, parts[0])

    def _argument(self, word: Word) -> Argument:
        texts: list[str] = []
        for part in word.parts:
            text = part.text if part.kind == "text" else self._value(part)
            if text is None:
                loose = any(p.kind == "array" or not (p.quoted or p.kind == "text") for p in word.parts)
                begin = "".join(texts)
                return Argument(begin, False, word.start, word.end, 0, several=loose and not begin)
            texts.append(text)
        return Argument("".join(texts), True, word.start, word.end, 0)

    def _value(self, part: Part) -> str | None:
        """The value of a variable that is set once, for certain, before the command."""
        settings = [a for a in self.script.assignments if a.name == part.text]
        if part.kind != "variable" or len(settings) != 1 or not self._happened(settings[0]):
            return None
        words = settings[0].words
        if not words or settings[0].array or settings[0].append or self._sourced_since(settings[0]):
            return None
        inner = _Resolver(self.script, settings[0].start)._argument(words[0])
        plain = part.quoted or not any(char in inner.text for char in " \t\n*?[")
        return inner.text if inner.known and plain else None

    def _happened(self, assignment: Assignment) -> bool:
        start, end = assignment.block
        return assignment.start < self.position and start <= self.position < end

    def _sourced_since(self, assignment: Assignment) -> bool:
        return any(
            command.words[0].text in (".", "source")
            for command in self.script.commands
            if command.words and assignment.start < command.start < self.position
        )

    def _history(self, name: str, array: bool) -> list[tuple[Assignment, bool]] | None:
        """The assignments that build up a variable, each with whether it is certain; None: unknown."""
        history: list[tuple[Assignment, bool]] = []
        for assignment in self.script.assignments:
            if assignment.name != name:
                continue
            if assignment.words is None or assignment.array is not array or self._sourced_since(assignment):
                return None
            certain = self._happened(assignment)
            extends = any(_extends_itself(assignment, word) for word in assignment.words)
            if not assignment.append and not extends:
                history = [] if certain else [(earlier, False) for earlier, _ in history]
            history.append((assignment, certain))
        return history or None

    def _elements(self, word: Word, part: Part) -> Iterator[Argument]:
        history = self._history(part.text, array=True)
        if history is None:
            yield Argument("", False, word.start, word.end, 0, several=True)
            return
        for assignment, certain in history:
            for element in assignment.words or ():
                if _extends_itself(assignment, element):
                    continue
                for argument in _Resolver(self.script, assignment.start).arguments(element):
                    passed = argument if part.quoted else _loosened(argument)
                    yield replace(passed, certain=certain and passed.certain, variable=part.text)

    def _split(self, word: Word, part: Part) -> Iterator[Argument]:
        history = self._history(part.text, array=False)
        if history is None:
            yield Argument("", False, word.start, word.end, 0, several=True)
            return
        for assignment, certain in history:
            for piece in assignment.words or ():
                for span in split_word(piece):
                    if not _extends_itself(assignment, span):
                        argument = _loosened(_Resolver(self.script, assignment.start)._argument(span))
                        yield replace(argument, certain=certain, variable=part.text)


def _loosened(argument: Argument) -> Argument:
    """The argument as an unquoted expansion passes it: split at blanks, and matched against files."""
    fixed = argument.known and argument.text != "" and not any(char in argument.text for char in " \t\n*?[")
    return replace(argument, known=fixed, several=not fixed, place=Place.SPLIT)


def _extends_itself(assignment: Assignment, word: Word) -> bool:
    """`OPTS="$OPTS --more"` or `ARGS=("${ARGS[@]}" --more)`: the word is the earlier value."""
    return any(part.kind in ("variable", "array") and part.text == assignment.name for part in word.parts)


def uses(script: Script, variable: str) -> int:
    """How often commands use a variable; what an assignment to itself does is not counted."""
    words = [word for command in script.commands for word in command.words]
    words += [word for a in script.assignments if a.name != variable for word in a.words or ()]
    return sum(
        part.text == variable and part.kind in ("variable", "array") for w in words for part in w.parts
    )


def split_word(word: Word) -> Iterator[Word]:
    """Cut a word at the blanks in its text, as bash does with the value of an unquoted variable."""
    gathered: list[Part] = []
    for part in word.parts:
        if part.kind != "text" or part.escape:
            gathered.append(part)
            continue
        at = part.start
        for blank, letters in groupby(part.text, key=str.isspace):
            text = "".join(letters)
            end = at + len(text.encode("utf-8", "surrogateescape"))
            if not blank:
                gathered.append(Part("text", text, at, end, part.quoted))
            elif gathered:
                yield _joined(gathered)
                gathered = []
            at = end
    if gathered:
        yield _joined(gathered)


def _joined(parts: list[Part]) -> Word:
    return Word(parts[0].start, parts[-1].end, tuple(parts))
