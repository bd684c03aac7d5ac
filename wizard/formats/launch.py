"""Which command of a script starts a program.

Wrappers such as `exec nohup sudo -u hub` are stepped over, and one level of `bash -c '...'` is looked into.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from wizard.formats.arguments import Argument, Resolver
from wizard.formats.bash import is_code
from wizard.formats.joins import is_fresh
from wizard.formats.shell import Script, parse
from wizard.formats.splice import CannotEdit, line_of
from wizard.formats.words import Command, Word


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """How a program that starts another takes its own words before that one's."""

    valued: tuple[str, ...] = ()
    """Its options that take the next word."""
    operands: int = 0
    """Its own words that are no options."""
    asking: tuple[str, ...] = ()
    """Its options with which it starts nothing."""


_WRAPPERS = {
    "builtin": _Wrapper(),
    "chpst": _Wrapper(("-u", "-U", "-b", "-e", "-/", "-n", "-l", "-L", "-m", "-d", "-o", "-p", "-f", "-c")),
    "chroot": _Wrapper((), 1),
    "chrt": _Wrapper(("-p", "-T", "-P", "-D"), 1),
    "command": _Wrapper(asking=("-v", "-V")),
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
        if nested:
            _refuse_hidden(command, program, script)
        string = _shell_string(words, wrapped=len(words) < len(command.words))
        if string is not None:
            inner = _inner_script(string, program, script) if nested else None
            launches += find_launches(inner, program, nested=False) if inner else []
        elif _starts(words[0], program, script):
            launches.append(_launch(script, command, words))
        elif rest := _bazel_run(words, program, script):
            launches.append(_launch(script, command, rest))
        else:
            _refuse_eval(words, program, script)
    return launches


def _refuse_other_names(script: Script, command: Command, program: Word) -> None:
    """A function or an alias of the same name is what runs, not the program."""
    aliases = {
        word.text.partition("=")[0]
        for other in script.commands
        if other.words and other.words[0].text == "alias"
        for word in other.words[1:]
    }
    for word in command.words:
        if word.known and word.text in aliases.union(script.functions):
            raise CannotEdit(
                f"{word.text} is a function or an alias in this script, so what reaches the program is "
                "decided there.",
                "Start the program by its path in one place, or give the function another name.",
                line_of(script.data, word.start),
            )
        if word == program:
            return


def _refuse_hidden(command: Command, program: str, script: Script) -> None:
    """Text that is run as a script of its own: in a trap, or given to a shell as its input."""
    words = _without_wrappers(command.words)
    hidden: list[Script] = []
    if words and words[0].text == "trap" and len(words) > 1 and script.data[words[1].start] in b"'\"":
        hidden.append(parse(script.data, words[1].start + 1, words[1].end - 1))
    if words and command.heredoc and _name(words[0].text) in _SHELLS:
        following = script.data.find(b"\n", command.end, script.end) + 1
        hidden.append(parse(script.data, following or script.end, script.end))
    for inner in hidden:
        for launch in find_launches(inner, program, nested=False):
            if words[0].text == "trap" or not is_code(script.data, launch.command.start):
                raise CannotEdit(
                    f"{program} is started inside text that a trap or another shell runs.",
                    "Write the command in the script itself, and once.",
                    line_of(script.data, launch.command.start),
                )


def _launch(script: Script, command: Command, words: tuple[Word, ...]) -> Launch:
    _refuse_other_names(script, command, words[0])
    arguments: list[Argument] = []
    for position, word in enumerate(words[1:]):
        arguments += (replace(a, word=position) for a in Resolver(script, command.start).arguments(word))
    return Launch(script, command, words[0], tuple(arguments), words[1:])


def _starts(word: Word, program: str, script: Script) -> bool:
    """Whether the word is a path to the program; a variable is enough if one of its values is."""
    # A blank behind a backslash belongs to the name, but is a slip: `hub\ ` at the end of a line.
    parts = tuple(part for part in word.parts if not (part.escape and part.text.isspace()))
    if not parts:
        return False
    last = parts[-1]
    if last.kind not in ("variable", "array"):
        return _is_path_to(program, replace(word, parts=parts))
    settings = [a for a in script.assignments if a.name == last.text and a.words and a.words[0].parts]
    values = [setting.words[0] for setting in settings if setting.words]
    if last.kind == "array":
        whole = any(_is_path_to(program, value) for value in values)
    else:
        pieces = [value.text.split() for value in values]
        whole = any(len(piece) > 1 and _name(piece[0]) == program for piece in pieces)
        added = [
            part.text for a in settings if not is_fresh(a) for word in a.words or () for part in word.parts
        ]
        whole = whole or any(char.isspace() for text in added for char in text)
    if whole:
        raise CannotEdit(
            f"The whole command is kept in the variable {last.text}.",
            f"Write the command where it is run, in place of ${last.text}.",
            line_of(script.data, word.start),
        )
    return any(_is_path_to(program, value) for value in values)


def _is_path_to(program: str, word: Word) -> bool:
    last = word.parts[-1]
    text = "".join(part.text for part in word.parts) if word.known else last.text
    return _name(text) == program and (word.known or last.kind == "unknown" or "/" in text)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _without_wrappers(words: tuple[Word, ...]) -> tuple[Word, ...]:
    while words:
        if "=" in words[0].text and words[0].text.partition("=")[0].rstrip("+").isidentifier():
            words = words[1:]
            continue
        wrapper = _WRAPPERS.get(_name(words[0].text)) if words[0].known else None
        starts_nothing = wrapper and any(word.text in wrapper.asking for word in words[1:2])
        if wrapper is None or starts_nothing or _shell_string(words, wrapped=False):
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
            bundle = not text.startswith("--") and text[1:].isalpha()
            takes = text in valued or (bundle and f"-{text[-1]}" in valued)
            words = words[2 if takes else 1 :]
        elif operands:
            words, operands = words[1:], operands - 1
        else:
            return words
    return words


def _bazel_run(words: tuple[Word, ...], program: str, script: Script) -> tuple[Word, ...]:
    """`bazel run //hub:hub -- --flag`: the flags begin after the two dashes."""
    texts = [word.text for word in words]
    labels = [i for i, text in enumerate(texts) if text in (f"//{program}", f"//{program}:{program}")]
    if _name(words[0].text) not in ("bazel", "bazelisk") or "run" not in texts or not labels:
        return ()
    label = labels[0]
    if "--" not in texts[label:]:
        raise CannotEdit(
            "bazel run has no -- after the target, so it is not clear whose flags follow.",
            f"Write: bazel run //{program}:{program} -- and then the flags.",
            line_of(script.data, words[0].start),
        )
    return words[label + texts[label:].index("--") :]


def _shell_string(words: tuple[Word, ...], wrapped: bool) -> Word | None:
    """The word that a shell runs as a script: after -c, or all that tmux and screen are given."""
    if wrapped and len(words) == 1 and " " in words[0].text.strip():
        return words[0]
    if _name(words[0].text) in _SHELLS:
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
    return any(_name(piece) == program for piece in text.replace('"', " ").replace("'", " ").split())


def _refuse_eval(words: tuple[Word, ...], program: str, script: Script) -> None:
    if _name(words[0].text) != "eval":
        return
    if any(_mentions(word, program, script) or _starts(word, program, script) for word in words[1:]):
        raise CannotEdit(
            "The script builds a command with eval; what reaches the program cannot be read from it.",
            "Write the command without eval.",
            line_of(script.data, words[0].start),
        )
