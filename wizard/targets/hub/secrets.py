"""What in a start script must never be shown: the salt, passwords, and what is named like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from wizard.formats.arguments import split_word
from wizard.formats.gflags import flag_name
from wizard.formats.launch import Launch
from wizard.formats.shell import Script, parse
from wizard.formats.words import Word

_NAMES = ("salt", "passw", "passphrase", "pwd", "secret", "token", "credential", "apikey", "api_key")

# Beside bash's own grammar: what comments, here-documents, defaults in ${...}, options of other programs and
# URLs look like. It may hide too much, which does no harm.
_ANYWHERE = re.compile(
    rb"""(?ix) (?<! [\w.-] ) (?P<name> [\w.-]{0,80}
         (?: salt|passw|passphrase|pwd|secret|token|credential|api_?key|pass\b ) [\w.-]{0,80} )
         (?: ["']? \s* [=:] \s* | (?<= [\w] ) \s+ (?= \S ) ) ["']? (?P<value> [^\s"'`;|&)}]+ )"""
)
_VARIABLE = re.compile(rb"\$\{?(?P<name>[A-Za-z_]\w*|\d+)")
_ALONE = re.compile(rb"\$(?:\w+|\{\w+\})")
"""A variable and nothing else: its name is no secret."""
_URL = re.compile(rb"//[^\s/:@\"']{0,80}:(?P<value>[^\s/@\"']+)@")
_MYSQL = re.compile(rb"\b(?:mysql|mariadb)\w*\b[^\n]{0,500}?\s-p(?P<value>[^\s\"'-]\S*)")

_LOGIN = re.compile(rb"\s(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"']{1,80}:(?P<value>[^\s\"']+)")
_PHRASE = re.compile(rb"(?i)\b(?:bearer|basic|identified by)\s+[\"']?(?P<value>[^\s\"';]+)")


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
    waiting = {match["name"].decode() for value in found for match in _VARIABLE.finditer(value)}
    waiting |= {assignment.name for assignment in script.assignments if _is_secret(assignment.name)}
    done: set[str] = set()
    while waiting:
        name = waiting.pop()
        done.add(name)
        for value in _given(script, name):
            yield value.strip(b"'\"")
            waiting |= {match["name"].decode() for match in _VARIABLE.finditer(value)} - done


def _given(script: Script, name: str) -> Iterator[bytes]:
    """All that a variable, or an argument such as 1, may be given; rather too much than too little."""
    data = script.data
    for assignment in script.assignments:
        if assignment.name == name:
            for word in assignment.words or ():
                yield data[word.start : word.end]
    for default in re.finditer(rb"\$\{%s:?[-=+](?P<value>[^}]*)\}" % name.encode(), data):
        yield default["value"]
    for command in script.commands:
        texts = [word.text for word in command.words]
        called = name.isdigit() and texts[:1] and (texts[0] == "set" or texts[0] in script.functions)
        if called or (texts[:1] in (["read"], ["printf"], ["mapfile"], ["readarray"]) and name in texts):
            rest = command.words[1:] if called else command.words[texts.index(name) + 1 :]
            yield from (data[word.start : word.end] for word in rest)
            yield data[command.words[-1].end : command.content_end].strip(b" <")


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
    for pattern in (_URL, _MYSQL, _LOGIN, _PHRASE):
        yield from (found["value"] for found in pattern.finditer(data))


def _is_secret(name: str) -> bool:
    return any(part in name.lower() for part in _NAMES)
