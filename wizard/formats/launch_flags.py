"""Setting gflags flags on the command that starts a program: from what is wanted to splices."""

from __future__ import annotations

import shlex
import string
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from wizard.formats.arguments import Argument, Place, uses
from wizard.formats.gflags import INDIRECT, Setting, end_of_flags, read_flags
from wizard.formats.launch import Launch
from wizard.formats.splice import CannotEdit, Splice, line_of

_PLAIN = frozenset(string.ascii_letters + string.digits + "_@%+=:,./-")
_BLANKS = b" \t"


class FlagEditor:
    """The flags of one launch, and the splices that change them."""

    def __init__(self, launch: Launch, booleans: Collection[str]) -> None:
        self.launch = launch
        self.data = launch.script.data
        self.arguments = launch.arguments
        self.settings = read_flags(launch.arguments, booleans)
        self.flags_end = end_of_flags(launch.arguments, booleans)
        self.loose = frozenset(self._loose())
        """Positions of arguments that may be flags, or several, for all that can be seen here."""
        for setting in self.settings:
            if setting.last > setting.first:
                self._refuse_cut(setting)

    def edit(self, flags: Mapping[str, str], remove: Collection[str]) -> list[Splice]:
        """Splices after which each of `flags` is set once and last, and none of `remove` is.

        Raises CannotEdit when a flag is set under a condition, or where the value cannot be written.
        """
        end = max(position for _, position in self._complete())
        for i in [i for i in self.loose if i > end and _is_cut(self.arguments[i])]:
            raise CannotEdit(
                "The options in this variable come through another one, and win over all that stand before.",
                "Write the options out here, or pass the other variable to the program itself.",
                line_of(self.data, self.arguments[i].start),
            )
        removals: list[Splice] = []
        splices: list[Splice] = []
        missing: list[tuple[str, str]] = []
        for name in [*flags, *remove]:
            found = [setting for setting in self.settings if setting.name == name]
            for setting in found:
                self._check_reach(setting)
            kept = found[-1:] if name in flags and not self._outdone(found[-1:]) else []
            for setting in found[: len(found) - len(kept)]:
                removals += self._remove(setting)
            if kept:
                splices += self._replace(kept[0], flags[name])
            elif name in flags:
                missing.append((name, flags[name]))
        if missing:
            splices.append(self._insert(missing))
        return [*_disjoint(removals), *splices]

    def overriders(self) -> list[int]:
        """Positions of arguments that may bring flags which cannot be seen here."""
        indirect = [setting.first for setting in self.settings if setting.name in INDIRECT]
        return sorted([*self.loose, *indirect])

    def _outdone(self, last: list[Setting]) -> bool:
        """Whether something that may override the setting stands behind it, with a place behind that."""
        end = max(position for _, position in self._complete())
        return any(setting.first < position <= end for setting in last for position in self.overriders())

    def _loose(self) -> Iterator[int]:
        seen = {setting.first for setting in self.settings} | self._values()
        for i, argument in enumerate(self.arguments[: self.flags_end]):
            stray = i not in seen and not argument.known and argument.may_be_flag
            parted = i in self._values() and self._is_parted(i)
            # Behind a value that the script puts together more options may be hidden.
            hidden = argument.several and (i not in self._values() or self._is_built(argument))
            if stray or hidden or parted:
                yield i

    def _is_parted(self, position: int) -> bool:
        """Whether a value may be there without its option, or be missing behind it, and others pair up."""
        option, value = self.arguments[position - 1 : position + 1]
        return option.when != value.when and (value.may_be_flag or not value.certain)

    def _is_built(self, argument: Argument) -> bool:
        """Whether it comes through a variable that is set in several places, or to several words."""
        written = self.launch.script.reader.text(argument.start, argument.end).strip("${}")
        name = argument.variable or written
        places = sum(assignment.name == name for assignment in self.launch.script.assignments)
        words = sum(other.word == argument.word for other in self.arguments)
        return places > 1 or (argument.variable != "" and words > 1)

    def _values(self) -> set[int]:
        return {setting.last for setting in self.settings if setting.last > setting.first}

    def _check_reach(self, setting: Setting) -> None:
        """Refuse to change what is set under a condition, or by text that is used in two places."""
        arguments = self.arguments[setting.first : setting.last + 1]
        line = line_of(self.data, arguments[0].start)
        self._refuse_cut(setting)
        if not all(argument.certain for argument in arguments):
            raise CannotEdit(
                f"--{setting.name} is set here, but only under a condition.",
                "Set it in the command itself, or take it out of the condition.",
                line,
            )
        if setting.first - 1 in self._values() and self.arguments[setting.first - 1].several:
            raise CannotEdit(
                f"The value before --{setting.name} is an unquoted expansion: whenever that is empty, the "
                f"option before it takes --{setting.name} for its value.",
                "Put the expansion in double quotes.",
                line,
            )
        if setting.first - 1 in self._values() and self._is_parted(setting.first - 1):
            raise CannotEdit(
                f"The option and the value before --{setting.name} are not always passed together, so it may "
                "become the value of that option.",
                "Write the option and its value in the same place.",
                line,
            )
        for variable in {argument.variable for argument in arguments} - {""}:
            if uses(self.launch.script, variable) > 1:
                raise CannotEdit(
                    f"--{setting.name} is set in {variable}, which is used in more than one place.",
                    f"Use ${variable} in the command that starts the program only, and once.",
                    line,
                )

    def _refuse_cut(self, setting: Setting) -> None:
        """Refuse an option with text behind its value that bash makes further words of."""
        value = self.arguments[setting.last]
        quoted = self.data[value.start : value.start + 1] == b'"'
        if value.several and quoted and setting.last > setting.first:
            raise CannotEdit(
                f"--{setting.name} gets several words here, of which only the first is its value.",
                "Write its value behind it, and pass the array on its own.",
                line_of(self.data, value.start),
            )
        for argument in self.arguments[setting.first : setting.last + 1]:
            if _is_cut(argument):
                raise CannotEdit(
                    f"The value of --{setting.name} holds blanks, and bash cuts it at them, without quotes.",
                    "Put the expansion in double quotes, or write out the options behind the value.",
                    line_of(self.data, argument.start),
                )

    def _replace(self, setting: Setting, value: str) -> Iterator[Splice]:
        name, last = self.arguments[setting.first], self.arguments[setting.last]
        if setting.value == value and not (setting.bare or last.several):
            return
        if setting.attached:
            prefix = name.text[: name.text.index("=") + 1].encode()
            yield Splice(name.start, name.end, prefix + self._written(value, name))
        elif setting.bare:
            yield Splice(name.end, name.end, b" " + self._written(value, name))
        else:
            yield Splice(last.start, last.end, self._written(value, last))

    def _remove(self, setting: Setting) -> Iterator[Splice]:
        spans = [(a.start, a.end) for a in self.arguments[setting.first : setting.last + 1]]
        if len(spans) == 2 and spans[0] < spans[1] and not self._gap(spans[0][1], spans[1][0]).strip():
            spans = [(spans[0][0], spans[1][1])]
        for start, end in spans:
            before = self._gap_before(start)
            after = end + len(self.data[end:]) - len(self.data[end:].lstrip(_BLANKS))
            command = self.launch.command
            inside = command.start <= start < command.content_end
            # In an array or a string the line may go on behind, and a comment may stand before.
            keeps_before = not inside and self.data[after : after + 1] not in (b"\n", b")", b"'", b'"', b"")
            yield Splice(start, after, b"") if keeps_before else Splice(before, end, b"")

    def _gap_before(self, position: int) -> int:
        """Start of the blanks, newlines and continuations before `position`."""
        text = self.data[:position].rstrip(b" \t\n")
        # Of two backslashes the first makes the other a letter of the word before.
        while (len(text) - len(text.rstrip(b"\\"))) % 2 and self.data[len(text) : len(text) + 1] == b"\n":
            text = text[:-1].rstrip(b" \t\n")
        return len(text)

    def _gap(self, start: int, end: int) -> bytes:
        return self.data[start:end].replace(b"\\\n", b" ")

    def _insert(self, flags: list[tuple[str, str]]) -> Splice:
        words = (self.launch.program, *self.launch.words)
        gaps = [(a.end, b.start) for a, b in pairwise(words)]
        folded = [(a, b) for a, b in gaps if b"\n" in self.data[a:b] and not self._gap(a, b).strip(_BLANKS)]
        separator = self.data[folded[0][0] : folded[0][1]] if folded else b" "
        at = self._anchor(folded[0][0] if folded else self.launch.program.end)
        new = b"".join(
            separator + f"--{name} ".encode() + self._written(value, None) for name, value in flags
        )
        return Splice(at, at, new)

    def _anchor(self, preferred: int) -> int:
        """Where flags can be put so that no option before them takes the first one for its value.

        Behind anything that may bring flags of its own, since the last setting wins, but before `"$@"`;
        otherwise at the preferred place, or right behind the program.
        """
        ends = dict(self._complete())
        last = max(ends)
        if any(position <= ends[last] for position in self.overriders()):
            return last
        return preferred if preferred in ends else self.launch.program.end

    def _complete(self) -> Iterator[tuple[int, int]]:
        """Ends of words behind which an option and its value are complete, and the last argument there."""
        yield self.launch.program.end, -1
        closed = {i: s.last for s in self.settings for i in range(s.first, s.last + 1) if self._is_closed(s)}
        open_ = {i for s in self.settings for i in range(s.first, s.last + 1)} - set(closed)
        first = {a.word: i for i, a in reversed([*enumerate(self.arguments)])}
        # A word that may be missing is none behind an option that takes it for its value.
        swallowed = {
            word
            for word, i in first.items()
            if i in self._values() and (self.arguments[i].several or self._is_parted(i))
        }
        for i, argument in enumerate(self.arguments[: self.flags_end]):
            ends_word = i + 1 == len(self.arguments) or self.arguments[i + 1].word != argument.word
            ends_word = ends_word and argument.word not in swallowed
            if ends_word and i not in open_ and closed.get(i, i) == i and i not in self.loose:
                yield self.launch.words[argument.word].end, i

    def _is_closed(self, setting: Setting) -> bool:
        arguments = self.arguments[setting.first : setting.last + 1]
        return (not setting.bare or setting.value is not None) and not any(
            a.several or not a.certain for a in arguments
        )

    def _written(self, value: str, argument: Argument | None) -> bytes:
        """The value as it has to stand in the script to be passed as it is."""
        raw = value.encode("utf-8", "surrogateescape")
        quote = self.launch.script.quote
        if value and set(value) <= _PLAIN:
            return raw
        if argument is not None and argument.place is Place.SPLIT:
            raise CannotEdit(
                f"The value {value!r} would be cut to pieces: it is passed through an unquoted variable.",
                "Choose a path without blanks and special characters, or quote the variable.",
                line_of(self.data, argument.start),
            )
        if not quote:
            return shlex.quote(value).encode("utf-8", "surrogateescape")
        other = b'"' if quote == "'" else b"'"
        if set(value) & set("'\"$`\\!"):
            raise CannotEdit(
                f"The value {value!r} cannot be written inside the quoted command.",
                "Choose a path without quotes and special characters.",
                line_of(self.data, self.launch.program.start),
            )
        return other + raw + other


def _is_cut(argument: Argument) -> bool:
    """Whether bash makes several words of it, at blanks which are known."""
    split = argument.place is Place.SPLIT and not argument.known
    return split and any(blank in argument.text for blank in " \t\n")


def _disjoint(removals: list[Splice]) -> Iterator[Splice]:
    """Neighbours may both claim the blanks between them."""
    at = 0
    for removal in sorted(removals):
        yield Splice(max(removal.start, at), max(removal.end, at), b"")
        at = max(removal.end, at)
