"""What in a start script must never be shown: the salt, passwords, and what is named like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from wizard.formats.arguments import split_word
from wizard.formats.gflags import flag_name
from wizard.formats.launch import Launch
from wizard.formats.shell import Script, parse
from wizard.formats.words import Command, Word

_NAMES = ("salt", "passw", "passphrase", "pwd", "secret", "token", "credential", "apikey", "accesskey")

# Beside bash's own grammar: what comments, here-documents, defaults in ${...}, options of other programs and
# URLs look like. It may hide too much, which does no harm.
_ANYWHERE = re.compile(
    rb"""(?ix) (?<! [\w.-] ) (?P<name> [\w.-]{0,80}
         (?: salt|passw|passphrase|pwd|secret|token|credential|(?:api|access)[_-]?key|pass\b ) [\w.-]{0,80} )
         (?: ["']? \s* [=:] \s* | (?<= [\w] ) \s+ (?= \S ) ) ["']? (?P<value> [^\s"'`;|&)}]+ )"""
)
_WORD = re.compile(rb"[\w.:-]+")
_VARIABLE = re.compile(rb"\$\{?(?P<name>[A-Za-z_]\w*|\d+)")
_ALONE = re.compile(rb"\$(?:\w+|\{\w+\})")
"""A variable and nothing else: its name is no secret."""
_URL = re.compile(rb"//[^\s/:@\"']{0,80}:(?P<value>[^\s/@\"']+)@")
_MYSQL = re.compile(rb"\b(?:mysql|mariadb)\w*\b[^\n]{0,500}?\s-p(?P<value>[^\s\"'-]\S*)")
_LOGIN = re.compile(rb"\s(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"']{1,80}:(?P<value>[^\s\"']+)")
_PHRASE = re.compile(rb"(?i)\b(?:bearer|basic|identified by)\s+[\"']?(?P<value>[^\s\"';]+)")
_SSHPASS = re.compile(rb"\bsshpass\s[^\n|;&]{0,80}?-p\s*[\"']?(?P<value>[^\s\"']+)")
_ACCOUNT = re.compile(rb"[\w.-]:(?P<value>[^\s\"'|;&]+)")
_HERE_STRING = re.compile(rb"<<<\s*(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s;|&()]+)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{16,}")
_LONGEST_KEY = 300
"""Lines; one of 16384 bits has 200."""


def secret_values(launch: Launch) -> tuple[bytes, ...]:
    """The secret values in the file, as they stand there, without the quotes around them; longest first."""
    data = launch.script.data
    scripts = (launch.script, parse(data)) if launch.script.quote else (launch.script,)
    found = {value for s in scripts for words in _sequences(s) for value in _in_words(words, s)}
    found |= {*_passed(launch)}
    for script in scripts:
        found |= {*_behind_variables(script, found)}
    found |= {value for value in _anywhere(data) if not any(value in known for known in found)}
    found = {value for value in found if value and not _ALONE.fullmatch(value)}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def _passed(launch: Launch) -> Iterator[bytes]:
    """The words that reach the program as values of secret flags, whichever way they take."""
    for argument, after in pairwise([*launch.arguments, None]):
        name = flag_name(argument.text) if argument else None
        if after is not None and name and name[1] is None and _is_secret(name[0]):
            yield launch.script.data[after.start : after.end].strip(b"'\"")
            yield after.text.encode("utf-8", "surrogateescape") if after.known else b""


def _behind_variables(script: Script, found: set[bytes]) -> Iterator[bytes]:
    """What is given to the variables that secret values are made of, and to those these are made of."""
    waiting = {name for value in found for name in _names(value, script)}
    waiting |= {assignment.name for assignment in script.assignments if _is_secret(assignment.name)}
    done: set[str] = set()
    while waiting:
        name = waiting.pop()
        done.add(name)
        for value in (*_given(script, name), *_printed(script, name)):
            yield value.strip(b"'\"")
            waiting |= _names(value, script) - done


def _names(value: bytes, script: Script) -> set[str]:
    """The variables, and the functions in `$(...)`, that a value is made of."""
    run = _WORD.findall(value) if b"(" in value or b"`" in value else []
    called = {name for name in script.functions if name.encode() in run}
    return called | {match["name"].decode() for match in _VARIABLE.finditer(value)}


def _given(script: Script, name: str) -> Iterator[bytes]:
    """All that a variable, or an argument such as 1, may be given; rather too much than too little."""
    data = script.data
    for assignment in script.assignments:
        if assignment.name == name:
            yield from _raw(script, assignment.words or ())
            if assignment.words is None:
                yield from _set_unseen(script, script.reader.command(assignment.start), name)
    for default in re.finditer(rb"\$\{%s:?[-=+](?P<value>[^}]*)\}" % name.encode(), data):
        yield default["value"]
    for command in script.commands:
        texts = [word.text for word in command.words]
        if name.isdigit() and texts[:1] and (texts[0] == "set" or texts[0] in script.functions):
            yield from _raw(script, command.words[1:])
        yield from _behind_equals(script, command, name)


def _set_unseen(script: Script, command: Command, name: str) -> Iterator[bytes]:
    """What a command such as `read`, `printf -v` or `for` may set a variable to."""
    texts = [word.text for word in command.words]
    if texts[:1] in (["for"], ["select"]):
        yield from _raw(script, command.words[3:])
    if "printf" in texts:
        yield from (value for value in _operands(script, command) if value != name.encode())
    if {*texts} & {"read", "mapfile", "readarray"}:
        yield from (found["value"] for found in _HERE_STRING.finditer(script.data))
        yield from _here_document(script, command)
        line = script.data.rfind(b"\n", 0, command.start)
        for other in script.commands:
            if line < other.start < command.start:
                yield from _operands(script, other)
    yield from _behind_equals(script, command, name)


def _behind_equals(script: Script, command: Command, name: str) -> Iterator[bytes]:
    """The values in words such as `NAME=value`, `NAME[1]=value` and `NAME+=value`."""
    for raw in _raw(script, command.words):
        before, _, value = raw.partition(b"=")
        if before.rstrip(b"+").split(b"[")[0] == name.encode():
            yield value


def _raw(script: Script, words: Sequence[Word]) -> Iterator[bytes]:
    return (script.data[word.start : word.end] for word in words)


def _operands(script: Script, command: Command) -> Iterator[bytes]:
    """What `echo` or `printf` writes."""
    texts = [word.text for word in command.words]
    if "echo" in texts or "printf" in texts:
        yield from (
            raw for raw in _raw(script, command.words[1:]) if raw.strip(b"'\"")[:1] not in (b"-", b"%")
        )


def _printed(script: Script, name: str) -> Iterator[bytes]:
    """What a function writes, whose output may be the value."""
    spans = script.functions.get(name, ())
    for command in script.commands:
        if any(start <= command.start < end for start, end in spans):
            yield from _operands(script, command)
            yield from _here_document(script, command)


def _here_document(script: Script, command: Command) -> Iterator[bytes]:
    """The lines below a command, up to the word that it names behind `<<`."""
    first, *rest = script.data[command.start :].split(b"\n") if command.heredoc else [b""]
    named = [part.lstrip(b"- \t").split()[:1] for part in first.split(b"<<")[1:]]
    ends = {word.strip(b"'\"\\") for words in named for word in words}
    yield from takewhile(lambda line: line not in ends, (line.strip() for line in rest))


def _sequences(script: Script) -> Iterator[Sequence[Word]]:
    for command in script.commands:
        yield command.words
    for assignment in script.assignments:
        words = assignment.words or ()
        yield words
        for word in words:
            yield tuple(split_word(word))
        if _is_secret(assignment.name):
            for word in words:
                yield (Word(assignment.start, word.end, word.parts),)


def _in_words(words: Sequence[Word], script: Script) -> Iterator[bytes]:
    for position, word in enumerate(words):
        raw = script.data[word.start : word.end]
        before, equals, value = raw.partition(b"=")
        name = flag_name(word.text)
        variable = before.rstrip(b"+").decode("utf-8", "replace")
        if equals and _is_secret(name[0] if name else variable):
            yield value.strip(b"'\"")
        elif name and name[1] is None and _is_secret(name[0]) and position + 1 < len(words):
            after = words[position + 1]
            yield script.data[after.start : after.end].strip(b"'\"")


def _anywhere(data: bytes) -> Iterator[bytes]:
    for found in _ANYWHERE.finditer(data):
        flag = found["name"].startswith(b"-")
        separated = found.group()[len(found["name"]) :].lstrip(b"\"'").lstrip()[:1] in (b"=", b":")
        if (flag or separated) and not found["value"].startswith(b"$"):
            yield found["value"].rstrip(b"\\")
    for pattern in (_URL, _MYSQL, _LOGIN, _PHRASE, _SSHPASS):
        yield from (found["value"] for found in pattern.finditer(data))
    yield from _accounts(data)
    yield from _keys(data)


def _accounts(data: bytes) -> Iterator[bytes]:
    """The passwords in `name:password` for chpasswd, on its line or in the here-document below it."""
    inside = False
    for line in data.split(b"\n"):
        found = [match["value"] for match in _ACCOUNT.finditer(line)]
        inside = b"chpasswd" in line or (inside and bool(found))
        yield from found if inside else ()


def _keys(data: bytes) -> Iterator[bytes]:
    """The lines of private keys in PEM, within a text that may be none."""
    lines = [line.strip(b" \t\r'\"\\") for line in data.split(b"\n")]
    for at, line in enumerate(lines):
        if b"-----BEGIN " in line and b"PRIVATE KEY-----" in line:
            yield from _BASE64.findall(line)
            following = lines[at + 1 : at + _LONGEST_KEY]
            body = [*takewhile(lambda text: b"-----END " not in text, following)]
            closed = len(body) < len(following) and not any(b" " in text.replace(b": ", b"") for text in body)
            yield from body if closed else takewhile(_BASE64.fullmatch, body)


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("_", "").replace("-", "")
    return any(part in plain for part in _NAMES)
