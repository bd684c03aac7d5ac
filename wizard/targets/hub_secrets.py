"""What in a start script must never be shown: the salt, passwords, and what is named like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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
_URL = re.compile(rb"//[^\s/:@\"']{0,80}:(?P<value>[^\s/@\"']+)@")
_MYSQL = re.compile(rb"\b(?:mysql|mariadb)\w*\b[^\n]{0,500}?\s-p(?P<value>[^\s\"'-]\S*)")

_LOGIN = re.compile(rb"\s(?:-u|--user|--proxy-user)[ =]?[\"']?[^\s:\"']{1,80}:(?P<value>[^\s\"']+)")
_PHRASE = re.compile(rb"(?i)\b(?:bearer|basic|identified by)\s+[\"']?(?P<value>[^\s\"';]+)")


def secret_values(launch: Launch) -> tuple[bytes, ...]:
    """The secret values in the file, as they stand there, without the quotes around them; longest first."""
    scripts = (launch.script, parse(launch.script.data)) if launch.script.quote else (launch.script,)
    found = {value for s in scripts for words in _sequences(s) for value in _in_words(words, s)}
    found |= {value for value in _anywhere(launch.script.data) if not any(value in known for known in found)}
    return tuple(sorted((value for value in found if value), key=lambda value: (-len(value), value)))


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
            yield from _value(word, value, script)
        elif name and name[1] is None and _is_secret(name[0]) and position + 1 < len(words):
            after = words[position + 1]
            yield from _value(after, script.data[after.start : after.end], script)


def _value(word: Word, raw: bytes, script: Script) -> Iterator[bytes]:
    if any(part.kind in ("text", "unknown") and part.end > part.start for part in word.parts):
        yield raw.strip(b"'\"")
    for part in word.parts:
        for assignment in script.assignments:
            if part.kind == "variable" and assignment.name == part.text:
                for value in assignment.words or ():
                    yield script.data[value.start : value.end].strip(b"'\"")


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
