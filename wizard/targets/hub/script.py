"""The script that starts IOTA Hub: what flags reach it, and how they are set.

Hub has no configuration file; all of it is gflags flags (iotaledger/hub at 9df503d4, common/flags.cc and
hub/server/hub_server_base.cc).
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wizard.errors import Refusal
from wizard.formats.arguments import Argument
from wizard.formats.bash import check_edit, check_syntax, is_code
from wizard.formats.continuation import Repair, mend
from wizard.formats.gflags import INDIRECT, flag_name, read_flags
from wizard.formats.launch import Launch, find_launches
from wizard.formats.launch_flags import FlagEditor
from wizard.formats.shell import parse
from wizard.formats.splice import CannotEdit, Splice, line_of, origin, splice
from wizard.plan import Warning
from wizard.targets.hub.files import refuse_other_files, refuse_without_launch
from wizard.targets.hub.flags import BOOLEANS, is_known
from wizard.targets.hub.secrets import secret_values

_WATCHED: Final = ("serverType", "authMode", "sslCert", "sslKey", "sslCA", "sslDH", "listenAddress")


@dataclass(frozen=True, slots=True)
class Setting:
    """The setting of a flag that is in force, and the line it stands on."""

    value: str | None = field(repr=False)
    """None when it depends on the run. It may be a secret."""
    line: int


@dataclass(frozen=True, kw_only=True)
class StartScript:
    """What a start script says about Hub; all line numbers are those of the file as it is."""

    path: Path
    data: bytes = field(repr=False)
    repaired: bytes = field(repr=False)
    """The content with its broken continuations mended; the same as `data` when there are none."""
    repairs: tuple[Repair, ...]
    server_type: str
    """The API that runs today, "grpc" or "http": flags that never reach Hub do not count."""
    repaired_server_type: str
    """The API that the repaired script starts."""
    settings: Mapping[str, Setting]
    """The flags in force after the repair, by name; the last setting of each."""
    listen_address: str | None
    """None when it is not set, or depends on the run."""
    program: str
    """The program word as it is written."""
    program_line: int
    warnings: tuple[Warning, ...]
    secrets: tuple[bytes, ...] = field(repr=False)
    """Values that are never shown: salt, database password, and what else is named like a secret."""


@dataclass(frozen=True)
class _Lines:
    """Finds line numbers of the file as it is for positions in the repaired content."""

    data: bytes
    splices: Sequence[Splice]

    def at(self, position: int) -> int:
        return line_of(self.data, origin(position, self.splices))


def read(path: Path, data: bytes) -> StartScript:
    """Read the start script `data` of the file at `path`; nothing is run.

    Raises Refusal when it is no start script of Hub, or cannot be edited with certainty.
    """
    with _refusing(path):
        refuse_other_files(path, data)
        check_syntax(data)
        before = _launch(data)
        splices, repairs = mend(before.script, before.command.start)
        repaired = splice(data, splices)
        if repairs:
            check_syntax(repaired)
        launch = _launch(repaired) if repairs else before
        editor = FlagEditor(launch, BOOLEANS)
        lines = _Lines(data, splices)
        secrets = secret_values(launch)
        _refuse_orphans(launch, lines)
        _refuse_unclear_flags(editor, lines)
        settings = _settings(editor, lines)
        return StartScript(
            path=path,
            data=data,
            repaired=repaired,
            repairs=repairs,
            server_type=_server_type(before),
            repaired_server_type=_server_type(launch),
            settings=settings,
            listen_address=settings["listenAddress"].value if "listenAddress" in settings else None,
            program=launch.script.reader.text(launch.program.start, launch.program.end),
            program_line=lines.at(launch.program.start),
            warnings=tuple(_warnings(editor, path, lines, secrets)),
            secrets=secrets,
        )


def set_flags(script: StartScript, flags: Mapping[str, str], remove: Collection[str] = ()) -> bytes:
    """The content of the script, repaired, with each of `flags` set and in force, and none of `remove` set.

    Every other byte stays. What bash makes of the result is compared with what was meant. Raises Refusal.
    """
    by_hand = " \\\n    ".join(f"--{name} {shlex.quote(value)}" for name, value in flags.items())
    with _refusing(script.path, by_hand):
        editor = FlagEditor(_launch(script.repaired), BOOLEANS)
        after = check_edit(script.repaired, editor.edit(flags, remove))
        _check_result(editor, FlagEditor(_launch(after), BOOLEANS), flags, remove)
        return after


def running(arguments: Sequence[str]) -> dict[str, str]:
    """The flags in force in the command line of a running Hub, program word included."""
    words = [Argument(text, True, 0, 0, position) for position, text in enumerate(arguments[1:])]
    return {setting.name: setting.value or "" for setting in read_flags(words, BOOLEANS)}


@contextmanager
def _refusing(path: Path, by_hand: str = "") -> Iterator[None]:
    try:
        yield
    except CannotEdit as error:
        raise Refusal(path, error.reason, error.remedy, error.line, error.by_hand or by_hand) from None


def _launch(data: bytes) -> Launch:
    """The one command that starts Hub."""
    script = parse(data)
    # The grammar may take the text of a here-document for commands; bash does not.
    found = find_launches(script, "hub")
    launches = [launch for launch in found if launch.script.quote or is_code(data, launch.command.start)]
    if not launches:
        refuse_without_launch(script)
    if len(launches) > 1:
        lines = " and ".join(str(line_of(data, launch.program.start)) for launch in launches)
        raise CannotEdit(
            f"Hub is started in {len(launches)} places, on lines {lines}; it is not clear which one counts.",
            "Keep one of them, for instance by choosing the differing values beforehand in variables.",
            line_of(data, launches[1].program.start),
        )
    return launches[0]


def _server_type(launch: Launch) -> str:
    types = [setting for setting in read_flags(launch.arguments, BOOLEANS) if setting.name == "serverType"]
    if not types:
        return "grpc"
    argument = launch.arguments[types[-1].last]
    if types[-1].value is None or not all(launch.arguments[setting.first].certain for setting in types):
        raise CannotEdit(
            "--serverType decides which API Hub serves, and its value is not known before the script runs.",
            "Write --serverType http or --serverType grpc.",
            line_of(launch.script.data, argument.start),
        )
    return types[-1].value


def _settings(editor: FlagEditor, lines: _Lines) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    for setting in editor.settings:
        arguments = editor.arguments[setting.first : setting.last + 1]
        value = setting.value if all(argument.certain for argument in arguments) else None
        settings[setting.name] = Setting(value, lines.at(arguments[0].start))
    return settings


def _refuse_orphans(launch: Launch, lines: _Lines) -> None:
    for command in launch.script.commands:
        option = command.words[0].text.partition("=")[0] if command.words else ""
        if option.startswith("-") and (launch.script.quote or is_code(launch.script.data, command.start)):
            raise CannotEdit(
                f"This line begins with {option}, but bash takes it for a command of its own.",
                "Join it to its command: a backslash as the very last character of the line before.",
                lines.at(command.start),
            )


def _refuse_unclear_flags(editor: FlagEditor, lines: _Lines) -> None:
    """Whether a flag that Hub is not known to have takes the next word decides what that word is."""
    for setting in editor.settings:
        after = editor.arguments[setting.last]
        if setting.first < setting.last and not is_known(setting.name) and after.may_be_flag:
            raise CannotEdit(
                f"--{setting.name} is no flag that is known of Hub, so it is not clear whether the next word "
                "is its value or a flag of its own.",
                f"Join them if it is the value, --{setting.name}=VALUE; else write --{setting.name}=true.",
                lines.at(editor.arguments[setting.first].start),
            )


def _warnings(editor: FlagEditor, path: Path, lines: _Lines, secrets: Sequence[bytes]) -> Iterator[Warning]:
    position = editor.launch.command.start
    for ending in editor.launch.script.endings:
        if ending.start < position and ending.block[0] <= position < ending.block[1]:
            text = f"The script does not go on after {ending.text}: hub below it is never started."
            yield Warning(text, path, lines.at(ending.start))
    for position in editor.overriders():
        argument = editor.arguments[position]
        flag = flag_name(argument.text)
        if flag and flag[0] in INDIRECT:
            text = f"--{flag[0]} brings flags from elsewhere; they win over those that stand before it."
        else:
            written = editor.launch.script.reader.text(argument.start, argument.end)
            if any(secret in editor.data[argument.start : argument.end] for secret in secrets):
                written = "This word"
            text = f"{written} is only known at run time; a flag in it wins over those that stand before it."
        yield Warning(text, path, lines.at(argument.start))
    for name in _WATCHED:
        found = [setting for setting in editor.settings if setting.name == name]
        if len(found) > 1:
            text = f"--{name} is set {len(found)} times; only the last one, here, is in force."
            yield Warning(text, path, lines.at(editor.arguments[found[-1].first].start))


def _check_result(
    before: FlagEditor, after: FlagEditor, flags: Mapping[str, str], remove: Collection[str]
) -> None:
    """Read the result anew: the wanted flags once each, the others as they were."""
    touched = {*flags, *remove}
    found = sorted((s.name, s.value) for s in after.settings if s.name in touched)
    others = [[(s.name, s.value) for s in e.settings if s.name not in touched] for e in (before, after)]
    if found != sorted(flags.items()) or others[0] != others[1]:
        raise CannotEdit(
            "Read again after the edit, the script would not pass the flags as meant; nothing is changed.",
            "Set the flags by hand in the command that starts hub.",
            line_of(after.data, after.launch.program.start),
        )
