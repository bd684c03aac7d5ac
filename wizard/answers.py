"""Answers files: TOML with `target` and one key per question. They never hold a secret."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wizard import targets
from wizard.errors import BadAnswers, WizardError
from wizard.host import Host
from wizard.kinds import MOST_OPTIONS, Choice, Plain, Raw, is_plain
from wizard.questions import Question
from wizard.secret import Secret
from wizard.sheet import Elsewhere, Entry, Sheet, fill_in
from wizard.small_files import read_small, write_small
from wizard.state import State
from wizard.targets import Target, catalogue

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

    from wizard.journal import Run

_MOST_PARTS = 100


def read(path: Path, *, secrets: bool = True) -> tuple[type[Target], dict[str, Raw]]:
    """The target and the answers given in a file; without `secrets` the files that hold some are left alone.

    Raises BadAnswers with one sentence that says what is wrong and what would be right.
    """
    target, written = load(path)
    return target, from_keys(target, written, secrets=secrets)


def load(path: Path) -> tuple[type[Target], dict[str, Raw]]:
    """The target that a file names, and what stands behind each key; of a secret that is its file.

    Raises BadAnswers.
    """
    try:
        text = read_small(path).decode()
        # What tomllib takes for a dotted key grows with the square of its parts: a minute, and gigabytes.
        if any(word.count(".") > _MOST_PARTS for word in re.split(r"[\s,=]|\.{2,}", text)):
            raise BadAnswers(f"{path} is not an answers file: a name in it has over {_MOST_PARTS} dots.")
        data = tomllib.loads(text)
    except OSError as error:
        raise BadAnswers(f"{path} cannot be read: {error.strerror}.") from None
    except RecursionError:
        raise BadAnswers(f"{path} is not an answers file: it nests lists hundreds deep.") from None
    except ValueError as error:  # not UTF-8, not TOML, or a number of thousands of digits
        raise BadAnswers(
            f"{path} is not TOML: {error}. See: tls-wizard questions TARGET for a file to fill in."
        ) from None
    key = data.pop("target", None)
    if not isinstance(key, str):
        raise BadAnswers(f'{path} names no target. Begin it with a line such as: target = "hub-rest"')
    target = targets.named(key)
    questions = {question.key: question for question in target.questions()}
    return target, {
        key: _value(path, _asked(path, target, questions, key), value) for key, value in data.items()
    }


def from_keys(target: type[Target], written: Mapping[str, Raw], *, secrets: bool = True) -> dict[str, Raw]:
    """The answers by the names of their questions, for what stands behind the keys, in a file or as flags.

    Without `secrets` the files that hold some are left alone. Raises BadAnswers: one cannot be used.
    """
    return {
        asked.name: read_secret(Path(str(written[asked.key]))) if asked.secret else written[asked.key]
        for asked in target.questions()
        if asked.key in written and (secrets or not asked.secret)
    }


def _asked(path: Path, target: type[Target], questions: Mapping[str, Question], key: str) -> Question:
    """The question with this key; raises BadAnswers."""
    if key in questions:
        return questions[key]
    for question in questions.values():
        if question.secret and question.name == key:
            raise BadAnswers(
                f'{path}: "{key}" must not stand here, where others may read it. Put it into a file of its '
                f'own with mode 0600, and write: {question.key} = "/path/of/that/file"'
            )
    near = difflib.get_close_matches(key, questions, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"The questions are: {', '.join(questions)}."
    raise BadAnswers(f'{path}: "{key}" is not a question of {target.key}. {hint}')


def _value(path: Path, question: Question, value: object) -> Raw:
    """What stands behind the key of a question; raises BadAnswers where it is no answer to any."""
    if not is_plain(value):
        raise BadAnswers(
            f'{path}: "{question.key}" must be a text, a number, true, false or a list of texts.'
        )
    if question.secret and not isinstance(value, str):
        raise BadAnswers(f'{path}: "{question.key}" must be the name of a file, in quotes.')
    try:
        str(value)
    except ValueError:  # a hexadecimal one, for which TOML sets no limit as for others
        raise BadAnswers(f'{path}: "{question.key}" is a number of thousands of digits.') from None
    return value


def read_secret(path: Path) -> Secret:
    """The first line of a file that nobody but its owner can read; `~` is the user's home.

    Raises BadAnswers: it cannot be read, lies open to others, or is empty.
    """
    if "\0" in str(path):
        raise BadAnswers(f"{path}, which should hold a passphrase, is no file: there is a NUL in its name.")
    try:
        path = path.expanduser()
    except RuntimeError:
        raise BadAnswers(f'"{path}" names a home folder that does not exist.') from None
    try:
        line = read_small(path).split(b"\n", 1)[0].rstrip(b"\r")
        mode = path.stat().st_mode
    except OSError as error:
        raise BadAnswers(
            f"{path}, which should hold a passphrase, cannot be read: {error.strerror}."
        ) from None
    if mode & 0o077:
        raise BadAnswers(
            f"{path} can be read by others, so what is in it is no secret. First: chmod 600 {path}"
        )
    if not line:
        raise BadAnswers(f"{path} should hold a passphrase in its first line, but that is empty.")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise BadAnswers(f"The passphrase in {path} is not text in UTF-8.") from None
    # Programs that read a passphrase end it at a NUL; a byte order mark would be part of it, unseen.
    if "\0" in text or text.startswith("\ufeff"):
        raise BadAnswers(
            f"The passphrase in {path} begins with a byte order mark or holds a NUL. Write it anew."
        )
    return Secret(text)


def of_run(run: Run) -> tuple[type[Target], dict[str, Raw]]:
    """The target and the answers of an earlier run, to go on from there; raises BadAnswers."""
    return targets.named(run.target), dict(run.answers)


def complete(
    target: type[Target],
    given: Mapping[str, Raw],
    host: Host,
    *,
    secrets: bool = True,
    flags: bool = True,
) -> Target:
    """The target with every answer; without `secrets` it may lack passphrases.

    With `flags` the command takes those of the questions, so that problems name them. Raises Refusal when a
    file that an answer names cannot be edited, else BadAnswers with each problem.
    """
    sheet = fill_in(target, given, host, secrets=secrets)
    if sheet.answers is None:
        raise refusal(target, sheet.wrong, flags=flags)
    return sheet.answers


def refusal(target: type[Target], wrong: Sequence[Entry], *, flags: bool = True) -> WizardError:
    """Why some answers cannot be used: a file that one names cannot be edited, else each problem."""
    for entry in wrong:
        if entry.refusal is not None:
            return entry.refusal
    problems = "\n".join(_problem(entry, flags=flags) for entry in wrong)
    return BadAnswers(f"Some answers for {target.title} cannot be used:\n{problems}")


def _problem(entry: Entry, *, flags: bool) -> str:
    """What is wrong with an answer, with its key and its flag."""
    asked = entry.question
    text = f"  {asked.key}{f' ({asked.flag})' if flags else ''}: {entry.error}"
    if entry.elsewhere is not None:
        return f"{text}\n    Answers to begin with there:\n{_instead(entry.elsewhere)}"
    if asked.secret and entry.missing:
        how = "" if flags else " with --passphrase-file"
        return f"{text} Write it into a file that only you can read, and name that file{how}."
    if entry.missing and isinstance(asked.kind, Choice):
        return f"{text} One of: {', '.join(f'{value} ({label})' for value, label in asked.kind.options)}."
    return f"{text} {asked.help}" if entry.missing else text


def _instead(elsewhere: Elsewhere) -> str:
    """The beginning of an answers file for another target."""
    import tomlkit

    lines = tomlkit.dumps({"target": elsewhere.target, **elsewhere.answers}).splitlines()
    return "\n".join(f"      {line}" for line in lines)


def template(sheet: Sheet[Target], secret_files: Mapping[str, str] | None = None) -> str:
    """A commented answers file, filled with what is given and with the defaults of this host.

    Of a secret it names the file, where `secret_files` has one by its key.
    """
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(f"Answers for {sheet.target.title}. Preview: tls-wizard plan THIS-FILE"))
    first = sheet.entries[0].question
    flag = f"{first.flag} for {first.key}"
    document.add(tomlkit.comment(f"Each key is a flag as well, which goes over this file: {flag}"))
    document.add("target", tomlkit.item(sheet.target.key))
    for entry in sheet.entries:
        document.add(tomlkit.nl())
        document.add(tomlkit.comment(f"{entry.question.label}: {entry.question.help}"))
        _add(document, entry, (secret_files or {}).get(entry.question.key))
    return tomlkit.dumps(document)


def _add(document: TOMLDocument, entry: Entry, secret_file: str | None) -> None:
    import tomlkit

    kind = entry.question.kind
    options = getattr(kind, "options", ())
    if options:
        more = f" and {len(options) - MOST_OPTIONS} others" if len(options) > MOST_OPTIONS else ""
        named = ", ".join(value for value, _ in options[:MOST_OPTIONS])
        document.add(tomlkit.comment(f"One of: {named}{more}"))
    if entry.question.secret:
        document.add(tomlkit.comment("A file, mode 0600, with the passphrase as its first line; without one"))
        document.add(tomlkit.comment("it is asked for on the terminal."))
        if secret_file is not None:
            document.add(entry.question.key, tomlkit.item(secret_file))
            return
    elif entry.applies and not entry.error:
        document.add(entry.question.name, tomlkit.item(kind.plain(kind.read(entry.text))))
        return
    if not entry.applies:
        document.add(tomlkit.comment("It has no effect here, so it needs no answer."))
    elif not entry.question.secret:
        for line in entry.error.splitlines():
            document.add(tomlkit.comment(line))
    document.add(tomlkit.comment(f"{entry.question.key} = ..."))


def storable(given: Mapping[str, Raw]) -> dict[str, Plain]:
    """What of the answers may be written down: no passphrase, no private key that was pasted by mistake."""
    plain: dict[str, Plain] = {
        name: raw if isinstance(raw, str | int | bool) else list(raw)
        for name, raw in given.items()
        if not isinstance(raw, Secret)
    }
    return {name: raw for name, raw in plain.items() if "PRIVATE KEY-----" not in str(raw)}


def keep(state: State, target: type[Target], given: Mapping[str, Raw]) -> None:
    """Keep what was given for the next start, but no secret: texts as typed, even those still wrong."""
    import tomlkit

    document = tomlkit.document()
    document.add("target", tomlkit.item(target.key))
    for name, raw in target.lasting(storable(given)).items():
        document.add(name, tomlkit.item(raw))
    state.make()
    path = state.kept_answers(target.key)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_small(path, tomlkit.dumps(document).encode(errors="replace"))


def kept(state: State) -> dict[str, dict[str, Raw]]:
    """The answers kept from the last start, by target key; a file that cannot be used is passed over."""
    found: dict[str, dict[str, Raw]] = {}
    for target in catalogue.EVERY:
        path = state.kept_answers(target.key)
        try:
            if path.exists():
                found[target.key] = read(path)[1]
        except (BadAnswers, OSError):
            continue
    return found
